"""docs/examples/websocket_client_example.py, run as a person runs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tars_client import fresh
from tars_server import REPOSITORY, free_port

EXAMPLE = REPOSITORY / "docs/examples/websocket_client_example.py"


def run(*args: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(EXAMPLE), *args], capture_output=True, text=True,
                          timeout=90)


def test_it_streams_an_answer(server):
    client = fresh("example")
    result = run("--url", server.url, "--message", "Say hello.", "--client-id", client,
                 "--max-tokens", "16")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.strip().splitlines()
    assert client in lines[0]
    assert "tokens in" in lines[-1] and "finish reason" in lines[-1]
    assert len("".join(lines[1:-1]).strip()) > 0
    assert result.stderr == ""


def test_an_error_is_one_line(server):
    result = run("--url", server.url, "--message", "x" * 32_001)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1 and "INVALID_MESSAGE" in result.stderr


def test_a_server_that_is_not_there_is_one_line():
    result = run("--url", f"http://127.0.0.1:{free_port()}")
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr.count("\n") == 1 and "is the server running?" in result.stderr


@pytest.mark.parametrize("there", [(), ("httpx",), ("httpx", "websockets")],
                         ids=["nothing", "no websockets", "an old websockets"])
def test_packages_that_are_missing_are_one_line(tmp_path, there):
    for name in there:
        (tmp_path / f"{name}.py").write_text("")
    # -S: without what is installed; the folder of the stand-ins is all that it finds.
    start = (f"import runpy, sys; sys.path.insert(0, {str(tmp_path)!r}); "
             f"runpy.run_path({str(EXAMPLE)!r}, run_name='__main__')")
    result = subprocess.run([sys.executable, "-S", "-E", "-c", start], capture_output=True, text=True,
                            timeout=30)
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert "~/tars-py/bin/pip install websockets httpx" in result.stderr


def test_a_refused_name_is_one_line(server):
    result = run("--url", server.url, "--client-id", "not allowed")
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1 and "HTTP 422" in result.stderr
