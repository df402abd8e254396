"""The program's verbs, called as an operator calls them beside a server (or without one)."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tars_server import BINARY, Server


def tars(*args: str, env: dict[str, str], cwd: Path, status: int = 0,
         seconds: float = 60) -> subprocess.CompletedProcess:
    """Runs it to its end. A failure is one line, the last on stderr, where progress goes as well."""
    full = {"PATH": os.environ["PATH"], "HOME": str(cwd), **{k: v for k, v in env.items() if v}}
    result = subprocess.run([str(BINARY), *args], env=full, cwd=cwd, capture_output=True, text=True,
                            timeout=seconds, stdin=subprocess.DEVNULL)
    assert result.returncode == status, (result.returncode, result.stdout, result.stderr)
    if status:
        lines = result.stderr.strip().splitlines()
        assert lines[-1].startswith("tars: "), result.stderr
        assert not [line for line in lines[:-1] if not line.startswith("[")], result.stderr
    return result


def beside(server: Server, *args: str, status: int = 0) -> subprocess.CompletedProcess:
    """With the server's options, on its data folder."""
    return tars(*args, env=server.env, cwd=server.folder, status=status)


def json_of(result: subprocess.CompletedProcess) -> dict:
    return json.loads(result.stdout)


def devices(server: Server, *args: str) -> list[dict]:
    return json_of(beside(server, "devices", "list", "--json", *args))["items"]
