"""The attacks of RFC 8725 (JWT best current practices) on the live server, each by name: test_2_N
is an attack of its section 2.N, and the line above the group says which practices of section 3
answer it.

Every forged token is tried on all three doors: /auth/validate, a route behind a bearer, the socket.
"""

from __future__ import annotations

import base64
import json
import time
import zlib

import httpx
import pytest

from forged_tokens import KeyPair, KeyServer, assemble, encode, encrypt, parts
from tars_client import Device, fresh
from tars_server import SECRET


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


def assert_accepted(server, token: str) -> None:
    server.tokens.append(token)
    with server.http(token) as http:
        assert http.post("/auth/validate").json()["valid"] is True
        assert http.get("/auth/devices").status_code == 200


@pytest.fixture
def good(server):
    return server.access(fresh())


@pytest.fixture(scope="module")
def key_pairs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return {kind: KeyPair(folder, kind) for kind in ("RSA", "EC")}


def test_the_unforged_copy_is_accepted(server, good):
    """What the other tests start from is good, so that they refuse for the right reason."""
    assert_accepted(server, assemble(*parts(good)))


# -- 2.1 weak signatures and insufficient signature validation (3.1, 3.2)


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


@pytest.mark.parametrize("algorithm,kind", [("RS256", "RSA"), ("PS256", "RSA"), ("ES256", "EC")])
def test_2_1_really_signed_by_another_algorithm(server, good, key_pairs, algorithm, kind):
    header, claims = parts(good)
    assert_refused(server, key_pairs[kind].sign({**header, "alg": algorithm}, claims))


@pytest.mark.parametrize("kind", ["RSA", "EC"])
@pytest.mark.parametrize("form", ["public_pem", "public_der", "certificate_pem"])
def test_2_1_a_public_key_as_the_hmac_secret(server, good, key_pairs, kind, form):
    """RS256 turned to HS256, the key that everyone may know taken for the secret."""
    key = getattr(key_pairs[kind], form)
    header, claims = parts(good)
    for secret in {key, key.strip()}:
        assert_refused(server, assemble(header, claims, key=secret))
        assert_refused(server, assemble({"alg": "HS256", "typ": "JWT"}, claims, key=secret))


def test_2_1_an_ecdsa_signature_of_zeros(server, good):
    """What a verifier that forgets to check r and s takes for good, under any key."""
    header, claims = parts(good)
    body = f"{encode({**header, 'alg': 'ES256'})}.{encode(claims)}"
    assert_refused(server, f"{body}.{encode(bytes(64))}")


def test_2_1_a_signature_that_is_cut_or_empty(server, good):
    body, _, signature = good.rpartition(".")
    for changed in ("", signature[:10], signature[:-4] + "AAAA", encode(bytes(32))):
        assert_refused(server, f"{body}.{changed}")


def test_2_1_claims_changed_under_an_old_signature(server, good):
    head, _, signature = good.split(".")
    _, claims = parts(good)
    assert_refused(server, f"{head}.{encode({**claims, 'sub': 'admin'})}.{signature}")


# -- 2.2 weak symmetric keys (3.5)


@pytest.mark.parametrize("key", ["", "secret", "your-256-bit-secret", "x" * 32, SECRET[:-1],
                                 SECRET + "0"])
def test_2_2_a_weak_or_wrong_key(server, good, key):
    assert_refused(server, assemble(*parts(good), key=key), "token_invalid")


def assert_does_not_start(server, option: str, secret: str) -> None:
    assert server.spawn().wait(30) == 1
    assert option in server.log() and secret not in server.log()


@pytest.mark.parametrize("option", ["JWT_SECRET_KEY", "JWT_PREVIOUS_SECRET_KEY"])
def test_2_2_a_short_key_ends_the_start(own_server, option):
    short = "k3Jz9" * 6 + "q"
    assert len(short) == 31
    end = {"JWT_PREVIOUS_VALID_UNTIL": "2099-01-01T00:00:00Z"} if "PREVIOUS" in option else {}
    assert_does_not_start(own_server({option: short, **end}, start=False), option, short)


def test_2_2_a_short_key_in_a_file_ends_the_start(own_server, tmp_path):
    path = tmp_path / "secret"
    path.write_text("k3Jz9" * 6 + "q\n")
    path.chmod(0o600)
    server = own_server({"JWT_SECRET_KEY": "", "JWT_SECRET_KEY_FILE": str(path)}, start=False)
    assert_does_not_start(server, "JWT_SECRET_KEY", path.read_text().strip())


@pytest.mark.parametrize("known", ["your-secret-key-change-this-in-production",
                                   "a-string-secret-at-least-256-bits-long"])
