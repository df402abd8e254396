"""tars model list and tars model pull, against a file server that cuts, lies and redirects."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fake_models import FakeModels
from tars_server import BINARY, model_path, wait_until
from tars_verbs import beside, json_of, tars


class FileServer:
    """Serves one file at /m.gguf with Range and ETag. `cuts`: after how many bytes of the body each
    request's connection ends; `slow`: seconds between two pieces of 64 KiB."""

    def __init__(self, content: bytes):
        self.content = content
        self.tag = '"one"'
        self.cuts: list[int] = []
        self.slow = 0.0
        self.ranges: list[str | None] = []
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                if self.path == "/moved.gguf":
                    self.send_response(302)
                    self.send_header("Location", "/m.gguf?signed=1")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                outer.ranges.append(self.headers.get("Range"))
                if outer.status != 200:
                    self.send_error(outer.status)
                    return
                begin = 0
                fresh = self.headers.get("If-Range") in (None, outer.tag)
                if self.headers.get("Range") and fresh:
                    begin = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
                body = outer.content[begin:]
                self.send_response(206 if begin else 200)
                self.send_header("ETag", outer.tag)
                self.send_header("Content-Length", str(len(body)))
                if begin:
                    whole = len(outer.content)
                    self.send_header("Content-Range", f"bytes {begin}-{whole - 1}/{whole}")
                self.end_headers()
                cut = outer.cuts.pop(0) if outer.cuts else len(body)
                for at in range(0, min(cut, len(body)), 65536):
                    self.wfile.write(body[at:min(at + 65536, cut)])
                    time.sleep(outer.slow)
                self.close_connection = cut < len(body)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/m.gguf"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def weights() -> bytes:
    return Path(model_path()).read_bytes()


@pytest.fixture
def files(weights):
    server = FileServer(weights)
    yield server
    server.close()


class Folder:
    def __init__(self, path: Path):
        self.path = path
        self.env = {"TARS_DATA_DIR": str(path / "data")}
        self.models = path / "data/models"

    def pull(self, *args: str, status: int = 0) -> subprocess.CompletedProcess:
        return tars("model", "pull", *args, env=self.env, cwd=self.path, status=status)

    def left(self) -> set[str]:
        return {p.name for p in self.models.iterdir()} - {".pull.lock"}


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_model_is_pulled_checked_and_usable(own_server, folder, files, weights):
    result = folder.pull(files.url, "--sha256", sha256(weights), "--name", "chat")
    path = folder.models / "chat.gguf"
    assert path.read_bytes() == weights and folder.left() == {"chat.gguf"}
    assert f"tars serve --model-path '{path}'" in result.stdout
    assert sha256(weights) in result.stdout
    assert "100 %" in result.stderr and "MB/s" in result.stderr
    # models/chat.gguf of the data folder is what a start takes by itself.
    server = own_server({"MODEL_PATH": "", "TARS_DATA_DIR": folder.env["TARS_DATA_DIR"]})
    listed = json_of(beside(server, "model", "list", "--json"))["items"]
    assert [(m["name"], m["in_use"], m["use"]) for m in listed if m["in_use"]] == [
        ("chat", True, "chat")]


def test_a_cut_in_the_middle_is_mended_by_itself(folder, files, weights):
    files.cuts = [1_000_000, 2_000_000]
    folder.pull(files.url)
    assert (folder.models / "m.gguf").read_bytes() == weights
    assert files.ranges == [None, "bytes=1000000-", "bytes=3000000-"]


