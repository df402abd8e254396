"""HTTPS and wss from the process itself, the certificate read again on SIGHUP, and reverse proxies."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import tempfile
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from certificates import make_certificate
from tars_server import Server, wait_until
from tls_socket import one_at_a_time


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


class SecureServer:
    def __init__(self, server: Server, certificate: Path, key: Path):
        self.server, self.certificate, self.key = server, certificate, key
        self.url = f"https://127.0.0.1:{server.port}"

    def responds(self) -> bool:
        assert self.server.alive(), self.server.log()[-2000:]
        try:
            return self.client().get("/ready").status_code == 200
        except httpx.TransportError:
            return False

    def client(self, **kwargs) -> httpx.Client:
        return httpx.Client(base_url=self.url, verify=trusting(self.certificate), timeout=30, **kwargs)

    def token(self, client_id: str = "client") -> str:
        response = self.client().post("/auth/token", json={"client_id": client_id})
        assert response.status_code == 200, response.text
        return response.json()["access_token"]

    def socket(self, token: str):
        return connect(f"wss://127.0.0.1:{self.server.port}/ws/chat?token={token}",
                       ssl=one_at_a_time(trusting(self.certificate)), compression=None, ping_interval=None)


def start_secure(own_server, folder: Path) -> SecureServer:
    certificate, key = make_certificate(folder)
    server = own_server({"HTTPS_ENABLED": "true", "TLS_CERT_PATH": str(certificate),
                         "TLS_KEY_PATH": str(key)}, start=False)
    server.spawn()
    out = SecureServer(server, certificate, key)
    wait_until(out.responds, 30)
    return out


@pytest.fixture
def secure(own_server, tmp_path):
    return start_secure(own_server, tmp_path)


def ask(socket, content: str, **fields) -> tuple[str, dict]:
    """The whole answer and its last frame."""
    socket.send(json.dumps({"type": "chat", "content": content, "max_tokens": 12, **fields}))
    text = ""
    while True:
        frame = json.loads(socket.recv(timeout=60))
        if frame["type"] == "token":
            text += frame["token"]
        elif frame["type"] in ("complete", "error"):
            return text, frame


def test_tokens_and_answers_come_over_tls(secure):
    with secure.socket(secure.token()) as socket:
        assert json.loads(socket.recv())["type"] == "connection_ack"
        text, end = ask(socket, "Say hello.")
        assert end["type"] == "complete" and text
        assert socket.protocol.close_code is None
    assert "https://127.0.0.1" in secure.server.log()
    assert secure.server.stop() == 0


def test_a_client_that_does_not_know_the_certificate_refuses_it(secure):
    with pytest.raises(httpx.ConnectError):
        httpx.get(secure.url + "/health")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_current_versions_are_spoken(secure, version):
    context = trusting(secure.certificate)
    context.minimum_version = context.maximum_version = version
    assert httpx.get(secure.url + "/health", verify=context).status_code == 200


def test_older_versions_are_not(secure):
    result = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{secure.server.port}", "-tls1_1", "-cipher",
         "DEFAULT:@SECLEVEL=0"], input=b"", capture_output=True, timeout=20)
    assert b"Cipher is (NONE)" in result.stdout


def test_plain_http_is_told_to_use_https(secure):
    response = httpx.get(f"http://127.0.0.1:{secure.server.port}/health")
    assert response.status_code == 400
    assert "https://" in response.json()["detail"]


def test_a_new_certificate_is_taken_on_sighup_and_no_socket_is_lost(secure, tmp_path):
    token = secure.token()
    with secure.socket(token) as socket:
        assert json.loads(socket.recv())["type"] == "connection_ack"
        before = ssl.get_server_certificate(secure.server.address)
        certificate, key = make_certificate(tmp_path / "new", "renewed")
        certificate.replace(secure.certificate)
        key.replace(secure.key)
        secure.server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: ssl.get_server_certificate(secure.server.address) != before)
        assert secure.client().get("/health").status_code == 200  # trusts the new one
        text, end = ask(socket, "Still there?")
        assert end["type"] == "complete" and text
    assert "CN = renewed" in secure.server.log()


def test_a_renewed_key_that_everybody_may_read_is_told(own_server):
    with tempfile.TemporaryDirectory() as name:  # pytest's own folder is closed to others
        Path(name).chmod(0o755)
        secure = start_secure(own_server, Path(name))
        assert "every user may read" not in secure.server.log()
        secure.key.chmod(0o644)
        secure.server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "TLS_KEY_PATH: every user may read" in secure.server.log())


def test_a_bad_new_certificate_is_logged_and_changes_nothing(secure):
    before = ssl.get_server_certificate(secure.server.address)
    trusted = trusting(secure.certificate)
    secure.certificate.write_text("broken")
    secure.server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "the certificate stays as it was" in secure.server.log())
    assert ssl.get_server_certificate(secure.server.address) == before
    assert httpx.get(secure.url + "/health", verify=trusted).status_code == 200


def test_sighup_without_tls_stops_nothing(own_server):
    server = own_server()
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "SIGHUP" in server.log())
    assert server.responds("/health")
    assert server.stop() == 0


def test_half_open_handshakes_do_not_keep_others_out(secure):
    held = [socket.create_connection(secure.server.address) for _ in range(200)]
    for number, one in enumerate(held):
        if number % 2:
            one.sendall(b"\x16\x03\x01\x02\x00")
    assert secure.client().get("/health").status_code == 200
    for one in held:
        one.close()
    assert secure.client().get("/health").status_code == 200


@pytest.mark.parametrize("broken, named", [
    ("missing", "TLS_CERT_PATH"), ("no key", "TLS_KEY_PATH"), ("noise", "TLS_CERT_PATH"),
    ("foreign key", "TLS_KEY_PATH")])
def test_what_is_wrong_with_the_files_stops_the_start(own_server, tmp_path, broken, named):
    certificate, key = make_certificate(tmp_path)
    if broken == "missing":
        certificate = tmp_path / "nothing.pem"
    elif broken == "no key":
        key = tmp_path / "nothing.pem"
    elif broken == "noise":
        certificate.write_text("no certificate")
    else:
        key = make_certificate(tmp_path / "other", "other")[1]
    server = own_server({"HTTPS_ENABLED": "true", "TLS_CERT_PATH": str(certificate),
                         "TLS_KEY_PATH": str(key)}, start=False)
    server.spawn()
    assert server.process.wait(20) == 1
    assert named in server.log_path.read_text().splitlines()[-1]


# -- behind a proxy


def sessions_address(server: Server, headers: dict) -> str:
    token = server.access("proxied")
    with connect(f"ws://127.0.0.1:{server.port}/ws/chat?token={token}", additional_headers=headers,
                 compression=None, ping_interval=None) as socket:
        socket.recv()
        listing = server.http(token).get("/ws/sessions").json()["sessions"]
        return next(iter(listing.values()))["ip_address"]


def test_a_trusted_proxys_word_gives_the_address(own_server):
    server = own_server({"TRUSTED_PROXIES": "127.0.0.0/8"})
    assert sessions_address(server, {"X-Forwarded-For": "6.6.6.6, 192.0.2.7"}) == "192.0.2.7"
    assert sessions_address(server, {"Forwarded": 'for="[2001:db8::7]:4711";proto=https'}) == "2001:db8::7"
    assert sessions_address(server, {"X-Forwarded-For": "nonsense"}) == "127.0.0.1"


def test_a_strangers_word_does_not(server):
    assert sessions_address(server, {"X-Forwarded-For": "192.0.2.7"}) == "127.0.0.1"


def test_rate_limits_count_the_client_behind_the_proxy(own_server):
    server = own_server({"TRUSTED_PROXIES": "127.0.0.1", "RATE_LIMIT_PER_MINUTE": "3"})

    def mint(address: str) -> int:
        return httpx.post(server.url + "/auth/token", json={"client_id": "c"},
                          headers={"X-Forwarded-For": address}).status_code

    assert [mint("192.0.2.1") for _ in range(4)] == [200, 200, 200, 429]
    assert mint("192.0.2.2") == 200


def test_the_origin_is_compared_with_what_the_browser_asked_for(own_server):
    server = own_server({"TRUSTED_PROXIES": "127.0.0.1"})
    token = server.access()

    def handshake(headers: dict) -> int:
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                   "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        with socket.create_connection(server.address, timeout=10) as raw:
            lines = [f"GET /ws/chat?token={token} HTTP/1.1", "Host: inner"]
            lines += [f"{name}: {value}" for name, value in {**upgrade, **headers}.items()]
            raw.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            return int(raw.recv(64).split()[1])

    outside = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https",
               "X-Forwarded-Host": "tars.example"}
    assert handshake({**outside, "Origin": "https://tars.example"}) == 101
    assert handshake({**outside, "Origin": "http://tars.example"}) == 403
    assert handshake({**outside, "Origin": "https://evil.example"}) == 403


# -- production


def test_production_runs_with_tls_and_tells_browsers_to_stay_with_it(own_server, tmp_path):
    certificate, key = make_certificate(tmp_path)
    server = own_server({"TARS_ENV": "production", "AUTH_ENROLLMENT": "key", "HTTPS_ENABLED": "true",
                         "TLS_CERT_PATH": str(certificate), "TLS_KEY_PATH": str(key)}, start=False)
    server.spawn()
    out = SecureServer(server, certificate, key)
    wait_until(out.responds, 30)
    response = out.client().get("/health")
    assert response.headers["strict-transport-security"].startswith("max-age=")
    assert out.client().post("/auth/token", json={"client_id": "c"}).status_code == 403


def test_production_without_tls_or_a_proxy_does_not_start(own_server):
    server = own_server({"TARS_ENV": "production", "AUTH_ENROLLMENT": "key"}, start=False)
    server.spawn()
    assert server.process.wait(20) == 1
    line = server.log_path.read_text().splitlines()[-1]
    assert "HTTPS_ENABLED" in line and "TRUSTED_PROXIES" in line


def test_every_answer_carries_the_security_headers(server):
    for path, status in (("/health", 200), ("/nothing", 404), ("/ws/sessions", 200)):
        response = httpx.get(server.url + path)
        assert response.status_code == status
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-frame-options"] == "DENY"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
        assert "strict-transport-security" not in response.headers
