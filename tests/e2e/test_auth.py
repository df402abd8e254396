"""Tokens over HTTP: mint, validate, refresh, revoke, devices, enrolment, key overlap, rate limit."""

from __future__ import annotations

import time
from datetime import datetime, timezone

import httpx
import jwt
import pytest

from tars_client import RFC3339, Device, fresh
from tars_server import SECRET

JSON = {"Content-Type": "application/json"}
INACTIVE = {"valid": False, "client_id": None, "expires_at": None, "active": False}


def claims(token: str) -> dict:
    return jwt.decode(token, SECRET, algorithms=["HS256"], audience=jwt.decode(
        token, options={"verify_signature": False})["aud"])


def validate(server, token: str) -> dict:
    with server.http(token) as http:
        response = http.post("/auth/validate")
    assert response.status_code == 200, response.text
    return response.json()


def refresh(server, token: str) -> httpx.Response:
    response = httpx.post(server.url + "/auth/refresh", json={"refresh_token": token}, timeout=30)
    if response.status_code == 200:
        server.tokens += [response.json()["access_token"], response.json()["refresh_token"]]
    return response


def is_problem(response: httpx.Response, status: int) -> dict:
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    body = response.json()
    assert {"type", "title", "status", "detail", "instance", "code", "trace_id"} <= body.keys()
    assert body["status"] == status and isinstance(body["detail"], str) and body["detail"]
    return body


# -- mint


def test_mint_gives_the_published_shape(server):
    client = fresh()
    response = httpx.post(server.url + "/auth/token", json={
        "client_id": client, "device_name": "Laptop", "device_type": "bash"})
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    pair = response.json()
    server.tokens += [pair["access_token"], pair["refresh_token"]]
    assert pair["token_type"] == "bearer" and pair["expires_in"] == 86400
    access, renewal = claims(pair["access_token"]), claims(pair["refresh_token"])
    for name in ("iss", "aud", "sub", "type", "jti", "sid", "iat", "nbf", "exp", "device_name",
                 "device_type"):
        assert name in access, name
    assert access["sub"] == client and access["type"] == "access" and renewal["type"] == "refresh"
    assert access["device_name"] == "Laptop" and access["device_type"] == "bash"
    assert access["sid"] == renewal["sid"] and access["jti"] != renewal["jti"]
    assert access["exp"] - access["iat"] == 24 * 3600
    assert renewal["exp"] - renewal["iat"] == 7 * 24 * 3600
    assert jwt.get_unverified_header(pair["access_token"])["alg"] == "HS256"


@pytest.mark.parametrize("client_id", ["a", "A-z_0.9:x@home", "c" * 128])
def test_client_ids_that_are_allowed(server, client_id):
    assert server.mint(client_id)["access_token"]


@pytest.mark.parametrize("body", [
    {}, {"client_id": ""}, {"client_id": None}, {"client_id": 5}, {"client_id": ["a"]},
    {"client_id": "c" * 129}, {"client_id": "x" * 10_000}, {"client_id": "has space"},
    {"client_id": "sl/ash"}, {"client_id": "naïve"}, {"client_id": "nul\x00"},
    {"client_id": "a", "device_name": "d" * 129}, {"client_id": "a", "device_name": "x\u009b2Jy"},
    {"client_id": "a", "device_type": "\u202ex"}, {"client_id": "a", "device_type": 7},
    [], "text", 5, None,
])
def test_bad_bodies_are_422(server, body):
    problem = is_problem(httpx.post(server.url + "/auth/token", json=body), 422)
    assert problem["errors"] or not isinstance(body, dict), "which field?"
    assert all(isinstance(e["field"], str) and e["message"] for e in problem["errors"])


def test_a_null_optional_field_counts_as_absent(server):
    assert server.mint(fresh(), device_name=None, device_type=None, enrollment_key=None)


def test_unknown_fields_are_ignored(server):
    assert server.mint(fresh(), shoe_size=43)


