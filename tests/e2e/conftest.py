"""Servers that the tests share. Starting one loads the model, so there are few."""

from __future__ import annotations

import pytest

from tars_client import Device
from tars_server import BINARY, Server


def pytest_sessionstart(session):
    if not BINARY.is_file():
        raise pytest.UsageError(f"no program at {BINARY}: build it, or set TARS_BIN")


@pytest.fixture(scope="session")
def main_server(tmp_path_factory):
    """Defaults, but a fast heartbeat and a talkative log."""
    server = Server(tmp_path_factory.mktemp("main"),
                    {"WS_HEARTBEAT_INTERVAL": "1", "LOG_LEVEL": "DEBUG",
                     "CORS_ORIGINS": "https://app.example"})
    server.start()
    yield server
    assert server.stop() == 0, server.log()[-2000:]


@pytest.fixture
def server(main_server):
    """The shared server; a test that made it fall fails here, not in the next one."""
    yield main_server
    assert main_server.alive(), main_server.log()[-2000:]


@pytest.fixture(scope="session")
def tight_server(tmp_path_factory):
    """Small limits, so that reaching them is quick."""
    server = Server(tmp_path_factory.mktemp("tight"),
                    {"WS_MAX_CONNECTIONS": "6", "WS_MAX_CONNECTIONS_PER_CLIENT": "3",
                     "WS_HEARTBEAT_INTERVAL": "1",
                     "MODEL_CONTEXT_LENGTH": "512", "RUN_GRACE_SECONDS": "1", "RUNS_WAITING": "3"})
    server.start()
    yield server
    assert server.stop() == 0, server.log()[-2000:]


@pytest.fixture
def tight(tight_server):
    yield tight_server
    assert tight_server.alive(), tight_server.log()[-2000:]


@pytest.fixture
def own_server(tmp_path):
    """own_server(env, args…) starts a server for this test alone and ends it afterwards."""
    servers: list[Server] = []

    def make(env=None, start=True, name="own", **options) -> Server:
        server = Server(tmp_path / name, env, **options)
        servers.append(server)
        return server.start() if start else server

    yield make
    for server in servers:
        if server.alive():
            server.kill()


@pytest.fixture
def device(server):
    with Device(server) as one:
        yield one
