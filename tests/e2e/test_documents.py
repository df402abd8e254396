"""/openapi.json and /asyncapi.json: valid, and held to what the server really answers and sends."""

from __future__ import annotations

import copy
import json
import re

import httpx
import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from openapi_spec_validator import validate

from tars_client import Device, fresh


def document(server, path: str) -> dict:
    answer = httpx.get(server.url + path, timeout=10)
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
    return answer.json()


@pytest.fixture(scope="module")
def openapi(main_server):
    return document(main_server, "/openapi.json")


@pytest.fixture(scope="module")
def asyncapi(main_server):
    return document(main_server, "/asyncapi.json")


def closed(node):
    """The same schemas, but a field that they do not describe is an error."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    out = {key: closed(value) for key, value in node.items()}
    if out.get("type") == "object" and isinstance(out.get("properties"), dict):
        out.setdefault("additionalProperties", False)
    return out


def references(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = node.values()
    if not isinstance(node, (str, int, float, type(None))):
        for item in node:
            yield from references(item)


def resolve(root: dict, reference: str):
    assert reference.startswith("#/"), f"{reference} points elsewhere"
    for part in reference[2:].split("/"):
        root = root[part]
    return root


def operations(openapi) -> dict:
    return {(method.upper(), path): operation for path, methods in openapi["paths"].items()
            for method, operation in methods.items()}


def check(openapi, schema: dict, value) -> None:
    """`value` is what `schema`, a part of the document, says, with no field more."""
    whole = closed({"components": {"schemas": openapi["components"]["schemas"]}})
    Draft202012Validator({**whole, **schema}).validate(value)


# -- OpenAPI


def test_openapi_is_valid(server, openapi):
    assert openapi["openapi"].startswith("3.1.")
    validate(openapi)
    assert openapi["info"]["version"] == document(server, "/health")["version"]


def test_every_example_is_what_its_schema_says(openapi):
    examples = 0
    for operation in operations(openapi).values():
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for media in (m for body in bodies for m in body.get("content", {}).values()):
            for example in media.get("examples", {}).values():
                check(openapi, media["schema"], example["value"])
                examples += 1
    assert examples > 30


def calls(server):
    """(method, path in the document, path asked, token, body, status): each operation but the handshake, and
    errors of each kind that can be made from outside."""
    client = fresh()
    token, other = server.access(client), server.mint(client)
    with server.http(token) as http:
        sid = next(item["sid"] for item in http.get("/auth/devices?limit=1").json()["items"])
    page = httpx.get(server.url + "/docs").text
    file = re.search(r"/assets/([^\"]+)", page)[1]
    return [
        ("GET", "/health", None, None, None, 200), ("GET", "/ready", None, None, None, 200),
        ("GET", "/metrics", None, None, None, 200), ("GET", "/ws/health", None, None, None, 200),
        ("GET", "/ws/sessions", None, None, None, 200), ("GET", "/ws/sessions", None, token, None, 200),
        ("GET", "/ws/sessions", None, "bad", None, 401),
        ("GET", "/auth/health", None, None, None, 200),
        ("POST", "/auth/token", None, None, {"client_id": client}, 200),
        ("POST", "/auth/token", None, None, {"client_id": "a b"}, 422),
        ("POST", "/auth/refresh", None, None, {"refresh_token": other["refresh_token"]}, 200),
        ("POST", "/auth/refresh", None, None, {"refresh_token": token}, 401),
        ("POST", "/auth/validate", None, token, None, 200), ("POST", "/auth/validate", None, "bad", None, 200),
        ("POST", "/auth/validate", None, None, None, 401),
        ("GET", "/auth/devices", "/auth/devices?limit=1", token, None, 200),
        ("GET", "/auth/devices", "/auth/devices?limit=0", token, None, 422),
        ("GET", "/auth/devices", None, None, None, 401),
        ("DELETE", "/auth/devices/{sid}", "/auth/devices/nothing", token, None, 404),
        ("DELETE", "/auth/devices/{sid}", "/auth/devices/%00", token, None, 400),
        ("DELETE", "/auth/devices/{sid}", f"/auth/devices/{sid}", server.access(client), None, 204),
        ("POST", "/auth/revoke", None, server.access(client), {"token": "nothing"}, 200),
        ("POST", "/auth/revoke", None, server.access(client), {"token": 1}, 422),
        ("GET", "/docs", None, None, None, 200), ("GET", "/redoc", None, None, None, 200),
        ("GET", "/asyncapi", None, None, None, 200), ("GET", "/openapi.json", None, None, None, 200),
        ("GET", "/asyncapi.json", None, None, None, 200),
        ("GET", "/assets/{file}", f"/assets/{file}", None, None, 200),
        ("GET", "/assets/{file}", "/assets/nothing", None, None, 404),
    ]


def documented_response(openapi, operation, answer) -> None:
    response = operation["responses"][str(answer.status_code)]
    for name in response["headers"]:
        assert name in answer.headers, f"{name} is missing at {answer.url}"
    media_type = answer.headers.get("content-type", "").split(";")[0]
    if not answer.content:
        assert "content" not in response
        return
    media = response["content"][media_type]
    value = answer.json() if media_type.endswith("json") else answer.text
    check(openapi, media["schema"], value)


def test_answers_are_what_the_document_says(server, openapi):
    known, asked = operations(openapi), set()
    with Device(server):  # so that the list of sessions has one
        for method, path, target, token, body, status in calls(server):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            answer = httpx.request(method, server.url + (target or path), headers=headers, json=body,
                                   timeout=10)
            assert answer.status_code == status, f"{method} {target or path}: {answer.text}"
            documented_response(openapi, known[method, path], answer)
            asked.add((method, path))
    assert asked == known.keys(), "an operation that no call here asks for"


def test_metrics_as_json_are_what_the_document_says(server, openapi):
    answer = httpx.get(server.url + "/metrics", headers={"Accept": "application/json"})
    documented_response(openapi, operations(openapi)["GET", "/metrics"], answer)


def test_pages_files_and_documents_are_open_and_answer_head(server):
    page = httpx.get(server.url + "/docs").text
    for path in ["/docs", "/redoc", "/asyncapi", "/openapi.json", "/asyncapi.json",
                 *re.findall(r"\"(/assets/[^\"]+)", page)]:
        for headers in ({}, {"Accept-Encoding": "identity"}):
            full, head = (httpx.request(m, server.url + path, headers=headers) for m in ("GET", "HEAD"))
            assert full.status_code == head.status_code == 200 and head.content == b""
            for name in ("content-type", "etag", "cache-control", "content-length"):
                assert head.headers[name] == full.headers[name], name
            held = httpx.get(server.url + path, headers={**headers, "If-None-Match": full.headers["etag"]})
            assert held.status_code == 304 and not held.content
    # httpx unpacks: both forms are the same file.
    packed, plain = (httpx.get(server.url + path, headers={"Accept-Encoding": e}) for e in ("gzip", "identity"))
    assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert packed.content == plain.content


# -- AsyncAPI


# What AsyncAPI 3.0 knows of each object that the document uses; the first ones are required.
FIELDS = {
    "": ("asyncapi info", "id servers defaultContentType channels operations components"),
    "info": ("title version", "description termsOfService contact license tags externalDocs"),
    "server": ("host protocol", "protocolVersion pathname description title summary variables security tags "
                                "externalDocs bindings"),
    "channel": ("", "address messages title summary description servers parameters tags externalDocs bindings"),
    "operation": ("action channel", "title summary description security tags externalDocs bindings traits "
                                    "messages reply"),
    "message": ("", "headers payload correlationId contentType name title summary description tags externalDocs "
                    "bindings examples traits"),
    "scheme": ("type", "description name in scheme bearerFormat flows openIdConnectUrl scopes"),
}


def has_fields_of(kind: str, node: dict) -> None:
    required, optional = (words.split() for words in FIELDS[kind])
    assert set(required) <= node.keys(), kind
    extra = {name for name in node.keys() - {*required, *optional} if not name.startswith("x-")}
    assert not extra, f"{kind} has {extra}"


def test_asyncapi_is_well_formed(server, asyncapi):
    assert asyncapi["asyncapi"] == "3.0.0"
    assert asyncapi["info"]["version"] == document(server, "/health")["version"]
    has_fields_of("", asyncapi)
    has_fields_of("info", asyncapi["info"])
    for kind, nodes in (("server", asyncapi["servers"]), ("channel", asyncapi["channels"]),
                        ("operation", asyncapi["operations"]), ("message", asyncapi["components"]["messages"]),
                        ("scheme", asyncapi["components"]["securitySchemes"])):
        for name, node in nodes.items():
            assert re.fullmatch(r"[A-Za-z0-9_.-]+", name)
            has_fields_of(kind, node)
    for reference in references(asyncapi):
        resolve(asyncapi, reference)
    channel_messages = {f"#/channels/chat/messages/{name}" for name in asyncapi["channels"]["chat"]["messages"]}
    used = [m["$ref"] for operation in asyncapi["operations"].values() for m in operation["messages"]]
    assert sorted(used) == sorted(channel_messages), "each message belongs to one operation"
    assert {o["action"] for o in asyncapi["operations"].values()} == {"send", "receive"}


def payload_validator(asyncapi, name: str) -> Draft7Validator:
    payload = closed(copy.deepcopy(asyncapi["components"]["messages"][name]["payload"]))
    Draft7Validator.check_schema(payload)
    return Draft7Validator({**payload, "components": asyncapi["components"]})


def test_asyncapi_examples_are_what_their_payloads_say(asyncapi):
    for name, message in asyncapi["components"]["messages"].items():
        assert message["examples"], name
        for example in message["examples"]:
            payload_validator(asyncapi, name).validate(example["payload"])


def test_frames_are_what_the_document_says(server, asyncapi):
    """Every message of the document is sent as its example says, and every frame that comes is described."""
    seen = {}

    def read(device, until: str) -> None:
        while until not in seen:
            frame = json.loads(device.socket.recv(timeout=60))
            payload_validator(asyncapi, f"server_{frame['type']}").validate(frame)
            seen.setdefault(frame["type"], frame)

    with Device(server, expect_ack=False) as device:
        read(device, "connection_ack")
        read(device, "ping")
        for name, message in asyncapi["components"]["messages"].items():
            if name.startswith("client_") and name != "client_chat":
                for example in message["examples"]:
                    device.send(example["payload"])
        read(device, "pong")
        read(device, "error")
        for example in asyncapi["components"]["messages"]["client_chat"]["examples"]:
            device.send({**example["payload"], "max_tokens": 8})
        read(device, "complete")
    assert {"connection_ack", "ping", "pong", "error", "token", "complete"} <= seen.keys()