def test_2_2_a_key_that_everyone_knows_ends_a_start_in_production(own_server, known):
    server = own_server({"TARS_ENV": "production", "AUTH_ENROLLMENT": "closed",
                         "TRUSTED_PROXIES": "127.0.0.1", "JWT_SECRET_KEY": known}, start=False)
    assert_does_not_start(server, "JWT_SECRET_KEY", known)


# -- 2.3 incorrect composition of encryption and signature (3.3)


@pytest.mark.parametrize("encryption", ["A128CBC-HS256", "A256GCM"])
def test_2_3_a_good_token_encrypted_with_our_own_secret(own_server, encryption):
    """The first is encrypted rightly, by the key that both sides have."""
    secret = SECRET[:32]
    server = own_server({"JWT_SECRET_KEY": secret}, start=False).start(ready=False)
    inner = server.access(fresh())
    assert_accepted(server, inner)
    header = {"alg": "dir", "enc": encryption, "kid": parts(inner)[0]["kid"]}
    for kind, plain in (({"cty": "JWT"}, inner.encode()),
                        ({"typ": "JWT"}, json.dumps(parts(inner)[1]).encode())):
        token = encrypt({**header, **kind}, plain, secret.encode())
        assert token.count(".") == 4
        assert_refused(server, token, "token_invalid")


def test_2_3_a_token_inside_another_is_no_token(server, good):
    for payload in ({"token": good}, good.encode()):
        assert_refused(server, assemble({"alg": "HS256", "cty": "JWT"}, payload))


def test_2_3_another_number_of_parts(server, good):
    """Three are a signed text, five an encrypted one; here is only the first."""
    for token in (good + ".x", good.rpartition(".")[0], good.replace(".", ""), "." + good,
                  good + ".x.y", "...."):
        assert_refused(server, token)


# -- 2.4 plaintext leakage through analysis of ciphertext length (3.6)


def deflated(text: bytes, window: int = -15) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    return packer.compress(text) + packer.flush()


def test_2_4_a_header_with_zip_inflates_nothing(server, good):
    """`zip` is for encrypted texts (RFC 7516 4.1.3). In a signed one it is a word that is not
    understood, and so is ignored (RFC 7515 4): the payload is read as it stands, or not at all."""
    header, claims = parts(good)
    header["zip"] = "DEF"
    assert_accepted(server, assemble(header, claims))
    text = json.dumps(claims).encode()
    for window in (-15, 15, 31):  # deflate, zlib, gzip
        assert_refused(server, assemble(header, deflated(text, window)), "token_invalid")
    assert_refused(server, assemble({**header, "crit": ["zip"]}, claims), "token_invalid")


def test_2_4_a_payload_that_would_inflate_to_megabytes(server, good):
    header, claims = parts(good)
    bomb = deflated(json.dumps(claims).encode()[:-1] + b" " * 4_000_000 + b"}")
    assert len(bomb) < 5000, "or it would be refused for its length"
    assert_refused(server, assemble({**header, "zip": "DEF"}, bomb), "token_invalid")


# -- 2.5 insecure use of elliptic curve encryption (3.4)


@pytest.mark.parametrize("algorithm", ["ECDH-ES", "ECDH-ES+A128KW"])
def test_2_5_a_point_that_is_on_no_curve(server, good, algorithm):
    """Who agrees on a key with such an `epk` tells the own one bit by bit. Nothing here agrees."""
    header, claims = parts(good)
    point = {"kty": "EC", "crv": "P-256", "x": encode(b"\1".rjust(32, b"\0")),
             "y": encode(b"\1".rjust(32, b"\0"))}
    header.update(alg=algorithm, enc="A128CBC-HS256", epk=point)
    assert_refused(server, encrypt(header, good.encode(), SECRET.encode()[:32]))
    assert_refused(server, assemble(header, claims))


# -- 2.6 multiplicity of JSON encodings (3.7)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le",
                                      "utf-32-be", "utf-8-sig"])
def test_2_6_signed_in_another_encoding_than_utf_8(server, good, encoding):
    header, claims = parts(good)
    assert_refused(server, assemble(header, json.dumps(claims).encode(encoding)), "token_invalid")
    assert_refused(server, assemble(json.dumps(header).encode(encoding), claims), "token_invalid")


@pytest.mark.parametrize("name", ["device_name", "sub", "unknown"])
@pytest.mark.parametrize("bad", [b"\xff", b"\xe9", b"\xc0\xaf", b"\xed\xa0\x80", b"\xe2\x82",
                                 b"\xf4\x90\x80\x80"],
                         ids=["never", "latin-1", "overlong", "surrogate", "cut", "beyond"])
def test_2_6_bad_utf_8_inside_a_signed_claim(server, good, name, bad):
    header, claims = parts(good)
    text = json.dumps({**claims, name: "@@"}).encode()
    assert_refused(server, assemble(header, text.replace(b"@@", b"a" + bad)), "token_invalid")