@pytest.mark.parametrize("body", [b"", b"{", b'{"client_id":"a"', b"\xff\xfe", b'{"client_id":"\xff"}',
                                  b"[" * 100_000])
def test_malformed_json_is_422(server, body):
    is_problem(httpx.post(server.url + "/auth/token", content=body, headers=JSON), 422)


# -- validate


def test_validate_says_who_and_until_when(server):
    client = fresh()
    pair = server.mint(client)
    answer = validate(server, pair["access_token"])
    expires = claims(pair["access_token"])["exp"]
    assert answer["valid"] is True and answer["active"] is True
    assert answer["client_id"] == answer["sub"] == client
    assert answer["exp"] == expires and answer["token_type"]
    assert RFC3339.match(answer["expires_at"])
    said = datetime.fromisoformat(answer["expires_at"].replace("Z", "+00:00"))
    assert said == datetime.fromtimestamp(expires, timezone.utc)


def test_validate_calls_a_refresh_token_valid_too(server):
    answer = validate(server, server.mint()["refresh_token"])
    assert answer["valid"] is True and answer["token_type"] == "refresh"


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "....", "e30.e30.", "x" * 4000])
def test_validate_of_a_bad_token_is_200_and_false(server, token):
    assert validate(server, token) == INACTIVE


def test_validate_without_a_bearer_is_401(server):
    response = httpx.post(server.url + "/auth/validate")
    is_problem(response, 401)
    challenge = response.headers["www-authenticate"]
    assert challenge.startswith("Bearer") and "error=" not in challenge


def test_validate_is_not_stored(server):
    with server.http(server.access()) as http:
        assert http.post("/auth/validate").headers["cache-control"] == "no-store"


# -- refresh


def test_refresh_rotates_and_reuse_revokes_the_family(server):
    first = server.mint(fresh())
    answer = refresh(server, first["refresh_token"])
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    second = answer.json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["token_type"] == "bearer" and second["expires_in"] == 86400
    assert claims(second["access_token"])["sid"] == claims(first["access_token"])["sid"]
    assert validate(server, second["access_token"])["valid"] is True

    is_problem(refresh(server, first["refresh_token"]), 401)
    for token in (first["access_token"], second["access_token"], second["refresh_token"]):
        assert validate(server, token) == INACTIVE
    is_problem(refresh(server, second["refresh_token"]), 401)


def test_refresh_with_an_access_token_is_401(server):
    problem = is_problem(refresh(server, server.access()), 401)
    assert problem["detail"].startswith("Invalid token type")


@pytest.mark.parametrize("body", [{}, {"refresh_token": None}, {"refresh_token": 5}])
def test_refresh_with_a_bad_body_is_422(server, body):
    is_problem(httpx.post(server.url + "/auth/refresh", json=body), 422)


def test_refresh_with_nonsense_is_401(server):
    response = refresh(server, "nonsense")
    is_problem(response, 401)
    assert 'error="invalid_token"' in response.headers["www-authenticate"]


def test_grace_forgives_a_lost_answer(own_server):
    server = own_server({"REFRESH_GRACE_SECONDS": "60"})
    first = server.mint()
    assert refresh(server, first["refresh_token"]).status_code == 200
    again = refresh(server, first["refresh_token"])
    assert again.status_code == 200
    assert validate(server, again.json()["access_token"])["valid"] is True


# -- revoke


def revoke(server, bearer: str, token: str | None = None) -> httpx.Response:
    with server.http(bearer) as http:
        if token is None:
            return http.post("/auth/revoke")
        return http.post("/auth/revoke", json={"token": token})


def test_revoking_an_access_token_ends_it_alone(server):
    pair = server.mint(fresh())
    response = revoke(server, pair["access_token"])
    assert response.status_code == 200
    assert response.json() == {"message": "Token revoked successfully"}
    assert response.headers["cache-control"] == "no-store"
    assert validate(server, pair["access_token"]) == INACTIVE
    assert validate(server, pair["refresh_token"])["valid"] is True


