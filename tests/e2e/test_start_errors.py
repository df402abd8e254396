"""What stops a start: exit status 1 and one line on stderr that names
the option and the fix."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

from tars_server import BINARY, model_path


def run(*args: str, env: dict[str, str] | None = None, folder=None, program=BINARY,
        **kwargs) -> subprocess.CompletedProcess:
    base = {"PATH": os.environ["PATH"], "HOME": str(folder), "TARS_DATA_DIR": str(folder / "data"),
            "TARS_PORT": "0", "MODEL_PATH": model_path(), **(env or {})}
    return subprocess.run([str(program), *args], env=base, cwd=folder, capture_output=True, text=True,
                          timeout=60, **kwargs)


def assert_refused(result: subprocess.CompletedProcess, *names: str) -> None:
    assert result.returncode == 1, (result.returncode, result.stderr)
    # gcov's own complaint, where the program's user may not write the counts, is not the program's.
    lines = [line for line in result.stderr.splitlines()
             if line.strip() and not line.startswith("profiling:")]
    assert len(lines) == 1, result.stderr
    for name in names:
        assert name in lines[0], lines[0]


@pytest.mark.parametrize("name,value", [
    ("TARS_PORT", "70000"), ("TARS_PORT", "-1"), ("TARS_PORT", "eighty"),
    ("TARS_ENV", "staging"), ("LOG_LEVEL", "LOUD"), ("LOG_FORMAT", "xml"), ("IO_THREADS", "0"),
    ("IO_THREADS", "1e3"), ("WS_HEARTBEAT_INTERVAL", "0"), ("WS_MAX_CONNECTIONS", "0"),
    ("WS_TIMEOUT_SECONDS", "-5"), ("MODEL_TEMPERATURE", "9"), ("MODEL_TOP_P", "1.5"),
    ("MODEL_MAX_TOKENS", "0"), ("MODEL_CONTEXT_LENGTH", "-1"), ("JWT_ALGORITHM", "none"),
    ("JWT_ALGORITHM", "RS256"), ("JWT_SECRET_KEY", "short"), ("JWT_EXPIRATION_HOURS", "0"),
    ("AUTH_ENROLLMENT", "maybe"), ("HTTP_MAX_BODY_BYTES", "many"), ("DRAIN_SECONDS", "-1"),
    ("LLM_BACKEND", "abacus"), ("TARS_HOST", "not an address"), ("RUN_GRACE_SECONDS", "soon"),
    ("JWT_PREVIOUS_VALID_UNTIL", "tomorrow"), ("RATE_LIMIT_PER_MINUTE", "-1"),
    ("CORS_ORIGINS", "not a url"), ("CORS_ORIGINS", "https://*.example"),
    ("CORS_ORIGINS", "https://a.example:99999"), ("RUNS_WAITING", "x"), ("TARS_NO_SUCH_OPTION", "1"),
])
def test_an_impossible_value_names_its_option(tmp_path, name, value):
    assert_refused(run("serve", env={name: value}, folder=tmp_path), name)


@pytest.mark.parametrize("flag", ["--no-such-option", "--no-such-option=5", "--prot"])
def test_an_unknown_flag_is_named(tmp_path, flag):
    assert_refused(run("serve", flag, "5", folder=tmp_path), flag.split("=")[0])


def test_a_bad_flag_value_names_the_flag_or_its_option(tmp_path):
    result = run("serve", "--port", "70000", folder=tmp_path)
    assert_refused(result)
    assert "TARS_PORT" in result.stderr or "--port" in result.stderr


def test_an_unknown_name_in_the_env_file_is_named(tmp_path):
    (tmp_path / ".env").write_text("TARS_PROT=8000\n")
    assert_refused(run("serve", folder=tmp_path), "TARS_PROT")


def test_a_port_in_use(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert_refused(run("serve", env={"TARS_PORT": port}, folder=tmp_path), "TARS_PORT", port)


def test_a_missing_model(tmp_path):
    assert_refused(run("serve", env={"MODEL_PATH": str(tmp_path / "no.gguf")}, folder=tmp_path),
                   "MODEL_PATH", "no.gguf")


def test_a_truncated_model(tmp_path):
    cut = tmp_path / "cut.gguf"
    with open(model_path(), "rb") as whole:
        cut.write_bytes(whole.read(3_000_000))
    assert_refused(run("serve", env={"MODEL_PATH": str(cut)}, folder=tmp_path), "MODEL_PATH")


@pytest.mark.parametrize("content", [b"", b"GGUF", b"#!/bin/sh\n", b"\x00" * 4096,
                                     b"GGUF\x03\x00\x00\x00" + b"\xff" * 64])
def test_a_foreign_model(tmp_path, content):
    foreign = tmp_path / "foreign.gguf"
    foreign.write_bytes(content)
    assert_refused(run("serve", env={"MODEL_PATH": str(foreign)}, folder=tmp_path), "MODEL_PATH")


def test_a_folder_as_model(tmp_path):
    assert_refused(run("serve", env={"MODEL_PATH": str(tmp_path)}, folder=tmp_path), "MODEL_PATH")


def test_a_data_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    assert_refused(run("serve", env={"TARS_DATA_DIR": str(tmp_path / "file")}, folder=tmp_path),
                   "TARS_DATA_DIR")


def test_a_data_folder_that_cannot_be_written(tmp_path):
    """As nobody when the tests run as root, for root writes everywhere. The program and the model
    may lie below a folder that is closed to nobody, so copies stand in an open one."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    if os.geteuid() != 0:
        assert_refused(run("serve", env={"TARS_DATA_DIR": str(locked / "data")}, folder=tmp_path),
                       "TARS_DATA_DIR")
        return
    with tempfile.TemporaryDirectory() as name:
        opened = Path(name)
        opened.chmod(0o755)
        program = Path(shutil.copy(BINARY, opened))
        program.chmod(0o755)
        Path(shutil.copy(model_path(), opened / "model.gguf")).chmod(0o644)
        (opened / "locked").mkdir(mode=0o555)
        result = run("serve", program=program, folder=opened, user=65534, group=65534,
                     extra_groups=[],
                     env={"TARS_DATA_DIR": str(opened / "locked/data"),
                          "MODEL_PATH": str(opened / "model.gguf")})
        assert_refused(result, "TARS_DATA_DIR")


