"""The error table of the socket, row by row: the answer, and the socket stays open."""

from __future__ import annotations

import json

import pytest

from tars_client import Device, fresh


@pytest.mark.parametrize("text", ["", "{", "nonsense", '{"type":"chat",}', "'", "[1,", '{"a":1}{"b":2}',
                                  '"\\ud800', "[" * 100_000, '{"type":' * 10_000, "NaN", "\x00"])
def test_invalid_json(server, device, text):
    device.send(text)
    device.expect_error("INVALID_JSON")
    assert device.still_works()


@pytest.mark.parametrize("value", [[], [1, 2], "chat", 5, None, True, 1.5])
def test_json_that_is_no_object(server, device, value):
    device.send(json.dumps(value))
    device.expect_error("INVALID_MESSAGE")
    assert device.still_works()


@pytest.mark.parametrize("message", [{}, {"type": None}, {"type": 5}, {"type": "nonsense"},
                                     {"type": "CHAT"}, {"type": ""}, {"type": "x" * 10_000},
                                     {"type": "token"}, {"type": ["chat"]}])
def test_an_unknown_type(server, device, message):
    device.send(message)
    device.expect_error("INVALID_MESSAGE")
    assert device.still_works()


@pytest.mark.parametrize("field,value", [
    ("content", None), ("content", ""), ("content", 5), ("content", ["a"]), ("content", "x" * 32_001),
    ("conversation_id", 5), ("conversation_id", ""), ("conversation_id", "x" * 10_000),
    ("model", 5), ("message_id", 5), ("message_id", ""), ("message_id", "m" * 129),
    ("message_id", "m" * 10_000),
    ("temperature", -0.1), ("temperature", 2.1), ("temperature", "hot"), ("temperature", True),
    ("max_tokens", 0), ("max_tokens", -1), ("max_tokens", 2049), ("max_tokens", 1.5),
    ("max_tokens", "5"), ("max_tokens", 2**63), ("max_tokens", 1e300),
    ("top_p", -0.1), ("top_p", 1.1), ("top_p", "x"), ("top_k", -1), ("top_k", "x"), ("top_k", 1.5),
    ("seed", -1), ("seed", "x"), ("seed", 1.5), ("seed", 2**70),
    ("stop", ["a", "b", "c", "d", "e"]), ("stop", [""]), ("stop", [5]), ("stop", {"a": 1}),
    ("on_disconnect", "maybe"), ("on_disconnect", 5),
])
def test_a_field_out_of_range_is_named(server, device, field, value):
    message = {"type": "chat", "content": "hi", "max_tokens": 2, "message_id": "about-this"}
    message[field] = value
    device.send(message)
    error = device.expect_error("INVALID_MESSAGE")
    assert field in error["error"], error
    if field != "message_id":
        assert error["message_id"] == "about-this"
    assert device.still_works()


def test_content_is_needed(server, device):
    device.send({"type": "chat"})
    assert "content" in device.expect_error("INVALID_MESSAGE")["error"]


def test_bounds_that_are_allowed(server, device):
    answer = device.ask("x" + "é" * 60, temperature=2, top_p=1, top_k=1, max_tokens=1, seed=0,
                        message_id="m" * 128, stop=["a", "b", "c", "d"], on_disconnect="cancel")
    assert answer.complete


def test_content_length_counts_characters_not_bytes(server, device):
    device.start("é" * 32_000, max_tokens=1)
    frame = device.receive()
    assert frame["type"] == "error" and frame["code"] == "CONTEXT_OVERFLOW", frame


@pytest.mark.parametrize("message", [
    {"type": "cancel"}, {"type": "cancel", "run_id": 5}, {"type": "cancel", "message_id": ["x"]},
    {"type": "cancel", "run_id": ""}, {"type": "cancel", "run_id": None},
])
def test_a_cancel_without_a_target(server, device, message):
    device.send(message)
    device.expect_error("INVALID_MESSAGE")
    assert device.still_works()


def test_an_unknown_model(server, device):
    device.start("hi", model="no-such-model", message_id="m")
    assert device.expect_error("MODEL_NOT_FOUND")["message_id"] == "m"
    assert device.still_works()


def test_context_overflow(server, device):
    device.start(" ".join(str(n) for n in range(6000))[:32_000], message_id="m",
                 conversation_id="overflow")
    error = device.expect_error("CONTEXT_OVERFLOW")
    assert error["message_id"] == "m"
    assert device.ask("Say yes.", max_tokens=2, conversation_id="overflow").complete


def test_every_error_is_counted(server):
    before = server.metric("tars_websocket_errors_total")
    with Device(server) as device:
        for text in ("{", "[]", '{"type":"x"}'):
            device.send(text)
            device.expect("error")
    assert server.metric("tars_websocket_errors_total") == before + 3


def test_an_error_does_not_disturb_a_running_answer(server, device):
    device.start("Count to twenty.", max_tokens=40, temperature=0, message_id="running")
    device.first_token()
    device.send("{")
    kinds = []
    while "complete" not in kinds:
        kinds.append(device.receive()["type"])
    assert kinds.count("error") == 1


def test_a_10_kb_client_id_gets_no_token(server):
    with server.http() as http:
        assert http.post("/auth/token", json={"client_id": fresh("x") * 1000}).status_code == 422
