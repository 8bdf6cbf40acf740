"""Other people's name servers as children of the test: NSD, Knot, BIND and unbound with generated configuration.

Each server has a loopback address of its own, which no other run has, its files in a folder that the caller gives, and
ends with its `with` block or with this process. For example a BIND that is a secondary of one of our replicas:

    key = Key.new("transfer.example.")
    zone = Zone("example.org.", primaries=[Remote(replica.ip, 5300, key)])
    with Bind(tmp_path / "bind", [zone], keys=[key]) as bind:
        wait_until(lambda: bind.serial("example.org.") == 7, "BIND has serial 7")

and a Knot that is the primary of our zone, tells it of changes, and lets who has the key transfer:

    zone = Zone("example.net.", text, transfer=[Client(key)], notify=[Remote(replica.ip, 5300, key)])
"""
import base64
import itertools
import os
import shutil
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rdatatype

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests/cluster")]
import local_net  # noqa: E402
from harness import wait_until  # noqa: E402
from supervisor import Child, stop_all  # noqa: E402

PORT, TLS_PORT = 5300, 8530
LOOPBACK = "127.0.0.0/8"
START_S = 60.0


class _Addresses:
    """127.BASE.9.1 and on, always the same port; the base is this process's alone, as with every deployment of ours."""
    FIRST_PORT, PORTS_OF_BASE = 8000, 80  # the last one stays below those that the kernel gives to clients

    def __init__(self):
        self._numbers, self._ports = itertools.count(), itertools.count()
        self._base = self._reservation = None

    def _reserve(self):
        if self._base is None:
            self._base, self._reservation = local_net.choose_base(["peers"], 1)

    def take(self):
        self._reserve()
        number = next(self._numbers)
        return f"127.{self._base}.{9 + number // 250}.{1 + number % 250}"

    def take_port(self):
        """A port of 127.0.0.1 for a server that can listen on no other address."""
        self._reserve()
        for number in self._ports:
            port = self.FIRST_PORT + self._base * self.PORTS_OF_BASE + number % self.PORTS_OF_BASE
            if not any(local_net.taken(kind, "127.0.0.1", port) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)):
                return port


_addresses = _Addresses()
take_address = _addresses.take
take_port = _addresses.take_port


@dataclass(frozen=True)
class Key:
    """A TSIG key; `secret` is base64."""
    name: str
    secret: str
    algorithm: str = "hmac-sha256"

    @classmethod
    def new(cls, name, algorithm="hmac-sha256"):
        return cls(name, base64.b64encode(os.urandom(32)).decode(), algorithm)

    def for_dig(self):
        return f"{self.algorithm}:{self.name}:{self.secret}"


@dataclass(frozen=True)
class Remote:
    """A server that is asked or notified. `tls`: by DNS over TLS, whatever its certificate (BIND only)."""
    ip: str
    port: int = PORT
    key: Key | None = None
    tls: bool = False


@dataclass(frozen=True)
class Client:
    """Who may do something: who has the key, from that network."""
    key: Key | None = None
    net: str = LOOPBACK


@dataclass
class Zone:
    """A primary zone where there are `primaries` of none, else a secondary. `text`: zone file of a primary."""
    name: str
    text: str | None = None
    primaries: list = field(default_factory=list)  # Remote
    notify: list = field(default_factory=list)     # Remote: told of every change
    transfer: list = field(default_factory=list)   # Client: may transfer out
    notified_by: list = field(default_factory=list)  # Client: may notify a secondary; the primaries may always
    update: list = field(default_factory=list)     # Client: may send UPDATE (Knot and BIND)

    def file_name(self):
        return (self.name.rstrip(".").replace("/", "_").replace("\\", "_") or "root") + ".zone"