def test_2_6_good_utf_8_inside_a_claim_is_accepted(server, good):
    header, claims = parts(good)
    text = json.dumps({**claims, "device_name": "Zoës 📱"}, ensure_ascii=False).encode()
    assert_accepted(server, assemble(header, text))


def test_2_6_another_spelling_of_the_same_bytes(server, good):
    """RFC 7515 2: base64url without padding, line breaks or other characters."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    head, claims, signature = good.split(".")
    unused_bit = signature[:-1] + alphabet[alphabet.index(signature[-1]) + 1]
    for token in (f"{head}=.{claims}.{signature}", f"{good}=", f"{head}.{claims}.{unused_bit}"):
        assert_refused(server, token)

    renewal = server.mint(fresh())["refresh_token"]  # in a body every character goes through
    head, claims, signature = renewal.split(".")
    for token in (f"{head}.{claims}\n.{signature}", f" {renewal}", f"{renewal}\n", f"{renewal}\0"):
        answer = httpx.post(server.url + "/auth/refresh", json={"refresh_token": token}, timeout=30)
        assert answer.status_code == 401, repr(token[-3:])
    assert_valid_refresh(server, renewal)


def assert_valid_refresh(server, token: str) -> None:
    answer = httpx.post(server.url + "/auth/refresh", json={"refresh_token": token}, timeout=30)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("second", ['"type": "refresh"', '"sub": "admin"', '"exp": 99999999999',
                                    '"s\\u0075b": "admin"', '"x": 1, "x": 1'])
def test_2_6_duplicate_claims_do_not_pass_two_meanings(server, good, second):
    header, claims = parts(good)
    payload = json.dumps(claims)[:-1] + f", {second}}}"
    assert_refused(server, assemble(header, payload.encode()), "token_invalid")


# -- 2.7 substitution attacks (3.8, 3.9)


@pytest.mark.parametrize("changes", [
    {"iss": "someone-else"}, {"aud": "another-service"}, {"aud": ["another-service"]},
    {"aud": ["tars", "another-service"]}, {"sub": ""}, {"sub": None}, {"sub": 5}, {"sub": "a b"},
])
def test_2_7_another_issuer_audience_or_subject(server, good, changes):
    assert_refused(server, server.forge(good, **changes))


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "type", "jti", "sid", "iat", "nbf", "exp"])
def test_2_7_claims_that_must_be_there(server, good, name):
    assert_refused(server, server.forge(good, drop=[name]), "token_invalid")


def test_2_7_a_token_of_another_server_with_the_same_secret(server, own_server):
    """What was revoked there is not known here."""
    other = own_server(start=False).start(ready=False)
    pair = other.mint(fresh())
    assert_accepted(other, pair["access_token"])
    for token in pair.values():
        if isinstance(token, str) and token.count(".") == 2:
            assert_refused(server, token, "token_invalid")


# -- 2.8 cross-JWT confusion (3.11, 3.12)


@pytest.mark.parametrize("changes", [{"type": "id"}, {"type": None}, {"type": ["access"]},
                                     {"type": "Access"}])
def test_2_8_a_type_that_is_not_ours(server, good, changes):
    assert_refused(server, server.forge(good, **changes))


@pytest.mark.parametrize("kind", ["at+jwt", "application/at+jwt", "dpop+jwt", "secevent+jwt",
                                  "logout+jwt", "JOSE", "", 5, None, ["JWT"]])
def test_2_8_a_header_of_another_kind_of_token(server, good, kind):
    header, claims = parts(good)
    assert_refused(server, assemble({**header, "typ": kind}, claims), "token_invalid")


def test_2_8_a_refresh_token_opens_nothing(server):
    token = server.mint(fresh())["refresh_token"]
    with server.http(token) as http:
        assert http.get("/auth/devices").status_code == 401
    with Device(server, token, expect_ack=False) as device:
        assert device.closed() == (1008, "token_wrong_type")


def test_2_8_an_access_token_renews_nothing(server, good):
    answer = httpx.post(server.url + "/auth/refresh", json={"refresh_token": good}, timeout=30)
    assert answer.status_code == 401
    assert_accepted(server, good)  # and is no worse for it


# -- 2.9 indirect attacks on the server (3.10)


@pytest.mark.parametrize("kid,key", [
    ("/dev/null", ""), ("../../../../../../../../dev/null", ""), ("file:///dev/null", ""),
    ("../../../../../../../../proc/sys/kernel/ostype", "Linux\n"),
    ("/proc/sys/kernel/ostype", "Linux"), ("known.key", "attacker"), ("./known.key", "attacker"),
    ("x' UNION SELECT 'attacker' --", "attacker"), ("x' UNION SELECT '' --", ""),
    ("' OR 1=1 --", "attacker"), ("x'; DROP TABLE generation; --", "attacker"),
    ("unknown", ""), ("", "attacker"), ("\0", ""),
])
def test_2_9_a_kid_that_leads_to_a_key_the_attacker_knows(server, good, kid, key):
    (server.folder / "known.key").write_text("attacker")  # where the server runs
    header, claims = parts(good)
    assert_refused(server, assemble({**header, "kid": kid}, claims, key=key), "token_invalid")
    assert_accepted(server, good)


@pytest.mark.parametrize("kid", ["unknown", "", 5, None, ["known"], {"k": 1}])
def test_2_9_a_kid_that_names_none_of_our_keys(server, good, kid):
    header, claims = parts(good)
    assert_refused(server, assemble({**header, "kid": kid}, claims), "token_invalid")
    assert_refused(server, assemble({**header, "kid": header["kid"] + "\0"}, claims))


@pytest.mark.parametrize("named", ["known", "own", "none"])
@pytest.mark.parametrize("algorithm", ["HS256", "RS256", "ES256"])
def test_2_9_keys_that_the_token_brings_or_points_to(server, good, key_pairs, algorithm, named):
    """Each would verify its token, and nobody looks: the only connection is the test's own."""
    header, claims = parts(good)
    pair = key_pairs["RSA" if algorithm == "RS256" else "EC"]
    secret = pair.public_der  # for HS256, so that the certificate, too, leads to it
    kid = {"known": header.pop("kid"), "own": "attacker"}.get(named)
    name = {"kid": kid} if kid else {}
    jwk = {"kty": "oct", "k": encode(secret)} if algorithm == "HS256" else pair.jwk()
    key = {**jwk, **name, "alg": algorithm}
    chain = [base64.b64encode(pair.certificate_der).decode()]
    documents = {"/keys": json.dumps({"keys": [key]}).encode(), "/cert": pair.certificate_pem}
    with KeyServer(documents) as keys:
        for brought in ({"jwk": key}, {"x5c": chain}, {"jku": keys.url("/keys")},
                        {"x5u": keys.url("/cert")}, {"kid": keys.url("/keys")},
                        {"jku": keys.url("/keys"), "x5u": keys.url("/cert"), "jwk": key}):
            forged = {**header, "alg": algorithm, **name, **brought}
            token = (assemble(forged, claims, key=secret) if algorithm == "HS256"
                     else pair.sign(forged, claims))
            assert_refused(server, token, "token_invalid")
            if algorithm == "HS256" and "kid" not in brought and named != "own":
                assert_accepted(server, assemble(forged, claims))  # our secret, nothing fetched
        assert httpx.get(keys.url("/keys")).json()["keys"] == [key]
        assert keys.connections == 1


