"""Figures of the relay: tokens from a model server to sockets, against a plain Go relay."""

from __future__ import annotations

import resource

from gateway_figures import relay, wsload
from setting import Setting, median
from tars_server import Server

# Options of the stand-in, and of the load.
FAST = ("0s", "2000"), ("-n", "50", "-stagger", "0s", "-m", "2")
PACED_500 = ("20ms", "200"), ("-n", "500", "-stagger", "1s")
PACED_100 = ("20ms", "300"), ("-n", "100", "-stagger", "1s")


def _upstream(setting: Setting, interval: str, tokens: str) -> str:
    """fakeollama, a stand-in for a model server: its base URL."""
    url, _ = setting.serve("fakeollama", "/api/version", "-interval", interval, "-tokens", tokens)
    return url


def _gateway(setting: Setting, upstream: str) -> Server:
    """Ours in front of it; each stream has a descriptor on either side, and the load one more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 16384)), hard))
    return setting.server(LLM_BACKEND="ollama", OLLAMA_HOST=upstream, MODEL_PATH="",
                          UPSTREAM_MAX_RUNS="4096", RUNS_WAITING="4096")


def _both(setting: Setting, answers: tuple[str, str],
          load: tuple[str, ...]) -> tuple[list[dict], list[dict]]:
    """Reports of ours and of the Go relay, alternating."""
    upstream = _upstream(setting, *answers)
    server = _gateway(setting, upstream)
    url, pid = relay(setting, upstream)
    ours, theirs = [], []
    for _ in range(setting.rounds):
        for base, process, into in ((server.url, server.process.pid, ours), (url, pid, theirs)):
            into.append(wsload(setting, "chat", "-upstream", upstream, "-base", base, "-pid",
                                str(process), *load))
    return ours, theirs


def _row(title: str, ours: list[float], theirs: list[float], unit: str, target: float,
         better: str) -> tuple:
    value, reference = median(ours), median(theirs)
    return (title, f"{value:.2f} {unit}", f"Go relay {reference:.2f} {unit}", value / reference,
            target, better)


def cpu_and_rate(setting: Setting) -> list[tuple]:
    """CPU for each 100,000 tokens and tokens/s, 50 streams as fast as they come."""
    ours, theirs = _both(setting, *FAST)
    cost, rate = "cpu_s_per_100k_tokens", "tokens_per_s"
    return [_row("relay CPU per 100k tokens, 50 fast", [r[cost] for r in ours],
                 [r[cost] for r in theirs], "s", 0.5, "<="),
            _row("relay rate, 50 fast", [r[rate] / 1000 for r in ours],
                 [r[rate] / 1000 for r in theirs], "k/s", 1.5, ">=")]


def cpu_paced(setting: Setting) -> list[tuple]:
    """CPU for each 100,000 tokens, 500 streams at 20 ms a token."""
    ours, theirs = _both(setting, *PACED_500)
    cost = "cpu_s_per_100k_tokens"
    return [_row("relay CPU per 100k tokens, 500 at 20 ms", [r[cost] for r in ours],
                 [r[cost] for r in theirs], "s", 0.7, "<=")]


def latency(setting: Setting) -> list[tuple]:
    """From the moment the model server wrote a token to the client's read, 100 streams."""
    ours, theirs = _both(setting, *PACED_100)
    return [_row(f"relay latency {p[:3]}, 100 at 20 ms", [r["relay"][p] for r in ours],
                 [r["relay"][p] for r in theirs], "ms", target, "<=")
            for p, target in (("p50_ms", 0.8), ("p99_ms", 1.0))]


def upstream_close(setting: Setting) -> list[tuple]:
    """A client closes its socket; how long until the model server has seen that its own client left."""
    upstream = _upstream(setting, "20ms", "1000")
    server = _gateway(setting, upstream)
    rows = []
    for title, arguments in (("before the first token", ("-after", "0", "-content",
                                                         "x [[ttft=20s]]")),
                             ("between tokens", ("-after", "3"))):
        worst = [wsload(setting, "cancel", "-polite", "-n", "30", "-upstream", upstream, "-base",
                         server.url, *arguments)["cancel"]["p99_ms"]
                 for _ in range(setting.rounds)]
        value = median(worst)
        rows.append((f"upstream closed, {title}", f"p99 {value:.2f} ms", "5 ms", value / 5, 1, "<="))
    return rows
