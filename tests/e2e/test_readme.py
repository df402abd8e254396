"""The README's first steps, run as written, with only the address replaced."""

from __future__ import annotations

import json
import os
import re
import subprocess

from own_python import VENV_FUNCTION, own_python
from tars_client import Device
from tars_server import REPOSITORY

README = (REPOSITORY / "README.md").read_text()


def shell_steps() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```$", README, re.S | re.M)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def test_the_steps_of_the_readme(server, tmp_path):
    """All in one shell, as a person types them. curl fails on an HTTP error here; wscat, which needs
    npm, is replaced by the next test, and the folder of Python packages by the tests' own."""
    own_python(tmp_path, "--url", server.url, "--max-tokens", "16")
    script = tmp_path / "steps.sh"
    script.write_text("\n".join([
        "set -euo pipefail",
        'curl() { command curl --fail --silent --show-error "$@" && echo; }',
        VENV_FUNCTION,
        "wscat() { echo \"wscat $*\"; }",
        *shell_steps(),
    ]).replace("localhost:8000", f"127.0.0.1:{server.port}"))
    result = subprocess.run(["bash", str(script)], cwd=REPOSITORY, capture_output=True, text=True,
                            env={**os.environ, "HOME": str(tmp_path)},
                            timeout=90)
    assert result.returncode == 0, result.stderr
    out = result.stdout
    for wanted in ('"healthy"', '"ready"', '"access_token"', '"valid":true', "tokens in", "/ws/chat?token=ey",
                   '"total_sessions"', "tars_build_info"):
        assert wanted in out.replace('": ', '":'), wanted


def test_the_transcript_of_the_readme(server):
    """In its order: the server speaks first."""
    shown = re.findall(r'^([<>]) {"type":"(\w+)"', README, re.M)
    sent = [json.loads(line[2:]) for line in README.splitlines() if line.startswith("> {")]
    with Device(server) as device:
        seen = [("<", device.ack["type"])]
        device.send({**sent[0], "max_tokens": 16})
        seen.append((">", sent[0]["type"]))
        answer = device.collect()[0]
        assert answer.complete["conversation_id"] == sent[0]["conversation_id"]
        seen += [("<", frame["type"]) for frame in answer.frames if frame["type"] != "queued"]
        one_each = [kind for i, kind in enumerate(seen) if kind != seen[i - 1]]
        pings = [("<", "ping"), (">", "pong")]  # the first comes after WS_HEARTBEAT_INTERVAL
        assert [kind for i, kind in enumerate(shown) if kind != shown[i - 1]] == one_each + pings
        device.send(sent[1])
        assert device.still_works()


def test_what_the_readme_links_to_is_there():
    for document in ("README.md", "docs/ARCHITECTURE.md", "CONTRIBUTING.md",
                     "docs/guides/troubleshooting.md", "docs/guides/operations.md"):
        path = REPOSITORY / document
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{document} links to {target}"


def test_the_tests_that_the_readme_names_are_there():
    named = set(re.findall(r"\btest_\w+\.py", README))
    assert len(named) > 10
    assert not [name for name in named if not (REPOSITORY / "tests/e2e" / name).exists()]
