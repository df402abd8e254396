"""The HTTP side: health, shapes of errors, methods, media types, sizes, ids, metrics, docs."""

from __future__ import annotations

import socket

import httpx
import pytest

from tars_client import RFC3339, Device, fresh
from test_auth import JSON, is_problem


def get(server, path: str, **kwargs) -> httpx.Response:
    return httpx.get(server.url + path, timeout=10, **kwargs)


# -- health


def test_health(server):
    answer = get(server, "/health")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("application/json")
    body = answer.json()
    assert body["status"] == "healthy" and body["service"] and body["version"]
    assert RFC3339.match(body["timestamp"])


def test_ready(server):
    body = get(server, "/ready").json()
    assert body["status"] == "ready" and body["service"] and body["version"]
    assert body["uptime_seconds"] >= 0 and RFC3339.match(body["timestamp"])
    assert body["checks"]["ollama"] == "healthy" and body["checks"]["store"] == "healthy"
    assert set(body["checks"].values()) <= {"healthy", "unhealthy", "disabled"}
    for name, detail in body["details"].items():
        assert name in body["checks"] and detail["status"] == body["checks"][name]


def test_ws_health(server):
    with Device(server):
        body = get(server, "/ws/health").json()
    assert body["status"] == "healthy" and body["service"] == "websocket"
    assert body["ollama_status"] == body["backend_status"] == "healthy" and body["backend"]
    for name in ("active_connections", "unique_clients", "total_connections", "total_messages",
                 "total_tokens", "total_errors", "max_connections"):
        assert isinstance(body["metrics"][name], int), name
    assert body["metrics"]["active_connections"] >= 1
    assert body["metrics"]["max_connections"] == 1024


def test_ws_sessions_shows_a_client_its_own(server):
    with Device(server) as mine, Device(server) as other:
        with server.http(mine.token) as http:
            body = http.get("/ws/sessions").json()
        assert body["sessions"].keys() == {mine.ack["session_id"]}
        session = body["sessions"][mine.ack["session_id"]]
        assert session["client_id"] == mine.client_id
        assert session["session_id"] == mine.ack["session_id"]
        assert session["ip_address"] == "127.0.0.1"
        assert RFC3339.match(session["connected_at"]) and RFC3339.match(session["last_activity"])
        assert session["message_count"] == 0 and session["error_count"] == 0
        open_to_all = get(server, "/ws/sessions").json()
        assert open_to_all["sessions"] == {} and open_to_all["total_sessions"] >= 2
        # Another scheme is no token, here as in a handshake.
        basic = get(server, "/ws/sessions", headers={"Authorization": "Basic eDp5"})
        assert basic.status_code == 200 and basic.json()["sessions"] == {}
        assert other.ack["session_id"] not in str(body)
    is_problem(get(server, "/ws/sessions", headers={"Authorization": "Bearer nonsense"}), 401)


def test_session_counters_and_an_admins_view(own_server):
    server = own_server({"ADMIN_CLIENTS": "root", "AUTH_ENROLLMENT": "key",
                         "AUTH_ENROLLMENT_KEY": "enrol-me-please"})
    key = {"enrollment_key": "enrol-me-please"}
    token = server.access("someone", **key)
    with Device(server, token) as device:
        device.send("{")
        device.expect_error("INVALID_JSON")
        with server.http(server.access("root", **key)) as http:
            body = http.get("/ws/sessions").json()
        session = body["sessions"][device.ack["session_id"]]
        assert session["message_count"] == 1 and session["error_count"] == 1


# -- methods, types, sizes


@pytest.mark.parametrize("path", ["/health", "/ready", "/ws/health", "/ws/sessions", "/metrics",
                                  "/auth/health"])
def test_head_answers_wherever_get_does(server, path):
    head, full = httpx.head(server.url + path), get(server, path)
    assert head.status_code == full.status_code == 200
    assert head.content == b""
    assert head.headers["content-type"] == full.headers["content-type"]


@pytest.mark.parametrize("method,path,allowed", [
    ("GET", "/auth/token", "POST"), ("DELETE", "/auth/refresh", "POST"), ("POST", "/health", "GET"),
    ("PUT", "/metrics", "GET"), ("POST", "/auth/devices", "GET"), ("PATCH", "/ready", "GET"),
    ("GET", "/auth/devices/x", "DELETE"), ("POST", "/ws/sessions", "GET"),
])
def test_another_method_is_405_with_allow(server, method, path, allowed):
    response = httpx.request(method, server.url + path)
    is_problem(response, 405)
    methods = {m.strip() for m in response.headers["allow"].split(",")}
    assert allowed in methods and method not in methods
    if allowed == "GET":
        assert "HEAD" in methods


