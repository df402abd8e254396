"""A device on /ws/chat, as the tests need one: sends, collects answers, checks every frame."""

from __future__ import annotations

import base64
import itertools
import json
import re
import time
from dataclasses import dataclass, field

import websockets
from websockets.sync.client import ClientConnection, connect

from tars_server import Server
from tls_socket import one_at_a_time

RFC3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
SUBPROTOCOL_PREFIX = "base64url.bearer.authorization.k8s.io."
_names = itertools.count(1)


def fresh(prefix: str = "client") -> str:
    """A client id that no other test uses."""
    return f"{prefix}-{next(_names)}-{time.monotonic_ns()}"


def subprotocols(token: str) -> list[str]:
    encoded = base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
    return ["tars.v1", SUBPROTOCOL_PREFIX + encoded]


@dataclass
class Answer:
    """All frames of one run; `take` refuses a gap or an overlap between token frames."""

    run_id: str = ""
    conversation_id: str = ""
    text: str = ""
    tokens: int = 0
    frames: list[dict] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    end: dict = field(default_factory=dict)  # the complete or error frame

    def take(self, frame: dict) -> None:
        assert not self.end, f"a frame after the end of its run: {frame}"
        self.frames.append(frame)
        self.run_id = self.run_id or frame.get("run_id", "")
        self.conversation_id = self.conversation_id or frame.get("conversation_id", "")
        if frame["type"] == "token":
            assert frame["conversation_id"] == self.conversation_id
            assert frame["offset"] == self.tokens, f"offset {frame['offset']}, held {self.tokens}"
            self.tokens += frame.get("count", 1)
            self.text += frame["token"]
        elif frame["type"] == "queued":
            self.positions.append(frame["position"])
        elif frame["type"] in ("complete", "error"):
            self.end = frame

    @property
    def complete(self) -> dict:
        assert self.end.get("type") == "complete", f"no complete: {self.end}"
        return self.end


class Device:
    """One socket. Pings are answered and kept out of the way unless asked for."""

    def __init__(self, server: Server, token: str | None = None, client_id: str | None = None,
                 via: str = "query", expect_ack: bool = True, **options):
        self.client_id = client_id or fresh()
        self.token = token if token is not None else server.access(self.client_id)
        url = server.ws_url + "/ws/chat"
        headers = dict(options.pop("headers", {}))
        if via == "query" and self.token:
            url += f"?token={self.token}"
        elif via == "header":
            headers["Authorization"] = f"Bearer {self.token}"
        elif via == "subprotocol":
            options.setdefault("subprotocols", subprotocols(self.token))
        if "ssl" in options:
            options["ssl"] = one_at_a_time(options["ssl"])
        self.socket: ClientConnection = connect(
            url, additional_headers=headers, compression=None, ping_interval=None, max_queue=None,
            max_size=None, open_timeout=10, close_timeout=5, **options)
        self.pings = 0
        self.systems: list[dict] = []
        self.ack = self.receive() if expect_ack else {}
        assert not expect_ack or self.ack["type"] == "connection_ack", self.ack

    def __enter__(self) -> "Device":
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()

    def send(self, message: dict | str | bytes) -> None:
        self.socket.send(json.dumps(message) if isinstance(message, dict) else message)

    def receive(self, timeout: float = 30) -> dict:
        """The next frame but pings and system messages, which are counted and kept."""
        deadline = time.monotonic() + timeout
        while True:
            raw = self.socket.recv(timeout=max(0.01, deadline - time.monotonic()))
            assert isinstance(raw, str), "a binary frame"
            frame = json.loads(raw)
            assert RFC3339.match(frame["timestamp"]), frame
            if frame["type"] == "ping":
                self.pings += 1
                self.send({"type": "pong"})
            elif frame["type"] == "system":
                assert frame["level"] in ("info", "warning", "error") and frame["message"]
                self.systems.append(frame)
            else:
                return frame

    def receive_or_none(self, timeout: float) -> dict | None:
        """The next frame, or None when none comes within `timeout` seconds."""
        try:
            return self.receive(timeout)
        except TimeoutError:
            return None

    def expect(self, kind: str, timeout: float = 30) -> dict:
        frame = self.receive(timeout)
        assert frame["type"] == kind, frame
        return frame

    def expect_error(self, code: str, timeout: float = 30) -> dict:
        frame = self.expect("error", timeout)
        assert frame["code"] == code, frame
        assert isinstance(frame["error"], str) and frame["error"], frame
        return frame

    # -- chats

    def start(self, content: str, **fields) -> None:
        self.send({"type": "chat", "content": content, **fields})

    def collect(self, runs: int = 1, timeout: float = 60) -> list[Answer]:
        """Reads until `runs` runs have ended; in the order of their ends."""
        open_runs: dict[str, Answer] = {}
        ended: list[Answer] = []
        deadline = time.monotonic() + timeout
        while len(ended) < runs:
            frame = self.receive(max(0.01, deadline - time.monotonic()))
            key = frame.get("run_id") or frame.get("message_id") or ""
            answer = open_runs.setdefault(key, Answer())
            answer.take(frame)
            if answer.end:
                ended.append(open_runs.pop(key))
        return ended

    def ask(self, content: str, **fields) -> Answer:
        self.start(content, **fields)
        return self.collect()[0]

    def first_token(self, timeout: float = 30) -> dict:
        while True:
            frame = self.receive(timeout)
            if frame["type"] == "token":
                return frame
            assert frame["type"] == "queued", frame

    # -- ends

    def closed(self, timeout: float = 10) -> tuple[int, str]:
        """Reads on until the server closes; (code, reason)."""
        try:
            while True:
                self.receive(timeout)
        except websockets.ConnectionClosed as end:
            return (end.rcvd.code, end.rcvd.reason) if end.rcvd else (1006, "")

    def still_works(self) -> bool:
        self.send({"type": "ping"})
        while self.receive()["type"] != "pong":
            pass
        return True

    def drop(self) -> None:
        """Loses the connection without a word."""
        import socket as sockets
        import struct
        raw = self.socket.socket
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
        raw.shutdown(sockets.SHUT_RD)
        raw.close()
