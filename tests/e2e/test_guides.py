"""docs/guides/*.md: every command in a ```sh block is run, in order, in one shell for each guide, as a
person types them. Ports, the model's path and what starts in the foreground are replaced; a block
under `<!-- not run here: needs … -->` is only parsed."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from fake_models import FakeModels
from guide_blocks import BLOCK, NEEDS, blocks, steps
from own_python import VENV_FUNCTION, own_python
from tars_server import BINARY, REPOSITORY, free_port, model_path

EVERY = sorted((REPOSITORY / "docs/guides").glob("*.md"))
GUIDES = [guide for guide in EVERY if guide.stem != "operations"]  # test_operations.py runs that one

# ./scripts/run of the sandbox: the built program in the background, instead of the one before.
RUN = """#!/bin/bash
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -f server.pid ]; then
  kill "$(cat server.pid)"
  tail --pid="$(cat server.pid)" -f /dev/null
fi
: >server.log
nohup {binary} serve "$@" >server.log 2>&1 </dev/null &
echo $! >server.pid
for _ in $(seq 300); do
  if grep -q '^ready: ' server.log; then exit 0; fi
  if ! kill -0 "$(cat server.pid)" 2>/dev/null; then break; fi
  sleep 0.1
done
cat server.log >&2
exit 1
"""

# curl fails on an error of HTTP; a guide's pidof means the sandbox's server, not any other on this machine.
PRELUDE = """set -euo pipefail
export PATH={sandbox}/bin:$PATH
curl() {{ command curl --fail --silent --show-error --max-time 30 "$@" && echo; }}
pidof() {{ cat server.pid; }}
{venv}
"""


class Sandbox:
    """A repository to run a guide in: the files of this one, another ./scripts/run, a home of its
    own with the default model where ./scripts/deps puts it."""

    def __init__(self, folder: Path, ollama_port: int):
        self.folder = folder
        self.port, self.second_port, self.ollama_port = free_port(), free_port(), ollama_port
        for name in ("docs", "deploy", ".env.example", "compose.yaml"):
            (folder / name).symlink_to(REPOSITORY / name)
        for path in ("scripts", "build/release", "home/.cache/tars/models"):
            (folder / path).mkdir(parents=True)
        (folder / "build/release/tars").symlink_to(BINARY)
        own_python(folder / "home", "--url", f"http://localhost:{self.port}", "--max-tokens", "16")
        (folder / "home/.cache/tars/models/chat.gguf").symlink_to(model_path())
        (folder / "scripts/run").write_text(RUN.format(binary=BINARY))
        (folder / "scripts/run").chmod(0o755)

    def here(self, text: str) -> str:
        for old, new in {"localhost:8000": f"localhost:{self.port}",
                         "--port 9000": f"--port {self.second_port}",
                         "localhost:11434": f"localhost:{self.ollama_port}",
                         "\nsleep 1\n": "\nsleep 5\n",  # a busy machine
                         "/path/to/model.gguf": model_path()}.items():
            text = text.replace(old, new)
        return text

    def sh(self, text: str, seconds: float = 240) -> subprocess.CompletedProcess:
        script = self.folder / "steps.sh"
        script.write_text(PRELUDE.format(sandbox=self.folder, venv=VENV_FUNCTION) + self.here(text))
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder / "home"),
               "TARS_PORT": str(self.port)}
        env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        return subprocess.run(["bash", str(script)], cwd=self.folder, env=env, capture_output=True,
                              text=True, timeout=seconds)

    def log(self) -> str:
        log = self.folder / "server.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def stop(self) -> None:
        pid = self.folder / "server.pid"
        if pid.exists():
            subprocess.run(["bash", "-c", 'kill "$0" && tail --pid="$0" -f /dev/null', pid.read_text().strip()],
                           timeout=40, check=False)


@pytest.fixture
def ollama():
    server = FakeModels("smollm2:135m")
    yield server
    server.close()


@pytest.fixture
def sandbox(tmp_path, ollama):
    one = Sandbox(tmp_path, ollama.port)
    yield one
    one.stop()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("guide", [g for g in GUIDES if steps(g)], ids=lambda g: g.stem)
def test_the_commands_of_a_guide(guide, sandbox):
    text = "\n".join(steps(guide))
    if "./scripts/run" not in text:  # the guide is about a server that runs
        text = "./scripts/run\n" + text
    result = sandbox.sh(text)
    assert result.returncode == 0, f"{result.stderr[-3000:]}\n--- server\n{sandbox.log()[-2000:]}"


@pytest.mark.parametrize("guide", EVERY, ids=lambda guide: guide.stem)
def test_what_is_not_run_is_shell(guide):
    for block in blocks(guide):
        assert block["language"] in ("sh", "yaml", "text"), f"a block of {block['language']!r}"
        assert block["mark"] is None or block["mark"] in NEEDS, block["mark"]
        if block["language"] == "sh":
            subprocess.run(["bash", "-n"], input=block["text"], text=True, check=True)


# -- what is named elsewhere than in a block that is run

DOCUMENTS = [*EVERY, REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md"]
# Not `exec tars cat`, nor `-u tars env`: there it is the container's name, or the user's.
CALL = re.compile(r"(?<!exec )(?<!-u )(?:(?<=[\s(])|(?<=release/)|^)(tars|\./scripts/\w+)(?= |$)"
                  r"([^|;&#()\n]*(?:(?<=\w)\|\w+)*)", re.M)


def calls(document: Path) -> list[list[str]]:
    """The program or the script, and its words: of spans in prose and tables, and of all blocks."""
    fences = [block["text"] for block in blocks(document) if block["language"] in ("sh", "")]
    spans = re.findall(r"`([^`]+)`", BLOCK.sub("", document.read_text()))
    return [[match[1], *match[2].split()] for piece in [*fences, *spans] for match in CALL.finditer(piece)]


@functools.cache
def usage(*verb: str) -> str:
    shown = subprocess.run([str(BINARY), *verb, "--help"], capture_output=True, text=True, timeout=30)
    return shown.stdout if f"Usage: tars {' '.join(verb)}".strip() in shown.stdout else ""


def check_program(words: list[str]) -> None:
    verb: list[str] = []
    for word in words:
        if verb and "SUBCOMMAND" not in usage(*verb) or not re.fullmatch(r"[a-z|]+", word):
            break
        for one in word.split("|"):
            assert usage(*verb, one), f"tars {' '.join(verb)} {one}"
        verb.append(word.split("|")[0])
    known = usage(*verb) + usage()
    for option in re.findall(r"--[a-z][a-z-]*", " ".join(words)):
        assert re.search(rf"(?<![\w-]){option}(?![\w-])", known), f"tars {' '.join(verb)} {option}"


def check_script(name: str, words: list[str]) -> None:
    assert os.access(REPOSITORY / name, os.X_OK), name
    if name.endswith("/run"):
        check_program(words)
        return
    text = (REPOSITORY / name).read_text()
    if name.endswith("/build"):
        text = " ".join(preset["name"] for preset in
                        json.loads((REPOSITORY / "CMakePresets.json").read_text())["configurePresets"])
    known = re.findall(r"[\w-]+", text)
    for word in words[:1]:
        assert not re.fullmatch(r"[\w-]+", word) or word in known, f"{name} {word}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.stem)
def test_every_command_that_is_named_exists(document):
    for name, *words in calls(document):
        if name == "tars":
            check_program(words)
        else:
            check_script(name, words)


def test_commands_are_found_wherever_they_stand():
    """Else the test above would hold for nothing."""
    found = {" ".join(call) for document in DOCUMENTS for call in calls(document)}
    assert {"tars devices list", "tars model list|pull", "tars restore --force /backup", "tars config doc",
            "tars restore --force /data/tars-today", "./scripts/run --port 9000",
            "./scripts/deps packages build", "tars config check"} <= found
    assert any(call.startswith("./scripts/build [preset] ") for call in found)


def test_the_symptoms_have_the_words_that_people_look_for():
    titles = re.findall(r"^## (.+)$", (REPOSITORY / "docs/guides/troubleshooting.md").read_text(), re.M)
    assert {"Cannot connect", "Model not responding", "Slow tokens", "Disk full"} <= set(titles)


def quoted_messages(guide: Path) -> list[str]:
    """What stands in backticks under "it says": the program's own words, `…` for what differs."""
    tables = re.findall(r"^\| it says \|.*\n\|[-|]+\n((?:\|.*\n)+)", guide.read_text(), re.M)
    cells = [row.split("|")[1] for table in tables for row in table.splitlines()]
    return [span for cell in cells for span in re.findall(r"`([^`]+)`", cell)]


def test_a_quoted_message_is_one_of_the_programs():
    text = "\n".join(path.read_text() for path in sorted((REPOSITORY / "src").rglob("*.cc")))
    text = re.sub(r'"\s*(?:\+\s*)?"', "", text)  # a message goes over several lines
    quoted = {span for guide in EVERY for span in quoted_messages(guide)}
    assert len(quoted) > 15
    # An option's name is put before by whoever knows it.
    parts = {part.strip(" :()") for span in quoted for part in re.split(r"…|(?<=[A-Z]): ", span)} - {""}
    assert not [part for part in sorted(parts) if part not in text]


@pytest.mark.parametrize("guide", EVERY, ids=lambda guide: guide.stem)
def test_a_guides_links_lead_somewhere(guide):
    for target, anchor in re.findall(r"\]\(([^)#:\s]*)(?:#([\w-]+))?\)", guide.read_text()):
        path = (guide.parent / target).resolve() if target else guide
        assert path.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", path.read_text(), re.M)
            slugs = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
            assert anchor in slugs, f"{target}#{anchor}"
