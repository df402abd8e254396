"""The blocks of docs/guides/*.md, for the tests that run them."""

from __future__ import annotations

import re
from pathlib import Path

BLOCK = re.compile(r"^(?:<!-- (?P<mark>[^\n]*) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.S | re.M)
# Why a block may be left out. test_proxies.py and tools/check_image are the proof of some.
NEEDS = {"not run here: needs root", "not run here: needs another machine",
         "not run here: needs a container engine", "not run here: needs a newer version",
         "not run here: needs data to lose"}


def blocks(guide: Path) -> list[re.Match]:
    return list(BLOCK.finditer(guide.read_text()))


def steps(guide: Path) -> list[str]:
    """What of the guide is run, block by block."""
    return [block["text"] for block in blocks(guide)
            if block["language"] == "sh" and block["mark"] not in NEEDS]
