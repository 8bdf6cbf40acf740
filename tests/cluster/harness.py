"""Real processes of `quorate`, and what the tests ask of them."""
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import dns.rdatatype
import requests

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import local_net  # noqa: E402
from supervisor import Child, stop_all  # noqa: E402

BUILD_DIR = Path(os.environ.get("QUORATE_BUILD_DIR", ROOT / "build/release")).resolve()
QUORATE = BUILD_DIR / "quorate"
PORTS = local_net.PORTS
ZONES_URL = "/api/v1/servers/localhost/zones"

# A proxy of the environment has no business between processes of one machine.
session = requests.Session()
session.trust_env = False


def wait_until(condition, what, timeout_s=30.0):
    """Gives the first true value of `condition`, asked again and again."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"gave up after {timeout_s} s waiting until {what}"
        time.sleep(0.02)


def quorate(*arguments, input_text=None, timeout_s=60, env=None):
    """Runs the command line to its end; the caller judges `returncode`."""
    return subprocess.run([str(QUORATE), *map(str, arguments)], input=input_text, capture_output=True, text=True,
                          timeout=timeout_s, env={**os.environ, **(env or {})}, check=False)


def host_port(ip, port):
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def http(method, url, timeout_s=10.0, **options):
    """The response, or None when nothing answers."""
    try:
        return session.request(method, url, timeout=timeout_s, **options)
    except requests.RequestException:
        return None


def ask(ip, name, rdtype="A", tcp=False, timeout_s=5.0, port=PORTS["dns"], **options):
    query = dns.message.make_query(name, rdtype, **options)
    send = dns.query.tcp if tcp else dns.query.udp
    return send(query, ip, port=port, timeout=timeout_s)


def answers(ip, name, rdtype="A", **options):
    """The rdata of the answer as a set of texts; None when nobody answers."""
    try:
        reply = ask(ip, name, rdtype, **options)
    except (dns.exception.Timeout, OSError):
        return None
    return {rdata.to_text() for rrset in reply.answer if rrset.rdtype == dns.rdatatype.from_text(rdtype)
            for rdata in rrset}


class Replica:
    """One `quorate serve` process; may be killed and started again on its data."""

    def __init__(self, name, ip, data, log, arguments, ports=None, prefix=()):
        self.name, self.ip, self.data, self.ports = name, ip, Path(data), ports or PORTS
        command = [*prefix, str(QUORATE), "serve", "--data", str(data), *arguments]
        for door, port in self.ports.items():
            command += [f"--listen-{door}", host_port(ip, port)]
        self.child = Child(name, command, log)

    @property
    def url(self):
        return "http://" + host_port(self.ip, self.ports["http"])

    @property
    def dns(self):
        return host_port(self.ip, self.ports["dns"])

    @property
    def etcd(self):
        return host_port(self.ip, self.ports["etcd"])

    def start(self):
        self.child.start()

    def kill9(self):
        self.child.process.kill()
        self.child.process.wait()

    def stop(self):
        stop_all([self.child])

    def pause(self):
        os.kill(self.child.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self.child.pid, signal.SIGCONT)

    def is_ready(self):
        reply = http("GET", self.url + "/readyz", 2.0)
        return reply is not None and reply.status_code == 200

    def is_leader(self):
        reply = http("GET", self.url + "/health/leader", 2.0)
        return reply is not None and reply.status_code == 200

    def patch(self, zone, rrsets, timeout_s=10.0, **headers):
        return http("PATCH", f"{self.url}{ZONES_URL}/{zone}", timeout_s, json={"rrsets": rrsets}, headers=headers)

    def ask(self, name, rdtype="A", **options):
        return ask(self.ip, name, rdtype, port=self.ports["dns"], **options)

    def answers(self, name, rdtype="A", **options):
        return answers(self.ip, name, rdtype, port=self.ports["dns"], **options)

    def metric(self, name):
        """A figure of /metrics without labels; None when nobody answers."""
        reply = http("GET", self.url + "/metrics", 2.0)
        if reply is None:
            return None
        return next((float(line.split()[1]) for line in reply.text.splitlines() if line.split()[0] == name), None)

    def group_status(self):
        reply = http("GET", self.url + "/api/v1/group", 2.0)
        return reply.json() if reply is not None and reply.status_code == 200 else None

    def set_record(self, zone, name, rdtype, content, ttl=60, **options):
        rrset = {"name": name, "type": rdtype, "ttl": ttl, "changetype": "REPLACE",
                 "records": [{"content": content, "disabled": False}]}
        return self.patch(zone, [rrset], **options)


class Group:
    """A static group: by default of 127.BASE.1.NUMBER on the same ports; `places` are (ip, ports) given instead.
    The last `learners` of them have no vote; `options` are more arguments of `serve`. Where given, `route(n, m)` is where
    member n reaches member m (a proxy), and `prefix(n)` the words before member n's command."""

    def __init__(self, directory, size=3, zones=("example.org.",), places=None, learners=0, options=(), route=None,
                 prefix=None, group_id=1):
        self._reservation = None
        if places is None:
            base, self._reservation = local_net.choose_base(["group"], size)
            places = [(f"127.{base}.1.{number}", PORTS) for number in range(1, size + 1)]
        route = route or (lambda _, to: host_port(places[to - 1][0], places[to - 1][1]["peer"]))
        numbers = range(1, len(places) + 1)
        voters = len(places) - learners
        self.replicas = []
        self.members = ",".join(f"{to}={route(1, to)}" for to in numbers)
        for number, (ip, ports) in zip(numbers, places):
            members = ",".join(f"{to}={route(number, to)}" + ("" if to <= voters else "/learner") for to in numbers)
            arguments = ["--group-id", str(group_id), "--group", "example", "--replica-id", str(number), "--members", members,
                         "--zones", ",".join(zones), *options]
            self.replicas.append(Replica(f"r{number}", ip, Path(directory) / f"r{number}",
                                         Path(directory) / f"r{number}.log", arguments, ports,
                                         prefix(number) if prefix else ()))

    def start(self, timeout_s=60.0):
        for replica in self.replicas:
            replica.start()
        self.wait_ready(timeout_s)

    def wait_ready(self, timeout_s=60.0):
        for replica in self.replicas:
            wait_until(lambda r=replica: r.is_ready() or self._complain_if_dead(r), f"{replica.name} is ready",
                       timeout_s)

    @staticmethod
    def _complain_if_dead(replica):
        assert replica.child.is_running(), f"{replica.name} has ended: {replica.child.last_words()}"
        return False

    def leader(self, timeout_s=30.0):
        return wait_until(lambda: next((r for r in self.replicas if r.is_leader()), None), "there is a leader",
                          timeout_s)

    def followers(self):
        leader = self.leader()
        return [r for r in self.replicas if r is not leader]

    def stop(self):
        for replica in self.replicas:
            if replica.child.is_running():
                replica.resume()
        stop_all([r.child for r in self.replicas])
        if self._reservation:
            self._reservation.close()


