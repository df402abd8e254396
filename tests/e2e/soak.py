#!/usr/bin/env python3
"""Many devices at once do what devices do, and what they should not, chosen at random by a seed, on the
real model and on stand-ins for model servers that fail; then what must hold after any such time is
checked. test_soak.py runs it for two minutes; by hand for longer:

    python tests/e2e/soak.py --minutes 30 [--seed 7] [--devices 10]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import re
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import httpx

from fake_models import FakeModels
from tars_client import Answer, Device
from tars_server import Server, wait_until

KNOWN_ERRORS = {"INVALID_JSON", "INVALID_MESSAGE", "GENERATION_ERROR", "BACKEND_UNAVAILABLE",
                "MODEL_NOT_FOUND", "OVERLOADED", "RATE_LIMITED", "RUN_NOT_FOUND"}
# How a socket may end, as the server counts it: closed by the device, lost, revoked.
KNOWN_CLOSES = {("1000", ""), ("1006", ""), ("1008", "token_revoked")}
# What a stand-in is told to do in its answer; most of the time nothing goes wrong.
ORDERS = ["", "", "[[tokens=40]]", "[[tokens=0]]", "[[error=2]]", "[[drop=1]]", "[[drop=0]]",
          "[[status=503]]", "[[status=429]]", "[[hang=1]]", "[[hang=0]]"]
CLIENTS = 6
MODELS = ["", "", "ollama/soak", "ollama/soak", "openai/soak", "ollama/absent"]


def outcome_of(end: dict) -> str:
    """The label that tars_runs_total has for it."""
    if end["type"] == "complete":
        return "cancelled" if end["finish_reason"] == "cancelled" else "complete"
    return "failed" if end.get("run_id") else "refused"


class Soak:
    """One run. Owns the server and the stand-ins; `failures` holds what went wrong."""

    def __init__(self, folder: Path, seconds: float, seed: int, devices: int = 10):
        self.seconds = seconds
        self.seed = seed
        self.models = [FakeModels("soak") for _ in range(3)]
        self.server = Server(folder, {
            "LLM_BACKEND": "embedded",
            "OLLAMA_HOST": f"{self.models[0].url},{self.models[1].url}",
            "OPENAI_BASE_URL": self.models[2].url + "/v1", "OLLAMA_MODEL": "soak",
            "OPENAI_MODEL": "soak", "UPSTREAM_IDLE_TIMEOUT": "2", "UPSTREAM_FIRST_TOKEN_TIMEOUT": "3",
            "RUN_GRACE_SECONDS": "1", "WS_HEARTBEAT_INTERVAL": "1", "LOG_LEVEL": "WARNING",
            "RUN_RETENTION_HOURS": "1",
            "MODEL_CONTEXT_LENGTH": "256"})  # so that all of the cache is soon touched
        self.over = threading.Event()
        self.failures: list[str] = []
        self.done: Counter[str] = Counter()
        self.ends: list[Answer] = []  # of every chat that a device heard the end of
        self.left: list[str] = []  # models of the chats that nobody waited for
        self.rss: list[int] = []
        self.devices = devices

    # -- what a device does

    def device_life(self, number: int) -> None:
        chance = random.Random(f"{self.seed}-{number}")
        while not self.over.is_set():
            try:
                self.connection(chance, f"soak-{chance.randrange(CLIENTS)}")
            except Exception as fault:  # noqa: BLE001: each one is a finding
                # A socket that is lost and an answer that does not come, too: where a device drops
                # its socket or has it revoked, it does not read on.
                self.failures.append(f"device {number}: {type(fault).__name__}: {fault}")
                return

    def connection(self, chance: random.Random, client: str) -> None:
        token = self.server.access(client)
        with Device(self.server, token, client_id=client) as device:
            for _ in range(chance.randrange(1, 6)):
                if self.over.is_set():
                    return
                action = chance.choice([self.chat, self.chat, self.chat, self.several, self.cancel,
                                        self.nonsense, self.same_again, self.tokens])
                self.done[action.__name__] += 1
                action(device, chance)
            leave = chance.choice(["close", "drop in the middle", "drop", "revoke"])
            self.done[leave] += 1
            if leave == "drop in the middle":
                self.left.append(self.start(device, chance))
                time.sleep(chance.random() * 0.2)
            if leave.startswith("drop"):
                device.drop()
            elif leave == "revoke":
                with self.server.http(token) as http:
                    assert http.post("/auth/revoke").status_code == 200
                code, _ = device.closed()
                assert code == 1008, f"revoked, then closed with {code}"

    def start(self, device: Device, chance: random.Random, **fields) -> str:
        model = chance.choice(MODELS)
        content = chance.choice(ORDERS) + " Count to ten." if model else "Count to ten."
        device.start(content, max_tokens=chance.randrange(1, 30),
                     **({"model": model} if model else {}), **fields)
        return model

    def check(self, answer: Answer) -> None:
        self.ends.append(answer)
        if answer.end["type"] == "error":
            assert answer.end["code"] in KNOWN_ERRORS, answer.end
        self.done[answer.end.get("finish_reason") or answer.end["code"]] += 1

    def chat(self, device: Device, chance: random.Random) -> None:
        self.start(device, chance)
        self.check(device.collect()[0])

    def several(self, device: Device, chance: random.Random) -> None:
        count = chance.randrange(2, 5)
        for number in range(count):
            self.start(device, chance, message_id=f"m-{chance.random()}-{number}")
        for answer in device.collect(count):
            self.check(answer)

    def cancel(self, device: Device, chance: random.Random) -> None:
        identity = f"c-{chance.random()}"
        self.start(device, chance, message_id=identity)
        time.sleep(chance.random() * 0.1)
        device.send({"type": "cancel", "message_id": identity})
        answer = Answer()
        while not answer.end:
            frame = device.receive()
            if frame["type"] == "error" and frame["code"] == "RUN_NOT_FOUND":
                continue  # it had ended before
            answer.take(frame)
        self.check(answer)
        assert device.still_works()  # what the cancel was answered, where the chat was refused, is read

    def same_again(self, device: Device, chance: random.Random) -> None:
        """A device loses its socket in mid answer and asks again: the one answer, whole."""
        identity = f"s-{chance.random()}"
        message = {"type": "chat", "content": "Count to twenty.", "max_tokens": 24,
                   "message_id": identity}
        with Device(self.server, client_id=device.client_id) as first:
            first.send(message)
            before = Answer()
            for _ in range(chance.randrange(1, 6)):
                before.take(first.receive())
                if before.end:
                    self.check(before)
                    break
            first.drop()
        device.send(message)
        after = device.collect()[0]
        self.check(after)
        assert after.text.startswith(before.text), (before.text, after.text)

    def nonsense(self, device: Device, chance: random.Random) -> None:
        device.send(chance.choice(["{", "[]", '{"type":"nothing"}', '{"type":"chat"}',
                                   '{"type":"chat","content":"x","temperature":9}']))
        assert device.expect("error")["code"] in KNOWN_ERRORS

    def tokens(self, device: Device, chance: random.Random) -> None:
        pair = self.server.mint(device.client_id)
        answer = httpx.post(self.server.url + "/auth/refresh", timeout=10,
                            json={"refresh_token": pair["refresh_token"]})
        assert answer.status_code == 200, answer.text
        self.server.tokens.clear()

    def trouble(self) -> None:
        """Model servers that go away and come back."""
        chance = random.Random(f"{self.seed}-trouble")
        while not self.over.wait(chance.random() * 4):
            models = chance.choice(self.models)
            models.refuse = not models.refuse
            models.requests.clear()
        for models in self.models:
            models.refuse = False

    # -- the whole

    def run(self) -> None:
        try:
            self.server.start()
            before = self.warm_up()
            self.runs_before = self.runs_counted()
            workers = [threading.Thread(target=self.device_life, args=(n,), daemon=True)
                       for n in range(self.devices)]
            workers.append(threading.Thread(target=self.trouble, daemon=True))
            for worker in workers:
                worker.start()
            end = time.monotonic() + self.seconds
            while time.monotonic() < end and not self.failures:
                assert self.server.alive(), self.server.log()[-2000:]
                self.rss.append(self.server.rss_kib())
                time.sleep(1)
            self.over.set()
            for worker in workers:
                worker.join(90)
                assert not worker.is_alive(), "a device is stuck"
            assert not self.failures, self.failures
            self.check_end(before)
            assert self.server.stop() == 0, self.server.log()[-2000:]
        finally:
            self.over.set()
            if self.server.alive():
                self.server.kill()
            for models in self.models:
                models.close()

    def warm_up(self) -> list[str]:
        """Everything is used once, so that what the server sets up once is there; its descriptors."""
        chance = random.Random(self.seed)
        with Device(self.server) as device:
            for model in MODELS:
                device.ask("Hello.", max_tokens=4, **({"model": model} if model else {}))
            self.nonsense(device, chance)
        self.server.wait_idle()
        return self.descriptors()

    def descriptors(self) -> list[str]:
        """What is open, but the connections to model servers, which are kept for the next request."""
        process = Path(f"/proc/{self.server.process.pid}")
        ports = {f"{models.port:04X}" for models in self.models}
        rows = [line.split() for line in (process / "net/tcp").read_text().splitlines()[1:]]
        kept = {f"socket:[{row[9]}]" for row in rows if row[2].split(":")[1] in ports}
        links = []
        for link in (process / "fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                links.append(os.readlink(link))
        ends = {f"socket:[{row[9]}]": f"{row[1]} {row[2]} state {row[3]}" for row in rows}
        return [f"{link} {ends.get(link, '')}" for link in links if link not in kept]

    def sessions(self) -> list:
        """How many there are, and what the server says of each."""
        found: list = [self.server.metric("tars_websocket_connections")]
        for number in range(CLIENTS):
            with self.server.http(self.server.access(f"soak-{number}")) as http:
                found.append(http.get("/ws/sessions").json()["sessions"])
        return found

    def check_end(self, before: list[str]) -> None:
        self.server.wait_idle()
        wait_until(lambda: self.server.metric("tars_websocket_connections") == 0, 10,
                   state=lambda: f"sessions live: {self.sessions()}, descriptors: {self.descriptors()}")
        wait_until(lambda: len(self.descriptors()) <= len(before), 10,
                   state=lambda: f"descriptors are open: {self.descriptors()}, before: {before}")
        metrics = self.server.metrics()
        closes = sum(v for k, v in metrics.items() if k.startswith("tars_websocket_closes_total"))
        assert metrics["tars_websocket_connections_total"] == closes, "sockets that never closed"
        how = {re.search(r'code="(\w*)",reason="(\w*)"', k).groups()
               for k in metrics if k.startswith("tars_websocket_closes_total")}
        assert how <= KNOWN_CLOSES, how - KNOWN_CLOSES
        self.check_runs()
        ready = httpx.get(self.server.url + "/ready", timeout=10)
        assert ready.status_code == 200, ready.text
        quarter = len(self.rss) // 4
        early = statistics.median(self.rss[quarter:2 * quarter])
        late = statistics.median(self.rss[-quarter:])
        assert late <= early * 1.1 + 8 * 1024, f"RSS grows: {early} KiB, then {late} KiB"

    def runs_counted(self) -> Counter[str]:
        metrics = self.server.metrics()
        return Counter({re.search(r'outcome="(\w+)"', k)[1]: int(v)
                        for k, v in metrics.items() if k.startswith("tars_runs_total")})

    def check_runs(self) -> None:
        """Every chat is one run in the server's counters, with the end that the device heard of."""
        heard = Counter(outcome for _, outcome in {
            (end.run_id or number, outcome_of(end.end)) for number, end in enumerate(self.ends)})
        unheard = self.runs_counted() - self.runs_before
        assert unheard >= heard, (unheard, heard)
        unheard -= heard
        # A chat may be lost with the socket that it was sent on.
        assert unheard.total() <= len(self.left), (unheard, self.left)
        self.done["runs"], self.done["runs nobody waited for"] = heard.total(), unheard.total()

    def report(self) -> str:
        quarter = max(1, len(self.rss) // 4)
        lines = [f"seed {self.seed}, {self.seconds:.0f} s, {self.devices} devices",
                 f"RSS {statistics.median(self.rss[:quarter]):.0f} KiB at first, "
                 f"{statistics.median(self.rss[-quarter:]):.0f} KiB at the end"]
        return "\n".join(lines + [f"{count:7d} {what}" for what, count in sorted(self.done.items())])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--devices", type=int, default=10)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="tars-soak-") as folder:
        soak = Soak(Path(folder), options.minutes * 60, options.seed, options.devices)
        soak.run()
        print(soak.report())
    return 0


if __name__ == "__main__":
    sys.exit(main())
