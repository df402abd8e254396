"""deploy/nginx/tars.conf and deploy/caddy/Caddyfile as they are, in the real nginx and Caddy: only
addresses and paths are others. A chat through each, and what a proxy easily breaks."""

from __future__ import annotations

import base64
import os
import shutil
import ssl
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from certificates import make_certificate
from tars_client import Device, fresh
from tars_server import REPOSITORY, Server, free_port, wait_until

LONG = "Write a very long story about a lighthouse keeper and the sea. Do not stop."


def program(name: str) -> str:
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")
    assert found, f"no {name} in PATH: ./scripts/test e2e installs it"
    return found


def replaced(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        assert old in text, f"the file no longer has {old!r}"
        text = text.replace(old, new)
    return text


class Proxy:
    """A proxy with TLS in front of `server`. Has what Device asks of a server."""

    def __init__(self, server: Server, folder: Path):
        self.server = server
        self.folder = folder
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.ws_url = f"wss://127.0.0.1:{self.port}"
        self.process: subprocess.Popen | None = None
        self.authority = folder / "cert.pem"
        self.access_log = folder / "tars.log"

    def run(self, *command: str, **env: str) -> None:
        with (self.folder / "proxy.log").open("wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **env})
        wait_until(self.responds, 20)
        self.tls = ssl.create_default_context(cafile=str(self.authority))

    def responds(self) -> bool:
        assert self.process.poll() is None, f"the proxy ended:\n{self.log()}"
        if not self.authority.exists():
            return False
        try:
            context = ssl.create_default_context(cafile=str(self.authority))
            return httpx.get(self.url + "/health", verify=context).status_code == 200
        except (httpx.TransportError, ssl.SSLError):  # the file may be half written
            return False

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(20)

    def http(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, verify=self.tls, timeout=30)

    def access(self, client_id: str) -> str:
        with self.http() as http:
            return http.post("/auth/token", json={"client_id": client_id}).json()["access_token"]

    def device(self, **options) -> Device:
        try:
            return Device(self, ssl=self.tls, **options)
        except TimeoutError as late:
            raise AssertionError(f"no handshake:\n{self.log()}\n{self.server.log()[-2000:]}") from late

    def log(self) -> str:
        paths = (self.folder / "proxy.log", self.access_log)
        return "".join(path.read_text(errors="replace")[-2000:] for path in paths if path.exists())


class Nginx(Proxy):
    def start(self) -> None:
        self.plain_port = free_port()
        self.six = Path("/proc/net/if_inet6").exists()  # a kernel without IPv6 has no [::]
        make_certificate(self.folder, "tars.example")
        site = replaced((REPOSITORY / "deploy/nginx/tars.conf").read_text(), {
            "server 127.0.0.1:8000;": f"server 127.0.0.1:{self.server.port};",
            "listen 80;": f"listen 127.0.0.1:{self.plain_port};",
            "listen [::]:80;": f"listen [::1]:{self.plain_port};" if self.six else "",
            "listen 443 ssl http2;": f"listen 127.0.0.1:{self.port} ssl http2;",
            "listen [::]:443 ssl http2;": f"listen [::1]:{self.port} ssl http2;" if self.six else "",
            "/etc/ssl/tars/": f"{self.folder}/",
            "/var/log/nginx/": f"{self.folder}/",
        })
        (self.folder / "site.conf").write_text(site)
        user = "user root;\n" if os.geteuid() == 0 else ""
        temporary = "".join(f"  {kind}_temp_path {self.folder}/{kind};\n" for kind in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.folder / "nginx.conf").write_text(
            f"{user}daemon off;\nworker_processes 1;\npid {self.folder}/nginx.pid;\n"
            f"error_log stderr;\nevents {{}}\nhttp {{\n{temporary}  include site.conf;\n}}\n")
        self.run(program("nginx"), "-p", str(self.folder), "-c", "nginx.conf", "-e", "stderr")


class Caddy(Proxy):
    def start(self) -> None:
        # For an address instead of a name Caddy makes the certificate with an authority of its own.
        self.authority = self.folder / "caddy/pki/authorities/local/root.crt"
        # Only one block of global options may be there: ours, with the test's in it.
        text = (REPOSITORY / "deploy/caddy/Caddyfile").read_text()
        (self.folder / "Caddyfile").write_text(text.replace(
            "\n{\n", "\n{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n"
            f"\tstorage file_system {self.folder}/caddy\n", 1))
        self.run(program("caddy"), "run", "--adapter", "caddyfile", "--config", "Caddyfile",
                 SITE=self.url, UPSTREAM=f"127.0.0.1:{self.server.port}",
                 ACCESS_LOG=str(self.access_log))


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("behind"),
                    {"TRUSTED_PROXIES": "127.0.0.1", "WS_HEARTBEAT_INTERVAL": "1"})
    server.start()
    yield server
    assert server.stop() == 0, server.log()[-2000:]


@pytest.fixture(scope="module", params=[Nginx, Caddy], ids=["nginx", "caddy"])
def proxy(request, upstream, tmp_path_factory):
    one = request.param(upstream, tmp_path_factory.mktemp(request.param.__name__.lower()))
    try:
        one.start()
        yield one
    finally:
        one.stop()


def test_a_token_and_a_chat(proxy):
    with proxy.device() as device:
        answer = device.ask("Say hello.", max_tokens=16)
        assert answer.complete["total_tokens"] == answer.tokens > 0
        with proxy.http() as http:
            valid = http.post("/auth/validate", headers={"Authorization": f"Bearer {device.token}"})
        assert valid.json()["valid"] is True


@pytest.mark.parametrize("via", ["header", "subprotocol"])
def test_the_other_ways_to_send_the_token(proxy, via):
    with proxy.device(via=via) as device:
        assert device.still_works()
        assert device.socket.subprotocol == ("tars.v1" if via == "subprotocol" else None)


def test_tokens_arrive_while_the_answer_goes_on(proxy):
    """A proxy that buffers sends the first with the last."""
    with proxy.device() as device:
        begin = time.monotonic()
        device.start(LONG, max_tokens=200, temperature=0)
        device.first_token()
        first = time.monotonic() - begin
        arrivals = 0
        while (frame := device.receive())["type"] == "token":
            arrivals += 1
        total = time.monotonic() - begin
        assert frame["type"] == "complete"
        # What the server measured between the two, give or take a scheduler's whim.
        assert total - first > 0.5 * (frame["latency_ms"] - frame["ttft_ms"]) / 1000
        assert arrivals > 10


def test_pings_come_through_both_ways(proxy):
    with proxy.device() as device:
        pong = device.socket.ping()
        wait_until(lambda: device.receive_or_none(0.2) is None and device.pings >= 2, 10)
        assert pong.wait(5)


def test_a_closed_socket_stops_its_run(proxy, upstream):
    device = proxy.device()
    device.start(LONG, max_tokens=2000, temperature=0)
    device.first_token()
    device.socket.close(1000)
    wait_until(lambda: upstream.metric("tars_runs_running") == 0, 5)


def test_a_bad_token_is_closed_with_1008(proxy):
    with proxy.device(token="not.a.token", expect_ack=False) as device:
        assert device.closed()[0] == 1008


def test_the_sites_own_origin_is_admitted_and_another_is_not(proxy):
    """Without CORS_ORIGINS: the proxy tells what the browser asked for."""
    with proxy.device(headers={"Origin": proxy.url}) as device:
        assert device.still_works()
    elsewhere = {"Origin": "https://elsewhere.example"}
    for claim in ({}, {"X-Forwarded-Host": "elsewhere.example"},
                  {"Forwarded": "host=elsewhere.example;proto=https"}):
        with pytest.raises(InvalidStatus) as refused:
            proxy.device(headers={**elsewhere, **claim})
        assert refused.value.response.status_code == 403


def test_the_clients_own_address_arrives_and_not_what_it_claims(proxy):
    """127.0.0.2 is this machine as well, and no proxy that is trusted."""
    claims = {"X-Forwarded-For": "192.0.2.66", "Forwarded": "for=192.0.2.66"}
    with proxy.device(headers=claims, source_address=("127.0.0.2", 0)) as device:
        with proxy.http() as http:
            answer = http.get("/ws/sessions", headers={"Authorization": f"Bearer {device.token}"})
        assert [one["ip_address"] for one in answer.json()["sessions"].values()] == ["127.0.0.2"]


def test_an_answer_keeps_its_status_and_headers(proxy):
    with proxy.http() as http:
        missing = http.get("/no/such/path", headers={"X-Request-ID": "through-the-proxy"})
        assert missing.status_code == 404 and missing.headers["x-request-id"] == "through-the-proxy"
        assert missing.headers["content-type"] == "application/problem+json"
        assert http.post("/auth/validate").headers["www-authenticate"].startswith("Bearer")


def test_no_token_in_the_access_log(proxy):
    """Neither from the query nor from the subprotocol."""
    client = fresh()
    token = proxy.access(client)
    for via in ("query", "subprotocol"):
        with proxy.device(token=token, via=via) as device:
            assert device.still_works()
    wait_until(lambda: proxy.access_log.exists() and "/ws/chat" in proxy.access_log.read_text(), 10)
    time.sleep(0.5)  # the line of the last socket
    log = proxy.access_log.read_text()
    assert token not in log and token.split(".")[1] not in log
    assert base64.urlsafe_b64encode(token.encode()).decode().rstrip("=") not in log


@pytest.mark.parametrize("proxy", [Nginx], ids=["nginx"], indirect=True)
def test_plain_http_is_sent_to_https(proxy):
    """nginx by its own server block; Caddy does so by itself, on port 80, which is not ours to take."""
    answer = httpx.get(f"http://127.0.0.1:{proxy.plain_port}/health?x=1", headers={"Host": "tars.example"})
    assert answer.status_code == 301
    assert answer.headers["location"] == "https://tars.example/health?x=1"


def test_a_server_that_is_gone_is_a_502(proxy, own_server):
    """And a proxy of its own says so at once, without waiting for its read timeout."""
    other = own_server(name="gone")
    one = type(proxy)(other, proxy.folder / "gone")
    one.folder.mkdir()
    try:
        one.start()
        other.stop()
        with one.http() as http:
            begin = time.monotonic()
            assert http.get("/health").status_code == 502
            assert time.monotonic() - begin < 5
            # A socket that tries to come back leaves its token in no log.
            assert http.get("/ws/chat?token=a.secret.token", headers={
                "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}).status_code == 502
        if hasattr(one, "plain_port"):
            httpx.get(f"http://127.0.0.1:{one.plain_port}/ws/chat?token=a.secret.token")
        time.sleep(0.5)
        for log in one.folder.rglob("*.log"):
            assert "secret" not in log.read_text(errors="replace"), log
    finally:
        one.stop()
