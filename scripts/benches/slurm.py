"""Jobs: steps on a real Slurm against a plain loop of sbatch over the same jobs, and ten thousand on a scripted one.

Without --scripted a real Slurm of four virtual nodes (scripts/slurm-up); with it, commands that answer by themselves, with errors, once
for a tenth of the steps and once for all.

The loop submits what kentai submitted, word for word (script, witness, directories with the same task), one after the other, and looks
once a second until all have ended. Both are timed from the first submission's command to the last end seen.

  wall_s, loop_s      medians
  ratio               median of each pair's
  looks_per_s         calls of squeue over the time (scripted)
  closest_looks_s     the shortest time between two of them (scripted)
  longest_call        bytes of the longest call of sbatch (scripted)
  peak_rss_mib        largest resident set of the engine (VmHWM)
  ms_per_step         of N steps, and of a tenth (scripted): linear when they are alike
"""
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

from benches import common

BINARY = common.ROOT / "target/x86_64-unknown-linux-gnu/release/kentai"
WORKFLOW = """kentai: 1
workflow: trivial
specimen: { inputs: { x: file } }
steps:
  only:
    image: none
    inputs: { x: "${{ specimen.x }}" }
    outputs: { y: { path: y.txt } }
    resources: { cpus: 1, memory: 16 MiB }
    script: |
      echo x > "$out_y"
"""
SITE = """site: {name}
places: {{ work: {{ path: ., visibility_wait: 5s }} }}
limits: {{ steps_at_once: 20000 }}
executors:
  - {{ name: hpc, kind: slurm, shared: work, environment: {{ SLURM_CONF: {conf} }}{more} }}
"""
# Jobs are run at once, beside the command; every 97th submission is taken and said to have timed out, every 13th look fails.
SBATCH = r"""#!/bin/sh
for word in "$@"; do case $word in --job-name=*) name=${word#*=} ;; esac; done
length=0; for word in "$@"; do length=$((length + ${#word} + 1)); done
while [ $# -gt 3 ]; do shift; done
echo "$$|$name" >> FOLDER/jobs
echo "$length" >> FOLDER/lengths
("$@"; echo $$ >> FOLDER/ended) > /dev/null 2>&1 &
if [ $(($$ % 97)) = 0 ]; then
  echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation' >&2
  exit 1
fi
echo $$
"""
SQUEUE = r"""#!/bin/sh
date +%s.%N >> FOLDER/looks
if [ $(($$ % 13)) = 0 ]; then
  echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2
  exit 1
fi
touch FOLDER/jobs FOLDER/ended
exec awk -F'|' 'FILENAME ~ /ended$/ { ended[$1] = 1; next } { print $1 "|" (($1 in ended) ? "COMPLETED" : "RUNNING") "|then|n1|1|None|" $2 }' \
  FOLDER/ended FOLDER/jobs
"""
OTHER = """#!/bin/sh
case $1 in ping) echo 'Slurmctld(primary) at here is UP' ;; --version) echo 'slurm 0' ;; esac
"""


def options(kinds):
    one = kinds.add_parser("slurm", help="jobs, against a loop of sbatch; many, against commands that answer by themselves", description=__doc__)
    one.add_argument("--steps", type=int, metavar="N", help="1000; 10000 with --scripted")
    one.add_argument("--repeat", type=int, default=3, help="pairs")
    one.add_argument("--scripted", action="store_true", help="no Slurm: commands that answer by themselves")
    one.set_defaults(run=run)
    return one


def run(options):
    common.ensure("ensure_cargo; build_release")
    with tempfile.TemporaryDirectory(prefix="kb", dir="/tmp") as folder:
        if options.scripted:
            scripted(pathlib.Path(folder), options.steps or 10_000)
        else:
            real(pathlib.Path(folder), options.steps or 1000, options.repeat)


def site(folder, name, conf, steps, more=""):
    """A site with a sheet of so many specimens, each with one step."""
    place = folder / name
    place.mkdir()
    (place / "kentai.yaml").write_text(SITE.format(name=name, conf=conf, more=more))
    (folder / "trivial.yaml").write_text(WORKFLOW)
    (folder / "x.txt").write_text("x\n")
    rows = "".join(f"S{number:05d},x.txt\n" for number in range(steps))
    (folder / f"{name}.csv").write_text("specimen,x\n" + rows)
    return place


def kentai(folder, place):
    """Runs the sheet to its end: seconds, and the engine's largest resident set."""
    command = [BINARY, "--site", place, "run", folder / "trivial.yaml", "--sheet", folder / f"{place.name}.csv", "--executor", "hpc", "--quiet"]
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    took = time.monotonic() - began
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"bench: kentai ended with {os.waitstatus_to_exitcode(status)}")
    return took, usage.ru_maxrss / 1024


