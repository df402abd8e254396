"""What an operator does beside a running server, and without one: tokens, devices, backups, log
files, and what a service manager and a dashboard see."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time
from pathlib import Path

import httpx
import pytest

from guide_blocks import steps
from tars_client import Device, fresh
from tars_server import BINARY, REPOSITORY, SANITIZED, Server, cache_folder, wait_until
from tars_verbs import beside, devices, json_of, tars

VERBS = [["token"], ["devices", "list"], ["devices", "revoke"], ["model", "list"], ["model", "pull"],
         ["model", "prepare"], ["backup"], ["restore"]]


# -- the command line

@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_explains_itself(tmp_path, verb):
    text = tars(*verb, "--help", env={}, cwd=tmp_path).stdout
    assert f"Usage: tars {' '.join(verb)}" in text
    assert "--ws-max-connections" not in text  # its own lines, not the server's hundred


@pytest.mark.parametrize("words", [["token"], ["devices"], ["devices", "revoke"], ["model"],
                                   ["model", "pull"], ["backup"], ["restore"], ["restore", "a", "b"],
                                   ["token", "--client-id"], ["devices", "list", "--nonsense"]],
                         ids=" ".join)
def test_a_command_line_without_sense_is_refused(tmp_path, words):
    result = tars(*words, env={}, cwd=tmp_path, status=1)
    assert result.stderr.count("\n") == 1 and "tars --help" in result.stderr


ANSWERS = [["token", "--client-id", "a"], ["devices", "list"], ["config", "doc"], ["config", "env"],
           ["config", "check"], ["--help"], ["version"]]


@pytest.mark.parametrize("words", ANSWERS, ids=" ".join)
def test_an_answer_that_cannot_be_written_is_no_success(tmp_path, words):
    (tmp_path / "data").mkdir(mode=0o700)
    command = '"$@" > /dev/full; echo $?; "$@" >&-; echo $?'
    result = subprocess.run(["sh", "-c", command, "sh", str(BINARY), *words], cwd=tmp_path,
                            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path),
                                 "TARS_DATA_DIR": str(tmp_path / "data")},
                            capture_output=True, text=True, timeout=60)
    assert result.stdout.split() == ["1", "1"], (result.stdout, result.stderr)
    assert result.stderr.count("tars: standard output cannot be written") == 2, result.stderr
    # A closed output is no file's number: nothing of an answer lands in one.
    for path in (tmp_path / "data").iterdir():
        assert b"access_token" not in path.read_bytes(), path


def test_a_reader_that_leaves_hears_nothing(tmp_path):
    left, kept = os.pipe()
    os.close(left)
    result = subprocess.run([str(BINARY), "config", "doc"], cwd=tmp_path, stdout=kept,
                            env={"HOME": str(tmp_path)}, stderr=subprocess.PIPE, timeout=60)
    os.close(kept)
    assert result.returncode == -signal.SIGPIPE and result.stderr == b""


def test_preparing_a_model_never_costs_one(tmp_path):
    source, there, link = (tmp_path / name for name in ("in.gguf", "there.gguf", "link.gguf"))
    source.write_bytes(b"weights")
    there.write_bytes(b"mine")
    link.symlink_to(source)
    for words, told in (([source, source], "OUT"), ([source, link, "--force"], "OUT"),
                        ([source, there], "--force")):
        result = tars("model", "prepare", *map(str, words), env={}, cwd=tmp_path, status=1)
        assert told in result.stderr
    assert source.read_bytes() == b"weights" and there.read_bytes() == b"mine"


# -- tokens

def check_token(server: Server, pair: dict) -> None:
    with server.http(pair["access_token"]) as http:
        assert http.get("/ws/sessions").status_code == 200
    with Device(server, pair["access_token"]) as device:
        assert device.still_works()


def test_a_token_made_beside_the_server_works_there(server):
    name = fresh("robot")
    made = beside(server, "token", "--client-id", name, "--device-name", "Küche",
                  "--device-type", "speaker", "--json")
    assert made.stderr == ""
    pair = json_of(made)
    server.tokens += [pair["access_token"], pair["refresh_token"]]
    assert pair["token_type"] == "bearer" and pair["expires_in"] == 86400
    check_token(server, pair)
    listed = devices(server, "--client-id", name)
    assert [(d["sid"], d["device_name"], d["device_type"]) for d in listed] == [
        (pair["sid"], "Küche", "speaker")]
    response = httpx.post(server.url + "/auth/refresh",
                          json={"refresh_token": pair["refresh_token"]})
    assert response.status_code == 200, response.text
    for token in (pair["access_token"], pair["refresh_token"]):
        assert token not in server.log()


def test_a_token_for_people(server):
    text = beside(server, "token", "--client-id", fresh()).stdout
    access = re.search(r"^access_token +(\S+)$", text, re.M)[1]
    server.tokens.append(access)
    with server.http(access) as http:
        assert http.get("/auth/devices").status_code == 200


@pytest.mark.parametrize("fields", [["--client-id", "no good"], ["--client-id", "x" * 129],
                                    ["--client-id", "a", "--device-name", "x" * 129],
                                    ["--client-id", "a", "--device-name", "a\nb"]])
def test_a_bad_name_is_one_line(server, tmp_path, fields):
    """The same with a server and without."""
    for result in (beside(server, "token", *fields, status=1),
                   tars("token", *fields, env={"TARS_DATA_DIR": str(tmp_path / "d")}, cwd=tmp_path,
                        status=1)):
        assert "client_id" in result.stderr or "device_name" in result.stderr


def test_a_token_made_without_a_server_is_a_real_family(own_server):
    """In a fresh folder, with enrolment closed: the operator needs no enrolment."""
    server = own_server({"AUTH_ENROLLMENT": "closed", "JWT_SECRET_KEY": ""}, start=False)
    pair = json_of(beside(server, "token", "--client-id", "first", "--json"))
    gone = json_of(beside(server, "token", "--client-id", "second", "--json"))
    assert {d["sid"] for d in devices(server)} == {pair["sid"], gone["sid"]}
    assert beside(server, "devices", "revoke", gone["sid"]).stdout == f"revoked {gone['sid']}\n"
    beside(server, "devices", "revoke", gone["sid"], status=1)
    server.start()
    check_token(server, pair)
    with server.http(gone["access_token"]) as http:
        assert http.get("/auth/devices").status_code == 401
    assert [d["sid"] for d in devices(server)] == [pair["sid"]]


def test_many_devices_come_in_pages(own_server):
    server = own_server()
    with server.http() as http:
        for i in range(450):
            assert http.post("/auth/token", json={"client_id": f"client-{i:03}"}).status_code == 200
    wait_until(lambda: len(devices(server)) == 450, 10, 0.5)
    assert len({d["client_id"] for d in devices(server)}) == 450
    table = beside(server, "devices", "list").stdout.splitlines()
    assert len(table) == 451 and table[0].startswith("SID")


def test_revoking_a_device_closes_its_sockets(server):
    name = fresh()
    with Device(server, client_id=name) as kept, Device(server, client_id=name) as lost:
        sids = {d["sid"]: d["sockets"] for d in devices(server, "--client-id", name)}
        assert list(sids.values()) == [1, 1]
        with server.http(lost.token) as http:
            mine = {s["sid"] for s in http.get("/ws/sessions").json()["sessions"].values()
                    if s["session_id"] == lost.ack["session_id"]}
        lost.start("Count from one to a thousand.", max_tokens=2000, temperature=0)
        lost.first_token()
        beside(server, "devices", "revoke", mine.pop())
        begun = time.monotonic()
        assert lost.closed()[0] == 1008
        assert time.monotonic() - begun < 5  # the answer takes longer
        assert kept.still_works()
    server.wait_idle()


def test_an_unknown_device_is_one_line(server, tmp_path):
    assert "fam_none" in beside(server, "devices", "revoke", "fam_none", status=1).stderr
    missing = tars("devices", "list", env={"TARS_DATA_DIR": str(tmp_path / "none")}, cwd=tmp_path,
                   status=1)
    assert "there is no data folder" in missing.stderr
    assert not (tmp_path / "none").exists()


def test_the_control_socket_is_private_and_goes_away(own_server):
    server = own_server()
    path = server.data_dir / "control.sock"
    mode = path.stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600
    # Who says nothing, or nonsense, keeps nobody else waiting.
    silent = [socket.socket(socket.AF_UNIX) for _ in range(4)]
    folder = os.open(server.data_dir, os.O_PATH)
    for one in silent:
        one.connect(f"/proc/self/fd/{folder}/control.sock")
    silent[0].sendall(b"nonsense\n")
    assert b"error" in silent[0].recv(4096)
    assert devices(server) == []
    for one in silent:
        one.close()
    os.close(folder)
    assert server.stop() == 0
    assert not path.exists()


# -- backups

def test_a_backup_made_while_chats_run_works_elsewhere(own_server, tmp_path):
    server = own_server({"JWT_SECRET_KEY": ""})
    stop = threading.Event()
    finished: list[tuple[str, str]] = []  # run, text
    trouble: list[BaseException] = []
    access = server.access("writer")

    def chat() -> None:
        try:
            with Device(server, access) as device:
                while not stop.is_set():
                    answer = device.ask("Say a short sentence.", max_tokens=8)
                    finished.append((answer.run_id, answer.text))
        except BaseException as error:  # the main thread raises it
            trouble.append(error)

    threads = [threading.Thread(target=chat) for _ in range(3)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(finished) >= 3 or trouble, 60)
    known = list(finished)
    time.sleep(0.5)  # an answer is on the disk 250 ms after its end at the latest
    copy = tmp_path / "copy"
    beside(server, "backup", str(copy))
    stop.set()
    for thread in threads:
        thread.join()
    assert not trouble, trouble
    later = server.access("later")
    assert server.stop() == 0

    assert stat.S_IMODE(copy.stat().st_mode) == 0o700
    manifest = json.loads((copy / "manifest.json").read_text())
    names = {f["name"] for f in manifest["files"]}
    assert names == {"auth.db", "chat.db", "jwt_secret"}
    assert names | {"manifest.json"} == {p.name for p in copy.iterdir()}
    assert all(stat.S_IMODE(p.stat().st_mode) == 0o600 for p in copy.iterdir())

    other = own_server({"JWT_SECRET_KEY": ""}, start=False, name="other")
    assert "change JWT_SECRET_KEY" in beside(other, "restore", str(copy)).stdout
    other.start()
    with Device(other, access) as device:
        for run, text in known:
            device.send({"type": "resume", "run_id": run, "offset": 0})
            assert device.collect()[0].text == text
    with other.http(later) as http:  # made after the backup, yet signed by the same secret
        assert http.get("/auth/devices").status_code == 200


def test_what_a_restore_refuses(own_server, tmp_path):
    server = own_server()
    server.mint("a")
    copy = tmp_path / "copy"
    wait_until(lambda: devices(server))
    beside(server, "backup", str(copy))
    assert "exists already" in beside(server, "backup", str(copy), status=1).stderr
    refusal = beside(server, "restore", "--force", str(copy), status=1).stderr
    assert "another T.A.R.S. uses this data folder" in refusal
    assert server.stop() == 0
    assert "--force" in beside(server, "restore", str(copy), status=1).stderr
    with (copy / "auth.db").open("r+b") as damaged:
        damaged.seek(100)
        damaged.write(b"\xff")
    assert "sha256 differs" in beside(server, "restore", "--force", str(copy), status=1).stderr
    assert [d["client_id"] for d in devices(server)] == ["a"]


def test_a_forced_restore_replaces_the_state(own_server, tmp_path):
    server = own_server()
    before = server.access("before")
    wait_until(lambda: devices(server))
    copy = tmp_path / "copy"
    assert "JWT_SECRET_KEY" in beside(server, "backup", str(copy)).stdout  # it is not in it
    server.mint("after")
    wait_until(lambda: len(devices(server)) == 2)
    server.kill()  # with a write-ahead log left beside the databases
    beside(server, "restore", "--force", str(copy))
    assert [d["client_id"] for d in devices(server)] == ["before"]
    server.start()
    with server.http(before) as http:
        assert http.get("/auth/devices").json()["items"][0]["device_name"] == ""


def test_a_restore_that_was_cut_short_is_finished_by_the_start(own_server, tmp_path):
    server = own_server()
    server.mint("before")
    wait_until(lambda: devices(server))
    copy = tmp_path / "copy"
    beside(server, "backup", str(copy))
    server.mint("after")
    wait_until(lambda: len(devices(server)) == 2)
    server.kill()
    # All staged, the first file moved, then the power went.
    shutil.copytree(copy, server.data_dir / "restore.ready")
    shutil.move(server.data_dir / "restore.ready/chat.db", server.data_dir / "chat.db")
    server.start()
    assert [d["client_id"] for d in devices(server)] == ["before"]
    assert not (server.data_dir / "restore.ready").exists()


# -- log files

def test_a_log_file_is_opened_anew_on_sigusr1(own_server, tmp_path):
    log = tmp_path / "logs" / "tars.log"
    log.parent.mkdir()
    server = own_server({"LOG_FILE": str(log), "LOG_LEVEL": "DEBUG"})
    assert httpx.get(server.url + "/nope-first").status_code == 404
    log.rename(log.with_suffix(".1"))
    assert httpx.get(server.url + "/nope-second").status_code == 404
    server.process.send_signal(signal.SIGUSR1)
    wait_until(log.exists)
    assert httpx.get(server.url + "/nope-third").status_code == 404
    wait_until(lambda: "nope-third" in log.read_text())
    rotated = log.with_suffix(".1").read_text()
    assert "nope-first" in rotated and "nope-second" in rotated and "nope-third" not in rotated
    assert not server.log_path.read_text()  # nothing on stderr
    assert stat.S_IMODE(log.stat().st_mode) & 0o027 == 0
    assert server.stop() == 0


def test_sigusr1_without_a_log_file_changes_nothing(server):
    server.process.send_signal(signal.SIGUSR1)
    with Device(server) as device:
        assert device.still_works()


def test_a_log_file_that_cannot_be_written_stops_the_start(tmp_path):
    result = tars("serve", env={"TARS_DATA_DIR": str(tmp_path / "d"), "LOG_FILE": "/no/such/x.log"},
                  cwd=tmp_path, status=1)
    assert "LOG_FILE" in result.stderr


def test_a_trace_is_joined_and_logged(server):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    response = httpx.get(server.url + "/health",
                         headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    joined = re.fullmatch(rf"00-{trace}-([0-9a-f]{{16}})-01", response.headers["traceparent"])
    assert joined and joined[1] != "00f067aa0ba902b7"
    wait_until(lambda: f"trace_id={trace}" in server.log())
    problem = httpx.get(server.url + "/nope",
                        headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-00"}).json()
    assert problem["trace_id"] == trace
    for bad in ("", "00-" + "0" * 32 + "-00f067aa0ba902b7-01", f"ff-{trace}-00f067aa0ba902b7-01"):
        response = httpx.get(server.url + "/health", headers={"traceparent": bad})
        assert response.status_code == 200 and "traceparent" not in response.headers


# -- the service manager

class Manager:
    """The end of NOTIFY_SOCKET that systemd holds."""

    def __init__(self, folder: Path):
        self.path = folder / "notify.sock"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.seen: list[str] = []

    def until(self, wanted: str, seconds: float = 30) -> str:
        """The next message that begins with `wanted`; what came before is kept in `seen`."""
        deadline = time.monotonic() + seconds
        while True:
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            message = self.socket.recv(4096).decode()
            self.seen.append(message)
            if message.startswith(wanted):
                return message

    def count(self, wanted: str, seconds: float) -> int:
        found, deadline = 0, time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                found += self.socket.recv(4096).decode().startswith(wanted)
            except TimeoutError:
                break
        return found


def watched(own_server, tmp_path, **options) -> tuple[Manager, Server]:
    """0.4 s without a ping and a manager would restart it. A relative path keeps the name short."""
    manager = Manager(tmp_path)
    server = own_server({"NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "400000"},
                        start=False, **options)
    return manager, server


def test_the_service_manager_is_told(own_server, tmp_path):
    manager, server = watched(own_server, tmp_path)
    server.spawn()
    assert manager.until("READY=1").startswith("READY=1\nSTATUS=model ")
    assert httpx.get(server.url + "/ready", timeout=5).status_code == 200
    assert 3 <= manager.count("WATCHDOG=1", 2) <= 21  # ten, and what waited: the queue holds ten
    with Device(server) as device:
        device.ask("Say yes.", max_tokens=4)
        assert manager.count("WATCHDOG=1", 1) >= 2
        server.process.send_signal(signal.SIGHUP)
        manager.until("RELOADING=1\nMONOTONIC_USEC=")
        manager.until("READY=1")
        assert device.still_works()
        server.terminate()
        manager.until("STOPPING=1")
    assert server.process.wait(40) == 0


def test_a_model_server_that_is_away_does_not_hold_the_start(own_server, tmp_path):
    manager = Manager(tmp_path)
    server = own_server({"NOTIFY_SOCKET": str(manager.path), "LLM_BACKEND": "ollama",
                         "OLLAMA_HOST": "127.0.0.1:1", "MODEL_PATH": ""}, start=False)
    server.spawn()
    assert "waiting for a model server" in manager.until("READY=1")


PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000  # waitpid() takes threads too


def model_threads(server: Server) -> list[int]:
    """Those that decode; the server names them."""
    tasks = Path(f"/proc/{server.process.pid}/task").iterdir()
    return [int(task.name) for task in tasks if (task / "comm").read_text() == "model\n"]


@contextlib.contextmanager
def stopped(threads: list[int]):
    """The threads stand still, as a bug would stop them. They are let go whatever happens: a process
    with a thread that is held cannot be waited for."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    held = []
    try:
        for thread in threads:
            if libc.ptrace(PTRACE_SEIZE, thread, None, None) != 0:
                pytest.skip("this system lets nobody stop a thread")
            held.append(thread)
            assert libc.ptrace(PTRACE_INTERRUPT, thread, None, None) == 0
            os.waitpid(thread, WALL)  # until it has stopped, or detaching would not do
        yield
    finally:
        for thread in held:
            libc.ptrace(PTRACE_DETACH, thread, None, None)