class Server:
    """One process in the foreground. Subclasses write the configuration and say how the program is called."""
    program = None
    reload_signal = 1  # SIGHUP

    def __init__(self, directory, zones=(), keys=(), ip=None, port=PORT, extra="", wrap=()):
        """`extra`: lines for the section of the server's own options. `wrap`: words before the command."""
        self.directory = Path(directory)
        self.zones, self.keys = list(zones), list(keys)
        self.ip, self.port, self.extra = ip or take_address(), port, extra
        self._wrap = list(wrap)
        self.child = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        for zone in self.zones:
            if zone.text is not None and not zone.primaries:
                self._write_zone(zone)
        self._write_config()
        name = Path(self.program).name
        self.child = Child(name, self._wrap + self._command(), self.directory / f"{name}.log")
        self.child.start()
        wait_until(self._is_up, f"{name} answers", START_S)

    def stop(self):
        if self.child:
            stop_all([self.child])
            self.child = None

    def log(self):
        return self.child.log_path.read_text(errors="replace")

    def change(self, zone, text):
        """Gives a primary zone new content, which the server reads at once; it notifies where it should."""
        zone.text = text
        self._write_zone(zone)
        self.reload()

    def reload(self):
        self._write_config()
        self.child.process.send_signal(self.reload_signal)

    def ask(self, name, rdtype="A", tcp=False, timeout_s=5.0, **options):
        query = dns.message.make_query(name, rdtype, **options)
        send = dns.query.tcp if tcp else dns.query.udp
        return send(query, self.ip, port=self.port, timeout=timeout_s)

    def serial(self, zone):
        """The serial that the server has of a zone; None when it has none (yet)."""
        try:
            reply = self.ask(zone, "SOA", timeout_s=1.0)
        except (dns.exception.DNSException, OSError):
            return None
        return next((rrset[0].serial for rrset in reply.answer if rrset.rdtype == dns.rdatatype.SOA), None)

    def answers(self, name, rdtype="A", **options):
        """The rdata of the answer as a set of texts; None when nobody answers."""
        try:
            reply = self.ask(name, rdtype, timeout_s=1.0, **options)
        except (dns.exception.DNSException, OSError):
            return None
        wanted = dns.rdatatype.from_text(rdtype)
        return {rdata.to_text() for rrset in reply.answer if rrset.rdtype == wanted for rdata in rrset}

    def _is_up(self):
        assert self.child.is_running(), f"{self.child.name} has ended:\n{self.log()[-3000:]}"
        try:  # any answer will do: the port is open and the server reads it
            self.ask(".", "SOA", timeout_s=0.5)
            self.ask(".", "SOA", timeout_s=0.5, tcp=True)
            return True
        except (dns.exception.DNSException, OSError, EOFError):
            return False

    def _write_zone(self, zone):
        path = self.directory / zone.file_name()
        beside = path.with_suffix(".new")
        beside.write_text(zone.text)
        os.replace(beside, path)

    def _write_config(self):
        (self.directory / "server.conf").write_text(self._config())

    def _executable(self):
        """The program; a copy of it where AppArmor would keep the original from files in our folder."""
        try:
            confined = Path("/sys/module/apparmor/parameters/enabled").read_text().startswith("Y")
        except OSError:
            confined = False
        if not confined:
            return self.program
        copy = self.directory / Path(self.program).name
        if not copy.exists():
            shutil.copy(self.program, copy)
        return str(copy)

    def _command(self):
        raise NotImplementedError

    def _config(self):
        raise NotImplementedError


class Nsd(Server):
    program = "/usr/sbin/nsd"

    def _command(self):
        return [self._executable(), "-d", "-c", str(self.directory / "server.conf")]

    def _config(self):
        d = self.directory
        text = f"""server:
  ip-address: {self.ip}@{self.port}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "{d}"
  database: ""
  pidfile: "{d}/nsd.pid"
  xfrdfile: "{d}/xfrd.state"
  xfrdir: "{d}"
  zonelistfile: "{d}/zone.list"
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
  hide-version: yes
  xfrd-reload-timeout: 0
  verbosity: 2
{self.extra}
remote-control:
  control-enable: no
"""
        for key in self.keys:
            text += f'key:\n  name: "{key.name}"\n  algorithm: {key.algorithm}\n  secret: "{key.secret}"\n'
        return text + "".join(self._zone(zone) for zone in self.zones)

    def _zone(self, zone):
        text = f'zone:\n  name: "{zone.name}"\n  zonefile: "{self.directory}/{zone.file_name()}"\n'
        if zone.notify or zone.primaries:
            text += f"  outgoing-interface: {self.ip}\n"
        for remote in zone.primaries:
            text += f"  request-xfr: {remote.ip}@{remote.port} {self._key(remote)}\n"
            text += f"  allow-notify: {remote.ip} {self._key(remote)}\n"
        for client in zone.notified_by:
            text += f"  allow-notify: {client.net} {self._key(client)}\n"
        for remote in zone.notify:
            text += f"  notify: {remote.ip}@{remote.port} {self._key(remote)}\n"
        for client in zone.transfer:
            text += f"  provide-xfr: {client.net} {self._key(client)}\n"
        return text

    @staticmethod
    def _key(who):
        return who.key.name if who.key else "NOKEY"


