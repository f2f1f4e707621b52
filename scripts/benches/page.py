"""The page under load, at a center with a past: what people wait for, and what listening tabs cost the engine.

The center is `kentai demo --big` with its ended order lines copied (scripts/benches/history.py); a server of its own, over the loopback,
each user with a session of their own. One line of JSON for each thing measured:

  center    how many order lines, runs, steps, attempts and events there are; how large the database is; how long the server took to start
  pages     --users people who each open a page every --pause seconds for --seconds: the first screen, a list of order lines at any place,
            a specimen, a run (drawn evenly from all). ms to the first byte, median, 99th percentile, slowest; largest page in KiB; share
            of one processor that the server and this program (`generator_cpu`) took, of --cores. The first --warm seconds do not count
  watchers  --runs runs of five steps without work, by themselves and again with --watchers streams of events open: ms per step of both,
            `ratio`; state changes per second; `missed`: runs whose last change was not told to a watcher after it was made. After it the same
            runs once more, without anybody: `again` says how much the machine itself wavers; `ratio` is over the mean of both
"""
import asyncio
import contextlib
import json
import os
import pathlib
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import time

from benches import common, history
from benches.common import free_port, running

PASSWORD = "insecure-demo"
PEOPLE = ["ops-01", "ops-02", "ops-07", "rev-01", "rev-02", "rel-01", "rel-02", "rel-03", "aud-01", "wdo-01"]
STEPS = 14
LIMITS = "requests_per_second: 100000, burst: 100000, connections_per_address: 4000"


def workflow(name, steps):
    """A chain of steps without work."""
    lines = ["kentai: 1", f"workflow: {name}", 'version: "1"']
    lines += ['defaults: { image: "kentai/seqtools:1", resources: { cpus: 1, memory: 64 MiB, disk: 1 GiB } }', "steps:"]
    for number in range(steps):
        lines += [f"  part_{number}:", "    outputs: { o: { path: o.txt, keep: true } }"]
        if number:
            lines.append(f'    inputs: {{ i: "${{{{ steps.part_{number - 1}.o }}}}" }}')
        lines.append('    script: echo "$attempt" > "$out_o"')
    return "\n".join(lines) + "\n"


class Served:
    """A site and its server."""

    def __init__(self, binary, site, more=()):
        self.binary, self.site, self.port = binary, site, free_port()
        config = site / "kentai.yaml"
        text = re.sub(r"\nserve:.*", "", config.read_text(), flags=re.S)
        config.write_text(f"{text}\nserve:\n- {{ listen: \"127.0.0.1:{self.port}\", limits: {{ {LIMITS} }} }}\n")
        self.log = open(site / "server.log", "ab")
        began = time.monotonic()
        self.process = subprocess.Popen([binary, "--site", site, "serve", "--json", *more], stdout=subprocess.PIPE, stderr=self.log)
        self.process.stdout.readline()
        self.started_s = time.monotonic() - began

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)
        self.log.close()

    def kentai(self, *words):
        done = subprocess.run([self.binary, "--site", self.site, *words], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"bench: kentai {' '.join(map(str, words))}: {done.stderr}")
        return done.stdout

    def ask(self, sql, *values):
        # Closed at once: whoever copies the past must be alone with the database.
        with contextlib.closing(sqlite3.connect(f"file:{self.site / 'kentai.db'}?mode=ro", uri=True)) as database:
            return database.execute(sql, values).fetchall()


