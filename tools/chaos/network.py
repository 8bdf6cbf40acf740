"""Where the members of a group are, how they reach each other, and links between them that are cut one way.

Members are numbers from 1. Two networks with the same methods: Namespaces (root only) and Loopback."""
import ctypes
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import local_net
from delay_proxy import Control
from supervisor import Child, stop_all

TOOLS = Path(__file__).resolve().parent.parent
PORTS = local_net.PORTS
PLACES_MAX = 60  # of one group, those of members that were replaced among them
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class CannotRun(Exception):
    """A run is not possible as asked for; the text says why."""


def _leave_network():
    if _libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare: " + os.strerror(ctypes.get_errno()))


def _run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotRun(f"`{' '.join(map(str, words))}` says: {done.stderr.strip()}")


def _setting(name, value, prefix=()):
    _run(*prefix, "sh", "-c", f"echo {value} > /proc/sys/net/ipv4/{name}")


def enter_private_network():
    """Takes this process into a network of its own, before it starts threads."""
    _leave_network()
    _run("ip", "link", "set", "lo", "up")
    _setting("ip_forward", 1)
    _run("ip", "route", "del", "local", "127.0.0.0/8", "dev", "lo", "table", "local")
    _run("ip", "address", "add", "127.77.0.1/32", "dev", "lo")


def why_no_namespaces():
    """Tries all that Namespaces needs, in a process that ends with it. None: it works here."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            enter_private_network()
            network = Namespaces(None, 2)
            network.cut(1, 2)
            network.heal()
        except (OSError, CannotRun) as error:
            os.write(writing, str(error).encode()[:4096])
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        why = said.read()
    os.waitpid(child, 0)
    return why or None


class Namespaces:
    """Each member in a namespace of its own with one link to this process's, which routes between them. A cut is a rule of
    the router that drops what goes from one member to another. All of it is gone when this process is.

    Addresses are of 127.0.0.0/8, as the product asks for TLS elsewhere; so none of these namespaces has that loopback net."""

    def __init__(self, _directory, size):
        self.size = size
        self._cuts = set()
        self._files = {}
        for member in range(1, size + 1):
            self._add(member)

    def add(self):
        """A place for one more member; its number. None: there are no more."""
        if self.size == PLACES_MAX:
            return None
        self.size += 1
        self._add(self.size)
        return self.size

    def _add(self, member):
        self._files[member] = self._new_namespace()
        link, inside = f"member{member}", self.prefix(member)
        _run("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns",
             f"/proc/{os.getpid()}/fd/{self._files[member]}")
        _setting(f"conf/{link}/route_localnet", 1)
        _setting(f"conf/{link}/proxy_arp", 1)
        _setting(f"neigh/{link}/proxy_delay", 0)
        _run("ip", "link", "set", link, "up")
        _run("ip", "route", "add", self._ip(member), "dev", link, "src", "127.77.0.1")
        _run(*inside, "ip", "link", "set", "lo", "up")
        _run(*inside, "ip", "route", "del", "local", "127.0.0.0/8", "dev", "lo", "table", "local")
        _setting("conf/eth0/route_localnet", 1, inside)
        _run(*inside, "ip", "address", "add", f"{self._ip(member)}/32", "dev", "eth0")
        _run(*inside, "ip", "link", "set", "eth0", "up")
        _run(*inside, "ip", "route", "add", "default", "dev", "eth0", "src", self._ip(member))

    @staticmethod
    def _new_namespace():
        """A descriptor that keeps it. Made by a thread, as a thread can be elsewhere than its process."""
        made = []

        def make():
            _leave_network()
            made.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY))

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        if not made:
            raise CannotRun("a network namespace could not be made")
        return made[0]

    @staticmethod
    def _ip(member):
        return f"127.77.1.{member}"

    def place(self, member):
        return self._ip(member), PORTS

    def route(self, _source, destination):
        return f"{self._ip(destination)}:{PORTS['peer']}"

    def prefix(self, member):
        return ["nsenter", f"--net=/proc/{os.getpid()}/fd/{self._files[member]}"]

    def cut(self, source, destination):
        rule = ("from", self._ip(source), "to", self._ip(destination), "type", "blackhole")
        if rule not in self._cuts:
            _run("ip", "rule", "add", *rule)
            self._cuts.add(rule)

    def heal(self):
        for rule in self._cuts:
            _run("ip", "rule", "del", *rule)
        self._cuts.clear()

    def close(self):
        self.heal()
        for member, descriptor in self._files.items():
            _run("ip", "link", "del", f"member{member}")
            os.close(descriptor)

    def describe(self):
        return "in network namespaces"


class Loopback:
    """Members on loopback addresses, each link through a port of the delaying proxy. Members that are added later are reached
    where they say they are: their links are not cut."""

    def __init__(self, directory, size):
        self.size = self._first = size
        self._base, self._reservation = local_net.choose_base(["group", "proxy"], PLACES_MAX)
        plan, control = directory / "proxy.plan", directory / "proxy.control"
        plan.write_text("".join(f"route {a} {b} {self.route(a, b)} {self._peer(b)}\n"
                                for a in range(1, size + 1) for b in range(1, size + 1) if a != b))
        self._child = Child("proxy", [sys.executable, str(TOOLS / "delay_proxy.py"), "serve", str(control), str(plan)],
                            directory / "proxy.log")
        self._child.start()
        deadline = time.monotonic() + 30
        while not control.exists():
            if time.monotonic() > deadline or not self._child.is_running():
                raise CannotRun(f"the proxy did not start: {self._child.last_words()}")
            time.sleep(0.02)
        self._control = Control(control)

    def _ip(self, member):
        return f"127.{self._base}.1.{member}"

    def _peer(self, member):
        return f"{self._ip(member)}:{PORTS['peer']}"

    def add(self):
        if self.size == PLACES_MAX:
            return None
        self.size += 1
        return self.size

    def place(self, member):
        return self._ip(member), PORTS

    def route(self, source, destination):
        if source == destination or max(source, destination) > self._first:
            return self._peer(destination)
        return f"127.{self._base}.2.{destination}:{PORTS['peer'] + 100 + source}"

    def prefix(self, _member):
        return []

    def cut(self, source, destination):
        if max(source, destination) <= self._first:
            self._control.cut(str(source), str(destination))

    def heal(self):
        self._control.heal()

    def close(self):
        stop_all([self._child])
        self._reservation.close()

    def describe(self):
        return "on loopback, behind a proxy"