class Knot(Server):
    program = "/usr/sbin/knotd"

    def _command(self):
        return [self._executable(), "-c", str(self.directory / "server.conf")]

    def _config(self):
        d = self.directory
        text = f"""server:
    listen: {self.ip}@{self.port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    rundir: "{d}"
    identity: ""
    version: ""
{self.extra}
log:
  - target: stderr
    any: info
database:
    storage: "{d}"
    journal-db-max-size: 16M
    kasp-db-max-size: 16M
    timer-db-max-size: 16M
"""
        if self.keys:
            text += "key:\n"
        for key in self.keys:
            text += f"  - id: {key.name}\n    algorithm: {key.algorithm}\n    secret: {key.secret}\n"
        remotes, acls, zones = {}, {}, []
        for zone in self.zones:
            zones.append(self._zone(zone, remotes, acls))
        if remotes:
            text += "remote:\n"
        for remote, name in remotes.items():
            text += f"  - id: {name}\n    address: {remote.ip}@{remote.port}\n    via: {self.ip}\n"
            text += f"    key: {remote.key.name}\n" if remote.key else ""
        if acls:
            text += "acl:\n"
        for (action, client), name in acls.items():
            text += f"  - id: {name}\n    address: {client.net}\n    action: {action}\n"
            text += f"    key: {client.key.name}\n" if client.key else ""
        return text + "zone:\n" + "".join(zones)

    def _zone(self, zone, remotes, acls):
        def remote_ids(of):
            return ", ".join(remotes.setdefault(remote, f"remote{len(remotes)}") for remote in of)

        text = f'  - domain: "{zone.name}"\n    file: "{self.directory}/{zone.file_name()}"\n    zonefile-sync: -1\n'
        text += "    semantic-checks: off\n"
        if zone.primaries:
            text += f"    master: [{remote_ids(zone.primaries)}]\n"
        else:
            # A changed file becomes a difference in the journal, from which IXFR is served.
            text += "    zonefile-load: difference\n" if zone.transfer or zone.notify else "    journal-content: none\n"
        if zone.notify:
            text += f"    notify: [{remote_ids(zone.notify)}]\n"
        may = [("transfer", client) for client in zone.transfer] + [("update", client) for client in zone.update]
        may += [("notify", client) for client in zone.notified_by]
        may += [("notify", Client(remote.key, remote.ip)) for remote in zone.primaries]
        if may:
            text += f"    acl: [{', '.join(acls.setdefault(one, f'acl{len(acls)}') for one in may)}]\n"
        return text


class Bind(Server):
    """Listens only on addresses that an interface has, hence on 127.0.0.1 and a port of its own."""
    program = "/usr/sbin/named"

    def __init__(self, directory, zones=(), keys=(), ip=None, port=None, **options):
        super().__init__(directory, zones, keys, ip or "127.0.0.1", port or (PORT if ip else take_port()), **options)

    def _command(self):
        return [self._executable(), "-g", "-n", "1", "-c", str(self.directory / "server.conf")]

    def _config(self):
        d = self.directory
        text = f"""options {{
  directory "{d}";
  listen-on port {self.port} {{ {self.ip}; }};
  listen-on-v6 {{ none; }};
  pid-file none;
  session-keyfile "{d}/session.key";
  managed-keys-directory "{d}";
  recursion no;
  allow-query {{ any; }};
  allow-transfer {{ none; }};
  dnssec-validation no;
  empty-zones-enable no;
  notify no;
  max-zone-ttl unlimited;
  ixfr-from-differences yes;
  min-refresh-time 1;
  min-retry-time 1;
  transfer-source {self.ip};
  notify-source {self.ip};
  serial-query-rate 1000;
  notify-rate 1000;
  startup-notify-rate 1000;
  check-integrity no;
  check-names primary ignore;
  check-names secondary ignore;
{self.extra}
}};
controls {{ }};
"""
        for key in self.keys:
            text += f'key "{key.name}" {{ algorithm {key.algorithm}; secret "{key.secret}"; }};\n'
        return text + "".join(self._zone(zone) for zone in self.zones)

    def _zone(self, zone):
        kind = "secondary" if zone.primaries else "primary"
        text = f'zone "{zone.name}" {{\n  type {kind};\n  file "{self.directory}/{zone.file_name()}";\n'
        if zone.primaries:
            text += f"  primaries {{ {self._remotes(zone.primaries)} }};\n  masterfile-format text;\n"
            if zone.notified_by:
                text += f"  allow-notify {{ {self._clients(zone.notified_by)} }};\n"
        if zone.notify:
            text += f"  notify explicit;\n  also-notify {{ {self._remotes(zone.notify)} }};\n"
        if zone.transfer:
            text += f"  allow-transfer {{ {self._clients(zone.transfer)} }};\n"
        if zone.update:
            text += f"  allow-update {{ {self._clients(zone.update)} }};\n"
        return text + "};\n"

    @staticmethod
    def _remotes(remotes):
        return " ".join(f"{r.ip} port {r.port}" + (f' key "{r.key.name}"' if r.key else "")
                        + (" tls ephemeral" if r.tls else "") + ";" for r in remotes)

    @staticmethod
    def _clients(clients):
        # With a key, BIND's list cannot ask for the network as well but by a nested denial.
        return " ".join(f'{{ !{{ !{c.net}; any; }}; key "{c.key.name}"; }};' if c.key else f"{c.net};" for c in clients)


class Unbound(Server):
    """A resolver: `extra` has its server options (root-hints: and the like)."""
    program = "/usr/sbin/unbound"

    def _command(self):
        return [self._executable(), "-d", "-c", str(self.directory / "server.conf")]

    def _config(self):
        return f"""server:
  interface: {self.ip}@{self.port}
  directory: "{self.directory}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  num-threads: 1
  do-not-query-localhost: no
  do-ip6: no
  access-control: 127.0.0.0/8 allow
  module-config: "iterator"
  verbosity: 2
{self.extra}
remote-control:
  control-enable: no
"""