def done(place, steps):
    """Every step's output is there, each made by one attempt."""
    database = sqlite3.connect(place / "kentai.db")
    attempts, = database.execute("select count(*) from attempt where status = 'committed'").fetchone()
    if attempts != steps:
        sys.exit(f"bench: {attempts} attempts of {steps} steps were committed")


def loop(folder, place, steps, environment):
    """The same jobs again, in new directories, by nothing but sbatch."""
    attempts = [path for path in sorted((place / "attempts").iterdir()) if not path.name.startswith(".")]
    own = folder / "loop"
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir()
    program = next((place / "attempts/.slurm").glob("kentai-*"))
    script = next((place / "attempts/.slurm").glob("job-*.sh"))
    directories = []
    for path in attempts[:steps]:
        new = own / path.name
        (new / "work").mkdir(parents=True)
        shutil.copytree(path / "in", new / "in", symlinks=True)
        shutil.copy(path / "task.json", new / "task.json")
        directories.append(new)
    name = f"loop-{time.monotonic_ns()}"
    began = time.monotonic()
    for directory in directories:
        words = ["sbatch", "--parsable", "--no-requeue", "--export=ALL", "--open-mode=append", f"--job-name={name}", "--chdir=/", "--nodes=1",
                 "--ntasks=1", "--cpus-per-task=1", "--mem=16384K", f"--output={directory}/slurm.log", script, program, "witness", directory]
        subprocess.run(words, env=environment, check=True, stdout=subprocess.DEVNULL)
    while subprocess.run(["squeue", "-h", "-n", name, "-o", "%i"], env=environment, check=True, capture_output=True).stdout:
        time.sleep(1)
    took = time.monotonic() - began
    if sum((directory / "exit.json").exists() for directory in directories) != steps:
        sys.exit("bench: the loop's jobs did not all end")
    return took


def real(folder, steps, repeat):
    cluster = folder / "s"
    environment = {**os.environ, "SLURM_CONF": str(cluster / "slurm.conf")}
    subprocess.run([common.ROOT / "scripts/slurm-up", cluster], check=True, stdout=subprocess.DEVNULL)
    try:
        # The first job after a start waits for the first pass of the scheduler.
        subprocess.run(["sbatch", "--wait", "--output=/dev/null", "--wrap=true"], env=environment, check=True, stdout=subprocess.DEVNULL)
        pairs = []
        for number in range(repeat):
            place = site(folder, f"bench-{number}", cluster / "slurm.conf", steps)
            ours, rss = kentai(folder, place)
            done(place, steps)
            pairs.append((ours, loop(folder, place, steps, environment), rss))
        print(json.dumps({
            "bench": "slurm", "steps": steps, "pairs": repeat,
            "wall_s": round(common.median(ours for ours, _, _ in pairs), 2),
            "loop_s": round(common.median(loop for _, loop, _ in pairs), 2),
            "ratio": round(common.median(ours / loop for ours, loop, _ in pairs), 3),
            "ratios": [round(ours / loop, 3) for ours, loop, _ in pairs],
            "peak_rss_mib": round(max(rss for _, _, rss in pairs), 1),
        }))
    finally:
        subprocess.run([common.ROOT / "scripts/slurm-down", cluster], check=False)


def scripted(folder, steps):
    for count in (steps // 10, steps):
        commands = folder / f"commands-{count}"
        commands.mkdir()
        for name, text in [("sbatch", SBATCH), ("squeue", SQUEUE), ("scancel", OTHER), ("scontrol", OTHER), ("sinfo", OTHER)]:
            (commands / name).write_text(text.replace("FOLDER", str(commands)))
            (commands / name).chmod(0o755)
        place = site(folder, f"scripted-{count}", "/dev/null", count, f", commands: {commands}")
        took, rss = kentai(folder, place)
        done(place, count)
        looks = [float(line) for line in (commands / "looks").read_text().split()]
        gaps = [later - earlier for earlier, later in zip(looks, looks[1:])]
        print(json.dumps({
            "bench": "slurm scripted", "steps": count, "wall_s": round(took, 2), "ms_per_step": round(1000 * took / count, 2),
            "looks": len(looks), "looks_per_s": round(len(looks) / took, 3), "closest_looks_s": round(min(gaps), 3) if gaps else None,
            "longest_call": max(int(line) for line in (commands / "lengths").read_text().split()),
            "jobs": len((commands / "jobs").read_text().splitlines()), "peak_rss_mib": round(rss, 1),
        }), flush=True)