class Up:
    """A whole deployment by tools/up.py."""

    def __init__(self, directory, *arguments):
        self.directory = Path(directory)
        self.log = self.directory.parent / f"{self.directory.name}-up.log"
        self.command = [sys.executable, "-u", str(ROOT / "tools/up.py"), "--build-dir", str(BUILD_DIR), "--data",
                        str(directory), *arguments]
        self.process = None

    def start(self, timeout_s=120.0):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        wait_until(self._is_ready, "./dev up is ready", timeout_s)

    def _is_ready(self):
        assert self.process.poll() is None, f"./dev up ended:\n{self.output()}"
        return "\nTry:" in self.output()

    def output(self):
        return self.log.read_text(errors="replace")

    def endpoints(self):
        return json.loads((self.directory / "endpoints.json").read_text())

    @property
    def oracle(self):
        return self.endpoints()["oracle"]

    def region_names(self):
        return [region["name"] for region in self.endpoints()["regions"]]

    def group(self, name, region=0):
        """The endpoints of one group's replicas."""
        groups = self.endpoints()["regions"][region]["groups"]
        return next(g for g in groups if g["name"] == name)["replicas"]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def etcdctl(endpoint, *arguments, input_text=None, timeout_s=30):
    """Debian's etcdctl."""
    env = {**os.environ, "ETCDCTL_API": "3", "no_proxy": "*", "NO_PROXY": "*"}
    return subprocess.run(["etcdctl", "--endpoints", endpoint, *arguments], input=input_text, capture_output=True,
                          text=True, timeout=timeout_s, env=env, check=False)


def free_ports(ip, doors=tuple(PORTS)):
    """A port for each door that nobody has at this moment, for addresses of which there is only one (::1)."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    sockets = [socket.socket(family, socket.SOCK_STREAM) for _ in doors]
    for sock in sockets:
        sock.bind((ip, 0))
    ports = {door: sock.getsockname()[1] for door, sock in zip(doors, sockets)}
    for sock in sockets:
        sock.close()
    return ports


def ip_of(address):
    return address.rsplit(":", 1)[0].strip("[]")


def udp_exchange(ip, packet, timeout_s=1.0, port=PORTS["dns"]):
    """Sends raw bytes; the raw answer, or None for silence."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout_s)
        sock.sendto(packet, (ip, port))
        try:
            return sock.recvfrom(65535)[0]
        except socket.timeout:
            return None
