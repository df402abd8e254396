"""~/tars-py of the README and the guides: the Python that a person makes for the example client. Here
it is the tests' own, which has what pip would download."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

# For the shell that runs the steps: the folder is there already, and python3 is asked nothing else.
VENV_FUNCTION = 'python3() { [ "$*" = "-m venv $HOME/tars-py" ]; }'


def own_python(home: Path, *options: str) -> None:
    """Each script gets `options`, which those of the call outdo; pip wants exactly what the documents
    name."""
    folder = home / "tars-py/bin"
    folder.mkdir(parents=True)
    python = shlex.quote(sys.executable)
    programs = {"python": f'script=$1; shift\nexec {python} "$script" {shlex.join(options)} "$@"',
                "pip": '[ "$*" = "install websockets httpx" ]'}
    for name, line in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
