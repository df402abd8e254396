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
PACED_2000 = ("50ms", "200"), ("-n", "2000", "-stagger", "5s")
SLOW_READERS, SLOW_TOKENS = 10, 100_000


def _upstream(setting: Setting, interval: str, tokens: str) -> str:
    """fakeollama, a stand-in for a model server: its base URL."""
    url, _ = setting.serve("fakeollama", "/api/version", "-interval", interval, "-tokens", tokens)
    return url


def _gateway(setting: Setting, upstream: str, **env: str) -> Server:
    """Ours in front of it; each stream has a descriptor on either side, and the load one more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 16384)), hard))
    return setting.server(LLM_BACKEND="ollama", OLLAMA_HOST=upstream, MODEL_PATH="",
                          UPSTREAM_MAX_RUNS="4096", RUNS_WAITING="4096", **env)


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


def _direct(setting: Setting, upstream: str, load: tuple[str, ...]) -> dict:
    """From the model server's write to the client's read with nothing in between: the machine's own
    part of every latency."""
    return wsload(setting, "direct", "-upstream", upstream, *load)["relay"]


def latency(setting: Setting) -> list[tuple]:
    """What the way through adds to the time from the model server's write to the client's read,
    100 streams."""
    answers, load = PACED_100
    upstream = _upstream(setting, *answers)
    base = [_direct(setting, upstream, load) for _ in range(setting.rounds)]
    ours, theirs = _both(setting, answers, load)
    rows = []
    for p, target in (("p50_ms", 0.8), ("p99_ms", 1.0)):
        nothing = median([r[p] for r in base])
        rows.append(_row(f"relay latency {p[:3]} added to {nothing:.2f} ms, 100 at 20 ms",
                         [r["relay"][p] - nothing for r in ours],
                         [r["relay"][p] - nothing for r in theirs], "ms", target, "<="))
    return rows


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


def many_streams(setting: Setting) -> list[tuple]:
    """2,000 connections, each a stream of 20 tokens/s; an error of any of them ends the benchmark."""
    interval, load = PACED_2000
    upstream = _upstream(setting, *interval)
    server = _gateway(setting, upstream)
    through, nothing = [], []
    for _ in range(setting.rounds):
        nothing.append(_direct(setting, upstream, load)["p99_ms"])
        through.append(wsload(setting, "chat", "-upstream", upstream, "-base", server.url, "-pid",
                              str(server.process.pid), *load)["relay"]["p99_ms"])
    added = median(through) - median(nothing)
    return [(f"p99 added to {median(nothing):.1f} ms, 2,000 streams at 20/s", f"{added:.2f} ms",
             "50 ms", added / 50, 1, "<=")]


def tls_rate(setting: Setting) -> list[tuple]:
    """tokens/s of 50 streams as fast as they come, over TLS and without, alternating."""
    answers, load = FAST
    upstream = _upstream(setting, *answers)
    plain = _gateway(setting, upstream)
    secure = setting.secure_server(LLM_BACKEND="ollama", OLLAMA_HOST=upstream, MODEL_PATH="",
                                   UPSTREAM_MAX_RUNS="4096", RUNS_WAITING="4096")
    over_tls, without = [], []
    for _ in range(setting.rounds):
        for base, into in ((f"https://127.0.0.1:{secure.port}", over_tls), (plain.url, without)):
            into.append(wsload(setting, "chat", "-insecure", "-upstream", upstream, "-base", base,
                               *load)["tokens_per_s"] / 1000)
    value, reference = median(over_tls), median(without)
    return [("relay rate over TLS, 50 fast", f"{value:.2f} k/s", f"without {reference:.2f} k/s",
             value / reference, 0.85, ">=")]


def slow_readers(setting: Setting) -> list[tuple]:
    """What RSS grows with readers that took nothing of their 100,000 tokens, less the same with
    readers that took all: what a slow reader costs beside the log."""
    upstream = _upstream(setting, "0s", str(SLOW_TOKENS))
    load = ("-n", str(SLOW_READERS), "-max-tokens", str(SLOW_TOKENS), "-upstream", upstream)
    # With the smallest window the kernel's probes set the pace of reading on, not the server.
    modes = (("slow", ("-d", "10s", "-rcvbuf", "32768")), ("chat", ("-stagger", "0s")))
    differences = []
    for _ in range(setting.rounds):
        growth = {}
        for mode, arguments in modes:
            server = _gateway(setting, upstream, MODEL_MAX_TOKENS=str(SLOW_TOKENS))
            report = wsload(setting, mode, "-base", server.url, "-pid", str(server.process.pid), *load,
                            *arguments)["server"]
            growth[mode] = report["rss_after_kb"] - report["rss_before_kb"]
            server.kill()
        differences.append((growth["slow"] - growth["chat"]) / SLOW_READERS)
    value = median(differences)
    return [("RSS per slow reader", f"{value:.1f} KiB", "64 KiB beside the log", value / 64, 1, "<=")]
