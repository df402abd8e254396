"""Figures of the gateway alone: memory of idle sockets, tokens minted and validated."""

from __future__ import annotations

import json
import subprocess

from setting import Setting, median


def wsload(setting: Setting, *arguments: str) -> dict:
    done = subprocess.run([setting.go_program("wsload"), *arguments, "-json"], capture_output=True,
                          text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert not report.get("errors"), report["errors"]
    return report


def relay(setting: Setting, upstream: str | None = None) -> tuple[str, int]:
    """The plain Go relay: (base URL, process id)."""
    return setting.serve("relay", "/health", *(("-upstream", upstream) if upstream else ()))


def idle_memory(setting: Setting) -> list[tuple]:
    """RSS growth per connection, 1,000 connections that say nothing; each round a fresh process."""
    ours, theirs = [], []
    for _ in range(setting.rounds):
        server = setting.server()
        ours.append(wsload(setting, "idle", "-n", "1000", "-d", "2s", "-base", server.url,
                            "-pid", str(server.process.pid))["kb_per_connection"])
        server.kill()
        url, pid = relay(setting)
        theirs.append(wsload(setting, "idle", "-n", "1000", "-d", "2s", "-base", url,
                              "-pid", str(pid))["kb_per_connection"])
    value, reference = median(ours), median(theirs)
    return [("idle memory per connection", f"{value:.1f} KB", f"Go relay {reference:.1f} KB",
             value, 12, "<=")]


def auth(setting: Setting) -> list[tuple]:
    """Mints and validations per second over 8 keep-alive connections, alternating."""
    server = setting.server()
    url, _ = relay(setting)
    ours: dict[str, list[float]] = {"token": [], "validate": []}
    theirs: dict[str, list[float]] = {"token": [], "validate": []}
    for _ in range(setting.rounds):
        for base, into in ((server.url, ours), (url, theirs)):
            report = wsload(setting, "auth", "-n", "8", "-d", "2s", "-base", base)
            for name in into:
                into[name].append(report["endpoints"][name]["per_s"])
    rows = []
    for name, title in (("token", "mints"), ("validate", "validations")):
        value, reference = median(ours[name]), median(theirs[name])
        rows.append((f"{title} per second", f"{value:.0f}/s", f"Go relay {reference:.0f}/s",
                     value / reference, 1, ">="))
    return rows