def test_revoking_a_refresh_token_ends_its_family(server):
    client = fresh()
    pair, other = server.mint(client), server.mint(client)
    assert revoke(server, other["access_token"], pair["refresh_token"]).status_code == 200
    assert validate(server, pair["access_token"]) == INACTIVE
    assert validate(server, pair["refresh_token"]) == INACTIVE
    assert validate(server, other["access_token"])["valid"] is True


def test_revoking_another_clients_token_says_200_and_does_nothing(server):
    victim, attacker = server.mint(fresh()), server.mint(fresh())
    assert revoke(server, attacker["access_token"], victim["refresh_token"]).status_code == 200
    assert validate(server, victim["access_token"])["valid"] is True


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "x" * 3000])
def test_revoking_an_unknown_token_is_200(server, token):
    assert revoke(server, server.access(), token).status_code == 200


def test_revoking_needs_a_valid_bearer(server):
    is_problem(httpx.post(server.url + "/auth/revoke"), 401)
    response = revoke(server, "nonsense")
    is_problem(response, 401)
    assert 'error="invalid_token"' in response.headers["www-authenticate"]


def test_an_admin_revokes_for_all(own_server):
    server = own_server({"ADMIN_CLIENTS": "root", "AUTH_ENROLLMENT": "key",
                         "AUTH_ENROLLMENT_KEY": "enrol-me-please"})
    key = {"enrollment_key": "enrol-me-please"}
    victim, admin = server.mint("victim", **key), server.mint("root", **key)
    assert revoke(server, admin["access_token"], victim["refresh_token"]).status_code == 200
    assert validate(server, victim["access_token"]) == INACTIVE


def test_revocation_closes_live_sockets_and_stops_their_runs_within_a_second(server):
    with Device(server) as device:
        device.start("Tell me a very long story about a lighthouse.", max_tokens=2000)
        device.first_token()
        assert revoke(server, device.token).status_code == 200
        revoked = time.time()  # it is stored: the disk's time is not the sockets'
        frames = []
        try:
            while True:
                frames.append(device.receive(5))
        except Exception:
            pass
        assert device.socket.close_code == 1008 and device.socket.close_reason == "token_revoked"
        assert frames[-1]["type"] == "error" and frames[-1]["code"] == "TOKEN_REVOKED"
        told = datetime.fromisoformat(frames[-1]["timestamp"].replace("Z", "+00:00")).timestamp()
        assert told - revoked < 1, f"{told - revoked:.2f} s"


def test_revoking_a_family_closes_all_its_sockets_and_no_other(server):
    client = fresh()
    pair, other = server.mint(client), server.mint(client)
    with Device(server, pair["access_token"]) as one, Device(server, pair["access_token"]) as two, \
            Device(server, other["access_token"]) as bystander:
        assert revoke(server, other["access_token"], pair["refresh_token"]).status_code == 200
        assert one.closed() == (1008, "token_revoked")
        assert two.closed() == (1008, "token_revoked")
        assert bystander.still_works()


def test_a_revocation_survives_kill_9(own_server):
    server = own_server()
    pair, kept = server.mint("a"), server.mint("a")
    assert revoke(server, kept["access_token"], pair["refresh_token"]).status_code == 200
    rotated = server.mint("b")
    assert refresh(server, rotated["refresh_token"]).status_code == 200
    server.kill()
    server.start()
    assert validate(server, pair["access_token"]) == INACTIVE
    assert validate(server, kept["access_token"])["valid"] is True
    assert refresh(server, rotated["refresh_token"]).status_code == 401  # spent stays spent
    database = b"".join(p.read_bytes() for p in server.data_dir.rglob("*") if p.is_file())
    for token in server.tokens:
        assert token.encode() not in database
        assert token.rpartition(".")[2].encode() not in database


# -- devices


