"""Model servers behind the socket. Against a stand-in (fake_models.py), not a model."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from certificates import make_certificate
from fake_models import FakeModels
from tars_client import Answer, Device
from tars_server import model_path, wait_until
from tars_verbs import beside, json_of

NO_MODEL = {"MODEL_PATH": ""}  # nothing in this process


@pytest.fixture
def fake():
    models = FakeModels()
    yield models
    models.close()


def options(kind: str, fake: FakeModels) -> dict[str, str]:
    if kind == "ollama":
        return {**NO_MODEL, "LLM_BACKEND": "ollama", "OLLAMA_HOST": fake.url}
    return {**NO_MODEL, "LLM_BACKEND": "openai", "OPENAI_BASE_URL": fake.url + "/v1",
            "OPENAI_API_KEY": "the-key"}


def read_until(device: Device, condition) -> Answer:
    answer = Answer()
    while not condition(answer):
        answer.take(device.receive())
    return answer


def test_a_broken_model_beside_another_default_does_not_end_the_server(own_server, fake, tmp_path):
    """Its file looks whole, and fails when it is loaded: before or after the default is ready."""
    server = own_server(options("ollama", fake), start=False)
    broken = tmp_path / "broken.gguf"
    weights = Path(model_path()).read_bytes()
    assert b".embedding_length" in weights
    broken.write_bytes(weights.replace(b".embedding_length", b".embedding_lengxx"))
    server.env["MODEL_PATH"] = str(broken)
    server.start()
    wait_until(lambda: "the model of MODEL_PATH cannot be loaded" in server.log())
    with Device(server) as device:
        assert device.ask("hello").text == "fake0 fake1 fake2 "
        device.send({"type": "chat", "content": "hello", "model": "embedded/"})
        device.expect_error("BACKEND_UNAVAILABLE")
    checks = httpx.get(server.url + "/ready").json()["checks"]
    assert checks["backend_ollama"] == "healthy" and checks["backend_embedded"] == "unhealthy"


@pytest.mark.parametrize("kind", ["ollama", "openai"])
def test_a_chat_with_history_and_options(own_server, fake, kind):
    server = own_server(options(kind, fake))
    with Device(server) as device:
        first = device.ask("hello", max_tokens=7, temperature=0.5, stop=["END"], seed=3)
        assert first.text == "fake0 fake1 fake2 "
        assert first.complete["finish_reason"] == "stop"
        assert first.complete["prompt_tokens"] == 9
        assert first.complete["model"] == "fake"
        device.ask("again", conversation_id=first.conversation_id)
    asked = fake.requests[0]
    assert asked["stream"] is True
    assert "Origin" not in asked["headers"]
    assert asked["headers"]["Host"] == f"127.0.0.1:{fake.port}"
    if kind == "ollama":
        assert asked["path"] == "/api/chat"
        assert asked["options"]["num_predict"] == 7
        assert asked["options"]["stop"] == ["END"]
    else:
        assert asked["path"] == "/v1/chat/completions"
        assert asked["max_tokens"] == 7
        assert asked["headers"]["Authorization"] == "Bearer the-key"
        assert "the-key" not in server.log()
    turns = [m["content"] for m in fake.requests[1]["messages"] if m["role"] != "system"]
    assert turns == ["hello", "fake0 fake1 fake2 ", "again"]


def test_a_sockets_trace_goes_on_to_the_model_server(own_server, fake):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    server = own_server(options("ollama", fake))
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    with Device(server, headers=headers) as device:
        device.ask("hello")
        device.ask("again")
    with Device(server) as untraced:
        untraced.ask("hello")
    spans = [asked["headers"].get("traceparent") for asked in fake.requests]
    assert [span and span[:36] for span in spans] == [f"00-{trace}-"] * 2 + [None]
    assert len({spans[0], spans[1], headers["traceparent"]}) == 3


@pytest.mark.parametrize("kind", ["ollama", "openai"])
@pytest.mark.parametrize("after", [0, 2])
def test_cancel_closes_the_upstream(own_server, fake, kind, after):
    server = own_server(options(kind, fake))
    with Device(server) as device:
        device.start(f"[[hang={after}]]", message_id="m")
        wait_until(lambda: fake.requests)
        answer = read_until(device, lambda a: a.tokens == after)
        device.send({"type": "cancel", "message_id": "m"})
        while not answer.end:
            answer.take(device.receive())
        assert answer.complete["finish_reason"] == "cancelled"
        assert answer.tokens == after
    assert fake.closed.wait(5)
    assert len(fake.requests) == 1


@pytest.mark.parametrize("kind", ["ollama", "openai"])
@pytest.mark.parametrize("fault", ["error", "drop"])
def test_a_fault_in_the_middle_keeps_the_partial_answer(own_server, fake, kind, fault):
    server = own_server(options(kind, fake))
    with Device(server) as device:
        answer = device.ask(f"[[{fault}=2]]")
        assert answer.text == "fake0 fake1 "
        assert answer.end["type"] == "error"
        assert answer.end["code"] == "GENERATION_ERROR"
        assert len(fake.requests) == 1, "it was generated twice"
        assert device.ask("hello").text == "fake0 fake1 fake2 "


@pytest.mark.parametrize("kind", ["ollama", "openai"])
def test_refusals_are_told_apart(own_server, fake, kind):
    server = own_server(options(kind, fake))
    with Device(server) as device:
        device.start("hello", model="another")
        device.expect_error("MODEL_NOT_FOUND")
        device.start("[[status=503]]")
        assert device.expect_error("OVERLOADED")["retry_after_s"] > 0
        device.start("[[status=401]]")
        device.expect_error("BACKEND_UNAVAILABLE")
        assert device.ask("hello", model=f"{kind}/fake").complete["finish_reason"] == "stop"


@pytest.mark.parametrize("kind", ["ollama", "openai"])
def test_a_busy_servers_refusal_can_be_asked_again(own_server, fake, kind):
    """Under the same message_id, and without a trace of the refused one in the conversation."""
    server = own_server(options(kind, fake))
    fake.busy = 1
    with Device(server) as device:
        chat = {"message_id": "m", "conversation_id": "talk"}
        refused = device.ask("hello", **chat)
        assert refused.end["code"] == "OVERLOADED" and refused.end["retry_after_s"] >= 1
        assert device.ask("hello", **chat).text == "fake0 fake1 fake2 "
        assert device.ask("hello", **chat).text == "fake0 fake1 fake2 "
        assert len(fake.requests) == 2, "the third is the second's, replayed"
        device.ask("again", conversation_id="talk")
    assert [m["content"] for m in fake.requests[2]["messages"] if m["role"] == "user"] == ["hello", "again"]


@pytest.mark.parametrize("kind", ["ollama", "openai"])
def test_a_server_that_died_is_unavailable_and_not_without_a_model(own_server, kind):
    models = FakeModels()
    server = own_server(options(kind, models))
    with Device(server) as device:
        assert device.ask("hello").end["type"] == "complete"
        models.close()
        assert device.ask("[[tokens=1]]").end["code"] == "BACKEND_UNAVAILABLE"
        with server.http() as http:
            wait_until(lambda: http.get("/ready").status_code == 503, 20)
        answer = device.ask("hello")
        assert answer.end["code"] == "BACKEND_UNAVAILABLE" and models.url in answer.end["error"]


def test_another_host_answers_and_the_first_returns(own_server, fake):
    first = FakeModels()
    first.refuse = True
    port = first.port
    server = own_server({**options("ollama", fake), "OLLAMA_MODEL": "fake",
                         "OLLAMA_HOST": f"127.0.0.1:{port}, {fake.url}"})
    try:
        with Device(server) as device:
            wait_until(lambda: httpx.get(server.url + "/ready").json()["details"]["backend_ollama"]["detail"])
            assert device.ask("hello").complete
            assert len(fake.requests) == 1 and not first.requests
            first.refuse = False
            wait_until(lambda: not httpx.get(server.url + "/ready").json()["details"]["backend_ollama"]["detail"])
            assert device.ask("hello").complete
            assert len(first.requests) == 1
    finally:
        first.close()


def test_a_host_that_fails_before_the_first_token_is_passed_over(own_server, fake):
    other = FakeModels()
    server = own_server({**options("ollama", fake), "OLLAMA_HOST": f"{other.url},{fake.url}"})
    try:
        with Device(server) as device:
            answer = device.ask("[[status=500]]")
            assert answer.end["code"] == "GENERATION_ERROR"
            assert len(other.requests) == 1 and len(fake.requests) == 1
    finally:
        other.close()


def test_a_server_that_is_not_there_is_waited_for(own_server, fake):
    fake.refuse = True
    server = own_server(options("ollama", fake), start=False)
    server.start(ready=False)
    ready = httpx.get(server.url + "/ready")
    assert ready.status_code == 503
    with Device(server) as device:
        fake.refuse = False
        wait_until(lambda: server.responds("/ready"))
        assert device.ask("hello").text == "fake0 fake1 fake2 "


@pytest.fixture
def certificate(tmp_path):
    return make_certificate(tmp_path / "upstream")


@pytest.fixture
def secure(certificate):
    models = FakeModels(tls=certificate)
    yield models
    models.close()


@pytest.mark.parametrize("kind", ["ollama", "openai"])
def test_the_same_over_https(own_server, secure, certificate, kind):
    server = own_server({**options(kind, secure), "UPSTREAM_CA_FILE": str(certificate[0])})
    with Device(server) as device:
        assert device.ask("[[tokens=300]]").tokens == 300
        cut = device.ask("[[drop=2]]")
        assert cut.text == "fake0 fake1 " and cut.end["code"] == "GENERATION_ERROR"
        device.start("[[hang=1]]", message_id="m")
        answer = read_until(device, lambda a: a.tokens == 1)
        device.send({"type": "cancel", "message_id": "m"})
        while not answer.end:
            answer.take(device.receive())
        assert answer.complete["finish_reason"] == "cancelled"
        assert device.ask("hello").text == "fake0 fake1 fake2 "
    assert secure.closed.wait(5)


def test_a_certificate_that_is_not_trusted_is_refused(own_server, secure):
    server = own_server(options("openai", secure), start=False)
    server.start(ready=False)
    wait_until(lambda: "certificate" in httpx.get(server.url + "/ready").text)
    assert httpx.get(server.url + "/ready").status_code == 503
    with Device(server) as device:
        device.start("hello", model="fake")
        device.expect_error("BACKEND_UNAVAILABLE")
    assert secure.requests == []


def test_a_certificate_for_another_name_is_refused(own_server, tmp_path):
    certificate = make_certificate(tmp_path / "other", "models.example", here=False)
    models = FakeModels(tls=certificate)
    try:
        server = own_server({**options("openai", models), "UPSTREAM_CA_FILE": str(certificate[0])},
                            start=False)
        server.start(ready=False)
        wait_until(lambda: "certificate" in httpx.get(server.url + "/ready").text)
        assert models.requests == []
    finally:
        models.close()


def test_names_route_between_backends(own_server, fake):
    """The model in this process is the default one; the other is there by its prefix."""
    server = own_server({"OLLAMA_HOST": fake.url})
    details = httpx.get(server.url + "/ready").json()["details"]
    assert details["backend_embedded"]["status"] == "healthy"
    wait_until(lambda: httpx.get(server.url + "/ready").json()["details"]["backend_ollama"]["status"] == "healthy")
    assert server.metric('tars_backend_up{backend="ollama"}') == 1
    details = httpx.get(server.url + "/ready").json()["details"]
    assert details["backend_ollama"]["models"] == ["ollama/fake"]
    own, = details["backend_embedded"]["models"]
    listed = {m["model"]: m for m in json_of(beside(server, "model", "list", "--json"))["items"]}
    assert listed["ollama/fake"]["backend"] == "ollama" and listed[own]["in_use"]
    with Device(server) as device:
        assert device.ask("hello", model=own, max_tokens=3).complete["model"] == own
        assert device.ask("hello", model="ollama/fake").text == "fake0 fake1 fake2 "
        assert device.ask("Say yes.", max_tokens=3).complete["model"] != "fake"
        device.start("hello", model="openai/fake")
        device.expect_error("MODEL_NOT_FOUND")
