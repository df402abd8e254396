"""The attacks of RFC 8725 (JWT best current practices) on the live server, each by name.

Every forged token is tried on all three doors: /auth/validate, a route behind a bearer, the socket.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest

from tars_client import Device, fresh
from tars_server import SECRET


def encode(data: dict | bytes) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def assemble(header: dict, claims: dict, key: str = SECRET, digest="sha256") -> str:
    """A compact JWS signed with HMAC, whatever its header says."""
    body = f"{encode(header)}.{encode(claims)}"
    return f"{body}.{encode(hmac.new(key.encode(), body.encode(), digest).digest())}"


def parts(token: str) -> tuple[dict, dict]:
    return (jwt.get_unverified_header(token),
            jwt.decode(token, options={"verify_signature": False}))


def assert_refused(server, token: str, reason: str | None = None) -> None:
    server.tokens.append(token)
    with server.http(token) as http:
        assert http.post("/auth/validate").json()["valid"] is False
        response = http.get("/auth/devices")
        assert response.status_code == 401
        assert 'error="invalid_token"' in response.headers["www-authenticate"]
        assert token not in response.text
    with Device(server, token, expect_ack=False) as device:
        code, why = device.closed()
        assert code == 1008 and why and why.replace("_", "").isalpha()
        if reason:
            assert why == reason


@pytest.fixture
def good(server):
    return server.access(fresh())


def test_the_unforged_copy_is_accepted(server, good):
    """What the other tests start from is good, so that they refuse for the right reason."""
    header, claims = parts(good)
    with server.http(assemble(header, claims)) as http:
        assert http.post("/auth/validate").json()["valid"] is True


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE"])
def test_2_1_algorithm_none(server, good, algorithm):
    header, claims = parts(good)
    body = f"{encode({**header, 'alg': algorithm})}.{encode(claims)}"
    for signature in ("", good.rpartition(".")[2]):
        assert_refused(server, f"{body}.{signature}")


@pytest.mark.parametrize("algorithm", ["HS384", "HS512", "RS256", "PS256", "ES256", "EdDSA", "hs256"])
def test_2_1_another_algorithm(server, good, algorithm):
    header, claims = parts(good)
    digest = {"HS384": "sha384", "HS512": "sha512"}.get(algorithm, "sha256")
    assert_refused(server, assemble({**header, "alg": algorithm}, claims, digest=digest))


def test_2_1_no_algorithm_at_all(server, good):
    header, claims = parts(good)
    header.pop("alg")
    assert_refused(server, assemble(header, claims))


@pytest.mark.parametrize("key", ["", "secret", "x" * 32, SECRET[:-1], SECRET + "0"])
def test_2_2_a_weak_or_wrong_key(server, good, key):
    assert_refused(server, assemble(*parts(good), key=key), "token_invalid")


def test_2_3_a_signature_that_is_cut_or_empty(server, good):
    body, _, signature = good.rpartition(".")
    for changed in ("", signature[:10], signature[:-4] + "AAAA", encode(b"\0" * 32)):
        assert_refused(server, f"{body}.{changed}")


def test_2_4_claims_changed_under_an_old_signature(server, good):
    head, _, signature = good.split(".")
    _, claims = parts(good)
    assert_refused(server, f"{head}.{encode({**claims, 'sub': 'admin'})}.{signature}")


def test_2_4_another_number_of_parts(server, good):
    for token in (good + ".x", good.rpartition(".")[0], good.replace(".", ""), "." + good):
        assert_refused(server, token)


def test_2_6_more_than_one_encoding(server, good):
    head, claims, signature = good.split(".")
    for token in (f"{head}=.{claims}.{signature}", f"{head}.{claims}\n.{signature}"):
        with Device(server, None, client_id=fresh()) as bystander:
            with server.http() as http:
                try:
                    response = http.post("/auth/validate", headers={"Authorization": f"Bearer {token}"})
                    assert response.status_code in (200, 400, 401)
                    assert response.status_code != 200 or response.json()["valid"] is False
                except Exception as refused:  # the client itself may refuse a newline in a header
                    assert "header" in str(refused).lower()
            assert bystander.still_works()


@pytest.mark.parametrize("changes", [
    {"iss": "someone-else"}, {"aud": "another-service"}, {"aud": ["another-service"]},
    {"type": "id"}, {"type": None}, {"sub": ""}, {"sub": None}, {"sub": 5},
    {"exp": "tomorrow"}, {"exp": None}, {"exp": -1}, {"nbf": "x"},
])
def test_2_7_and_2_8_claims_of_another_meaning(server, good, changes):
    assert_refused(server, server.forge(good, **changes))


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "type", "exp"])
def test_3_claims_that_must_be_there(server, good, name):
    header, claims = parts(good)
    del claims[name]
    assert_refused(server, assemble(header, claims))


def test_3_expired_beyond_the_leeway(server, good):
    now = int(time.time())
    assert_refused(server, server.forge(good, iat=now - 100, nbf=now - 100, exp=now - 60),
                   "token_expired")


def test_3_not_yet_valid_beyond_the_leeway(server, good):
    assert_refused(server, server.forge(good, nbf=int(time.time()) + 120))


def test_3_within_the_leeway_is_accepted(server, good):
    token = server.forge(good, nbf=int(time.time()) + 10)
    with server.http(token) as http:
        assert http.post("/auth/validate").json()["valid"] is True


def test_3_a_session_is_not_begun_to_be_ended_at_once(server, good):
    """Within the leeway past `exp`: good for a call, not for a socket."""
    now = int(time.time())
    token = server.forge(good, iat=now - 100, nbf=now - 100, exp=now - 5)
    with server.http(token) as http:
        assert http.post("/auth/validate").json()["valid"] is True
    with Device(server, token, expect_ack=False) as device:
        assert device.closed() == (1008, "token_expired")


def test_3_11_a_refresh_token_opens_nothing(server):
    token = server.mint(fresh())["refresh_token"]
    with server.http(token) as http:
        assert http.get("/auth/devices").status_code == 401
    with Device(server, token, expect_ack=False) as device:
        assert device.closed() == (1008, "token_wrong_type")


@pytest.mark.parametrize("header", [
    {"kid": "../../../../dev/null"}, {"kid": "' OR 1=1 --"}, {"kid": "unknown"}, {"kid": 5},
    {"jku": "http://127.0.0.1:1/keys", "kid": "unknown"},
    {"jwk": {"kty": "oct", "k": encode(b"attacker")}, "kid": "unknown"},
    {"crit": ["exp"]}, {"crit": ["b64"], "b64": False},
])
def test_3_10_header_fields_are_not_trusted(server, good, header):
    known, claims = parts(good)
    forged = {**known, **header}
    assert_refused(server, assemble(forged, claims, key=SECRET if "crit" in header else "attacker"))


def test_3_a_token_inside_another_is_no_token(server, good):
    assert_refused(server, assemble({"alg": "HS256", "cty": "JWT"}, {"token": good}))


@pytest.mark.parametrize("payload", [b"[]", b"null", b'"text"', b"5", b"{", b"\xff", b"[" * 5000])
def test_3_a_signed_payload_that_is_no_object(server, good, payload):
    body = f"{encode(parts(good)[0])}.{encode(payload)}"
    signature = encode(hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).digest())
    assert_refused(server, f"{body}.{signature}")


def test_3_duplicate_claims_do_not_pass_two_meanings(server, good):
    claims = json.dumps(parts(good)[1])[:-1] + ', "type": "refresh"}'
    body = f"{encode(parts(good)[0])}.{encode(claims.encode())}"
    signature = encode(hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).digest())
    with server.http(f"{body}.{signature}") as http:
        answer = http.post("/auth/validate").json()
        opened = http.get("/auth/devices").status_code
    if answer["valid"]:
        assert (answer["token_type"] == "refresh") == (opened == 401)


def test_the_length_of_a_token_is_bounded(server):
    with server.http("x" * 12_000) as http:
        assert http.post("/auth/validate").status_code in (200, 401, 431)
    assert server.alive()
