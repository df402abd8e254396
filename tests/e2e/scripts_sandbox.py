"""A repository with the real ./scripts, in which nothing real is installed, built or asked of Debian:
the programs that would do so are stand-ins, and no others are on the PATH. Who calls is what the
stand-in of `id` says, so that root and sudo can be played by anybody."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from tars_server import REPOSITORY

# Programs of every Debian that the scripts may use as they are.
REAL = ["awk", "basename", "bash", "cat", "chmod", "cut", "date", "dirname", "env", "find", "flock",
        "grep", "head", "mkdir", "mktemp", "mv", "paste", "printf", "rm", "sed", "sha256sum",
        "sort", "stat", "sync", "tail", "tee", "test", "touch", "tr", "uname", "wc", "xargs"]

# Each is a shell script. $BOX is the sandbox; what a test wants to look at goes to $BOX/calls.
FAKES = {
    "id": """case "$*" in
  -u) echo "$FAKE_UID" ;;
  -un) if [ "$FAKE_UID" = 0 ]; then echo root; else echo ann; fi ;;
  "-u ann" | "-g ann") echo 1000 ;;
  *) exit 1 ;;
esac""",
    "getent": """case "$2" in
  root | 0) echo "root:x:0:0::$BOX/home/root:/bin/sh" ;;
  ann | 1000) echo "ann:x:1000:1000::$BOX/home/ann:/bin/sh" ;;
esac""",
    "setpriv": """echo "setpriv $*" >>"$BOX/calls"
while [ "$1" != -- ]; do shift; done
shift
[ "$1" != test ] || exit "${FAKE_FOREIGN:-0}"
FAKE_UID=1000 exec "$@" """,
    "dpkg-query": """[ -e "$BOX/installed" ] || exit 1
shift 3
for name; do echo "ii  $name"; done""",
    "apt-get": """echo "apt-get $*" >>"$BOX/calls"
case "$*" in
  *update)
    if [ -n "${FAKE_OFFLINE:-}" ]; then
      echo "E: Failed to fetch x  Temporary failure resolving 'deb.example'"
      exit 100
    fi
    tries=$(grep -c update "$BOX/calls")
    if [ "$tries" -le "${FAKE_LOCKED:-0}" ]; then
      echo "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)"
      exit 100
    fi ;;
  *install*) cat "$BOX/policy-rc.d" >"$BOX/policy.seen"; : >"$BOX/installed" ;;
esac""",
    "apt-cache": "exit 0",
    "sleep": 'echo "sleep $*" >>"$BOX/calls"',
    "c++": "echo cc1plus",
    "nproc": "echo 4",
    "cmake": """echo "cmake $*" >>"$BOX/calls"
if [ -n "${FAKE_CMAKE:-}" ]; then echo "$FAKE_CMAKE"; exit 1; fi""",
    "ninja": 'echo "ninja $*" >>"$BOX/calls"',
    "df": """case "$*" in
  -Pm*) printf 'Filesystem\\nx x x %s\\n' "${FAKE_FREE:-90000}" ;;
  *) printf 'Avail\\n%sM\\n' "${FAKE_FREE:-90000}" ;;
esac""",
}

# What a command of the repository was called with, and what it found around it.
RECORD = """#!/bin/sh
{ echo "$(basename "$0") $*"; } >>"$BOX/calls"
env >"$BOX/env.$(basename "$0")"
"""


class Sandbox:
    def __init__(self, folder: Path):
        self.folder = folder
        self.repository = folder / "repository"
        self.policy = folder / "policy-rc.d"
        self.os_release = folder / "os-release"
        self.memory = folder / "meminfo"
        self.group = folder / "group"  # of control, that the process is in
        self.groups = folder / "groups"
        (folder / "bin").mkdir()
        for name in REAL:
            (folder / "bin" / name).symlink_to(shutil.which(name))
        for name, text in FAKES.items():
            self.program(folder / "bin" / name, f"#!/bin/sh\n{text}\n")
        shutil.copytree(REPOSITORY / "scripts", self.repository / "scripts")
        shutil.copy(REPOSITORY / "CMakePresets.json", self.repository)
        (self.repository / "third_party/llama").mkdir(parents=True)
        self.program(self.repository / "build/release/tars", RECORD)
        # The paths that a PATH does not reach.
        lib = self.repository / "scripts/lib.sh"
        text = lib.read_text()
        paths = {"/usr/sbin/policy-rc.d": self.policy, "/usr/bin/python3": sys.executable,
                 "/proc/meminfo": self.memory, "/proc/self/cgroup": self.group,
                 "/sys/fs/cgroup": self.groups, "/etc/os-release": self.os_release}
        self.os_release.write_text('ID=debian\nVERSION_ID="12"\n')
        self.memory.write_text("MemTotal: 64000000 kB\nMemAvailable: 48000000 kB\n")
        self.group.write_text("0::/\n")
        for real, fake in paths.items():
            assert text.count(f"={real} ") == 1, real
            text = text.replace(f"={real} ", f"={shlex.quote(str(fake))} ")
        lib.write_text(text)

    @staticmethod
    def program(path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def record(self, *commands: str) -> None:
        """These of ./scripts only note that they were called."""
        for name in commands:
            self.program(self.repository / "scripts" / name, RECORD)

    def call(self, *words: str, uid: int = 1000, cwd: Path | None = None,
             **env: str) -> subprocess.CompletedProcess:
        """As ann, or as root without a word of sudo."""
        home = self.folder / "home" / ("root" if uid == 0 else "ann")
        full = {"PATH": str(self.folder / "bin"), "BOX": str(self.folder), "HOME": str(home),
                "FAKE_UID": str(uid), "PIP_CONFIG_FILE": "/dev/null", **env}
        return subprocess.run(words, cwd=cwd or self.repository, capture_output=True, text=True,
                              env={k: v for k, v in full.items() if v}, timeout=60,
                              stdin=subprocess.DEVNULL)

    def calls(self, prefix: str = "") -> list[str]:
        path = self.folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in lines if line.startswith(prefix)]

    def environment(self, command: str) -> dict[str, str]:
        lines = (self.folder / f"env.{command}").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)


def refusal(result: subprocess.CompletedProcess) -> str:
    """The one line that a command which fails ends with."""
    assert result.returncode == 1, (result.returncode, result.stdout, result.stderr)
    assert result.stderr.startswith("tars: ") and result.stderr.count("\n") == 1, result.stderr
    return result.stderr
