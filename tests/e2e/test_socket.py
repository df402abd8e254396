"""The WebSocket protocol: handshake, chats, several at once, several devices, closes, heartbeat."""

from __future__ import annotations

import json
import re
import socket
import time

import pytest
import websockets

from tars_client import Device, fresh

LONG = "Write a very long story about a lighthouse keeper and the sea. Do not stop."


# -- handshake


@pytest.mark.parametrize("via", ["query", "header", "subprotocol"])
def test_the_token_may_come_three_ways(server, via):
    with Device(server, via=via) as device:
        ack = device.ack
        assert ack["client_id"] == device.client_id and ack["session_id"]
        assert ack["heartbeat_interval_s"] == 1 and ack["server_version"]
        assert device.socket.subprotocol == ("tars.v1" if via == "subprotocol" else None)


def test_the_first_of_header_subprotocol_query_counts(server):
    good, bad = server.access(fresh()), "nonsense"
    url_token = dict(token=good, via="query", headers={"Authorization": f"Bearer {bad}"})
    with Device(server, expect_ack=False, **url_token) as device:
        assert device.closed()[0] == 1008
    with Device(server, bad, via="query", headers={"Authorization": f"Bearer {good}"}) as device:
        assert device.ack["type"] == "connection_ack"


@pytest.mark.parametrize("token,reason", [("", None), ("nonsense", "token_invalid"),
                                          ("a.b.c", "token_invalid")])
def test_a_missing_or_bad_token_closes_1008(server, token, reason):
    with Device(server, token, expect_ack=False) as device:
        code, why = device.closed()
        assert code == 1008 and re.fullmatch(r"[a-z_]+", why)
        assert reason is None or why == reason


def test_expired_revoked_and_refresh_tokens_close_1008_with_their_word(server):
    pair = server.mint(fresh())
    past = int(time.time()) - 100
    expired = server.forge(pair["access_token"], exp=past, iat=past - 10, nbf=past - 10)
    cases = [(expired, "token_expired"), (pair["refresh_token"], "token_wrong_type")]
    revoked = server.access(fresh())
    with server.http(revoked) as http:
        assert http.post("/auth/revoke").status_code == 200
    cases.append((revoked, "token_revoked"))
    before = server.metric("tars_websocket_connections")
    for token, reason in cases:
        with Device(server, token, expect_ack=False) as device:
            assert device.closed() == (1008, reason)
    assert server.metric("tars_websocket_connections") == before


@pytest.mark.parametrize("origin,allowed", [
    (None, True), ("https://app.example", True), ("same", True), ("https://evil.example", False),
    ("null", False), ("https://app.example.evil.example", False), ("http://app.example", False),
    ("https://app.example:444", False),
])
def test_origin(server, origin, allowed):
    options = {} if origin is None else {"origin": server.url if origin == "same" else origin}
    if allowed:
        with Device(server, **options) as device:
            assert device.ack
    else:
        with pytest.raises(websockets.InvalidStatus) as refused:
            Device(server, **options)
        assert refused.value.response.status_code == 403


def test_plain_get_on_the_socket_path_is_no_success(server):
    with server.http(server.access()) as http:
        assert http.get("/ws/chat").status_code in (400, 426)


def test_same_origin_compares_the_port(server):
    with pytest.raises(websockets.InvalidStatus) as refused:
        Device(server, origin=f"http://127.0.0.1:{server.port + 1}")
    assert refused.value.response.status_code == 403


# -- one chat


def test_a_chat_from_ack_to_complete(server, device):
    answer = device.ask("Hello T.A.R.S.! Who are you?", conversation_id="test-1", message_id="m-1",
                        max_tokens=32)
    done = answer.complete
    assert answer.text.strip() and answer.tokens == done["total_tokens"] > 0
    assert done["conversation_id"] == "test-1" and done["message_id"] == "m-1"
    assert done["run_id"] == answer.run_id and done["model"]
    assert done["finish_reason"] in ("stop", "length")
    assert done["latency_ms"] >= done["ttft_ms"] > 0 and done["tokens_per_second"] > 0
    assert done["prompt_tokens"] > 0 and 0 <= done["cached_tokens"] <= done["prompt_tokens"]
    for frame in answer.frames:
        if frame["type"] == "token":
            assert frame["run_id"] == answer.run_id


