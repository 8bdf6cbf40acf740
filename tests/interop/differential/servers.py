"""The four servers, each with all zones of some worlds, and who has which zone."""
import concurrent.futures
import contextlib
import re
import socket
import subprocess

import dns.message
import dns.query
import dns.rdatatype

from peers import Bind, Knot, Nsd, Zone, take_address, wait_until
from harness import BUILD_DIR, PORTS, Replica, ZONES_URL, http

ASK = BUILD_DIR / "differential_ask"
UDP_SIZE = 1232


class Quorate:
    """A group of one replica; zones are imported as they are."""

    def __init__(self, directory, zones):
        ip = take_address()
        self.zones, self.ip, self.port = zones, ip, PORTS["dns"]
        directory.mkdir(parents=True)
        self.replica = Replica("quorate", ip, directory / "data", directory / "quorate.log", [
            "--group-id", "1", "--group", "compared", "--replica-id", "1", "--members", f"1={ip}:{PORTS['peer']}"])
        self.refused = {}  # apex -> what it said

    def start(self):
        self.replica.start()
        wait_until(self.replica.is_ready, "quorate is ready", 60)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for zone, reply in zip(self.zones, pool.map(self._import, self.zones)):
                assert reply is not None, f"no answer to the import of {zone.name}"
                if reply.status_code != 201:
                    self.refused[zone.name] = reply.text

    def _import(self, zone):
        body = {"name": zone.name, "kind": "Native", "zone": zone.text}
        return http("POST", f"{self.replica.url}{ZONES_URL}?rrsets=false", 30, json=body)

    def stop(self):
        self.replica.stop()


class LoadedNsd(Nsd):
    def start(self):
        super().start()  # it answers when all is loaded


class LoadedKnot(Knot):
    def start(self):
        super().start()
        done = re.compile(r"\] loaded, serial|zone event 'load' failed|failed to (?:load|parse) zone")
        names = re.compile(r"\[([^\]]+)\]")

        def settled():
            return len({names.search(line)[1] for line in self.log().splitlines() if done.search(line)})
        wait_until(lambda: settled() >= len(self.zones), "Knot has tried all zones", 120)


class LoadedBind(Bind):
    def start(self):
        super().start()
        wait_until(lambda: "all zones loaded" in self.log(), "BIND has tried all zones", 120)


@contextlib.contextmanager
def running(directory, zones):
    """All four with these (apex, text): name -> server."""
    def fresh():
        return [Zone(apex, text) for apex, text in zones]
    servers = {
        "quorate": Quorate(directory / "quorate", fresh()),
        "nsd": LoadedNsd(directory / "nsd", fresh(), extra=f"  ipv4-edns-size: {UDP_SIZE}\n  minimal-responses: no"),
        "knot": LoadedKnot(directory / "knot", fresh(), extra=f"    udp-max-payload-ipv4: {UDP_SIZE}"),
        "bind": LoadedBind(directory / "bind", fresh(), extra=f"""  minimal-responses no-auth; minimal-any yes;
  max-udp-size {UDP_SIZE}; rrset-order {{ order none; }}; answer-cookie no; zero-no-soa-ttl no;"""),
    }
    with contextlib.ExitStack() as stack:
        for server in servers.values():
            stack.callback(server.stop)
            server.start()
        yield servers


def who_has(servers, apexes):
    """name of the server -> apexes that it serves."""
    return {name: _serves(server, apexes) for name, server in servers.items()}


def _serves(server, apexes):
    out = set()
    for apex in apexes:
        query = dns.message.make_query(apex, "SOA")
        reply, _ = dns.query.udp_with_fallback(query, server.ip, 10, server.port)
        if any(rrset.rdtype == dns.rdatatype.SOA for rrset in reply.answer):
            out.add(apex)
    return out


def ask_all(servers, questions):
    """The questions (octets without the id) that are answered differently: number -> {names: octets or None}."""
    command = [str(ASK)] + [f"{name}={server.ip}:{server.port}" for name, server in servers.items()]
    done = subprocess.run(command, input="\n".join(q.hex() for q in questions) + "\n", capture_output=True, text=True,
                          timeout=3600, check=True)
    *lines, last = done.stdout.splitlines()
    assert last.startswith(f"asked {len(questions)} "), last
    out = {}
    for line in lines:
        number, *groups = line.split()
        split = (group.split("=") for group in groups)
        out[int(number)] = {tuple(names.split(",")): None if wire == "-" else bytes.fromhex(wire) for names, wire in split}
    return out


def ask_again_by_tcp(servers, question):
    """names -> octets or None, as ask_all has them."""
    return {(name,): _ask_by_tcp(server, b"\0\0" + question) for name, server in servers.items()}


def _ask_by_tcp(server, query):
    try:
        with socket.create_connection((server.ip, server.port), timeout=10) as sock, sock.makefile("rb") as answers:
            sock.sendall(len(query).to_bytes(2, "big") + query)
            size = int.from_bytes(answers.read(2), "big")
            return answers.read(size) or None
    except OSError:
        return None


def is_cut_short(wire):
    return wire is not None and len(wire) > 2 and bool(wire[2] & 2)
