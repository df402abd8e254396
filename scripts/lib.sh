# Shared by the commands in scripts/: steps, errors that end in one line, packages, downloads, the cache.
# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C.UTF-8

home_of() { getent passwd "$1" | cut -d: -f6; }

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# As the person who called would type them again.
COMMANDS=./scripts
[ "$PWD" -ef "$ROOT" ] || COMMANDS=$ROOT/scripts
SELF=$COMMANDS/$(basename "$0")
export HOME=${HOME:-$(home_of "$(id -u)" || true)}
CACHE=${TARS_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/tars}
[[ $CACHE == /* ]] || CACHE=$PWD/$CACHE  # commands and the program run in other folders than this one
if [ -n "${TARS_CACHE_DIR:-}" ]; then export TARS_CACHE_DIR=$CACHE; fi
PYTHON=/usr/bin/python3  # Debian's own: python3-numpy and python3-pip belong to it
# shellcheck source=scripts/pins.env
source "$ROOT/scripts/pins.env"

die() {
  printf 'tars: %s\n' "$*" >&2
  exit 1
}

# Elapsed time counts from the command that was called, through those that it calls.
export SCRIPT_STARTED=${SCRIPT_STARTED:-$EPOCHSECONDS}
step() { printf '[%3d s] %s\n' $((EPOCHSECONDS - SCRIPT_STARTED)) "$*"; }

# --- where things go -----------------------------------------------------------------------------

LOG_DIR=$CACHE/logs

# The folders, and what ccache goes by: not before it is known as whom the rest runs (see hand_back).
use_cache() {
  local dirs=("$LOG_DIR" "$CACHE/downloads" "$CACHE/llama" "$CACHE/pages" "$CACHE/models")
  if ! mkdir -p "${dirs[@]}" 2>/dev/null || [ ! -w "$CACHE" ]; then
    die "cannot write $CACHE; run 'sudo chown -R $(id -un) $CACHE', or set TARS_CACHE_DIR to another folder"
  fi
  export CCACHE_DIR=${CCACHE_DIR:-$CACHE/ccache}
  # One clone's objects serve the next one, wherever it lies.
  export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$ROOT} CCACHE_NOHASHDIR=${CCACHE_NOHASHDIR:-1}
  export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros}  # or it passes precompiled headers by
}

# The folder itself, or the nearest one above it that is there.
nearest_folder() {
  local dir=$1
  while [ ! -d "$dir" ]; do dir=$(dirname "$dir"); done
  echo "$dir"
}

# --- as whom -------------------------------------------------------------------------------------

# The person who called sudo; nothing without sudo, and where root called it.
sudo_caller() {
  if [ "$(id -u)" = 0 ] && [ "${SUDO_USER:-root}" != root ]; then echo "$SUDO_USER"; fi
}

# as_user NAME COMMAND...: in the place of this process. setpriv stays no parent as runuser does, which
# passes SIGTERM on and kills two seconds later, in the middle of the server's drain.
as_user() {
  local user=$1
  shift
  exec setpriv --reuid "$(id -u "$user")" --regid "$(id -g "$user")" --init-groups -- "$@"
}

# hand_back COMMAND...: called with sudo, root was needed for the packages only. The rest belongs to the
# person who called, unless the repository does not.
hand_back() {
  local user
  user=$(sudo_caller)
  [ -n "$user" ] && (as_user "$user" test -w "$ROOT") || return 0
  as_user "$user" env -u SUDO_USER -u SUDO_UID -u SUDO_GID -u SUDO_COMMAND -u MAIL \
    HOME="$(home_of "$user")" USER="$user" LOGNAME="$user" "$@"
}

# Only one process at a time prepares or builds; the lock ends with the process.
lock() {
  use_cache
  exec 9>"$CACHE/lock"
  flock -n 9 && return
  step "another ./scripts command is at work on $CACHE; waiting for it"
  flock 9
}

# --- running a step ------------------------------------------------------------------------------

# Shows the last line of what is going on: in place on a terminal, every ten seconds elsewhere.
show_progress() {
  local line last=$SECONDS
  while IFS= read -r line; do
    [ -n "$line" ] || continue
    if [ -t 1 ]; then
      printf '\r\033[K        %s' "${line:0:90}"
    elif ((SECONDS - last >= 10)); then
      printf '        %s\n' "${line:0:90}"
      last=$SECONDS
    fi
  done
  if [ -t 1 ]; then printf '\r\033[K'; fi
}

# logged NAME COMMAND...: output goes to the log NAME; a failure ends with one line that says what to do.
logged() {
  local log=$LOG_DIR/$1.log name=$1
  shift
  { : >"$log"; } 2>/dev/null || die "cannot write $log: $(free_hint "$CACHE")"
  if ! "$@" 9>&- 2>&1 | tee "$log" | show_progress; then
    explain_failure "$name" "$log"
  fi
}

free_hint() { printf '%s has %s free' "$1" "$(df -h --output=avail "$(nearest_folder "$1")" | tail -1 | tr -d ' ')"; }

NETWORK_SIGNS='Temporary failure (in name resolution|resolving)|Could not resolve|Could not connect to|Cannot initiate the connection|Network is unreachable|Failed to establish a new connection|NewConnectionError|Connection timed out|Unable to connect|No route to host|Connection refused'

# Of apt's lists, and of certificates.
CLOCK_SIGNS='is not valid yet|not yet valid|certificate has expired'

explain_failure() {
  local name=$1 log=$2
  if grep -qE 'No space left on device|not enough free space|Disk quota exceeded' "$log"; then
    die "disk full in '$name': $(free_hint "$CACHE"), $(free_hint "$ROOT"), $(free_hint /); free some space and run $SELF again"
  elif grep -q 'Could not get lock' <(tail -n 5 "$log"); then
    die "'$name' waited in vain for another program that installs packages (at first start Debian's own upgrades); run $SELF again when it has ended"
  elif grep -qiE "$CLOCK_SIGNS" "$log"; then
    die "the clock seems wrong: '$name' met what is not valid at $(date -u '+%F %H:%M') UTC; set the clock (timedatectl set-ntp true) and run $SELF again"
  elif grep -qE "$NETWORK_SIGNS" "$log"; then
    die "no network: '$name' could not reach its server; connect this machine (or configure its proxy or mirror for apt and pip) and run $SELF again"
  elif grep -q 'dpkg was interrupted' "$log"; then
    die "an earlier installation was cut short; run 'dpkg --configure -a' as root, then $SELF again"
  elif grep -q 'DO NOT MATCH THE HASHES' "$log"; then
    die "hash mismatch: $(awk '$2 == "from" { f = $3; sub(".*/", "", f) } /Expected sha256/ { e = $NF } $1 == "Got" { g = $2 }
      END { printf "%s: expected sha256 %s, got %s", f, e, g }' "$log"); nothing of it was kept: check your network or package mirror and run $SELF again"
  elif grep -qE 'Killed signal|fatal error: Killed|std::bad_alloc|out of memory|virtual memory exhausted' "$log"; then
    die "out of memory in '$name'; end what else needs memory, add swap, or compile less at once (TARS_BUILD_JOBS=1), and run $SELF again"
  fi
  grep -vE '^\[[0-9]+/[0-9]+' "$log" | tail -n 25 >&2 || true
  die "'$name' failed; the whole log is $log"
}

# Measured with g++ 12: the heaviest source takes 850 MB, the next ones 450.
MB_PER_JOB=800
MB_PER_CUDA_JOB=2000
MEMORY=/proc/meminfo  # of the whole machine
CGROUP=/proc/self/cgroup  # the groups of this process (cgroups(7))
CGROUPS=/sys/fs/cgroup  # what each may use: a container's or a slice's own limits, which meminfo does not know

# group_limits CONTROLLER FILE: what FILE says of this process's group and of each one above it. Without a
# CONTROLLER in the one tree of version 2, with one in its own tree of version 1.
group_limits() {
  local tree=$CGROUPS${1:+/$1} group
  group=$(awk -F: -v name="$1" 'index("," $2 ",", "," name ",") { print $3; exit }' "$CGROUP" 2>/dev/null || true)
  while true; do
    cat "$tree$group/$2" 2>/dev/null || true
    [ -n "${group%/}" ] || break
    group=${group%/*}
  done
}

# The machine's, or as many as a quota of their time is worth.
usable_cpus() {
  local cpus quota period
  cpus=$(nproc)
  while read -r quota period; do
    [[ $quota =~ ^[1-9][0-9]*$ && $period =~ ^[1-9][0-9]*$ ]] || continue  # `max` and -1: no limit
    quota=$(((quota + period - 1) / period))
    if ((quota < cpus)); then cpus=$quota; fi
  done < <(group_limits '' cpu.max; paste <(group_limits cpu cpu.cfs_quota_us) <(group_limits cpu cpu.cfs_period_us))
  echo "$cpus"
}

# In MB: what the machine has free, or a group's limit.
usable_memory() {
  local memory limit
  memory=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' $MEMORY)
  while read -r limit; do
    if [[ $limit =~ ^[0-9]+$ ]] && ((limit >> 20 < memory)); then memory=$((limit >> 20)); fi
  done < <(group_limits '' memory.max; group_limits memory memory.limit_in_bytes)
  echo "$memory"
}

# How many compilers run at once: one for each CPU and one more, as far as there is memory for them, since
# the kernel ends what finds none. TARS_BUILD_JOBS says it instead.
build_jobs() {
  local each=$MB_PER_JOB jobs cpus
  if [ -n "${TARS_BUILD_JOBS:-}" ]; then
    [[ $TARS_BUILD_JOBS =~ ^[1-9][0-9]{0,3}$ ]] ||
      die "TARS_BUILD_JOBS is '$TARS_BUILD_JOBS'; set it to a number from 1 to 9999, or unset it"
    echo "$TARS_BUILD_JOBS"
    return
  fi
  if [ "${TARS_GPU:-}" = cuda ]; then each=$MB_PER_CUDA_JOB; fi
  jobs=$(($(usable_memory) / each))
  cpus=$(usable_cpus)
  if ((jobs > cpus + 1)); then jobs=$((cpus + 1)); fi
  echo $((jobs < 1 ? 1 : jobs))
}

# --- before anything starts ----------------------------------------------------------------------

OS_RELEASE=/etc/os-release  # the name and version of the system

# shellcheck disable=SC1090
require_debian() {
  local id='' like='' version=''
  if [ -r "$OS_RELEASE" ]; then
    id=$(. "$OS_RELEASE" && echo "${ID:-}")
    like=$(. "$OS_RELEASE" && echo "${ID_LIKE:-}")
    version=$(. "$OS_RELEASE" && echo "${VERSION_ID:-}")
  fi
  [ "$id" = debian ] || [[ " $like " == *" debian "* ]] ||
    die "this needs Debian 12 or newer (this is '${id:-unknown}'); use a Debian machine or container"
  # testing and unstable have no version yet.
  [ "$id" != debian ] || [ -z "$version" ] || [ "${version%%.*}" -ge 12 ] ||
    die "this needs Debian 12 or newer (this is $version); upgrade the system, or use a container of debian:12"
}

# require_space MB DIR...: what is about to be written fits, or one line says how much is missing.
require_space() {
  local need=$1 dir have
  shift
  for dir in "$@"; do
    have=$(df -Pm "$dir" | awk 'NR == 2 { print $4 }')
    ((have >= need)) ||
      die "disk full: need $(gigabytes "$need") GB free in $dir, have $(gigabytes "$have") GB; free some space (or set TARS_CACHE_DIR to another disk) and run $SELF again"
  done
}
gigabytes() { awk -v mb="$1" 'BEGIN { printf "%.1f", mb / 1024 }'; }

# --- Debian packages -----------------------------------------------------------------------------

package_sections() { sed -n 's/^\[\(.*\)\]$/\1/p' "$ROOT/scripts/packages.txt"; }

# The names in section [$1] of packages.txt, one entry a line.
package_list() { awk -v want="[$1]" '/^#/ || !NF { next } /^\[/ { on = ($0 == want); next } on' "$ROOT/scripts/packages.txt"; }

# Of the entries on stdin, those that nothing installed satisfies. One dpkg-query for all.
missing_packages() {
  local entries installed entry name found
  entries=$(cat)
  # shellcheck disable=SC2086
  installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' ${entries//|/ } 2>/dev/null | awk '$1 == "ii" { print $2 }' || true)
  installed=" ${installed//$'\n'/ } "
  for entry in $entries; do
    found=
    for name in ${entry//|/ }; do
      if [[ $installed == *" $name "* ]]; then found=1; fi
    done
    [ -n "$found" ] || echo "$entry"
  done
}

apt_get() {
  # `su` keeps the PATH of a user, in which dpkg misses its own tools.
  PATH=$PATH:/usr/sbin:/sbin DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 \
    -o APT::Update::Error-Mode=any -o Dpkg::Options::=--force-confold "$@" </dev/null
}

# apt waits for dpkg's lock by itself, but not for the one of its lists, which Debian's own upgrades hold
# for a while after a machine's first start.
apt_update() {
  local out=$LOG_DIR/apt-update.try tries=0
  until apt_get update 2>&1 | tee "$out"; do
    grep -q 'Could not get lock' "$out" && ((++tries < 60)) || return 1
    echo "waiting for another program that installs packages"
    sleep 2
  done
}

# require_packages SECTION...: installs what is missing, as root; else says which command to run.
require_packages() {
  local LOG_DIR=$LOG_DIR section missing entry name names=() count line
  if [ "$(id -u)" = 0 ]; then remove_stale_policy; fi
  missing=$(for section in "$@"; do package_list "$section"; done | sort -u | missing_packages)
  [ -n "$missing" ] || return 0
  require_debian
  count=$(wc -l <<<"$missing")
  if [ "$(id -u)" != 0 ]; then
    line="$COMMANDS/deps packages $*"
    if command -v sudo >/dev/null; then line="sudo $line"; else line="su -c '$line'"; fi
    die "$count Debian packages are missing, and installing them needs root; give this command again after: $line"
  fi
  require_space 2000 /usr /var
  step "installing $count Debian packages"
  # In a cache of somebody else root's logs would be in the way.
  if [ -n "$(sudo_caller)" ] || [ "$(stat -c %u "$(nearest_folder "$CACHE")")" != 0 ]; then
    LOG_DIR=$(home_of root)/.cache/tars/logs
  fi
  mkdir -p "$LOG_DIR" 2>/dev/null || die "cannot write $LOG_DIR; make it writable for root"
  logged apt-update apt_update
  for entry in $missing; do
    for name in ${entry//|/ }; do
      apt-cache show "$name" >/dev/null 2>&1 && break
    done
    names+=("$name")
  done
  install_packages "${names[@]}"
}

POLICY=/usr/sbin/policy-rc.d  # Debian's way to say that no service is to be started
POLICY_MARK='# Put here by the T.A.R.S. scripts while they install packages, as process '

# Ours, of a call that was killed: nobody's services would start any more.
remove_stale_policy() {
  local process
  process=$(sed -n "s/^$POLICY_MARK//p" "$POLICY" 2>/dev/null || true)
  if [ -n "$process" ] && ! kill -0 "$process" 2>/dev/null; then rm -f "$POLICY"; fi
}

# Only programs are wanted: a service that comes along (nginx, Caddy) is neither started nor enabled.
install_packages() {
  local name
  (
    if [ ! -e "$POLICY" ]; then  # a container image has its own
      trap 'rm -f "$POLICY"' EXIT
      printf '#!/bin/sh\n%s%s\nexit 101\n' "$POLICY_MARK" "$$" >"$POLICY"
      chmod 755 "$POLICY"
    fi
    logged apt-install apt_get install -y --no-install-recommends "$@"
  )
  # Without systemctl there is nothing that would start one.
  command -v systemctl >/dev/null || return 0
  for name in "$@"; do  # the unit may belong to another package, such as nginx-common
    [ ! -e "/lib/systemd/system/$name.service" ] || logged systemctl-disable systemctl disable "$name.service"
  done
}

# --- downloads -----------------------------------------------------------------------------------

sha256_of() { sha256sum "$1" | cut -d' ' -f1; }

# fetch NAME VERSION FILE SHA256 [pip options]: <cache>/downloads/FILE. pip checks the hash before it
# looks into the file, and the file gets its name only afterwards; what is there already is checked here,
# for a power cut may have emptied it.
fetch() {
  local name=$1 version=$2 file=$3 expected=$4 tmp=$CACHE/downloads/.part
  shift 4
  if [ -f "$CACHE/downloads/$file" ]; then
    [ "$(sha256_of "$CACHE/downloads/$file")" != "$expected" ] || return 0
    rm -f "$CACHE/downloads/$file"
  fi
  rm -rf "$tmp"
  mkdir -p "$tmp"
  printf '%s==%s --hash=sha256:%s\n' "$name" "$version" "$expected" >"$tmp/requirement.txt"
  step "downloading $name $version"
  # Nothing of what is fetched runs: scripts/metadata answers in the place of an sdist's build backend.
  logged "download-$name" env PYTHONPATH="$ROOT/scripts/metadata" PYTHONDONTWRITEBYTECODE=1 SDIST_NAME="$name" \
    SDIST_VERSION="$version" "$PYTHON" -m pip download --no-deps --no-build-isolation --no-cache-dir --progress-bar off \
    --disable-pip-version-check --retries 3 --dest "$tmp" --require-hashes "$@" -r "$tmp/requirement.txt"
  [ -f "$tmp/$file" ] || die "pip fetched another file than $file for $name $version; check its settings ('pip config list')"
  mv "$tmp/$file" "$CACHE/downloads/$file"
  rm -rf "$tmp"
}

# --- llama.cpp -----------------------------------------------------------------------------------

# TARS_PORTABLE=1: the build is for every CPU of this architecture. ggml's kernels are built once for each
# generation of CPUs, as libraries beside the program, which takes the best that runs when it starts.
program_preset() { if [ -n "${TARS_PORTABLE:-}" ]; then echo portable; else echo release; fi; }

# TARS_GPU=cuda or vulkan: llama.cpp can compute there as well. The packages that this needs; nvcc is
# NVIDIA's, so Debian has it in a section that a machine's owner has to switch on.
gpu_packages() { if [ "${TARS_GPU:-}" = vulkan ]; then echo vulkan; fi; }

# An impossible TARS_GPU ends the command. One that this machine cannot build for is no longer set afterwards:
# GPU_WARNING says so, here and by ./scripts/run again when a long build has scrolled it away.
require_gpu() {
  if [ -n "${TARS_GPU:-}" ] && [ -n "${TARS_PORTABLE:-}" ]; then
    die "TARS_GPU and TARS_PORTABLE exclude each other: the portable build is for CPUs; unset one of them"
  fi
  case ${TARS_GPU:-} in
    '' | vulkan) ;;
    cuda)
      command -v nvcc >/dev/null && return
      export GPU_WARNING="TARS_GPU=cuda needs nvcc, which is not there: this is a build for the CPU alone.
tars: For the GPU install Debian's nvidia-cuda-toolkit-gcc (add 'non-free' to the archive's components first) or NVIDIA's CUDA toolkit, and run $SELF again."
      unset TARS_GPU
      warn_of_gpu
      ;;
    *) die "unknown TARS_GPU '$TARS_GPU'; one of: cuda, vulkan; unset it for the CPU alone" ;;
  esac
}
warn_of_gpu() { if [ -n "${GPU_WARNING:-}" ]; then printf 'tars: %s\n' "$GPU_WARNING" >&2; fi; }
if [ -x /usr/local/cuda/bin/nvcc ]; then PATH=$PATH:/usr/local/cuda/bin; fi  # where NVIDIA's own packages put it

# The GPUs of this machine, as CMake names them, or all that nvcc knows where none is to be seen.
cuda_architectures() {
  local found
  found=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | tr -d '. ' | grep -E '^[0-9]+$' | sort -u | sed 's/$/-real/' | paste -sd';' || true)
  echo "${found:-all-major}"
}

# What the compiler makes of -march=native here: a cache folder may be shared between machines.
cpu_key() {
  if [ -n "${TARS_PORTABLE:-}" ]; then
    uname -m
  else
    c++ -march=native -E -v -x c++ /dev/null 2>&1 | grep cc1plus | sha256sum | cut -c1-16
  fi
}

# llama.cpp's CMake flags, one a line; TARS_LLAMA_FLAGS adds more.
llama_flags() {
  if [ -n "${TARS_GPU:-}" ]; then echo "-DTARS_GPU=$TARS_GPU"; fi
  if [ "${TARS_GPU:-}" = cuda ]; then
    echo "-DCMAKE_CUDA_ARCHITECTURES=$(cuda_architectures)"
    # Debian's nvcc wants an older g++ than the default one, and says which by this name.
    if [ -x /usr/bin/cuda-g++ ]; then echo "-DCMAKE_CUDA_HOST_COMPILER=/usr/bin/cuda-g++"; fi
  fi
  if [ -n "${TARS_PORTABLE:-}" ]; then echo "-DTARS_PORTABLE=ON"; fi
  # shellcheck disable=SC2086
  if [ -n "${TARS_LLAMA_FLAGS:-}" ]; then printf '%s\n' $TARS_LLAMA_FLAGS; fi
}

# Everything that decides what the built library is.
llama_key() {
  {
    echo "$LLAMA_SHA256"
    llama_flags
    if [ "${TARS_GPU:-}" = cuda ]; then nvcc --version | tail -1; fi
    c++ --version | head -1
    cpu_key
    cd "$ROOT/third_party/llama"
    find . -type f | LC_ALL=C sort | xargs sha256sum
  } | sha256sum | cut -c1-16
}

llama_prefix() { echo "$CACHE/llama/$(llama_key)"; }

# --- the pages about the API ---------------------------------------------------------------------

pages_prefix() { echo "$CACHE/pages/${PAGES_SHA256:0:16}"; }