def test_a_pull_that_was_killed_goes_on(folder, files, weights):
    files.slow = 0.01
    process = subprocess.Popen([str(BINARY), "model", "pull", files.url], cwd=folder.path,
                               env={"PATH": os.environ["PATH"], "HOME": str(folder.path),
                                    **folder.env},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    partial = folder.models / "m.gguf.partial"
    wait_until(lambda: partial.exists() and partial.stat().st_size > 2_000_000)
    second = folder.pull(files.url, status=1)
    assert "another tars model pull is at work" in second.stderr
    process.send_signal(signal.SIGKILL)
    process.wait()
    have = partial.stat().st_size
    files.slow = 0
    folder.pull(files.url, "--sha256", sha256(weights))
    assert (folder.models / "m.gguf").read_bytes() == weights
    assert files.ranges[-1] == f"bytes={have}-"
    assert folder.left() == {"m.gguf"}


def test_as_a_containers_process_1_a_pull_ends_at_a_signal(folder, files):
    """The kernel drops what such a process has no handler for."""
    alone = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"]).returncode != 0:
        pytest.skip("this machine lends no process namespace")
    files.slow = 0.01
    process = subprocess.Popen([*alone, str(BINARY), "model", "pull", files.url], cwd=folder.path,
                               env={"PATH": os.environ["PATH"], "HOME": str(folder.path),
                                    **folder.env},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    partial = folder.models / "m.gguf.partial"
    try:
        wait_until(lambda: partial.exists() and partial.stat().st_size > 0)
        pulling = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        os.kill(int(pulling), signal.SIGTERM)
        assert process.wait(timeout=10) == 128 + signal.SIGTERM
    finally:
        process.kill()


def test_another_file_at_the_address_begins_anew(folder, files, weights):
    files.cuts = [1_000_000] + [0] * 5
    interrupted = folder.pull(files.url, status=1)
    assert "the same command goes on" in interrupted.stderr.splitlines()[-1]
    files.tag = '"two"'
    files.cuts = []
    folder.pull(files.url, "--sha256", sha256(weights))


def test_redirects_are_followed(folder, files, weights):
    folder.pull(files.url.replace("/m.gguf", "/moved.gguf"))
    assert (folder.models / "moved.gguf").read_bytes() == weights


def test_a_wrong_hash_keeps_nothing(folder, files):
    result = folder.pull(files.url, "--sha256", "0" * 64, status=1)
    assert "sha256 mismatch: expected 0000" in result.stderr.splitlines()[-1]
    assert folder.left() == set()


def test_what_is_no_model_keeps_nothing(folder, files, weights):
    files.content = b"<html>" + b"x" * 10_000
    assert "no GGUF" in folder.pull(files.url, status=1).stderr
    files.content = weights[:3_000_000]
    assert "truncated" in folder.pull(files.url, status=1).stderr
    assert folder.left() == set()


def test_a_full_disk_is_one_line(folder, files, weights):
    """The file may not grow past 1 MB, as on a disk that is full."""
    result = subprocess.run(["bash", "-c", 'trap "" XFSZ; ulimit -f 1000; exec "$0" "$@"', str(BINARY),
                             "model", "pull", files.url], cwd=folder.path, capture_output=True,
                            text=True, timeout=60,
                            env={"PATH": os.environ["PATH"], "HOME": str(folder.path), **folder.env})
    assert result.returncode == 1
    assert "m.gguf.partial cannot be written" in result.stderr.strip().splitlines()[-1]
    folder.pull(files.url)
    assert (folder.models / "m.gguf").read_bytes() == weights
    assert files.ranges[-1] is not None  # what fitted was kept


@pytest.mark.parametrize("status,word", [(404, "status 404"), (403, "status 403")])
def test_a_refusal_names_the_status(folder, files, status, word):
    files.status = status
    assert word in folder.pull(files.url, status=1).stderr


@pytest.mark.parametrize("source,word", [
    ("ftp://host/x.gguf", "http or https"), ("/no/such.gguf", "/no/such.gguf"),
    ("http://user:secret@host/x.gguf", "user name"), ("http://127.0.0.1:1/../.hidden", "--name")])
def test_an_impossible_source_is_one_line(folder, source, word):
    assert word in folder.pull(source, status=1).stderr


def test_a_file_is_copied(folder, weights):
    folder.pull(model_path(), "--name", "mine")
    assert (folder.models / "mine.gguf").read_bytes() == weights
    assert "--force" in folder.pull(model_path(), "--name", "mine", status=1).stderr
    assert "already" in folder.pull(model_path(), "--name", "mine", "--sha256", sha256(weights)).stdout
    folder.pull(model_path(), "--name", "mine", "--force")


# -- list

def test_the_list_marks_what_the_server_uses(server):
    listed = json_of(beside(server, "model", "list", "--json"))["items"]
    used = [m for m in listed if m["in_use"]]
    assert [m["where"] for m in used] == [model_path()]
    assert used[0]["use"] == "chat" and used[0]["bytes"] > 1_000_000 and used[0]["format"]
    text = beside(server, "model", "list").stdout
    assert "* = in use" in text and model_path() in text


def test_the_list_asks_model_servers_and_looks_into_files(tmp_path):
    models = tmp_path / "data/models"
    models.mkdir(parents=True)
    (models / "broken.gguf").write_bytes(b"GGUF" + b"\xff" * 64)
    fake = FakeModels("fake:1b")
    try:
        result = tars("model", "list", "--json", cwd=tmp_path, env={
            "TARS_DATA_DIR": str(tmp_path / "data"), "TARS_CACHE_DIR": str(tmp_path),
            "LLM_BACKEND": "ollama", "OLLAMA_HOST": fake.url, "OPENAI_BASE_URL": "http://127.0.0.1:1"})
    finally:
        fake.close()
    by_backend = {m["backend"]: m for m in json_of(result)["items"]}
    assert by_backend["ollama"]["name"] == "fake:1b" and by_backend["ollama"]["in_use"]
    assert by_backend["ollama"]["model"] == "fake:1b", "the default one's need no prefix"
    assert "no connection" in by_backend["openai"]["trouble"]
    assert "damaged" in by_backend["embedded"]["trouble"]
