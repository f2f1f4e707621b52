"""What packing a file costs, against floors of the same run; one line of JSON.

`engine/examples/pack.rs` calls what packing calls: both checksums of the plain file, then encryption with both checksums of what the
receiver gets. They are compared with coreutils, whose time is a floor; a measurement with a wrong checksum is refused. All of it reads
from the page cache where the file fits there. Needs twice the size on the disk, and a third while `dd` writes.

  mib_per_s        of plain bytes: `plain` (both checksums), `encrypt` (encryption, both checksums, written and synced), `pack` (both,
                   one after the other, as packing does), `again` (checksums for another recipient of a body that is there)
  floor_mib_per_s  the crates alone on one core over memory (`sha2`, `md-5`, `chacha20poly1305`); `sha256sum` and `md5sum` of the plain
                   file; `dd_read` and `dd_write` (synced); `bound`: what two cores could do at most if nothing but the five
                   computations took time
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from benches import common
from benches.common import MIB


def digests_of(paths):
    """By coreutils, over these files in a row; and seconds for each."""
    found, took = {}, {}
    for kind in ["sha256", "md5"]:
        command = f'cat "$@" | {kind}sum' if len(paths) > 1 else f'{kind}sum < "$1"'
        with tempfile.TemporaryFile("w+") as said:
            took[kind] = common.seconds(["sh", "-c", command, "sh", *paths], stdout=said)
            said.seek(0)
            found[kind] = said.read().split()[0]
    return found, took


def dd(options, place):
    """Reads the plain file, and writes as much, synced."""
    plain, other = place / "plain", place / "written"
    quiet = {"stderr": subprocess.DEVNULL}
    read = common.seconds(["dd", f"if={plain}", f"of={os.devnull}", "bs=1M"], **quiet)
    write = common.seconds(["dd", "if=/dev/zero", f"of={other}", "bs=1M", f"count={options.size}", "conv=fsync"], **quiet)
    other.unlink()
    return read, write


def run(options):
    common.ensure("packages_bench")
    program = common.example("pack")
    place = pathlib.Path(tempfile.mkdtemp(prefix="kentai-bench-"))
    try:
        if shutil.disk_usage(place).free < 3 * options.size * MIB:
            sys.exit(f"bench: {place} has no room for three times {options.size} MiB; TMPDIR names another disk, --size another size")
        said = subprocess.run([program, place, str(options.size * MIB)], check=True, stdout=subprocess.PIPE, text=True)
        row = json.loads(said.stdout)
        plain, took = digests_of([place / "plain"])
        encrypted, _ = digests_of([place / "header", place / "body"])
        if (row["plain"], row["encrypted"]) != (plain, encrypted):
            sys.exit(f"bench: checksums differ from those of coreutils: {row}, {plain}, {encrypted}")
        read, write = dd(options, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    floor = row["floor_mib_per_s"]
    # Each plain byte passes SHA-256 and MD5 twice and the cipher once; MD5 alone is a chain that one core must go twice.
    work = 2 / floor["sha2"] + 2 / floor["md-5"] + 1 / floor["chacha20poly1305"]
    floor["bound"] = round(1 / max(work / 2, 2 / floor["md-5"]))
    floor |= {f"{kind}sum": round(options.size / seconds) for kind, seconds in took.items()}
    floor |= {"dd_read": round(options.size / read), "dd_write": round(options.size / write)}
    seconds = {what: round(value, 2) for what, value in row["seconds"].items()}
    told = {"bench": "pack", "mib": options.size, "mib_per_s": row["mib_per_s"], "seconds": seconds, "floor_mib_per_s": floor}
    print(json.dumps({**told, "as_coreutils": True}))


def options(kinds):
    one = kinds.add_parser("pack", help="checksums and encryption of a file", description=__doc__)
    one.add_argument("--size", type=int, default=10240, metavar="MIB", help="of the file (10240)")
    one.set_defaults(run=run)
    return one
