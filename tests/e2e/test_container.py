"""compose.yaml, Dockerfile and .dockerignore agree with each other and with the program. That they
work is shown by tools/check_image, which needs root, podman and half an hour."""

from __future__ import annotations

import fnmatch
import json
import re
import subprocess

import pytest

from tars_server import BINARY, REPOSITORY

# A build variable, not an option.
BUILD_ONLY = {"TARS_PORTABLE"}
# What the image and the published port decide.
FIXED = {"TARS_HOST", "TARS_PORT", "BACKEND_PORT", "TARS_DATA_DIR", "TARS_CACHE_DIR"}


def options() -> set[str]:
    """Every name that the program takes, from the reference that the program writes."""
    text = subprocess.run([str(BINARY), "config", "doc"], capture_output=True, text=True, check=True).stdout
    names = set(re.findall(r"^\| `([A-Z][A-Z0-9_]+)`", text, re.M))
    assert "TARS_PORT" in names
    return names


@pytest.fixture(scope="module")
def compose() -> dict:
    # Debian's own python3, whose yaml is one of the build's packages.
    read = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)"
    text = (REPOSITORY / "compose.yaml").read_text()
    result = subprocess.run(["/usr/bin/python3", "-c", read], input=text, capture_output=True,
                            text=True, check=True)
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def dockerfile() -> str:
    text = (REPOSITORY / "Dockerfile").read_text()
    return re.sub(r"\\\n\s*", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.M))


def names_of_options() -> set[str]:
    """All that may stand in .env: also the names of old, and those of files that hold a secret."""
    text = (REPOSITORY / ".env.example").read_text()
    names = (re.findall(r"^#([A-Z][A-Z0-9_]+)=", text, re.M) + re.findall(r"Also ([A-Z][A-Z0-9_]+)\.", text) +
             re.findall(r"\b([A-Z0-9_]+_FILE) names a file", text))
    assert {"BACKEND_PORT", "JWT_SECRET_KEY_FILE", *options()} <= set(names)
    return set(names)


def test_every_option_reaches_the_container_when_it_is_set(compose, dockerfile):
    """A name without a value is passed on where the shell or .env has it, and is else unset."""
    passed = compose["services"]["tars"]["environment"]
    assert len(passed) == len(set(passed))
    assert names_of_options() - set(passed) == FIXED and set(passed) <= names_of_options()
    image = set(re.findall(r"(TARS_\w+)=", re.search(r"^ENV (TARS_HOST=.+)$", dockerfile, re.M)[1]))
    assert image == FIXED - {"TARS_PORT", "BACKEND_PORT"}  # for these two, see the published port


def test_the_program_takes_what_compose_passes_when_all_is_empty(compose, tmp_path):
    """As a copy of .env.example whose lines have lost their #."""
    env = {name: "" for name in compose["services"]["tars"]["environment"]}
    result = subprocess.run([str(BINARY), "config", "check"], capture_output=True, text=True, cwd=tmp_path,
                            env={**env, "HOME": str(tmp_path), "TARS_DATA_DIR": str(tmp_path / "data")})
    assert result.returncode == 0, result.stderr
    assert "warning" not in result.stderr


def test_only_the_gateway_is_published(compose):
    services = compose["services"]
    assert set(services) == {"tars", "ollama", "chroma"}
    assert services["tars"]["ports"] == ["${TARS_PORT:-8000}:8000"]
    assert "profiles" not in services["tars"] and "depends_on" not in services["tars"]
    for name in ("ollama", "chroma"):
        assert services[name]["profiles"] == [name]
        assert "ports" not in services[name] and "network_mode" not in services[name]
        assert re.fullmatch(r"[\w/]+:\d+\.\d+\.\d+", services[name]["image"]), "pinned by version"


def test_the_gateway_has_no_more_rights_than_it_needs(compose):
    tars = compose["services"]["tars"]
    assert tars["read_only"] is True and tars["tmpfs"] == ["/tmp"]
    assert tars["cap_drop"] == ["ALL"] and tars["security_opt"] == ["no-new-privileges:true"]
    assert tars["volumes"] == ["data:/data"] and "data" in compose["volumes"]


