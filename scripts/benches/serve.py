"""The network door against nginx, on this machine's loopback, with curl; each pair one after the other, the order in turns.

Both serve the same file with the same certificate and TLS 1.3 with TLS_AES_256_GCM_SHA384 only; nginx has two workers and sendfile. Before
anything is timed, the bytes that both give are compared. One line of JSON for each thing measured:

  floor     MiB/s of `cat FILE`, of bytes through a loopback socket from memory to memory, of AES-256-GCM on one core (`openssl speed`)
  file, ranges, encrypted (plain and TLS)
            MiB/s, medians of --repeat pulls; `ratio` is ours over nginx's, of the medians, and of the pairs (median, lowest, highest);
            `cpu_s_per_gib`: processor time of the servers, which says most where others work on the machine; `cipher` as curl says.
            `ranges` are --ranges ranges over one connection. `encrypted` is an object as a receiver of Crypt4GH gets it: a header from
            memory and the body from the file, bytes that no server looks at; nginx serves the file itself
  memory    MiB of a fresh server: idle, and at most while --pulls slow pulls of the whole file are all under way; beside 64
  healthz   ms of 1,000 requests, each over a connection of its own: slowest and median, with nobody else there and with --stalled
            connections that sent half a header (`held`: how many the server still had; a full door closes the oldest)
"""
import concurrent.futures
import contextlib
import hashlib
import json
import os
import pathlib
import random
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

from benches import common
from benches.common import MIB, free_port, running

CIPHER = "TLS_AES_256_GCM_SHA384"
# A Crypt4GH header for one recipient, as `web/examples/serve.rs` puts it before the file.
HEADER_BYTES = 124
REQUESTS = 1_000
# The door takes 256 connections of one address; loopback has many.
PER_ADDRESS = 200
SLOW = "1M"

NGINX = """daemon off;
{user}worker_processes 2;
worker_rlimit_nofile {files};
pid {place}/nginx.pid;
error_log {place}/nginx.log;
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  sendfile on;
  default_type application/octet-stream;
  keepalive_requests 100000;
  client_body_temp_path {place}/t1; proxy_temp_path {place}/t2; fastcgi_temp_path {place}/t3;
  uwsgi_temp_path {place}/t4; scgi_temp_path {place}/t5;
  server {{
    listen 127.0.0.1:{plain};
    listen 127.0.0.1:{tls} ssl;
    ssl_certificate {place}/cert.pem;
    ssl_certificate_key {place}/key.pem;
    ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites {cipher};
    root {place}/root;
    location = /healthz {{ return 200 "ok\\n"; }}
  }}
}}
"""