@pytest.mark.skipif(SANITIZED, reason="a stopped thread is no sanitizer's business")
def test_a_model_that_hangs_is_not_said_to_be_alive(own_server, tmp_path):
    manager, server = watched(own_server, tmp_path)
    server.start()
    manager.until("READY=1")
    threads = model_threads(server)
    assert threads
    with Device(server) as device:
        # In the middle of an answer: a thread that is stopped while it waits for work would hold up those
        # who want to wake it, too.
        device.start("Tell a long story.", max_tokens=300)
        device.first_token()
        with stopped(threads):
            wait_until(lambda: httpx.get(server.url + "/ready", timeout=5).status_code == 503, 60, 0.5)
            manager.count("WATCHDOG=1", 0.5)
            assert manager.count("WATCHDOG=1", 2) == 0
            assert httpx.get(server.url + "/health", timeout=5).status_code == 200
        assert manager.count("WATCHDOG=1", 5) >= 1


def realtime_threads(server) -> int:
    policies = [os.sched_getscheduler(int(t)) for t in os.listdir(f"/proc/{server.process.pid}/task")]
    return sum(policy & ~os.SCHED_RESET_ON_FORK == os.SCHED_RR for policy in policies)


@pytest.mark.skipif(SANITIZED, reason="the sanitizers' locks spin, so it is turned off")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may choose who comes first")
@pytest.mark.parametrize(("how", "threads"), [
    ({"IO_THREADS": "2"}, 2), ({"IO_PRIORITY": "normal"}, 0)])