@pytest.mark.parametrize("header", [{"crit": ["exp"]}, {"crit": ["b64"], "b64": False},
                                    {"crit": []}, {"crit": ["unheard-of"], "unheard-of": 1}])
def test_2_9_an_extension_that_must_be_understood(server, good, header):
    known, claims = parts(good)
    assert_refused(server, assemble({**known, **header}, claims), "token_invalid")


# -- not in RFC 8725: what RFC 7519 says of times, of the payload's shape and of length


@pytest.mark.parametrize("changes", [{"exp": "tomorrow"}, {"exp": None}, {"exp": -1}, {"nbf": "x"},
                                     {"iat": "x"}, {"exp": 1e300}])
def test_times_that_are_none(server, good, changes):
    assert_refused(server, server.forge(good, **changes), "token_invalid")


def test_expired_beyond_the_leeway(server, good):
    now = int(time.time())
    assert_refused(server, server.forge(good, iat=now - 100, nbf=now - 100, exp=now - 60),
                   "token_expired")


def test_not_yet_valid_beyond_the_leeway(server, good):
    assert_refused(server, server.forge(good, nbf=int(time.time()) + 120))


def test_within_the_leeway_is_accepted(server, good):
    assert_accepted(server, server.forge(good, nbf=int(time.time()) + 10))


def test_a_session_is_not_begun_to_be_ended_at_once(server, good):
    """Within the leeway past `exp`: good for a call, not for a socket."""
    now = int(time.time())
    token = server.forge(good, iat=now - 100, nbf=now - 100, exp=now - 5)
    assert_accepted(server, token)
    with Device(server, token, expect_ack=False) as device:
        assert device.closed() == (1008, "token_expired")


@pytest.mark.parametrize("payload", [b"[]", b"null", b'"text"', b"5", b"{", b"\xff", b"[" * 5000])
def test_a_signed_payload_that_is_no_object(server, good, payload):
    assert_refused(server, assemble(parts(good)[0], payload))


def test_the_length_of_a_token_is_bounded(server):
    with server.http("x" * 12_000) as http:
        assert http.post("/auth/validate").status_code in (200, 401, 431)
    assert server.alive()