def certificate(place):
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command += ["-keyout", place / "key.pem", "-out", place / "cert.pem"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def ours(place, tls):
    """Our server: its process and port."""
    command = [common.example("serve"), place / "root/file", *([place / "cert.pem", place / "key.pem"] if tls else [])]
    with running(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        said = process.stdout.readline()
        if not said:
            sys.exit("bench: our server did not start")
        yield process, int(said.rsplit(":", 1)[1])


@contextlib.contextmanager
def nginx(place):
    """nginx: its process, and its ports, plain and TLS."""
    ports = {"plain": free_port(), "tls": free_port()}
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    # Root's workers would be another user's, who may not read the temporary directory.
    user = "user root;\n" if os.geteuid() == 0 else ""
    text = NGINX.format(place=place, user=user, cipher=CIPHER, files=files, connections=min(files - 64, 8192), **ports)
    (place / "nginx.conf").write_text(text)
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    with running([program, "-p", place, "-c", place / "nginx.conf"], stderr=subprocess.DEVNULL) as process:
        for _ in range(500):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", ports["tls"])):
                break
            if process.poll() is not None:
                sys.exit("bench: nginx did not start: " + (place / "nginx.log").read_text(errors="replace")[-500:])
            time.sleep(0.02)
        yield process.pid, ports


class Pulls:
    """What curl is asked for in one mode."""

    def __init__(self, place, scheme, ranges):
        self.place, self.scheme, self.ranges = place, scheme, ranges

    def command(self, port, path):
        secure = ["--cacert", self.place / "cert.pem", "--tls13-ciphers", CIPHER] if self.scheme == "https" else []
        url = f"{self.scheme}://127.0.0.1:{port}/{path}"
        # Several transfers of one curl go over one connection; what follows --next needs its options again.
        parts = []
        for asked in self.ranges or [None]:
            parts += ["--next"] if parts else []
            parts += ["--silent", "--show-error", "--fail", *secure, *(["--range", asked] if asked else []), url]
        return ["curl", *parts]

    def digest(self, port, path):
        with subprocess.Popen(self.command(port, path), stdout=subprocess.PIPE) as curl:
            found, count = hashlib.sha256(), 0
            while chunk := curl.stdout.read(MIB):
                # Our encrypted object has a header more.
                found.update(chunk[max(0, self.skip(path) - count) :])
                count += len(chunk)
        if curl.returncode != 0:
            sys.exit(f"bench: curl ended with {curl.returncode}")
        return found.hexdigest()

    @staticmethod
    def skip(path):
        return HEADER_BYTES if path == "encrypted" else 0

    def cipher(self, port, path):
        one = Pulls(self.place, self.scheme, ["0-0"])
        said = subprocess.run([*one.command(port, path), "--verbose"], capture_output=True, check=True)
        return re.search(rb"SSL connection using (.*)", said.stderr).group(1).decode().strip()

    def rate(self, port, path, size):
        return size / MIB / common.seconds(self.command(port, path), stdout=subprocess.DEVNULL)


def compare(options, place, name, servers, scheme):
    """Pairs of pulls; the lines of the help text."""
    size, ranges, path = options.size * MIB, None, "file"
    if name == "ranges":
        generator, length = random.Random(7), size // options.ranges // 2
        starts = [generator.randrange(0, size - length) for _ in range(options.ranges)]
        ranges, size = [f"{start}-{start + length - 1}" for start in starts], length * options.ranges
    if name == "encrypted":
        path = "encrypted"
    pulls = Pulls(place, scheme, ranges)
    sides = {"ours": (servers["ours"][1], path), "nginx": (servers["nginx"][1], "file")}
    if len({pulls.digest(*side) for side in sides.values()}) != 1:
        sys.exit(f"bench: the two servers give different bytes ({name}, {scheme})")
    rates = {side: [] for side in sides}
    cpu = {side: -common.cpu_s(pid) for side, (pid, _) in servers.items()}
    for turn in range(options.repeat):
        for side in sorted(sides, reverse=turn % 2 == 0):
            rates[side].append(pulls.rate(*sides[side], size))
    for side, (pid, _) in servers.items():
        cpu[side] += common.cpu_s(pid)
    gib = options.repeat * size / 1024 / MIB
    pairs = sorted(one / other for one, other in zip(rates["ours"], rates["nginx"]))
    middle = {side: common.median(found) for side, found in rates.items()}
    return {
        "bench": "serve",
        "what": name,
        "over": "tls" if scheme == "https" else "plain",
        "mib": size // MIB,
        "ours_mib_s": round(middle["ours"]),
        "nginx_mib_s": round(middle["nginx"]),
        "ratio": round(middle["ours"] / middle["nginx"], 3),
        "ratio_pairs": [round(common.median(pairs), 3), round(pairs[0], 3), round(pairs[-1], 3)],
        "cpu_s_per_gib": {side: round(used / gib, 3) for side, used in cpu.items()},
        "cipher": {side: pulls.cipher(*sides[side]) for side in sides} if scheme == "https" else None,
    }


def loopback(size):
    """Seconds for so many bytes from memory to memory through a socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def give():
            with listener.accept()[0] as peer:
                chunk = bytes(MIB // 4)
                for _ in range(size // len(chunk)):
                    peer.sendall(chunk)

        giver = threading.Thread(target=give)
        giver.start()
        with socket.create_connection(listener.getsockname()) as taker:
            room, began = bytearray(MIB // 4), time.monotonic()
            while taker.recv_into(room):
                pass
            took = time.monotonic() - began
        giver.join()
    return took


def floors(options, place):
    said = subprocess.run(["openssl", "speed", "-evp", "aes-256-gcm", "-bytes", "16384", "-seconds", "1"], capture_output=True, text=True)
    aes = re.search(r"AES-256-GCM\s+([0-9.]+)k", said.stdout)
    rate = lambda took: round(options.size / took)  # noqa: E731
    return {
        "bench": "serve",
        "what": "floor",
        "cat_mib_s": rate(common.seconds(["cat", place / "root/file"], stdout=subprocess.DEVNULL)),
        "loopback_mib_s": rate(loopback(options.size * MIB)),
        "aes_256_gcm_mib_s": round(float(aes.group(1)) * 1000 / MIB) if aes else None,
    }


def connections(port):
    """Connections that this port has, on the server's side."""
    wanted = f":{port:04X}"
    rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(1 for row in rows if row[1].endswith(wanted) and row[3] == "01")


def memory(options, place, tls):
    """Idle, and with many slow pulls that are all under way when it is looked."""
    with ours(place, tls) as (process, port), contextlib.ExitStack() as stack:
        idle = common.status_kib(process.pid, "VmRSS")
        pulls = Pulls(place, "https" if tls else "http", None)
        command = [*pulls.command(port, "file"), "--limit-rate", SLOW]
        for _ in range(options.pulls):
            stack.enter_context(running(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        time.sleep(options.watch)
        at_once = connections(port)
        peak = common.status_kib(process.pid, "VmHWM")
    return {
        "bench": "serve",
        "what": "memory",
        "over": "tls" if tls else "plain",
        "pulls": options.pulls,
        "at_once": at_once,
        "idle_mib": round(idle / 1024, 1),
        "peak_mib": round(peak / 1024, 1),
        "more_mib": round((peak - idle) / 1024, 1),
        "below_64": peak - idle < 64 * 1024,
    }


def asked(port):
    """Milliseconds of one request over a connection of its own."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as peer:
        peer.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        answer = b""
        while chunk := peer.recv(4096):
            answer += chunk
    if not answer.startswith(b"HTTP/1.1 200") or not answer.endswith(b"ok\n"):
        sys.exit(f"bench: /healthz said {answer[:100]!r}")
    return 1000 * (time.monotonic() - began)


def stall(port, number):
    peer = socket.socket()
    peer.bind((f"127.0.1.{1 + number // PER_ADDRESS}", 0))
    peer.connect(("127.0.0.1", port))
    # A door that is full closes the oldest of these: that is no failure of ours.
    with contextlib.suppress(OSError):
        peer.sendall(b"GET /healthz HTTP/1.1\r\nhost: ")
    return peer


def healthz(name, port, stalled):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        peers = list(pool.map(lambda number: stall(port, number), range(stalled)))
    try:
        before = connections(port)
        times = [asked(port) for _ in range(REQUESTS)]
        held = min(before, connections(port))
    finally:
        for peer in peers:
            peer.close()
    return {
        "bench": "serve",
        "what": "healthz",
        "server": name,
        "stalled": stalled,
        "held": held if stalled else 0,
        "requests": REQUESTS,
        "median_ms": round(common.median(times), 3),
        "slowest_ms": round(max(times), 3),
    }


def raise_files(stalled):
    """Both ends of each connection lie on this machine, but in two processes."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < stalled + 256:
        print(f"bench: only {hard} files may be open: fewer stalled connections", file=sys.stderr)
        return max(0, hard - 256)
    return stalled


def tell(row):
    print(json.dumps({key: value for key, value in row.items() if value is not None}), flush=True)


def run(options):
    common.ensure("packages_bench")
    common.example("serve")
    stalled = raise_files(options.stalled)
    place = pathlib.Path(tempfile.mkdtemp(prefix="kentai-bench-"))
    try:
        (place / "root").mkdir()
        common.noise(place / "root/file", options.size)
        certificate(place)
        tell(floors(options, place))
        with nginx(place) as (pid, ports):
            for over, scheme in [("plain", "http"), ("tls", "https")]:
                with ours(place, over == "tls") as (process, port):
                    servers = {"ours": (process.pid, port), "nginx": (pid, ports[over])}
                    for name in ["file", "ranges", "encrypted"]:
                        tell(compare(options, place, name, servers, scheme))
            for tls in [False, True]:
                tell(memory(options, place, tls))
            with ours(place, False) as (_, port):
                for count in [0, stalled]:
                    tell(healthz("ours", port, count))
                    tell(healthz("nginx", ports["plain"], count))
    finally:
        shutil.rmtree(place, ignore_errors=True)


def options(kinds):
    one = kinds.add_parser("serve", help="bytes over the network, against nginx", description=__doc__)
    one.add_argument("--size", type=int, default=1024, metavar="MIB", help="of the file (1024)")
    one.add_argument("--repeat", type=int, default=7, help="pulls of each server in each mode (7)")
    one.add_argument("--ranges", type=int, default=64, help="ranges of one pull (64)")
    one.add_argument("--pulls", type=int, default=100, help="pulls at once while memory is looked at (100)")
    one.add_argument("--watch", type=float, default=10, metavar="SECONDS", help="so long (10)")
    one.add_argument("--stalled", type=int, default=5000, help="stalled connections beside /healthz (5000)")
    one.set_defaults(run=run)
    return one