def test_threads_that_serve_sockets_come_first(own_server, how, threads):
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    except PermissionError:
        pytest.skip("this system lets not even root choose who comes first")
    server = own_server(how)
    with Device(server) as device:
        device.start("Tell a story.", max_tokens=20)
        device.first_token()
        # The threads of the model and of the stores are begun by others, or by these.
        assert realtime_threads(server) == threads


def forbid_code_at_run_time() -> None:
    """What MemoryDenyWriteExecute= does, by the kernel's own means (Linux 6.3); an older kernel does
    nothing."""
    pr_set_mdwe, refuse_exec_gain = 65, 1
    ctypes.CDLL(None).prctl(pr_set_mdwe, refuse_exec_gain, 0, 0, 0)


def test_the_server_makes_no_code_at_run_time(own_server):
    server = own_server(start=False)
    server.preexec = forbid_code_at_run_time
    server.start()
    with Device(server) as device:
        assert device.ask("Say yes.", max_tokens=8).complete["total_tokens"] > 0
    assert server.stop() == 0


# -- the dashboard

def test_every_figure_of_the_dashboard_is_there(own_server):
    server = own_server()
    with Device(server) as device:
        device.ask("Say yes.", max_tokens=4)
        device.send("{")
        device.expect_error("INVALID_JSON")
    httpx.get(server.url + "/nope")
    server.wait_idle()
    wait_until(lambda: any(name.startswith("tars_websocket_closes_total")
                           for name in server.metrics()))
    exposed = {name.partition("{")[0] for name in server.metrics()}
    board = json.loads((REPOSITORY / "deploy/grafana/tars.json").read_text())
    queries = [t["expr"] for panel in board["panels"] for t in panel.get("targets", [])]
    asked = {name for q in queries for name in re.findall(r"\b(?:tars|process)_\w+", q)}
    assert len(asked) > 15
    assert asked <= exposed, asked - exposed
    # And the other way round: what is measured is shown. (Retrieval has no index yet.)
    shown = {re.sub(r"_bucket$", "", name) for name in asked}
    measured = {re.sub(r"_(bucket|sum|count)$", "", name) for name in exposed}
    assert measured - shown == {"tars_index_lag_seconds"}


