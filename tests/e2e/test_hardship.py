"""Circumstances that are not a client's fault or all of it: full disk, no descriptors, half-open
connections, slow senders. The process neither exits, hangs nor leaks."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import sqlite3
import subprocess
import time

import httpx
import jwt
import pytest

from tars_client import Device, fresh
from tars_server import Server, wait_until

LONG = "Write a very long story about a lighthouse keeper and the sea. Do not stop."


# -- slow and half-open connections: one wait of ten seconds for all of them


def reply(s: socket.socket) -> bytes:
    """All until the server ends the connection; that it does not is a TimeoutError."""
    data = b""
    try:
        while piece := s.recv(4096):
            data += piece
    except ConnectionError:
        pass
    return data


def test_slow_and_half_open_connections(server):
    rss, descriptors = server.rss_kib(), server.open_descriptors()
    silent = [socket.create_connection(server.address, timeout=30) for _ in range(500)]
    half = [socket.create_connection(server.address, timeout=30) for _ in range(500)]
    for s in half:
        s.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    begun = time.monotonic()
    headers, body, early = (socket.create_connection(server.address, timeout=30) for _ in range(3))
    headers.sendall(b"GET /health HTTP/1.1\r\n")
    body.sendall(b"POST /auth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                 b"Content-Length: 100\r\n\r\n{")
    early.sendall(b"GET /ws/chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n")

    # Meanwhile everybody else is served.
    assert httpx.get(server.url + "/health", timeout=5).status_code == 200
    with Device(server) as device:
        assert device.ask("Say yes.", max_tokens=2).complete
    assert server.rss_kib() - rss < 64 * 1024

    # A byte now and then does not hold the deadline off.
    dripping = {headers, early}
    while dripping:
        assert time.monotonic() - begun < 30, "still open"
        for s in list(dripping):
            try:
                s.sendall(b"X")
            except OSError:
                dripping.remove(s)
        time.sleep(0.5)
    assert time.monotonic() - begun > 8, "cut before the ten seconds of HTTP_HEADER_TIMEOUT"
    for s in (headers, early):  # what crossed a byte of ours on the way is lost with the connection
        assert reply(s)[:13] in (b"", b"HTTP/1.1 408 ")
    # Each of the others is answered and closed, also those that never said a word.
    for s in [body, *half, *silent]:
        s.settimeout(5)
        assert reply(s).startswith(b"HTTP/1.1 408 ")
    for s in silent + half + [headers, body, early]:
        s.close()
    wait_until(lambda: server.open_descriptors() <= descriptors + 20, 10)


def test_a_slow_body_is_408(server):
    with socket.create_connection(server.address, timeout=20) as s:
        s.sendall(b"POST /auth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                  b"Content-Length: 100\r\n\r\n{")
        data = reply(s)
    assert data.startswith(b"HTTP/1.1 408 ") and b"application/problem+json" in data


# -- descriptors


def test_no_descriptors_left(own_server):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    server = own_server(preexec=few)
    held = []
    for _ in range(120):
        s = socket.socket()
        s.settimeout(5)
        s.connect(server.address)
        held.append(s)
    time.sleep(0.5)
    assert server.alive()
    used = cpu_seconds(server)
    time.sleep(1)
    assert cpu_seconds(server) - used < 0.5, "accept spins"
    for s in held:
        s.close()
    wait_until(lambda: server.responds("/health"), 10)
    with Device(server) as device:
        assert device.ask("Say yes.", max_tokens=2).complete
    assert server.stop() == 0


def cpu_seconds(server) -> float:
    fields = open(f"/proc/{server.process.pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# -- disk


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)],
                           capture_output=True, text=True)
    if mount.returncode:
        pytest.skip(f"cannot mount a small file system: {mount.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def enrol_until_refused(server: Server, client: str) -> set[str]:
    """The families that were promised before the server knew that it cannot store any."""
    promised: set[str] = set()

    def is_refused() -> bool:
        answer = httpx.post(server.url + "/auth/token", json={"client_id": client})
        if answer.status_code == 200:
            token = answer.json()["access_token"]
            promised.add(jwt.decode(token, options={"verify_signature": False})["sid"])
            return False
        assert answer.status_code == 503 and answer.json()["code"] == "STORE_UNAVAILABLE"
        return True

    wait_until(is_refused, 10, every=0.05)
    return promised


def devices(server: Server, client: str) -> list[dict]:
    with server.http(server.access(client)) as http:
        return http.get("/auth/devices", params={"limit": 100}).json()["items"]


def test_a_full_disk_while_history_is_written(own_server, small_disk):
    server = own_server(data_dir=small_disk / "data")
    client = fresh()
    filler = small_disk / "filler"
    with Device(server, client_id=client) as device:
        before = device.ask("Say yes.", max_tokens=3, temperature=0, conversation_id="disk")
        device.start(LONG, max_tokens=300, temperature=0, conversation_id="disk", message_id="full")
        device.first_token()
        with filler.open("wb", buffering=0) as out:
            try:
                while out.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        answer = None
        while (frame := device.receive())["type"] == "token":
            answer = frame
        assert answer and frame["type"] == "complete", "the answer goes on from memory"
        assert frame["total_tokens"] == 300
        assert server.alive()
        wait_until(lambda: device.systems or not device.send({"type": "ping"})
                   and device.receive() and device.systems, 5)
        assert device.systems[-1]["level"] in ("warning", "error")
        with Device(server, token=device.token) as late:
            assert late.ask("Say yes.", max_tokens=1).complete
            assert any("not being stored" in s["message"] for s in late.systems)
        not_ready = httpx.get(server.url + "/ready")
        assert not_ready.json()["checks"]["store"] == "unhealthy"
        assert httpx.get(server.url + "/health").status_code == 200
        promised = enrol_until_refused(server, client)

        filler.unlink()
        wait_until(lambda: httpx.get(server.url + "/ready").status_code == 200, 15, every=0.2)
        after = device.ask("Say yes.", max_tokens=3, temperature=0, conversation_id="disk")
        assert after.complete["prompt_tokens"] > before.complete["prompt_tokens"] + 300
    assert promised <= {item["sid"] for item in devices(server, client)}, "each can be revoked"
    assert server.stop() == 0
    server.start()
    with Device(server, client_id=client) as device:
        again = device.ask("Say no.", max_tokens=3, temperature=0, conversation_id="disk")
        assert again.complete["prompt_tokens"] > after.complete["prompt_tokens"], "nothing was lost"


def test_a_limit_on_file_sizes_is_like_a_full_disk(own_server):
    """LimitFSIZE= of systemd or `ulimit -f`: the kernel's signal for it would end the program."""
    server = own_server({})
    pid = server.process.pid
    unlimited = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    with Device(server) as device:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, unlimited[1]))
        device.ask("Say yes.", max_tokens=3, temperature=0, conversation_id="limit", message_id="m")
        assert server.alive()
        assert wait_until(lambda: httpx.get(f"{server.url}/ready").status_code == 503, 10)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)
        assert wait_until(lambda: httpx.get(f"{server.url}/ready").status_code == 200, 10)
    assert server.stop() == 0