@pytest.mark.parametrize("path", ["/", "/nope", "/auth", "/auth/token/", "/auth/token/x",
                                  "/%2e%2e/etc/passwd", "/health%00", "//health", "/HEALTH"])
def test_an_unknown_path_is_404(server, path):
    response = get(server, path)
    if path != "/":  # a start page may live there one day
        assert response.status_code in (400, 404), response.text
        is_problem(response, response.status_code)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded",
                                  "multipart/form-data; boundary=x", "application/xml"])
def test_a_declared_type_that_is_not_json_is_415(server, kind):
    response = httpx.post(server.url + "/auth/token", content=b'{"client_id":"a"}',
                          headers={"Content-Type": kind})
    is_problem(response, 415)


@pytest.mark.parametrize("kind", [None, "application/json", "application/json; charset=utf-8",
                                  "APPLICATION/JSON", "application/problem+json"])
def test_json_types_are_taken(server, kind):
    headers = {"Content-Type": kind} if kind else {}
    response = httpx.post(server.url + "/auth/token", content=b'{"client_id":"a"}', headers=headers)
    assert response.status_code == 200, response.text


def raw_status(server, head: bytes, body=lambda send: None) -> tuple[int, int]:
    """Sends a request by hand; (status, body bytes sent before the answer came)."""
    sent = 0
    with socket.create_connection(server.address, timeout=10) as s:
        s.sendall(head)

        def send(piece: bytes) -> bool:
            nonlocal sent
            s.setblocking(False)
            try:
                if s.recv(1, socket.MSG_PEEK):
                    return False
            except BlockingIOError:
                pass
            except ConnectionError:
                return False
            finally:
                s.settimeout(10)
            try:
                s.sendall(piece)
            except OSError:
                return False
            sent += len(piece)
            return True

        body(send)
        reply = b""
        while b"\r\n" not in reply:
            piece = s.recv(4096)
            assert piece, "closed without an answer"
            reply += piece
        return int(reply.split()[1]), sent


HUNDRED_MB = 100 * 1024 * 1024


def test_413_before_the_body_when_its_length_is_declared(server):
    status, _ = raw_status(server, b"POST /auth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/"
                                   b"json\r\nContent-Length: %d\r\n\r\n" % HUNDRED_MB)
    assert status == 413


