"""Figures of the model behind the socket: speed, interference, stopping, starting, memory."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

from websockets.client import ClientProtocol
from websockets.frames import Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from setting import Setting, is_up, median, percentile
from tars_client import Device
from tars_server import Server, model_path, wait_until

STORY = "Write a very long story about a lighthouse keeper and the sea. Do not stop."
END = re.compile(rb'"type":"(?:complete|error)"')
WIDE = {"RUNS_PER_CLIENT": "32,64"}  # all answers of a benchmark on one socket: one cheap reader


class Load:
    """Chats on one socket, and when each token came. One reader, for the clients share the cores
    with what they measure."""

    def __init__(self, server: Server):
        self.device = Device(server)
        self.arrivals: dict[str, list[tuple[float, int]]] = {}  # message_id: when, how many
        self.ends: dict[str, dict] = {}
        self.names: dict[str, str] = {}  # run_id: message_id, learnt from its first frame
        self.order: list[str] = []
        self.count = 0

    def start(self, content: str, max_tokens: int, **fields) -> str:
        """Starts one chat, in a conversation of its own, and names it."""
        self.count += 1
        name = f"chat-{self.count}"
        self.arrivals[name] = []
        self.device.start(content, temperature=0, max_tokens=max_tokens, message_id=name,
                          conversation_id=f"bench-{time.monotonic_ns()}-{name}", **fields)
        return name

    def step(self) -> str:
        """Takes one frame; the name of its chat, or ""."""
        frame = self.device.receive(180)
        now = time.perf_counter()
        if frame["type"] == "token":
            name = frame["conversation_id"].split("-", 2)[2]
            self.arrivals[name].append((now, frame.get("count", 1)))
            return name
        if frame["type"] in ("complete", "error"):
            self.ends[frame["message_id"]] = {**frame, "at": now}
            return frame["message_id"]
        return ""

    def until(self, condition) -> None:
        while not condition():
            self.step()

    def begun(self, *names: str) -> bool:
        return all(self.arrivals[n] for n in names)

    def ended(self, *names: str) -> bool:
        return all(n in self.ends for n in names)

    def cancel(self, name: str) -> None:
        self.device.send({"type": "cancel", "message_id": name})

    def gaps(self, name: str, begin: float = 0, end: float = float("inf")) -> list[float]:
        times = [t for t, _ in self.arrivals[name] if begin <= t <= end]
        return [b - a for a, b in zip(times, times[1:])]

    def tokens_per_second(self, answers: int, tokens: int) -> float:
        """Of all answers together, while all of them run."""
        names = [self.start(f"{STORY} Part {n}.", tokens) for n in range(answers)]
        self.until(lambda: self.ended(*names))
        return _rate([self.arrivals[name] for name in names])


def _rate(answers: list[list[tuple[float, int]]]) -> float:
    """Tokens/s from the time at which the last answer has begun to that at which the first ends."""
    assert all(answers), "an answer has no token"
    begin, end = max(a[0][0] for a in answers), min(a[-1][0] for a in answers)
    assert end > begin, "the answers did not run at the same time"
    return sum(n for a in answers for t, n in a if begin < t <= end) / (end - begin)


class LateReader:
    """One socket whose bytes are parsed when all have come: a client that parses while the model
    computes takes its cores from it, which the clients of a server, on machines of their own, do
    not. It sends no pong, so it must not live for long."""

    def __init__(self, server: Server):
        url = f"{server.ws_url}/ws/chat?token={server.access('late-reader')}"
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=180)
        self.protocol = ClientProtocol(parse_uri(url), max_size=None)
        self.protocol.send_request(self.protocol.connect())
        self._send()
        while self.protocol.state is State.CONNECTING:
            self.protocol.receive_data(self.socket.recv(65536))
        assert self.protocol.state is State.OPEN, self.protocol.handshake_exc

    def _send(self) -> None:
        self.socket.sendall(b"".join(self.protocol.data_to_send()))

    def tokens_per_second(self, answers: int, tokens: int) -> float:
        """As Load's."""
        for number in range(answers):
            self.protocol.send_text(json.dumps({
                "type": "chat", "content": f"{STORY} Part {number}.", "temperature": 0,
                "max_tokens": tokens, "conversation_id": f"late-{time.monotonic_ns()}"}).encode())
        self._send()
        pieces: list[tuple[float, bytes]] = []
        ends, tail = 0, b""
        while ends < answers:
            piece = self.socket.recv(65536)
            pieces.append((time.perf_counter(), piece))
            assert piece, "the server closed the socket"
            seen = tail + piece
            begin = 0
            for end in END.finditer(seen):
                ends, begin = ends + 1, end.end()
            tail = seen[max(begin, len(seen) - 32):]  # an end may come in two pieces
        arrivals: dict[str, list[tuple[float, int]]] = {}
        for at, piece in pieces:
            self.protocol.receive_data(piece)
            for event in self.protocol.events_received():
                frame = json.loads(event.data) if getattr(event, "opcode", 0) is Opcode.TEXT else {}
                assert frame.get("type") != "error", frame
                if frame.get("type") == "token":
                    arrivals.setdefault(frame["run_id"], []).append((at, frame.get("count", 1)))
        assert len(arrivals) == answers, arrivals.keys()
        return _rate(list(arrivals.values()))


