"""What a benchmark runs in: servers, reference programs, medians."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
from pathlib import Path

import httpx

from certificates import make_certificate
from tars_server import BINARY, REPOSITORY, Server, free_port, wait_until

BENCH_BINARIES = Path(os.environ.get("TARS_BENCH_DIR", REPOSITORY / "build/release"))


def is_up(url: str) -> bool:
    """Whether a GET of the URL is answered with 200."""
    try:
        return httpx.get(url, timeout=2, verify=False).status_code == 200
    except httpx.TransportError:
        return False


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Setting:
    """Owns the processes of one benchmark; close() ends them all."""

    def __init__(self, folder: Path, rounds: int):
        self.folder = folder
        self.rounds = rounds
        self.processes: list[subprocess.Popen] = []
        self.servers: list[Server] = []

    def server(self, start: bool = True, **env: str) -> Server:
        """A server with limits out of the way, started unless told otherwise."""
        assert BINARY.is_file(), f"no program at {BINARY}: ./scripts/build release"
        options = {"RATE_LIMIT_PER_MINUTE": "0", "LOG_LEVEL": "WARNING", "WS_MAX_CONNECTIONS": "4096"}
        server = Server(self.folder / f"server-{len(self.servers)}", {**options, **env})
        self.servers.append(server)
        return server.start() if start else server

    def secure_server(self, **env: str) -> Server:
        """The same over TLS, with a certificate of its own making."""
        certificate, key = make_certificate(self.folder)
        server = self.server(start=False, HTTPS_ENABLED="true", TLS_CERT_PATH=str(certificate),
                             TLS_KEY_PATH=str(key), **env)
        server.spawn()
        url = f"https://127.0.0.1:{server.port}/health"
        wait_until(lambda: is_up(url), 10)
        return server

    def program(self, name: str) -> str:
        """One of our own reference programs, built by the release preset."""
        found = next(iter(BENCH_BINARIES.rglob(name)), None)
        assert found and found.is_file(), f"no {name} below {BENCH_BINARIES}: ./scripts/build release"
        return str(found)

    def go_program(self, name: str) -> str:
        """One of bench/wsload's programs, built when first asked for."""
        target = REPOSITORY / "build/wsload" / name
        if not target.is_file():
            go = shutil.which("go")
            assert go, "this benchmark needs Go 1.23 or newer (see bench/README.md)"
            target.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run([go, "build", "-o", str(target.parent) + "/", "./cmd/..."],
                           cwd=REPOSITORY / "bench/wsload", check=True)
        return str(target)

    def serve(self, program: str, health: str, *arguments: str) -> tuple[str, int]:
        """A started Go program that listens on -addr: (base URL, process id)."""
        port = free_port()
        process = self.spawn(self.go_program(program), "-addr", f"127.0.0.1:{port}", *arguments)
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: is_up(url + health), 10)
        return url, process.pid

    def spawn(self, *command: str) -> subprocess.Popen:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        for server in self.servers:
            if server.alive():
                server.kill()


def median(values: list[float]) -> float:
    return statistics.median(values)
