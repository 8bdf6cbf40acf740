"""TSIG keys of a group, and the stock programs that sign with them."""
import socket
import subprocess
from dataclasses import dataclass

import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.tsig
import dns.tsigkeyring
import dns.update

from harness import http, wait_until

KEYS_URL = "/api/v1/servers/localhost/tsigkeys"
ALGORITHMS = ["hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"]


@dataclass(frozen=True)
class Key:
    """`secret` is base64."""
    name: str
    secret: str
    algorithm: str = "hmac-sha256"

    @property
    def argument(self):
        """What `nsupdate -y` and `knsupdate -y` take."""
        return f"{self.algorithm}:{self.name}:{self.secret}"

    def ring(self):
        name = "hmac-md5.sig-alg.reg.int" if self.algorithm == "hmac-md5" else self.algorithm
        key = dns.tsig.Key(self.name, self.secret, dns.name.from_text(name))
        return {key.name: key}


def make_key(replica, name, algorithm="hmac-sha256", grants=()):
    """A new key of the group, once it can be made: the group first learns that all its members know of keys."""
    def made():
        reply = http("POST", replica.url + KEYS_URL,
                     json={"name": name, "algorithm": algorithm, "grants": list(grants)})
        if reply is None or reply.status_code >= 500:
            return None
        assert reply.status_code == 201, reply.text
        return Key(name, reply.json()["key"], algorithm)
    return wait_until(made, f"the key {name} is made", 60)


def _update(program, options, replica, zone, lines, key):
    signed = ["-y", key.argument] if key else []
    script = [f"server {replica.ip} {replica.ports['dns']}", f"zone {zone}", *lines, "send", "quit"]
    return subprocess.run([program, *options, *signed], input="\n".join(script) + "\n", capture_output=True,
                          text=True, timeout=90, check=False)


def nsupdate(replica, zone, lines, key=None, tcp=False):
    """BIND's. `returncode` is not 0 for every response code but NOERROR, which is then in `stderr`."""
    return _update("nsupdate", ["-v"] if tcp else [], replica, zone, lines, key)


def knsupdate(replica, zone, lines, key=None, tcp=False):
    """Knot's."""
    return _update("knsupdate", ["-v"] if tcp else [], replica, zone, lines, key)


def change(zone, key=None):
    """A dnspython UPDATE, signed when it is sent."""
    message = dns.update.UpdateMessage(zone)
    if key:
        message.use_tsig(key.ring())
    return message


def exchange(replica, message, tcp=True, timeout_s=10.0):
    """The answer, its signature verified where the request had one."""
    send = dns.query.tcp if tcp else dns.query.udp
    return send(message, replica.ip, port=replica.ports["dns"], timeout=timeout_s)


def exchange_wire(replica, wire, timeout_s=10.0):
    """For octets that are sent again: the response code, or None when nobody answers."""
    try:
        with socket.create_connection((replica.ip, replica.ports["dns"]), timeout=timeout_s) as connection:
            connection.settimeout(timeout_s)
            connection.sendall(len(wire).to_bytes(2, "big") + wire)
            received = b""
            while len(received) < 2 or len(received) < 2 + int.from_bytes(received[:2], "big"):
                more = connection.recv(65536)
                if not more:
                    return None
                received += more
    except OSError:
        return None
    return dns.rcode.Rcode(received[2 + 3] & 0xf)
