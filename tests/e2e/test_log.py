"""What the log holds, at its most talkative: lines with fields, no token, no prompt, no answer."""

from __future__ import annotations

import json
import os

import httpx

from tars_client import Device, fresh
from tars_server import Server, wait_until


def test_no_token_and_no_text_in_the_log(server):
    canary = "marzipan-canary-7391"
    pair = server.mint(fresh())
    token = pair["access_token"]
    with Device(server, token, via="query") as device:
        answer = device.ask(f"Tell me a story about {canary}.", max_tokens=32, temperature=0,
                            conversation_id="log", message_id="log-1")
        device.start("x" * 40_000 + canary)
        device.expect_error("INVALID_MESSAGE")
        device.send('{"type":"' + canary + '"}')
        device.expect_error("INVALID_MESSAGE")
        device.send("{" + canary)
        device.expect_error("INVALID_JSON")
    for url in (f"/nope?token={token}", f"/ws/chat?token={token}", f"/health?token={token}&x=1",
                f"/auth/token?access_token={token}&enrollment_key={canary}"):
        httpx.get(server.url + url)
    httpx.post(server.url + "/auth/refresh", json={"refresh_token": pair["refresh_token"] + "x"})
    httpx.post(server.url + "/auth/token", content=b'{"client_id":"' + canary.encode() + b'" oops')
    with server.http(token) as http:
        http.post("/auth/revoke", json={"token": pair["refresh_token"]})
        http.get("/auth/devices")
    log = server.log()
    assert log, "the server logs nothing at all"
    assert canary not in log
    # Line by line, for a log line that held it would not hold its line ends as they are.
    said = [line.strip() for line in answer.text.splitlines() if len(line.strip()) >= 12]
    assert said, f"too short to be looked for: {answer.text!r}"
    for line in said:
        assert line not in log


def test_none_of_the_tokens_of_this_session_is_in_the_log(server):
    # With what is made here, so that the test says something on its own as well.
    pair = server.mint(fresh())
    forged = server.forge(pair["access_token"], key="not the key of this server, but as long")
    for token in (pair["access_token"], pair["refresh_token"], forged):
        with server.http(token) as http:
            http.post("/auth/validate")
            http.post("/auth/revoke", json={"token": token + "x"})
        httpx.get(server.url + f"/ws/sessions?token={token}")
        httpx.post(server.url + "/auth/refresh", json={"refresh_token": token})
    log = server.log()
    assert log and {pair["access_token"], forged} <= set(server.tokens)
    signatures = [token.rpartition(".")[2] for token in server.tokens]
    for secret in server.tokens + [s for s in signatures if len(s) >= 20]:
        assert secret not in log


def test_json_lines(own_server):
    server = own_server({"LOG_FORMAT": "json", "LOG_LEVEL": "DEBUG"})
    with Device(server) as device:
        device.ask("Say yes.", max_tokens=2)
    assert httpx.get(server.url + "/nope", headers={"X-Request-ID": "trace-me"}).status_code == 404
    assert server.stop() == 0
    lines = [json.loads(line) for line in server.log_path.read_text().splitlines()]
    assert lines and all({"level"} <= line.keys() for line in lines)
    assert any("trace-me" in json.dumps(line) for line in lines)


def test_a_reader_of_the_log_that_stops_does_not_stop_the_server(tmp_path):
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    server = Server(tmp_path / "unread", {"LOG_LEVEL": "DEBUG"},
                    preexec=lambda: os.dup2(writer, 2)).start()
    try:
        path = "/nope/" + "x" * 1000
        with server.http() as http:
            for _ in range(200):  # far more than a pipe of 64 KiB holds
                assert http.get(path).status_code == 404
        with Device(server) as device:
            assert device.ask("Say yes.", max_tokens=2).complete
        before = os.read(reader, 1 << 20)
        assert b"log lines were lost" not in before
        httpx.get(server.url + "/nope")
        after = bytearray()

        def is_told() -> bool:
            try:
                after.extend(os.read(reader, 1 << 20))
            except BlockingIOError:
                pass
            return b"log lines were lost: nobody read them in time lines=" in after

        wait_until(is_told)
        assert server.stop() == 0
    finally:
        os.close(reader)
        os.close(writer)
        if server.alive():
            server.kill()
