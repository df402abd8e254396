"""schemathesis makes thousands of requests from /openapi.json, right and wrong ones, and checks the answers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SEED = os.environ.get("TARS_TEST_SEED", "1")


@pytest.mark.timeout(600)
def test_all_checks_find_nothing(server, tmp_path):
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "run", server.url + "/openapi.json",
        "--checks", "all", "--max-examples", "30", "--seed", SEED, "--continue-on-failure", "--no-color",
    ]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(HERE),
                   "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=580)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
        assert f"✅ {phase}" in done.stdout, done.stdout[-4000:]