# -- the guide

def test_the_commands_of_the_guide(own_server, tmp_path):
    """All of docs/guides/operations.md, in one shell. What needs root and a service manager is
    recorded only."""
    server = own_server()
    wait_until(lambda: server.responds("/ready"))
    run = steps(REPOSITORY / "docs/guides/operations.md")
    assert len(run) >= 5
    model = Path(server.env["MODEL_PATH"])
    script = tmp_path / "guide.sh"
    script.write_text("\n".join([
        "set -euo pipefail",
        f'tars() {{ command {BINARY} "$@"; }}',
        'sudo() { if [ "$1" = -u ]; then shift 2; "$@"; else echo "as root: $*"; fi; }',
        f'curl() {{ command curl --fail --silent --show-error "$@" && echo; }}',
        f"export MODEL=file; cp {model} ~/my-model.gguf",
        *run,
    ]).replace("localhost:8000", f"127.0.0.1:{server.port}"))
    # The guide's ./scripts/deps finds the weights where they are, and whatever mirror they come from.
    cache = cache_folder()
    passed = {name: value for name, value in os.environ.items()
              if name in ("PATH", "CCACHE_DIR") or name.startswith("PIP_") or name.lower().endswith("_proxy")}
    result = subprocess.run(["bash", str(script)], cwd=REPOSITORY, capture_output=True, text=True,
                            env={**passed, "HOME": str(tmp_path), **server.env, "TARS_CACHE_DIR": str(cache)},
                            timeout=120)
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
    for wanted in ("access_token", "SID", "revoked fam_", "in use", "is there", "backed up",
                   "restored", "as root: systemctl enable"):
        assert wanted in result.stdout, wanted