def _bare_loop(setting: Setting, streams: int, tokens: int) -> float:
    """Tokens/s of the plain llama.cpp loop: same weights, greedy, the given batch."""
    done = subprocess.run([setting.program("bench_llm_bare_loop"), str(streams), str(tokens)],
                          env={**os.environ, "MODEL_PATH": model_path()}, capture_output=True,
                          text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


def ws_tokens(setting: Setting) -> list[tuple]:
    server = setting.server(**WIDE)
    LateReader(server).tokens_per_second(1, 32)  # warm
    rows = []
    for streams, target in ((1, 0.97), (8, 0.95)):
        ours, bare = [], []
        for _ in range(setting.rounds):
            bare.append(_bare_loop(setting, streams, 256))
            ours.append(LateReader(server).tokens_per_second(streams, 256))
        value, reference = median(ours), median(bare)
        rows.append((f"tokens/s, {streams} answer{'s' * (streams > 1)} at once", f"{value:.1f}/s",
                     f"bare loop {reference:.1f}/s", value / reference, target, ">="))
    return rows


def interference(setting: Setting) -> list[tuple]:
    """p95 between tokens of 4 running answers, with and without a prompt of 4,000 tokens."""
    server = setting.server(MODEL_CONTEXT_LENGTH="8192", MODEL_MAX_TOKENS="4096", **WIDE)
    load = Load(server)
    quiet, disturbed = [], []
    for number in range(setting.rounds):
        names = [load.start(f"{STORY} Volume {number}, part {n}.", 4096) for n in range(4)]
        load.until(lambda: load.begun(*names))
        for _ in range(400):
            load.step()
        asked = time.perf_counter()
        prompt = f"{number}. " + "The quick brown fox jumps over the lazy dog. " * 398
        long = load.start(prompt, 1)
        load.until(lambda: load.ended(long))
        assert load.ends[long]["type"] == "complete", load.ends[long]
        first = load.ends[long]["at"]
        assert not any(load.ended(n) for n in names), "an answer ended too early to be disturbed"
        quiet.append(percentile([g for n in names for g in load.gaps(n, end=asked)], 0.95))
        disturbed.append(percentile([g for n in names for g in load.gaps(n, asked, first)], 0.95))
        for name in names:
            load.cancel(name)
        load.until(lambda: load.ended(*names))
    value, reference = median(disturbed), median(quiet)
    return [("inter-token p95 beside a long prompt", f"{value * 1000:.1f} ms",
             f"without {reference * 1000:.1f} ms", value / reference, 3, "<=")]


def stop(setting: Setting) -> list[tuple]:
    """From sending `cancel` to having `complete`, which is sent when the model is done with the run;
    it holds the way there and back, so it is an upper bound. Batch time: the median between two
    tokens, and for prompts the time of one token's share of a long prompt times the batch."""
    server = setting.server(MODEL_CONTEXT_LENGTH="8192", **WIDE)
    load = Load(server)
    took: dict[str, list[float]] = {"decode": [], "prompt": []}
    for number in range(max(30, setting.rounds)):
        name = load.start(f"{STORY} {number}.", 2000)
        load.until(lambda: load.begun(name))
        for _ in range(5 + number % 7):
            load.step()
        sent = time.perf_counter()
        load.cancel(name)
        load.until(lambda: load.ended(name))
        took["decode"].append(load.ends[name]["at"] - sent)
    gaps = [g for name in load.arrivals for g in load.gaps(name)]

    filler = "The quick brown fox jumps over the lazy dog. " * 250
    whole = load.start("0. " + filler, 1)
    load.until(lambda: load.ended(whole))
    batch = 256 * load.ends[whole]["ttft_ms"] / 1000 / load.ends[whole]["prompt_tokens"]
    for number in range(1, max(30, setting.rounds) + 1):
        name = load.start(f"{number}. " + filler, 1)
        wait_until(lambda: server.metric("tars_runs_running") == 1, 10, every=0.005)
        time.sleep(0.05 + 0.013 * (number % 8))
        sent = time.perf_counter()
        load.cancel(name)
        load.until(lambda: load.ended(name))
        assert not load.arrivals[name], "the prompt was over before it was cancelled"
        took["prompt"].append(load.ends[name]["at"] - sent)
    rows = []
    for kind, reference in (("decode", median(gaps)), ("prompt", batch)):
        value = percentile(took[kind], 0.99)
        rows.append((f"stop to idle p99, {kind}", f"{value * 1000:.1f} ms",
                     f"batch {reference * 1000:.1f} + 5 ms", value / (reference + 0.005), 1, "<="))
    return rows


def busy(setting: Setting) -> list[tuple]:
    """Tokens/s of one answer while one process per core does nothing but compute."""
    server = setting.server(**WIDE)
    load = Load(server)
    load.tokens_per_second(1, 32)
    idle, beside = [], []
    for _ in range(setting.rounds):
        idle.append(load.tokens_per_second(1, 128))
        others = [setting.spawn(sys.executable, "-c", "while True: pass")
                  for _ in range(os.cpu_count() or 1)]
        time.sleep(0.5)
        beside.append(load.tokens_per_second(1, 128))
        for other in others:
            other.kill()
            other.wait()
    value, reference = median(beside), median(idle)
    return [("tokens/s beside busy processes", f"{value:.1f}/s", f"idle machine {reference:.1f}/s",
             value / reference, 0.4, ">=")]


def start(setting: Setting) -> list[tuple]:
    """From exec to the first 200 of /health, and to the first token of an answer."""
    health, token = [], []
    server = setting.server()
    server.stop()
    minted = None
    for _ in range(max(5, setting.rounds)):
        began = time.perf_counter()
        server.spawn()
        while not is_up(server.url + "/health"):
            time.sleep(0.001)
        health.append(time.perf_counter() - began)
        minted = minted or server.access("bench")
        wait_until(lambda: is_up(server.url + "/ready"), 30, every=0.005)
        with Device(server, minted) as device:
            device.start("Say hello.", max_tokens=4)
            device.first_token()
            token.append(time.perf_counter() - began)
        server.stop()
    return [("start to /health", f"{median(health):.3f} s", "", median(health), 0.1, "<="),
            ("start to first token", f"{median(token):.3f} s", "", median(token), 1.5, "<=")]


def rss(setting: Setting) -> list[tuple]:
    """RSS of a server that has answered nothing yet, less the size of its weights."""
    beside = []
    weights = Path(model_path()).stat().st_size
    for _ in range(setting.rounds):
        server = setting.server()
        time.sleep(0.5)
        beside.append(server.rss_kib() * 1024 - weights)
        server.kill()
    value = median(beside) / 2**20
    return [("RSS idle beside the weights", f"{value:.1f} MB", f"weights {weights / 2**20:.1f} MB",
             value, 60, "<=")]