def test_devices_lists_families_and_deletes_one(server):
    client = fresh()
    phone = server.mint(client, device_name="Phone", device_type="mobile")
    laptop = server.mint(client, device_name="Laptop", device_type="desktop")
    server.mint(fresh(), device_name="Stranger")
    with Device(server, phone["access_token"]) as socket, server.http(laptop["access_token"]) as http:
        listing = http.get("/auth/devices")
        assert listing.status_code == 200 and listing.headers["cache-control"] == "no-store"
        items = {d["device_name"]: d for d in listing.json()["items"]}
        assert items.keys() == {"Phone", "Laptop"}
        assert items["Phone"]["sockets"] == 1 and items["Laptop"]["sockets"] == 0
        assert items["Phone"]["device_type"] == "mobile"
        assert RFC3339.match(items["Phone"]["created_at"])
        assert RFC3339.match(items["Phone"]["last_seen_at"])
        later = {d["device_name"]: d for d in http.get("/auth/devices").json()["items"]}
        assert later["Phone"]["last_seen_at"] > items["Phone"]["last_seen_at"], "seen as long as connected"
        sid = items["Phone"]["sid"]
        assert sid == claims(phone["access_token"])["sid"]
        assert http.delete(f"/auth/devices/{sid}").status_code == 204
        assert socket.closed() == (1008, "token_revoked")
        assert validate(server, phone["refresh_token"]) == INACTIVE
        is_problem(http.delete("/auth/devices/no-such-family"), 404)


def test_another_clients_device_is_404(server):
    victim = server.mint(fresh())
    sid = claims(victim["access_token"])["sid"]
    with server.http(server.access(fresh())) as http:
        is_problem(http.delete(f"/auth/devices/{sid}"), 404)
    assert validate(server, victim["access_token"])["valid"] is True


def test_devices_need_a_bearer(server):
    is_problem(httpx.get(server.url + "/auth/devices"), 401)


def test_auth_health(server):
    answer = httpx.get(server.url + "/auth/health").json()
    assert answer["status"] == "healthy" and answer["service"] == "authentication"
    assert RFC3339.match(answer["timestamp"])


# -- enrolment and keys


def enrol(server, **fields) -> httpx.Response:
    return httpx.post(server.url + "/auth/token", json={"client_id": "c", **fields})


def test_enrolment_by_key_and_closed_and_key_overlap(own_server):
    """One data folder, three configurations after each other."""
    server = own_server({"AUTH_ENROLLMENT": "key", "AUTH_ENROLLMENT_KEY": "enrol-me-please"})
    is_problem(enrol(server), 403)
    is_problem(enrol(server, enrollment_key="wrong"), 403)
    is_problem(enrol(server, enrollment_key=""), 403)
    old = server.mint("c", enrollment_key="enrol-me-please")
    assert server.stop() == 0

    new_key = "another-secret-0123456789-0123456789-01"
    server.env.update({"AUTH_ENROLLMENT": "closed", "AUTH_ENROLLMENT_KEY": "",
                       "JWT_SECRET_KEY": new_key, "JWT_PREVIOUS_SECRET_KEY": SECRET,
                       "JWT_PREVIOUS_VALID_UNTIL": "2099-01-01T00:00:00Z"})
    server.start()
    is_problem(enrol(server, enrollment_key="enrol-me-please"), 403)
    assert validate(server, old["access_token"])["valid"] is True
    renewed = refresh(server, old["refresh_token"]).json()
    assert jwt.decode(renewed["access_token"], new_key, algorithms=["HS256"],
                      options={"verify_aud": False})["sub"] == "c"
    kids = {jwt.get_unverified_header(t)["kid"] for t in (old["access_token"],
                                                         renewed["access_token"])}
    assert len(kids) == 2
    assert server.stop() == 0

    server.env["JWT_PREVIOUS_VALID_UNTIL"] = "2020-01-01T00:00:00Z"
    server.start()
    assert validate(server, old["access_token"]) == INACTIVE
    assert validate(server, renewed["access_token"])["valid"] is True


