"""Two minutes of soak.py. TARS_TEST_SOAK_SECONDS and TARS_TEST_SOAK_SEED change that; what
it did is printed with `pytest -s`, and the seed with every failure."""

from __future__ import annotations

import os
import time

import pytest

from soak import Soak


@pytest.mark.timeout(600)
def test_nothing_leaks_hangs_or_gets_lost(tmp_path):
    seconds = float(os.environ.get("TARS_TEST_SOAK_SECONDS", "120"))
    seed = int(os.environ.get("TARS_TEST_SOAK_SEED", time.time_ns() % 1_000_000))
    print(f"seed {seed}")
    soak = Soak(tmp_path, seconds, seed)
    soak.run()
    print(soak.report())
    assert soak.done["stop"] + soak.done["length"] > 0
    assert soak.done["cancelled"] > 0