class Browser:
    """One connection that is kept, with a session."""

    def __init__(self, port, cookie=""):
        self.port, self.cookie, self.pipe = port, cookie, None

    async def send(self, method, path, body="", headers=""):
        if self.pipe is None:
            self.pipe = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
        cookie = f"Cookie: {self.cookie}\r\n" if self.cookie else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAccept: text/html\r\n{cookie}{headers}"
        self.pipe[1].write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())

    async def ask(self, method, path, body="", headers=""):
        """Status, head, bytes of the body, seconds to the first byte."""
        began = time.perf_counter()
        await self.send(method, path, body, headers)
        head = await self.pipe[0].readuntil(b"\n")
        first = time.perf_counter() - began
        head += await self.pipe[0].readuntil(b"\r\n\r\n")
        head = head.decode("latin-1")
        size = 0
        if found := re.search(r"(?im)^content-length: (\d+)", head):
            size = len(await self.pipe[0].readexactly(int(found[1])))
        elif re.search(r"(?im)^transfer-encoding: chunked", head):
            while length := int(await self.pipe[0].readline(), 16):
                size += len(await self.pipe[0].readexactly(length + 2)) - 2
            await self.pipe[0].readline()
        return int(head.split(" ", 2)[1]), head, size, first

    async def sign_in(self, name):
        form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://127.0.0.1:{self.port}"}
        lines = "".join(f"{key}: {value}\r\n" for key, value in form.items())
        status, head, _, _ = await self.ask("POST", "/sign-in", f"name={name}&password={PASSWORD}&back=%2F", lines)
        cookie = re.search(r"(?im)^set-cookie: ([^;]+)", head)
        if status != 303 or not cookie:
            sys.exit(f"bench: {name} cannot sign in: {status}")
        self.cookie = cookie[1]
        return self


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def users(served, options):
    """Everybody opens pages; what they waited for, by kind of page."""
    dice = random.Random(7)
    lines = served.ask("select order_line_id, specimen_id, run_id from order_line where run_id <> ''")
    kinds = {
        "first": lambda: "/",
        "list": lambda: f"/order-lines?after={dice.choice(lines)[0]}",
        "specimen": lambda: f"/specimens/{dice.choice(lines)[1]}",
        "run": lambda: f"/runs/{dice.choice(lines)[2]}",
    }
    waited = {kind: [] for kind in kinds}
    largest, wrong = 0, []
    browsers = [await Browser(served.port).sign_in(PEOPLE[at % len(PEOPLE)]) for at in range(options.users)]
    start = time.monotonic() + 1
    warm, end = start + options.warm, start + options.warm + options.seconds

    async def person(browser):
        nonlocal largest
        at = start + dice.random() * options.pause
        while at < end:
            await asyncio.sleep(max(0, at - time.monotonic()))
            kind = dice.choice(list(kinds))
            path = kinds[kind]()
            status, _, size, first = await browser.ask("GET", path)
            if status != 200:
                wrong.append(f"{path}: {status}")
            if at >= warm:
                waited[kind].append(first * 1e3)
                largest = max(largest, size)
            at += options.pause

    async def shares():
        await asyncio.sleep(warm - time.monotonic())
        before = (common.cpu_s(served.process.pid), time.process_time())
        await asyncio.sleep(end - time.monotonic())
        after = (common.cpu_s(served.process.pid), time.process_time())
        return [round((late - early) / options.seconds, 3) for early, late in zip(before, after)]

    *_, (server, generator) = await asyncio.gather(*(person(browser) for browser in browsers), shares())
    every = [one for ones in waited.values() for one in ones]
    figures = {
        kind: {"pages": len(ones), "p50_ms": round(percentile(ones, 0.5), 1), "p99_ms": round(percentile(ones, 0.99), 1), "slowest_ms": round(max(ones), 1)}
        for kind, ones in [*waited.items(), ("all", every)]
    }
    return figures | {"largest_kib": round(largest / 1024, 1), "server_cpu": server, "generator_cpu": generator, "cores": os.cpu_count(), "wrong": wrong[:5]}


async def listen(port, count, ready, done):
    """Many tabs: when each was last told of each run."""
    cookies = [(await Browser(port).sign_in(name)).cookie for name in PEOPLE]
    told = [{} for _ in range(count)]

    async def watch(at):
        browser = Browser(port, cookies[at % len(cookies)])
        await browser.send("GET", "/events")
        await browser.pipe[0].readuntil(b"\r\n\r\n")
        heard = told[at]
        while line := await browser.pipe[0].readline():
            if line.startswith(b"data:"):
                now = time.time()
                for topic in re.findall(rb'"(run:[^"]+|\*)"', line):
                    heard[topic] = now
                if not heard.get("open"):
                    heard["open"] = now
                    opened.release()

    opened = asyncio.Semaphore(0)
    tabs = [asyncio.create_task(watch(at)) for at in range(count)]
    for _ in range(count):
        await opened.acquire()
    print("ready", file=ready, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, done.readline)
    for tab in tabs:
        tab.cancel()
    return told


def watch_main(port, count):
    """The program that holds the streams: a process of its own, so that it is not counted as the engine's load."""
    told = asyncio.run(listen(int(port), int(count), sys.stdout, sys.stdin))
    json.dump([{(k.decode() if isinstance(k, bytes) else k): v for k, v in one.items()} for one in told], sys.stdout)


def story(served, batch, options):
    """One batch of runs to its end: ms per step, changes per second, and when each run last changed."""
    names = "\n".join(f"{batch}{number:05d}" for number in range(options.runs))
    (served.site / "batch.csv").write_text(f"specimen\n{names}\n")
    before, cpu = served.ask("select max(seq) from event")[0][0], common.cpu_s(served.process.pid)
    began = time.monotonic()
    served.kentai("submit", "--wait", "--quiet", served.site / "batch.yaml", "--sheet", served.site / "batch.csv")
    wall = time.monotonic() - began
    cpu = common.cpu_s(served.process.pid) - cpu
    changes = served.ask("select count(*) from event where seq > ?", before)[0][0]
    ours = "select run_id from run where specimen_id glob ? and created_us >= (select min(at_us) from event where seq > ?)"
    last = served.ask(f"select stream, max(at_us) from event where stream in ({ours}) group by 1", f"{batch}[0-9]*", before)
    if len(last) != options.runs:
        sys.exit(f"bench: {len(last)} runs of {options.runs}")
    steps = options.runs * 5
    figures = {"ms_per_step": round(wall * 1e3 / steps, 3), "changes_per_s": round(changes / wall), "server_cpu_ms_per_step": round(cpu * 1e3 / steps, 3)}
    return figures, {run: at / 1e6 for run, at in last}