def test_without_a_conversation_the_server_makes_one(server, device):
    first, second = device.ask("Hi.", max_tokens=2), device.ask("Hi.", max_tokens=2)
    assert first.conversation_id and second.conversation_id
    assert first.conversation_id != second.conversation_id


def test_null_optional_fields_count_as_absent(server, device):
    answer = device.ask("Hi.", max_tokens=3, conversation_id=None, temperature=None, model=None,
                        seed=None, stop=None, message_id=None, on_disconnect=None, top_p=None)
    assert answer.complete


def test_unknown_fields_are_ignored(server, device):
    assert device.ask("Hi.", max_tokens=2, shoe_size=43, nested={"a": [1]}).complete


def test_ping_gets_pong(server, device):
    device.send({"type": "ping"})
    assert device.expect("pong")["timestamp"]


def test_text_is_unicode(server, device):
    answer = device.ask("Repeat: “naïve café” 你好 🚀", max_tokens=24, temperature=0)
    answer.text.encode("utf-8")
    assert "\ufffd" not in answer.text


# -- sampling


def test_temperature_0_is_reproducible(server, device):
    ask = dict(content="Name three colours.", temperature=0, max_tokens=24)
    assert device.ask(**ask).text == device.ask(**ask).text


def test_a_seed_decides(server, device):
    def told(seed):
        return device.ask("Invent a name for a spaceship and its story.", seed=seed, temperature=1.5,
                          top_p=1.0, top_k=100, max_tokens=32).text

    first = told(7)
    assert told(7) == first
    assert any(told(seed) != first for seed in (8, 9))


def test_max_tokens_ends_with_length(server, device):
    done = device.ask(LONG, max_tokens=5, temperature=0).complete
    assert done["finish_reason"] == "length" and done["total_tokens"] == 5


def test_a_stop_string_ends_the_text_before_it(server, device):
    plain = device.ask(LONG, temperature=0, max_tokens=40).text
    assert len(plain) > 12, plain
    stop = plain[6:12]
    answer = device.ask(LONG, temperature=0, max_tokens=40, stop=["\x01never\x01", stop])
    assert answer.text == plain[:plain.index(stop)]
    assert answer.complete["finish_reason"] == "stop"


# -- several at once


def test_several_chats_at_once_on_one_socket(server, device):
    for n in range(4):
        device.start(f"Tell me about the number {n}.", message_id=f"n{n}", max_tokens=40,
                     conversation_id=f"several-{n}")
    answers = device.collect(4)
    assert {a.complete["message_id"] for a in answers} == {"n0", "n1", "n2", "n3"}
    for answer in answers:
        assert answer.tokens == answer.complete["total_tokens"]
        assert answer.conversation_id == "several-" + answer.complete["message_id"][1:]


def test_chats_at_once_are_interleaved(server, device):
    device.start(LONG, message_id="long", max_tokens=300, temperature=0)
    first = device.first_token()["run_id"]
    device.start("Say yes.", message_id="short", max_tokens=3)
    answers = {}
    frames = []
    while "short" not in answers:
        frame = device.receive()
        frames.append(frame)
        if frame["type"] == "complete":
            answers[frame["message_id"]] = frame
    assert "long" not in answers, "the short answer waited for the long one"
    assert any(f.get("run_id") == first for f in frames)
    device.send({"type": "cancel", "run_id": first})
    while device.receive()["type"] != "complete":
        pass


def test_several_devices_of_several_clients(server):
    devices = [Device(server) for _ in range(6)]
    try:
        for n, one in enumerate(devices):
            one.start("What is your name?", max_tokens=10, message_id="same", seed=n)
        for one in devices:
            answer = one.collect()[0]
            assert answer.complete["message_id"] == "same"
        assert len({d.ack["session_id"] for d in devices}) == 6
    finally:
        for one in devices:
            one.socket.close()


