"""deploy/systemd: what systemd reads of it says what it should, and has no typing error."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from guide_blocks import blocks
from tars_server import BINARY, REPOSITORY

FOLDER = REPOSITORY / "deploy/systemd"
UNIT = (FOLDER / "tars.service").read_text()
systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")


# -- the unit

@systemd
def test_the_unit_is_valid_and_hardened(tmp_path):
    unit = tmp_path / "tars.service"
    unit.write_text(UNIT.replace("/usr/local/bin/tars", str(BINARY)))
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)],
                              capture_output=True, text=True, timeout=60)
    assert verified.returncode == 0 and "tars.service" not in verified.stderr, verified.stderr
    secured = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20",
                              "--no-pager", str(unit)], capture_output=True, text=True, timeout=60)
    assert secured.returncode == 0, secured.stdout[-3000:]


@systemd
def test_the_drop_in_for_port_443_is_valid(tmp_path):
    """That of docs/guides/tls.md; a capability in a namespace of users of its own opens no port of this one."""
    (drop_in,) = (block["text"] for block in blocks(REPOSITORY / "docs/guides/tls.md")
                  if "CAP_NET_BIND_SERVICE" in block["text"])
    unit = tmp_path / "tars.service"
    unit.write_text(UNIT.replace("/usr/local/bin/tars", str(BINARY)))
    (tmp_path / "tars.service.d").mkdir()
    (tmp_path / "tars.service.d/override.conf").write_text(drop_in)
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)],
                              capture_output=True, text=True, timeout=60)
    assert verified.returncode == 0 and "tars.service" not in verified.stderr, verified.stderr
    names = dict(line.split("=") for line in drop_in.splitlines() if "=" in line)
    assert names == {"AmbientCapabilities": "CAP_NET_BIND_SERVICE", "PrivateUsers": "no",
                     "CapabilityBoundingSet": "CAP_NET_BIND_SERVICE"}
    assert all(re.search(rf"^{name}=", UNIT, re.M) for name in names)  # what it undoes


def test_what_the_unit_says_of_secrets_and_files():
    allowed = [set(words.split()) for words in re.findall(r"^SystemCallFilter=(?!~)(.+)$", UNIT, re.M)]
    assert "prlimit64" in set().union(*allowed)  # @resources, which is forbidden, has it
    assert "Documentation=file:" not in UNIT  # nothing installs one
    # %d is expanded by Environment= alone, and is there with LoadCredential= alone.
    assert all(re.match(r"#? *Environment=", line) for line in UNIT.splitlines() if "=%d" in line)
    drop_in = "".join(f"{line}\n" for line in re.findall(r"^#   (\S+)$", UNIT, re.M))
    assert drop_in.startswith("[Service]\nLoadCredential=jwt:"), drop_in
    assert "\nEnvironment=JWT_SECRET_KEY_FILE=%d/jwt\n" in drop_in
