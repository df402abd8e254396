"""The program under test as a child process: start, wait, stop, kill, look at it from outside."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Callable, Sequence

import httpx
import jwt

REPOSITORY = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("TARS_BIN", REPOSITORY / "build/release/tars")).resolve()
SANITIZED = BINARY.is_file() and b"__asan_init" in BINARY.read_bytes()  # its memory is no measure
SECRET = "end-to-end-secret-0123456789-0123456789"


def cache_folder() -> Path:
    """Where the scripts keep what they fetch and build."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("TARS_CACHE_DIR") or cache / "tars").resolve()


def model_path() -> str:
    """The GGUF that the tests run on: TARS_TEST_MODEL, or what ./scripts/deps prepared."""
    path = Path(os.environ.get("TARS_TEST_MODEL") or cache_folder() / "models/chat.gguf")
    assert path.is_file(), "set TARS_TEST_MODEL to a GGUF with a chat template"
    return str(path.resolve())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition: Callable[[], object], seconds: float = 20, every: float = 0.02,
               state: Callable[[], object] = lambda: ""):
    """The first truthy value of `condition`, or an assertion after `seconds` that tells `state()`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"still not so after {seconds} s {state()}"
        time.sleep(every)


class Server:
    """One process and its data folder. `env` holds options; nothing of the caller's environment
    reaches the process but PATH."""

    def __init__(self, folder: Path, env: dict[str, str] | None = None, args: Sequence[str] = (),
                 preexec: Callable[[], None] | None = None, data_dir: Path | None = None):
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data_dir = data_dir or folder / "data"
        self.port = free_port()
        self.args = list(args)
        self.preexec = preexec
        self.tokens: list[str] = []
        self.process: subprocess.Popen | None = None
        self.log_path = folder / "server.log"  # its stderr
        self.out_path = folder / "server.out"  # its stdout
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TARS_DATA_DIR": str(self.data_dir),
            "TARS_PORT": str(self.port),
            "MODEL_PATH": model_path(),
            "JWT_SECRET_KEY": SECRET,
            "RATE_LIMIT_PER_MINUTE": "100000",
            **(env or {}),
        }
        if SANITIZED:  # its locks spin, and whoever comes first would spin before the one that holds it
            self.env.setdefault("IO_PRIORITY", "normal")
        for passed in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if passed in os.environ:
                self.env[passed] = os.environ[passed]

    # -- life

    def spawn(self) -> subprocess.Popen:
        with self.log_path.open("ab") as log, self.out_path.open("ab") as out:
            self.process = subprocess.Popen(
                [str(BINARY), "serve", *self.args], env={k: v for k, v in self.env.items() if v},
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=log,
                preexec_fn=self.preexec)
        return self.process

    def start(self, ready: bool = True) -> "Server":
        self.spawn()
        wait_until(lambda: self.responds("/ready" if ready else "/health"), 30)
        return self

    def responds(self, path: str) -> bool:
        assert self.process and self.process.poll() is None, f"the server ended:\n{self.log()[-2000:]}"
        try:
            return httpx.get(self.url + path, timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def stop(self, seconds: float = 40) -> int:
        """SIGTERM, then the exit status."""
        if self.process is None:
            return 0
        if self.alive():
            self.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    # -- what can be seen from outside

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    def log(self) -> str:
        return "".join(path.read_text(errors="replace") for path in (self.out_path, self.log_path)
                       if path.exists())

    def http(self, token: str | None = None, **kwargs) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, **kwargs)

    def rss_kib(self) -> int:
        if SANITIZED:
            return 0
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def open_descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def metrics(self) -> dict[str, float]:
        """Prometheus text as {"name{labels}": value}."""
        values = {}
        for line in httpx.get(self.url + "/metrics", timeout=10).text.splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                values[name] = float(value)
        return values

    def metric(self, name: str) -> float:
        return self.metrics().get(name, 0.0)

    def wait_idle(self, seconds: float = 40) -> None:
        """No run goes on or waits, so that counters stand still."""
        wait_until(lambda: not any(self.metric(f"tars_runs_{state}") for state in ("running", "waiting")),
                   seconds)

    # -- tokens

    def mint(self, client_id: str = "client", **fields) -> dict:
        """POST /auth/token; the tokens are remembered so that a test can look for them in the log."""
        response = httpx.post(self.url + "/auth/token", json={"client_id": client_id, **fields},
                              timeout=10)
        assert response.status_code == 200, response.text
        pair = response.json()
        self.tokens += [pair["access_token"], pair["refresh_token"]]
        return pair

    def access(self, client_id: str = "client", **fields) -> str:
        return self.mint(client_id, **fields)["access_token"]

    def forge(self, token: str, key: str = SECRET, algorithm: str = "HS256", header: dict | None = None,
              drop: Sequence[str] = (), **changes) -> str:
        """`token` with other claims or header, signed anew with `key`."""
        claims = jwt.decode(token, options={"verify_signature": False})
        claims.update(changes)
        for name in drop:
            del claims[name]
        kept = {k: v for k, v in jwt.get_unverified_header(token).items() if k == "kid"}
        forged = jwt.encode(claims, key, algorithm=algorithm, headers={**kept, **(header or {})})
        self.tokens.append(forged)
        return forged