# -- heartbeat, idleness, expiry


def test_heartbeat_is_a_json_ping_and_a_ping_frame(server):
    with socket.create_connection(server.address, timeout=10) as raw:
        raw.sendall((f"GET /ws/chat?token={server.access()} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                     "Sec-WebSocket-Version: 13\r\n\r\n").encode())
        data, deadline = b"", time.monotonic() + 6
        while time.monotonic() < deadline and not (b'"ping"' in data and b"\x89" in data):
            data += raw.recv(4096)
    assert b"101 Switching Protocols" in data
    assert b'"ping"' in data and b"\x89" in data


def test_pings_keep_coming(server, device):
    deadline = time.monotonic() + 5
    while device.pings < 2 and time.monotonic() < deadline:
        try:
            device.receive(0.5)
        except TimeoutError:
            pass
    assert device.pings >= 2


def test_a_pong_message_with_a_timestamp_is_taken(server, device):
    device.send({"type": "pong", "timestamp": "2026-01-01T00:00:00Z"})
    assert device.still_works()


def test_silence_closes_1001_after_a_warning_and_any_frame_defers_it(own_server):
    server = own_server({"WS_TIMEOUT_SECONDS": "4", "WS_HEARTBEAT_INTERVAL": "60"})
    with Device(server) as device:
        began = time.monotonic()
        assert device.closed(10)[0] == 1001
        assert time.monotonic() - began > 3
        assert device.systems[-1]["message"] == "Connection timeout - please reconnect"
        assert device.systems[-1]["level"] == "warning"
    with Device(server) as device:
        for _ in range(10):
            time.sleep(0.5)
            device.socket.pong()
        assert device.still_works()


def test_a_token_that_expires_while_connected(server):
    until = int(time.time()) + 4
    token = server.forge(server.access(fresh()), exp=until)
    with Device(server, token) as device:
        assert device.closed(45) == (1008, "token_expired")
        assert time.time() - until < 3, "closed long after exp"
        assert any(s["level"] == "warning" for s in device.systems)


# -- frames that are refused


def test_a_binary_frame_closes_1003(server, device):
    device.send(b'{"type":"ping"}')
    assert device.closed()[0] == 1003


def test_bad_utf8_closes_1007(server, device):
    with device.socket.send_context():
        device.socket.protocol.send_text(b"\xff\xfe{}")
    assert device.closed()[0] == 1007


def test_a_message_over_the_limit_closes_1009(server, device):
    device.send(json.dumps({"type": "chat", "content": "x" * 270_000}))
    assert device.closed()[0] == 1009


def test_fragments_over_the_limit_close_1009(server, device):
    with pytest.raises(websockets.ConnectionClosed):
        device.socket.send("x" * 60_000 for _ in range(6))
        while True:
            device.receive(10)
    assert device.socket.close_code == 1009


def test_a_message_at_the_limit_is_read(server, device):
    message = {"type": "ping", "padding": ""}
    message["padding"] = "x" * (262_144 - len(json.dumps(message)))
    device.send(message)
    assert device.expect("pong")


def test_a_fragmented_message_is_one_message(server, device):
    device.socket.send(iter(['{"type"', ': "pi', 'ng"}']))
    assert device.expect("pong")


def test_a_protocol_error_closes_1002(server):
    with socket.create_connection(server.address, timeout=10) as raw:
        raw.sendall((f"GET /ws/chat?token={server.access()} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                     "Sec-WebSocket-Version: 13\r\n\r\n").encode())
        data = b""
        while b"connection_ack" not in data:
            data += raw.recv(4096)
        raw.sendall(b"\x81\x05hello")  # a client's frame must be masked
        data = b""
        while piece := raw.recv(4096):
            data += piece
    assert b"\x88\x02\x03\xea" in data or b"\x03\xea" in data  # close frame, 1002


def test_a_clean_close_is_answered(server):
    device = Device(server)
    device.socket.close(1000)
    assert device.socket.close_code == 1000
    assert server.alive()