def watchers(binary, place, options):
    """The same runs by themselves, watched, by themselves."""
    site = place / "watched"
    subprocess.run([binary, "demo", "--big", "--dir", site, "--specimens", "60", "--quiet"], check=True, capture_output=True)
    (site / "batch.yaml").write_text(workflow("batch", 5))
    with Served(binary, site) as served:
        story(served, "W", options)
        alone, _ = story(served, "A", options)
        command = [sys.executable, "-m", "benches.page", served.port, options.watchers]
        with running([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(common.ROOT / "scripts")}) as tabs:
            if tabs.stdout.readline().strip() != "ready":
                sys.exit("bench: the watchers did not start")
            watched, last = story(served, "B", options)
            # A change is told within a fifth of a second; what was not told by now never will be.
            time.sleep(2)
            told = json.loads(tabs.communicate("done\n")[0])
        again, _ = story(served, "C", options)
    yield {
        "what": "watchers", "watchers": len(told), "runs": options.runs, "alone": alone, "watched": watched, "again": again,
        "ratio": round(watched["ms_per_step"] / ((alone["ms_per_step"] + again["ms_per_step"]) / 2), 3),
        "missed": sum(max(heard.get("run:" + run, 0), heard.get("*", 0)) < at for heard in told for run, at in last.items()),
    }


def center(binary, place, options):
    """The center, made; its directory."""
    site = place / "site"
    subprocess.run([binary, "demo", "--big", "--dir", site, "--specimens", str(options.template), "--quiet"], check=True, capture_output=True)
    (site / "long.yaml").write_text(workflow("reanalysis", STEPS))
    with Served(binary, site) as served:
        marks = ",".join("?" * len(history.ENDED))
        found = served.ask(f"select distinct specimen_id from order_line where stage in ({marks})", *history.ENDED)
        (site / "long.csv").write_text("specimen\n" + "".join(f"{one}\n" for one, in found))
        served.kentai("submit", "--wait", "--quiet", site / "long.yaml", "--sheet", site / "long.csv")
    history.multiply(site / "kentai.db", options.specimens, lambda text: print(f"bench: {text}", file=sys.stderr))
    return site


def options(kinds):
    one = kinds.add_parser("page", help="the page at a center with a past", description=__doc__)
    one.add_argument("--specimens", type=int, default=100_000)
    one.add_argument("--template", type=int, default=240, metavar="N", help="order lines of the demonstration that is copied (240)")
    one.add_argument("--users", type=int, default=50)
    one.add_argument("--pause", type=float, default=2.0, metavar="S")
    one.add_argument("--warm", type=float, default=20.0, metavar="S")
    one.add_argument("--seconds", type=float, default=60.0, metavar="S")
    one.add_argument("--watchers", type=int, default=1_000)
    one.add_argument("--runs", type=int, default=1_000)
    one.add_argument("--only", choices=["pages", "watchers"])
    one.add_argument("--site", type=pathlib.Path, help="a center that --keep left")
    one.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="make the center here and leave it")
    one.set_defaults(run=run)
    return one


def run(options):
    binary = common.ROOT / "target/x86_64-unknown-linux-gnu/release/kentai"
    common.ensure("build_release")
    say = lambda figures: print(json.dumps({"bench": "page"} | figures), flush=True)  # noqa: E731
    with tempfile.TemporaryDirectory(prefix="kentai-bench-") as place:
        place = pathlib.Path(place)
        if options.only != "watchers":
            site = options.site or center(binary, options.keep or place, options)
            with Served(binary, site) as served:
                tables = ("order_line", "run", "step", "attempt", "event")
                counts = {table: served.ask(f"select count(*) from {table}")[0][0] for table in tables}
                mib = (site / "kentai.db").stat().st_size >> 20
                say({"what": "center"} | counts | {"database_mib": mib, "started_s": round(served.started_s, 1)})
                say({"what": "pages", "users": options.users, "pause_s": options.pause} | asyncio.run(users(served, options)))
        if options.only != "pages":
            for figures in watchers(binary, place, options):
                say(figures)


if __name__ == "__main__":
    watch_main(*sys.argv[1:])