def test_413_while_a_chunked_body_is_still_coming(server):
    before = server.rss_kib()

    def pour(send):
        chunk = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
        for _ in range(HUNDRED_MB // 0x10000):
            if not send(chunk):
                return

    status, sent = raw_status(
        server, b"POST /auth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n", pour)
    assert status == 413
    assert sent < HUNDRED_MB / 4, f"{sent} bytes were taken before the answer"
    assert server.rss_kib() - before < 32 * 1024


def test_413_is_a_problem_and_100_continue_is_not_given(server):
    with socket.create_connection(server.address, timeout=10) as s:
        s.sendall(b"POST /auth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                  b"Content-Length: 104857600\r\nExpect: 100-continue\r\n\r\n")
        reply = b""
        while b"\r\n\r\n" not in reply:
            reply += s.recv(4096)
    assert reply.startswith(b"HTTP/1.1 413 ") and b"application/problem+json" in reply


def test_a_body_just_under_the_limit_is_read(server):
    padding = " " * (1024 * 1024 - 100)
    response = httpx.post(server.url + "/auth/token", content='{"client_id":"a"' + padding + "}",
                          headers=JSON)
    assert response.status_code == 200


@pytest.mark.parametrize("head,expected", [
    (b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"a" * 20000 + b"\r\n\r\n", {431}),
    (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", {414, 431}),
    (b"NONSENSE\r\n\r\n", {400}),
    (b"GET /health HTTP/1.1\r\nHost : x\r\n\r\n", {400}),
    (b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", {400}),
    (b"POST /auth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
     b"0\r\n\r\n", {400}),
    (b"POST /auth/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", {400, 501}),
    (b"GET /health HTTP/3.7\r\nHost: x\r\n\r\n", {400, 505}),
    (b"GET /health HTTP/1.1\r\n\r\n", {400}),
])
def test_bad_requests_are_told_so(server, head, expected):
    assert raw_status(server, head)[0] in expected


def test_pipelined_and_kept_alive(server):
    with socket.create_connection(server.address, timeout=10) as s:
        s.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        reply = b""
        while reply.count(b"HTTP/1.1 200") < 3:
            piece = s.recv(65536)
            assert piece
            reply += piece


# -- headers on every answer


@pytest.mark.parametrize("path", ["/health", "/nope", "/auth/devices", "/metrics"])
def test_every_answer_carries_a_request_id(server, path):
    assert len(get(server, path).headers["x-request-id"]) >= 8
    mine = get(server, path, headers={"X-Request-ID": "abc-123.X"})
    assert mine.headers["x-request-id"] == "abc-123.X"
    bad = get(server, path, headers={"X-Request-ID": "a b<script>"})
    assert bad.headers["x-request-id"] != "a b<script>"
    huge = get(server, path, headers={"X-Request-ID": "a" * 4000})
    assert len(huge.headers["x-request-id"]) <= 128


def test_a_problem_says_which_request(server):
    response = get(server, "/nope", headers={"X-Request-ID": "find-me-7"})
    body = is_problem(response, 404)
    assert body["instance"] == "/nope" and body["trace_id"]


def test_traceparent_is_taken_part_in(server):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    response = get(server, "/nope", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert is_problem(response, 404)["trace_id"] == trace


def test_a_token_in_an_error_is_not_repeated(server):
    token = server.access(fresh())
    response = get(server, f"/nope?token={token}")
    assert token not in response.text and token not in str(response.headers)


# -- metrics and documentation


METRICS = [
    "tars_http_requests_total", "tars_websocket_connections", "tars_websocket_connections_total",
    "tars_websocket_messages_total", "tars_websocket_errors_total", "tars_tokens_total",
    "tars_kv_prefix_hits_total", "tars_run_pauses_total",
    "tars_runs_running", "tars_runs_waiting",
    "tars_time_to_first_token_seconds", "tars_inter_token_seconds", "tars_queue_wait_seconds",
    "tars_stop_to_idle_seconds", "tars_index_lag_seconds", "tars_build_info",
    "tars_log_lines_lost_total",
]


def test_metrics_names(server):
    client = fresh("metrics-client")
    with Device(server, client_id=client) as device:
        device.ask("Say hi.", max_tokens=3)
    response = get(server, "/metrics")
    assert response.status_code == 200 and response.headers["content-type"].startswith("text/plain")
    families = {line.split()[2]: line.split()[3] for line in response.text.splitlines()
                if line.startswith("# TYPE")}
    for name in METRICS:
        assert name in families, name
    ours = families
    assert all(n.startswith("tars_") for n in ours)
    text = response.text
    for wanted in ("resident_memory_bytes", "cpu_seconds_total", "open_fds", "tars_runs_total{"):
        assert wanted in text, wanted
    assert client not in text and "/auth/devices/x" not in text and "/nope" not in text


def test_metrics_count(server):
    server.wait_idle()
    before = server.metrics()
    with Device(server) as device:
        answer = device.ask("Count to three.", max_tokens=8, temperature=0)
    server.wait_idle()
    after = server.metrics()

    def grown(name):
        return after.get(name, 0) - before.get(name, 0)

    assert grown('tars_tokens_total{kind="generated"}') == answer.complete["total_tokens"]
    assert grown('tars_tokens_total{kind="prompt"}') == answer.complete["prompt_tokens"]
    assert grown('tars_runs_total{outcome="complete"}') == 1
    assert grown("tars_websocket_connections_total") == 1
    assert grown("tars_time_to_first_token_seconds_count") == 1


def test_metrics_as_json(server):
    body = get(server, "/metrics", headers={"Accept": "application/json"}).json()
    assert {"service", "version", "uptime_seconds", "startup_time", "timestamp"} <= body.keys()


def test_cors_answers_allowed_origins_only(server):
    allowed = get(server, "/health", headers={"Origin": "https://app.example"})
    assert allowed.headers["access-control-allow-origin"] == "https://app.example"
    other = get(server, "/health", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize("host,status", [("evil.example", 403), ("localhost", 200), ("127.0.0.1", 200)])
def test_a_name_rebound_to_loopback_gets_no_token(server, host, status):
    """DNS rebinding: a site lets its own name point here, and is then of the same origin."""
    here = f"{host}:{server.port}"
    answer = httpx.post(f"{server.url}/auth/token", json={"client_id": "page"},
                        headers={"Host": here, "Origin": f"http://{here}"})
    assert answer.status_code == status
    if status == 403:
        assert "CORS_ORIGINS" in answer.json()["detail"]