def test_answers_that_are_lost_at_the_end_are_told(own_server):
    """Whoever stops it, a script perhaps, knows by the exit status."""
    server = own_server({})
    with Device(server) as device, contextlib.closing(sqlite3.connect(server.data_dir / "chat.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        device.ask("Say yes.", max_tokens=3, temperature=0)
        assert server.stop() == 1
    assert "answers are lost, 1 of them: the store cannot be written" in server.log()


def test_revocations_that_cannot_be_read_refuse_every_token(own_server):
    """A store of revocations that is no database: the server says so and refuses; it never accepts."""
    server = own_server()
    token = server.access()
    assert server.stop() == 0
    (server.data_dir / "auth.db").write_bytes(b"this is no database at all" * 200)
    server.start(ready=False)
    with server.http(token) as http:
        assert http.get("/auth/devices").status_code == 503
        validated = http.post("/auth/validate")
        assert validated.status_code == 503 or validated.json()["valid"] is False
        minted = http.post("/auth/token", json={"client_id": "c"})
        assert minted.status_code == 503 and int(minted.headers["retry-after"]) >= 1
        assert http.get("/ready").status_code == 503
        assert http.get("/health").status_code == 200
    with Device(server, token, expect_ack=False) as device:
        assert device.closed()[0] in (1008, 1011, 1013)
    assert server.stop() == 0


# -- leaks


def test_nothing_is_left_behind_by_bad_clients(server):
    """Sockets and requests of every bad kind, many times: descriptors and memory come back."""
    def round_of_trouble():
        for _ in range(15):
            device = Device(server)
            device.send("{")
            device.start("Say yes.", max_tokens=50)
            device.drop()
            with Device(server, "nonsense", expect_ack=False) as refused:
                refused.closed()
            with socket.create_connection(server.address) as s:
                s.sendall(b"GARBAGE\r\n\r\n")
            httpx.post(server.url + "/auth/token", content=b"{")

    round_of_trouble()
    wait_until(lambda: server.metric("tars_websocket_connections") == 0, 20)
    server.wait_idle(60)  # runs outlive the sockets that were dropped
    descriptors, rss = server.open_descriptors(), server.rss_kib()
    for _ in range(3):
        round_of_trouble()
    wait_until(lambda: server.metric("tars_websocket_connections") == 0, 20)
    server.wait_idle(60)
    wait_until(lambda: server.open_descriptors() <= descriptors + 5, 10)
    assert server.rss_kib() - rss < 16 * 1024


def test_a_data_folder_that_was_moved_away_is_told(own_server):
    """SQLite goes on writing into files that nobody finds any more: nothing is to look stored then."""
    server = own_server({})
    victim = server.access("victim")
    away = server.data_dir.with_name("away")
    server.data_dir.rename(away)
    wait_until(lambda: httpx.get(f"{server.url}/ready").status_code == 503, 10)
    checks = httpx.get(f"{server.url}/ready").json()["checks"]
    assert checks["store"] == checks["tokens"] == "unhealthy"
    with server.http(victim) as http:
        assert http.post("/auth/revoke").status_code == 503
    assert "moved or deleted" in server.log()
    away.rename(server.data_dir)
    wait_until(lambda: httpx.get(f"{server.url}/ready").status_code == 200, 10)
    with server.http(victim) as http:
        assert http.post("/auth/revoke").status_code == 200
    assert server.stop() == 0