def test_the_grace_of_a_stop_is_longer_than_the_drain(compose):
    text = (REPOSITORY / "docs/reference/options.md").read_text()
    drain = int(re.search(r"`DRAIN_SECONDS` \| `(\d+)`", text)[1])
    assert int(compose["services"]["tars"]["stop_grace_period"].removesuffix("s")) >= drain + 10


def test_the_images_options_exist(dockerfile):
    names = {name for line in re.findall(r"^ENV (.+)$", dockerfile, re.M)
             for name in re.findall(r"(\w+)=", line)}
    assert "TARS_HOST" in names
    assert names - BUILD_ONLY <= options()


def test_the_image_runs_as_a_user_who_owns_the_volume(dockerfile, compose):
    last = dockerfile[dockerfile.rindex("\nFROM "):]
    user = re.search(r"^USER (\d+):(\d+)$", last, re.M)
    assert user and user[1] == user[2] != "0"
    assert f"useradd --uid {user[1]} " in last and "install -d -o tars -g tars -m 0700 /data" in last
    assert re.search(r"^VOLUME (.+)$", last, re.M)[1] == compose["services"]["tars"]["volumes"][0].split(":")[1]
    assert last.index("useradd") < last.index("\nUSER") and "/health" in last


@pytest.mark.parametrize(("env", "at"), [
    ({"TARS_HOST": "0.0.0.0"}, "127.0.0.1:8000"),
    ({"TARS_HOST": "0.0.0.0", "TARS_PORT": "9000"}, "127.0.0.1:9000"),
    ({"TARS_HOST": "0.0.0.0", "BACKEND_PORT": "9000"}, "127.0.0.1:9000"),
    ({"TARS_HOST": "10.0.0.7"}, "10.0.0.7:8000"),
    ({"TARS_HOST": "::"}, "127.0.0.1:8000"),
    ({"TARS_HOST": "fd00::7", "TARS_PORT": "9000"}, "[fd00::7]:9000"),
], ids=str)
def test_the_health_check_asks_where_the_server_listens(dockerfile, tmp_path, env, at):
    command = re.search(r"^HEALTHCHECK .* CMD (.+)$", dockerfile, re.M)[1]
    (tmp_path / "curl").write_text('#!/bin/sh\nfor last; do :; done; echo "$last"; exit 1\n')
    (tmp_path / "curl").chmod(0o755)
    result = subprocess.run(["/bin/sh", "-c", command], env={"PATH": str(tmp_path), **env}, text=True,
                            capture_output=True, timeout=30)
    assert result.stdout.split() == [f"http://{at}/health", f"https://{at}/health"]
    assert result.returncode != 0


def test_what_the_image_copies_is_there_and_not_ignored(dockerfile):
    kept = [line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines()
            if line.startswith("!")]
    copied = [name for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.M)
              for name in line.split()[:-1]]
    assert copied
    for name in copied:
        assert (REPOSITORY / name).exists(), name
        assert any(fnmatch.fnmatch(name, pattern) for pattern in kept), f"{name} is ignored"
    assert set(kept) == set(copied), "kept for nothing"


def test_what_the_build_reads_is_copied(dockerfile):
    """Every folder that a CMakeLists.txt of the program names from the root."""
    listed = [REPOSITORY / "CMakeLists.txt", *(REPOSITORY / "src").rglob("CMakeLists.txt")]
    named = {name for file in listed
             for name in re.findall(r"\$\{(?:PROJECT|CMAKE)_SOURCE_DIR\}/([\w.]+)", file.read_text())}
    assert {"web", "tools"} <= named
    copied = {word.split("/")[0] for words in re.findall(r"^COPY ((?!--)[^\n]+) \S+$", dockerfile, re.M)
              for word in words.split()}
    folders = {name for name in named if (REPOSITORY / name).is_dir()}
    assert folders - copied == set()