def test_a_second_server_on_one_data_folder(server, tmp_path):
    result = run("serve", env={"TARS_DATA_DIR": str(server.data_dir)}, folder=tmp_path)
    assert_refused(result, "TARS_DATA_DIR")


def test_a_start_waits_for_a_verb_that_has_the_folder(own_server):
    server = own_server(start=False)
    server.data_dir.mkdir(parents=True, exist_ok=True)
    lock = (server.data_dir / "tars.lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    release = threading.Timer(0.5, lock.close)
    release.start()
    server.start(ready=False)
    release.join()


def test_a_data_folder_that_others_may_write_is_told(own_server):
    server = own_server(start=False)
    server.data_dir.mkdir(parents=True, exist_ok=True)
    server.data_dir.chmod(0o777)
    server.start(ready=False)
    assert f"chmod 700 '{server.data_dir}'" in server.log()


def test_admins_with_open_enrolment_are_refused(tmp_path):
    result = run("serve", env={"ADMIN_CLIENTS": "root", "AUTH_ENROLLMENT": "open"}, folder=tmp_path)
    assert_refused(result, "ADMIN_CLIENTS")


def test_conversations_that_are_no_database(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/chat.db").write_bytes(b"this is no database at all, not even a small one" * 100)
    assert_refused(run("serve", folder=tmp_path), "chat.db")


# -- verbs that start nothing


def test_config_check(tmp_path):
    assert run("config", "check", folder=tmp_path).returncode == 0
    assert_refused(run("config", "check", env={"TARS_PORT": "x"}, folder=tmp_path), "TARS_PORT")


@pytest.mark.parametrize("name,value,named", [
    ("LOG_FILE", "/nonexistent/x", "LOG_FILE"), ("TARS_DATA_DIR", "/proc/x", "TARS_DATA_DIR"),
    ("TARS_DATA_DIR", "/dev/null", "TARS_DATA_DIR"), ("TARS_HOST", "[::1]", "TARS_HOST"),
    ("MODEL_PATH", "/etc/passwd", "MODEL_PATH")])
def test_config_check_refuses_what_a_start_refuses(tmp_path, name, value, named):
    for verb in (["config", "check"], ["serve"]):
        assert_refused(run(*verb, env={name: value}, folder=tmp_path), named)


def test_config_check_makes_nothing(tmp_path):
    result = run("config", "check", env={"LOG_FILE": str(tmp_path / "tars.log")}, folder=tmp_path)
    assert result.returncode == 0, result.stderr
    assert not list(tmp_path.iterdir())


def test_config_doc_has_every_option_and_no_secret(tmp_path):
    result = run("config", "doc", env={"JWT_SECRET_KEY": "do-not-print-me-0123456789-0123456789"},
                 folder=tmp_path)
    assert result.returncode == 0
    for name in ("TARS_PORT", "JWT_SECRET_KEY", "WS_MAX_CONNECTIONS", "MODEL_PATH", "RUNS_WAITING"):
        assert name in result.stdout
    assert "do-not-print-me" not in result.stdout + result.stderr


def test_version_and_help(tmp_path):
    assert run("version", folder=tmp_path).returncode == 0
    assert run("--help", folder=tmp_path).returncode == 0


def test_secrets_may_come_from_a_file(own_server, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("a-secret-in-a-file-0123456789-0123456789\n")
    server = own_server({"JWT_SECRET_KEY": "", "JWT_SECRET_KEY_FILE": str(secret)})
    import jwt
    assert jwt.decode(server.access("c"), "a-secret-in-a-file-0123456789-0123456789",
                      algorithms=["HS256"], options={"verify_aud": False})["sub"] == "c"


def test_backend_port_is_an_alias(own_server):
    server = own_server(start=False)
    server.env["BACKEND_PORT"] = server.env.pop("TARS_PORT")
    server.start(ready=False)
