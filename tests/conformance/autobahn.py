#!/usr/bin/env python3
"""Runs Autobahn's WebSocket cases against ws_echo: `autobahn.py build/release/ws_echo`.

The runner is the PyPI package kosoku, pinned by requirements.txt and kept in a virtual environment below
the cache folder ($TARS_CACHE_DIR or ~/.cache/tars). The cases 12.* and 13.* are about permessage-deflate, which
this server does not offer. Exits with 0 when all 301 others passed, and prints how many did.
"""

import hashlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import venv

RUNNER = "kosoku"
REQUIREMENTS = pathlib.Path(__file__).with_name("requirements.txt")
CASES = 301
EXCLUDED = ["12.*", "13.*"]
PASSING = {"OK", "NON-STRICT", "INFORMATIONAL"}
TIMEOUT_SECONDS = 300


def cache_folder():
    return pathlib.Path(os.environ.get("TARS_CACHE_DIR") or pathlib.Path.home() / ".cache" / "tars")


def runner():
    """The path of the installed runner; installs it where that was not done yet."""
    pinned = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    folder = cache_folder() / f"{RUNNER}-{pinned[:16]}"
    program = folder / "bin" / RUNNER
    if not program.exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run(
            [folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check",
             "--only-binary", ":all:", "--require-hashes", "-r", REQUIREMENTS], check=True)
    return program


def start(ws_echo):
    server = subprocess.Popen([ws_echo, "--port", "0"], stdout=subprocess.PIPE, text=True)
    found = re.search(r":(\d+)$", server.stdout.readline().strip())
    if not found:
        server.kill()
        sys.exit("ws_echo did not say its port")
    return server, int(found[1])


def failures(index):
    """(number of cases, those that failed) of a report; it has one agent, whatever its name."""
    (cases,) = index.values()
    failed = [(name, case["behavior"], case["behaviorClose"]) for name, case in cases.items()
              if not {case["behavior"], case["behaviorClose"]} <= PASSING]
    return len(cases), failed


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = runner()
    server, port = start(sys.argv[1])
    try:
        with tempfile.TemporaryDirectory() as out:
            excluded = [word for case in EXCLUDED for word in ("-x", case)]
            subprocess.run([program, *excluded, "-o", out, f"127.0.0.1:{port}"], cwd=out,
                           stdout=subprocess.DEVNULL, timeout=TIMEOUT_SECONDS, check=False)
            index = json.loads((pathlib.Path(out) / "index.json").read_text())
    finally:
        server.send_signal(signal.SIGTERM)
        exit_status = server.wait(timeout=10)
    count, failed = failures(index)
    for name, behavior, close in failed:
        print(f"{name}: {behavior}, close {close}")
    print(f"{count - len(failed)} passed, {len(failed)} failed")
    if exit_status != 0:
        print(f"ws_echo ended with {exit_status}")
    if count != CASES:
        print(f"{CASES} cases were expected, {count} ran")
    return 0 if not failed and count == CASES and exit_status == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
