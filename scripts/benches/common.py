"""What the measurements share: programs of this repository, what they need besides, and time."""
import contextlib
import functools
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "target/x86_64-unknown-linux-gnu/release/examples"
MIB = 1 << 20


@functools.cache
def example(name):
    """Builds the programs for measuring, and gives one of them. Together: otherwise each build would undo the other's features."""
    command = ["cargo", "build", "--quiet", "--locked", "--release", "-p", "kentai", "-p", "kentai-engine", "-p", "kentai-web"]
    if not (EXAMPLES / name).is_file():
        print("bench: building the programs for measuring (about eight minutes the first time)", file=sys.stderr)
    subprocess.run([*command, "--example", "serve", "--example", "pack"], cwd=ROOT, check=True)
    return EXAMPLES / name


def ensure(function):
    """A function of scripts/lib.sh that installs what is not there."""
    subprocess.run(["bash", "-c", f'set -euo pipefail; script=bench; . scripts/lib.sh; {function}'], cwd=ROOT, check=True)


def seconds(command, **options):
    """How long a command takes; one that fails ends the measurement."""
    began = time.monotonic()
    subprocess.run(command, check=True, **options)
    return time.monotonic() - began


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(command, **options):
    """A process of ours, ended with the block."""
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def noise(path, mib):
    """A file that cannot be compressed."""
    with open("/dev/urandom", "rb") as source, open(path, "wb") as target:
        for _ in range(mib):
            target.write(source.read(MIB))


def status_kib(pid, name):
    """A line of /proc/PID/status, such as VmRSS."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    sys.exit(f"bench: /proc/{pid}/status has no {name}")


def cpu_s(pid):
    """Processor time of a process and of its children that still run."""
    process = pathlib.Path(f"/proc/{pid}")
    # Behind the name in parentheses, which may hold anything: user and system time are the 12th and 13th.
    fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_s(child) for child in (process / f"task/{pid}/children").read_text().split())


def median(values):
    return statistics.median(values)