def test_a_socket_ends_with_the_key_that_its_token_was_signed_with(own_server):
    server = own_server({})
    old = server.access(fresh())
    assert server.stop() == 0
    until = time.time() + 8
    server.env.update({"JWT_SECRET_KEY": "another-secret-0123456789-0123456789-01",
                       "JWT_PREVIOUS_SECRET_KEY": SECRET,
                       "JWT_PREVIOUS_VALID_UNTIL": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until))})
    server.start(ready=False)  # a socket needs no model
    with Device(server, old) as device:
        assert device.closed(20) == (1008, "token_expired")
    assert time.time() >= int(until)


def test_an_enrolment_key_may_be_as_long_as_its_option(own_server):
    key = "k" * 1024
    server = own_server({"AUTH_ENROLLMENT": "key", "AUTH_ENROLLMENT_KEY": key})
    assert enrol(server, enrollment_key=key).status_code == 200
    is_problem(enrol(server, enrollment_key=key + "k"), 403)


def test_a_cursor_that_leads_nowhere_is_told(server):
    with server.http(server.access(fresh())) as http:
        problem = is_problem(http.get("/auth/devices?cursor=garbage"), 422)
        assert problem["errors"][0]["field"] == "cursor"
        is_problem(http.get("/auth/devices?cursor="), 422)
        behind_all = http.get("/auth/devices?cursor=fam_" + "0" * 26).json()
        assert behind_all == {"items": [], "next_cursor": None}


def test_use_of_a_device_moves_it_in_no_listing(server):
    client = fresh()
    tokens = [server.access(client) for _ in range(3)]
    with server.http(tokens[0]) as http:
        page = http.get("/auth/devices?limit=1").json()
        seen = [device["sid"] for device in page["items"]]
        with server.http(tokens[1]) as other:
            assert other.get("/ws/sessions").status_code == 200
        time.sleep(0.4)  # its use is noted
        while page["next_cursor"]:
            page = http.get(f"/auth/devices?limit=1&cursor={page['next_cursor']}").json()
            seen += [device["sid"] for device in page["items"]]
        assert len(seen) == len(set(seen)) == 3


def test_a_secret_is_made_once_and_kept_private(own_server):
    server = own_server({"JWT_SECRET_KEY": ""})
    token = server.access()
    assert server.stop() == 0
    secret = server.data_dir / "jwt_secret"
    assert secret.stat().st_mode & 0o777 == 0o600
    made = secret.read_bytes()
    assert len(made.strip()) >= 32
    server.start()
    assert secret.read_bytes() == made
    assert secret.stat().st_mode & 0o777 == 0o600
    assert validate(server, token)["valid"] is True


def test_rate_limit_is_429_with_retry_after(own_server):
    server = own_server({"RATE_LIMIT_PER_MINUTE": "5"})
    statuses = [enrol(server) for _ in range(8)]
    assert [r.status_code for r in statuses[:5]] == [200] * 5
    limited = statuses[-1]
    problem = is_problem(limited, 429)
    assert int(limited.headers["retry-after"]) >= 1
    assert problem["code"] and limited.headers["cache-control"] == "no-store"
    assert refresh(server, "nonsense").status_code == 429
    assert httpx.get(server.url + "/health").status_code == 200


def test_the_default_rate_is_60_a_minute_all_at_once(own_server):
    """A busy machine takes its time, in which one more a second is let through."""
    server = own_server({"RATE_LIMIT_PER_MINUTE": ""}, start=False).start(ready=False)
    passed, began = 0, time.monotonic()
    while (answer := enrol(server)).status_code == 200 and passed < 1000:
        passed += 1
    elapsed = time.monotonic() - began
    is_problem(answer, 429)
    assert 60 <= passed <= 60 + elapsed
    assert answer.headers["retry-after"] == "1"
    time.sleep(1)
    assert enrol(server).status_code == 200
