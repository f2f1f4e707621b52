# Shared by the scripts beside it; sourced, never run.
#
# What a fresh Debian 12 with git and Rust lacks is installed here, each package with its reason, and a Docker engine is started
# when none answers. Every function may be called again at any time.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=x86_64-unknown-linux-gnu
binary=${CARGO_TARGET_DIR:-$root/target}/$target/release/kentai
lib_work=${TMPDIR:-/tmp}
# What tests and checks are built with: everything that a plain build goes without. The same everywhere (tests/src/lib.rs too), so that each
# crate is built once.
features=(--all-features)

say() { printf '%s: %s\n' "${script:-kentai}" "$*" >&2; }
die() { say "$*"; exit 1; }

# Root as it is, or through sudo.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo -- "$@"; else die "needs root, or sudo, for: $*"; fi
}

installed() { dpkg-query --show --showformat '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

# ensure_packages NAME…: installs what is not there.
ensure_packages() {
  local missing=() package
  for package in "$@"; do installed "$package" || missing+=("$package"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  as_root apt-get -qq update >/dev/null
  as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
    apt-get -qq -y --no-install-recommends install "${missing[@]}" >/dev/null
}

# What the demonstration needs.
packages_demo() {
  local packages=(
    build-essential pkg-config # compile the C of SQLite and of ring
    docker.io iptables         # the Docker engine and the rules it sets
    ca-certificates            # TLS roots for pulling images
    mmdebstrap                 # unpacks the tool image from Debian packages
  )
  ensure_packages "${packages[@]}"
}

# What the tests need besides.
packages_test() {
  packages_demo
  local packages=(
    bwa samtools bcftools fastp tabix # the image's tools on the host: the oracle runs them without an engine
    busybox-static                    # an image of one file, for container tests
    docker-registry                   # what images are pulled from in tests; started by the test that needs it
    strace                            # kills the engine at chosen system calls
    jq sqlite3                        # read what the engine says and keeps
    python3 python3-venv              # the benchmark, the audit chain recomputed, and the tools of scripts/peers.txt
    openssh-client                    # keys of receivers, made by another program
    openssh-server openssh-sftp-server # an inbox behind SFTP; each test starts its own on a free port
    openssl xxd                       # signatures, looked at by another program
    curl wget aria2 rclone            # what data centers pull with
    prometheus                        # its promtool: what the site measures, and the alert rules
  )
  local had_prometheus=no
  if installed prometheus; then had_prometheus=yes; fi
  ensure_packages "${packages[@]}"
  if [ $had_prometheus = no ]; then stop_service prometheus; fi
}

# What a real Slurm on this machine needs: scripts/slurm-up starts it.
packages_slurm() {
  local packages=(
    slurmctld slurmd slurm-client munge # the controller, nodes, their commands and their way of knowing each other
    podman catatonit                    # containers within jobs, and a first process for them
    runc                                # what podman runs them with: crun refuses machines with both versions of control groups
  )
  local had=no
  if installed slurmctld; then had=yes; fi
  ensure_packages "${packages[@]}"
  if [ $had = no ]; then
    local name
    for name in slurmctld slurmd munge; do stop_service "$name"; done
  fi
}

# And its accounting.
packages_slurm_accounting() {
  local packages=(
    slurmdbd slurm-wlm-mysql-plugin           # what sacct asks, and how it keeps what it knows
    mariadb-server-core mariadb-client-core   # a database without a service; each test starts its own
  )
  local had=no
  if installed slurmdbd; then had=yes; fi
  ensure_packages "${packages[@]}"
  if [ $had = no ]; then stop_service slurmdbd; fi
}

# stop_service NAME: Debian starts what it installs; nobody asked for it.
stop_service() {
  if [ -d /run/systemd/system ]; then as_root systemctl disable --quiet --now "$1"; else as_root service "$1" stop >/dev/null || true; fi
}

# What `scripts/bench serve` and `scripts/bench pack` need.
packages_bench() {
  local packages=(
    build-essential pkg-config # compile the C of SQLite and of ring
    nginx-light                # what the network door is held against; started on ports of its own
    curl openssl               # pull, and make a certificate
  )
  local had_nginx=no
  if installed nginx-light; then had_nginx=yes; fi
  ensure_packages "${packages[@]}"
  if [ $had_nginx = no ]; then stop_service nginx; fi
}

# Programs of others that our formats are held against, each in the version that scripts/peers.txt names. Where no package index can be
# reached, the tests that ask them are skipped, and it is said so.
ensure_peers() {
  [ -z "${KENTAI_TEST_PEERS:-}" ] || return 0
  local folder=$root/target/peers list=$root/scripts/peers.txt
  if ! cmp -s "$list" "$folder/installed.txt"; then
    say "installing the tools of scripts/peers.txt"
    rm -rf -- "$folder"
    python3 -m venv "$folder"
    if ! "$folder/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$list"; then
      say "scripts/peers.txt cannot be installed: tests against other implementations are SKIPPED"
      export KENTAI_TEST_PEERS=0
      return 0
    fi
    cp "$list" "$folder/installed.txt"
  fi
  export KENTAI_TEST_PEERS=$folder
}

# Chromium, the faces of tests/browser/fonts.conf, and what drives it, as tests/browser/package-lock.json names it. Where no package index
# can be reached, the tests of the page in a browser are skipped, and it is said so.
ensure_browser() {
  [ -z "${KENTAI_TEST_BROWSER:-}" ] || return 0
  local folder=$root/target/browser from=$root/tests/browser
  local packages=(
    chromium                                       # the browser
    fonts-inter fonts-noto-cjk fonts-dejavu-core   # Latin, Japanese, figures in columns
  )
  # The driver needs Node 18; one that is there already is as good.
  local node_major
  node_major=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\).*/\1/p')
  if [ "${node_major:-0}" -lt 18 ] || ! command -v npm >/dev/null; then packages+=(nodejs npm); fi
  ensure_packages "${packages[@]}"
  if ! cmp -s "$from/package-lock.json" "$folder/installed.json"; then
    say "installing the tools of tests/browser/package.json"
    rm -rf -- "$folder"
    mkdir -p "$folder"
    cp "$from/package.json" "$from/package-lock.json" "$folder/"
    if ! (cd "$folder" && npm ci --silent --no-audit --no-fund --ignore-scripts); then
      say "tests/browser/package.json cannot be installed: tests of the page in a browser are SKIPPED"
      export KENTAI_TEST_BROWSER=0
      return 0
    fi
    cp "$from/package-lock.json" "$folder/installed.json"
  fi
  export KENTAI_TEST_BROWSER=$folder
}

# A Slurm of virtual nodes for all tests that do not break one; ended by end_slurm. Where it cannot be had, tests with Slurm are skipped,
# and it is said so.
ensure_slurm() {
  [ -z "${KENTAI_TEST_SLURM:-}" ] || return 0
  local folder
  # Here and not by the first test that wants it: two installations at once wait for each other.
  packages_slurm_accounting || true
  folder=$(mktemp -d /tmp/kslurm.XXXXXX)
  if ! "$root/scripts/slurm-up" "$folder" >/dev/null; then
    say "no Slurm can be started here: tests with Slurm are SKIPPED"
    rm -rf -- "$folder"
    export KENTAI_TEST_SLURM=0
    return 0
  fi
  export KENTAI_TEST_SLURM=$folder
  own_slurm=$folder
}

end_slurm() {
  [ -n "${own_slurm:-}" ] || return 0
  "$root/scripts/slurm-down" "$own_slurm" || true
  rm -rf -- "$own_slurm"
}

# The packaged client matches the packaged engine; another one may stand before it in PATH.
docker_client() {
  local client
  for client in /usr/bin/docker "$(command -v docker || true)"; do
    [ -x "$client" ] && { printf '%s' "$client"; return 0; }
  done
  return 1
}

docker_answers() { as_root "$docker" info >/dev/null 2>&1; }

# Uses the engine that answers, else starts one and leaves it running.
ensure_docker() {
  docker=$(docker_client) || die "no docker client after installing docker.io"
  export DOCKER=$docker
  docker_answers || start_docker
  "$docker" info >/dev/null 2>&1 ||
    die "user $(id -un) may not use the Docker engine; run as root, or: sudo usermod -aG docker $(id -un), and log in again"
}

start_docker() {
  if [ -d /run/systemd/system ]; then as_root systemctl start docker || true; fi
  docker_answers && return 0
  say "starting a Docker engine (log: $lib_work/kentai-dockerd.log)"
  # A pid file of a dead engine stops the next one.
  if [ -e /var/run/docker.pid ] && ! kill -0 "$(cat /var/run/docker.pid)" 2>/dev/null; then as_root rm -f /var/run/docker.pid; fi
  as_root setsid dockerd >"$lib_work/kentai-dockerd.log" 2>&1 </dev/null &
  local second
  for second in $(seq 60); do
    docker_answers && return 0
    sleep 1
  done
  tail -n 20 "$lib_work/kentai-dockerd.log" >&2
  die "no Docker engine after $second seconds"
}

ensure_cargo() {
  command -v cargo >/dev/null || { [ -r "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"; }
  command -v cargo >/dev/null || die "no cargo; install Rust 1.95 or newer first"
}

# Builds the binary that is shipped, static, as configured in .cargo/config.toml.
build_release() {
  # This variable would replace the configured flags, and with them the static linking.
  unset RUSTFLAGS
  say "building the release binary (about eight minutes the first time)"
  (cd "$root" && cargo build --quiet --locked --release --bin kentai)
  [ -x "$binary" ] || die "no binary at $binary"
}

ensure_image() { as_root env DOCKER="$docker" "$root/images/seqtools/build"; }
