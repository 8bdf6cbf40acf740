"""The peers that Quorate is measured beside: taken from Debian's packages, unpacked below build/, never installed."""

import os
import pathlib
import signal
import socket
import subprocess
import time

PACKAGES = ["nsd", "knot", "etcd-server"]
# Libraries that the unpacked servers need; the packages themselves would start daemons when installed.
LIBRARIES = ["libevent-2.1-7", "libfstrm0", "libprotobuf-c1", "liblmdb0", "libedit2", "libcap-ng0", "libmaxminddb0",
             "libsystemd0", "liburcu8", "libknot13", "libzscanner4", "libdnssec9"]


def fetch(root: pathlib.Path) -> pathlib.Path:
    """Unpacks the peers below `root` and returns the folder that has usr/."""
    unpacked = root / "root"
    if all((unpacked / p).exists() for p in ("usr/sbin/nsd", "usr/sbin/knotd", "usr/bin/etcd")):
        return unpacked
    root.mkdir(parents=True, exist_ok=True)
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    subprocess.run(sudo + ["apt-get", "install", "-y", "-q", "--no-install-recommends", *LIBRARIES], check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run(["apt-get", "download", *PACKAGES], cwd=root, check=True, stderr=subprocess.DEVNULL)
    for package in root.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, unpacked], check=True)
    return unpacked


def free_port(kind=socket.SOCK_DGRAM) -> int:
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Process:
    """A server of ours: pinned, logged, and ended with its context."""

    def __init__(self, command, log: pathlib.Path, cpu=None):
        self.command = [str(c) for c in command]
        self.log = log
        self.cpu = cpu

    def __enter__(self):
        pin = ["taskset", "-c", str(self.cpu)] if self.cpu is not None else []
        self.child = subprocess.Popen(pin + self.command, stdout=open(self.log, "ab"), stderr=subprocess.STDOUT,
                                      start_new_session=True)
        return self

    def __exit__(self, *_):
        os.killpg(self.child.pid, signal.SIGTERM)
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()

    def cpu_seconds(self) -> tuple[float, float]:
        """User and system seconds of the whole process group so far."""
        hz = os.sysconf("SC_CLK_TCK")
        user = system = 0
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue  # ended meanwhile
            if int(fields[2]) == self.child.pid:  # process group
                user += int(fields[11])
                system += int(fields[12])
        return user / hz, system / hz


def wait_until(what: str, condition, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise TimeoutError(f"not within {seconds} s: {what}")


def nsd(unpacked, work: pathlib.Path, zones: dict[str, pathlib.Path], port: int, cpu: int) -> Process:
    config = work / "nsd.conf"
    text = f"""server:
  ip-address: 127.0.0.1@{port}
  server-count: 1
  username: ""
  zonesdir: "{work}"
  database: ""
  pidfile: "{work}/nsd.pid"
  xfrdfile: "{work}/xfrd.state"
  zonelistfile: "{work}/zone.list"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
"""
    for name, path in zones.items():
        text += f'zone:\n  name: "{name}"\n  zonefile: "{path}"\n'
    config.write_text(text)
    return Process([unpacked / "usr/sbin/nsd", "-d", "-c", config], work / "nsd.log", cpu)


def knot(unpacked, work: pathlib.Path, zones: dict[str, pathlib.Path], port: int, cpu: int) -> Process:
    config = work / "knot.conf"
    text = f"""server:
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    rundir: "{work}"
database:
    storage: "{work}/knotdb"
zone:
"""
    for name, path in zones.items():
        text += f'  - domain: "{name}"\n    file: "{path}"\n    zonefile-sync: -1\n'
    config.write_text(text)
    return Process([unpacked / "usr/sbin/knotd", "-c", config], work / "knot.log", cpu)


def etcd_cluster(unpacked, work: pathlib.Path, ports: list[tuple[int, int]]) -> list[Process]:
    members = ",".join(f"m{i}=http://127.0.0.1:{peer}" for i, (_, peer) in enumerate(ports))
    processes = []
    for i, (client, peer) in enumerate(ports):
        processes.append(Process(
            [unpacked / "usr/bin/etcd", "--name", f"m{i}", "--data-dir", work / f"etcd{i}",
             "--listen-client-urls", f"http://127.0.0.1:{client}", "--advertise-client-urls", f"http://127.0.0.1:{client}",
             "--listen-peer-urls", f"http://127.0.0.1:{peer}", "--initial-advertise-peer-urls",
             f"http://127.0.0.1:{peer}", "--initial-cluster", members, "--initial-cluster-state", "new",
             "--logger", "zap", "--log-outputs", "stderr"], work / f"etcd{i}.log"))
    return processes
