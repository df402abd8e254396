#!/usr/bin/env python3
"""Measures the program against its references; each pair in one run, alternating.

    python3 bench/run.py all | NAME...   [--rounds 5] [--json FILE]

See bench/README.md for what is needed and what each figure means.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Callable

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/e2e"))

import gateway_figures
import model_figures
import relay_figures
from setting import Setting


@dataclass
class Figure:
    """One line of the table. `ratio` is compared with `target`; `better` says on which side."""

    name: str
    value: str
    reference: str
    ratio: float
    target: float
    better: str  # ">=" or "<="

    @property
    def reached(self) -> bool:
        return self.ratio >= self.target if self.better == ">=" else self.ratio <= self.target

    def line(self) -> str:
        return (f"{self.name:<34} {self.value:>24} {self.reference:>30}   ratio {self.ratio:7.3f}"
                f"   target {self.better} {self.target:g}   {'ok' if self.reached else 'MISSED'}")


ENOUGH_ROUNDS = 5

BENCHMARKS: dict[str, Callable[[Setting], list[tuple]]] = {
    "ws-tokens": model_figures.ws_tokens,
    "interference": model_figures.interference,
    "stop": model_figures.stop,
    "busy": model_figures.busy,
    "start": model_figures.start,
    "rss": model_figures.rss,
    "idle-memory": gateway_figures.idle_memory,
    "auth": gateway_figures.auth,
    "relay-cpu": relay_figures.cpu_paced,
    "relay-rate": relay_figures.cpu_and_rate,
    "relay-latency": relay_figures.latency,
    "upstream-close": relay_figures.upstream_close,
    "many-streams": relay_figures.many_streams,
    "tls-rate": relay_figures.tls_rate,
    "slow-readers": relay_figures.slow_readers,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", choices=["all", *BENCHMARKS], metavar="NAME",
                        help=", ".join(["all", *BENCHMARKS]))
    parser.add_argument("--rounds", type=int, default=ENOUGH_ROUNDS,
                        help=f"medians of this many ({ENOUGH_ROUNDS}); fewer are an indication")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    if options.rounds < ENOUGH_ROUNDS:
        print(f"fewer than {ENOUGH_ROUNDS} rounds: an indication, no result", flush=True)
    names = list(BENCHMARKS) if "all" in options.names else options.names

    figures = []
    with tempfile.TemporaryDirectory(prefix="tars-bench-") as folder:
        for name in names:
            setting = Setting(Path(folder) / name, options.rounds)
            try:
                for row in BENCHMARKS[name](setting):
                    figures.append(Figure(*row))
                    print(figures[-1].line(), flush=True)
            finally:
                setting.close()
    if options.json:
        options.json.write_text(json.dumps({
            "cores": os.cpu_count(), "load": os.getloadavg()[0], "rounds": options.rounds,
            "figures": [asdict(f) | {"reached": f.reached} for f in figures]}, indent=1))
    return 0 if all(f.reached for f in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
