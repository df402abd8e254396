"""deploy/systemd: what systemd and logrotate read of it says what it should, and has no typing error."""

from __future__ import annotations

import getpass
import grp
import os
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
    assert {"prlimit64", "sched_setscheduler"} <= set().union(*allowed)  # @resources, which is forbidden, has them
    assert "LimitRTPRIO=1" in UNIT and "RestrictRealtime" not in UNIT
    assert "Documentation=file:" not in UNIT  # nothing installs one
    # %d is expanded by Environment= alone, and is there with LoadCredential= alone.
    assert all(re.match(r"#? *Environment=", line) for line in UNIT.splitlines() if "=%d" in line)
    drop_in = "".join(f"{line}\n" for line in re.findall(r"^#   (\S+)$", UNIT, re.M))
    assert drop_in.startswith("[Service]\nLoadCredential=jwt:"), drop_in
    assert "\nEnvironment=JWT_SECRET_KEY_FILE=%d/jwt\n" in drop_in


# -- the user

@systemd
def test_the_units_user_is_made(tmp_path):
    (tmp_path / "etc").mkdir()
    made = subprocess.run(["systemd-sysusers", "--dry-run", f"--root={tmp_path}", str(FOLDER / "tars.sysusers")],
                          capture_output=True, text=True, timeout=60)
    assert made.returncode == 0, made.stderr
    said = re.findall(r"^Creating (group|user) '(\w+)'", made.stderr, re.M)
    assert said == [("group", re.search("^Group=(.+)$", UNIT, re.M)[1]),
                    ("user", re.search("^User=(.+)$", UNIT, re.M)[1])]
    home = re.search("^StateDirectory=(.+)$", UNIT, re.M)[1]
    assert (FOLDER / "tars.sysusers").read_text().endswith(f" /var/lib/{home}\n")


# -- the rotation of its log

ROTATION = (FOLDER / "tars.logrotate").read_text()
# logrotate(8)'s words that the file may have: whatever is another one is a typing error.
WORDS = {"daily", "rotate", "compress", "delaycompress", "missingok", "notifempty", "su", "postrotate"}


def test_the_rotation_is_of_the_services_log():
    (pattern, body), = re.findall(r"^(/\S+) \{\n(.*?)^\}$", ROTATION, re.S | re.M)
    logs = re.search("^LogsDirectory=(.+)$", UNIT, re.M)[1]
    assert pattern == f"/var/log/{logs}/*.log"
    settings, script, rest = re.fullmatch(r"(.*?    postrotate\n)(.*?)    endscript\n(.*)", body, re.S).groups()
    lines = [line.split() for line in (settings + rest).splitlines() if not line.strip().startswith("#")]
    assert {words[0] for words in lines} == WORDS
    arguments = {words[0]: words[1:] for words in lines if words[1:]}
    owner = [re.search(f"^{name}=(.+)$", UNIT, re.M)[1] for name in ("User", "Group")]
    assert arguments == {"rotate": ["14"], "su": owner}
    subprocess.run(["sh", "-n"], input=script, text=True, check=True, timeout=30)
    assert script.split()[:3] == ["systemctl", "kill", "--signal=USR1"] and "tars.service" in script


@pytest.mark.skipif(shutil.which("logrotate", path=os.environ["PATH"] + ":/usr/sbin") is None,
                    reason="logrotate is not installed")
def test_logrotate_takes_the_rotation(tmp_path):
    """For the user and the folder that are here."""
    (tmp_path / "tars.log").write_text("a line\n")
    here = f"{getpass.getuser()} {grp.getgrgid(os.getgid()).gr_name}"
    (tmp_path / "conf").write_text(ROTATION.replace("/var/log/tars", str(tmp_path)).replace("tars tars", here))
    (tmp_path / "conf").chmod(0o644)
    result = subprocess.run(["logrotate", "--debug", "--force", f"--state={tmp_path}/state", f"{tmp_path}/conf"],
                            capture_output=True, text=True, timeout=60,
                            env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"})
    assert result.returncode == 0 and "error:" not in result.stderr, result.stderr
    assert "systemctl kill --signal=USR1 tars.service" in result.stderr
