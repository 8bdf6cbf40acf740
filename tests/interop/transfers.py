"""What the tests of zone transfers share: our group with a TSIG key, zones as sets of records, random changes."""
import random

import dns.name
import dns.query
import dns.rdatatype
import dns.tsigkeyring
import dns.zone
from harness import ZONES_URL, Group, http, wait_until
from peers import Client, Key, Remote

FOLLOW_S = 60.0


def keyring(key):
    return dns.tsigkeyring.from_text({key.name: (key.algorithm, key.secret)})


def records(ip, port, zone, key=None, timeout_s=20.0):
    """The zone as who may transfer it gets it: a set of (owner, type, TTL, rdata)."""
    options = {"keyring": keyring(key), "keyname": key.name, "keyalgorithm": key.algorithm} if key else {}
    found = set()
    for message in dns.query.xfr(ip, zone, port=port, timeout=timeout_s, lifetime=timeout_s, relativize=False, **options):
        for rrset in message.answer:
            owner = rrset.name.to_text().lower()
            for rdata in rrset:
                found.add((owner, dns.rdatatype.to_text(rrset.rdtype), rrset.ttl, rdata.to_text()))
    return found


def ours(replica, zone, key):
    return records(replica.ip, replica.ports["dns"], zone, key)


def zone_url(replica, zone):
    return f"{replica.url}{ZONES_URL}/{zone}"


def succeed(reply, *statuses):
    assert reply is not None and reply.status_code in (statuses or (200, 201, 204)), reply and reply.text
    return reply


class Transfers:
    """A group that serves `zones`, and has `key`."""

    def __init__(self, directory, zones=("example.org.",)):
        self.key = Key.new("transfer.example.")
        directory.mkdir(parents=True, exist_ok=True)
        self.group = Group(directory, zones=zones)

    def __enter__(self):
        self.group.start()
        wait_until(lambda: (self.group.leader().group_status() or {}).get("feature_level", 0) >= 3,
                   "the group knows that all its programs can do this", 60)
        succeed(http("POST", self.group.leader().url + "/api/v1/servers/localhost/tsigkeys",
                     json={"name": self.key.name, "algorithm": self.key.algorithm, "key": self.key.secret}))
        return self

    def __exit__(self, *_):
        self.group.stop()

    @property
    def replicas(self):
        return self.group.replicas

    def alive(self):
        return [r for r in self.replicas if r.child.is_running()]

    def as_primaries(self, tls=False):
        """Ours, as another server's configuration names them."""
        return [Remote(r.ip, r.ports["dns"], self.key, tls) for r in self.replicas]

    def client(self):
        return Client(self.key)

    def set(self, zone, **settings):
        body = {name.replace("_", "-"): value for name, value in settings.items()}
        reply = wait_until(lambda: self._try_set(zone, body), f"{zone} takes {body}", FOLLOW_S)
        succeed(reply)

    def _try_set(self, zone, body):
        reply = http("PATCH", zone_url(random.choice(self.alive()), zone) + "/settings", json=body)
        return reply if reply is not None and reply.status_code < 500 else None

    def remote(self, server):
        return f"{server.ip}@{server.port}+key:{self.key.name}"

    def serial(self, zone):
        for replica in self.alive():
            reply = http("GET", zone_url(replica, zone) + "?rrsets=false", 2.0)
            if reply is not None and reply.status_code == 200:
                return reply.json()["serial"]
        return None


def random_rrset(dice, zone):
    names = [f"h{n}" for n in range(30)] + ["a.b.c", "*.wild", "MiXed"]
    name = f"{dice.choice(names)}.{zone}"
    if dice.random() < 0.25:
        return {"name": name, "type": dice.choice(["A", "TXT", "AAAA"]), "changetype": "DELETE", "records": []}
    kind = dice.choice(["A", "AAAA", "TXT", "MX"])
    number = dice.randrange(1, 250)
    content = {"A": f"192.0.2.{number}", "AAAA": f"2001:db8::{number:x}", "TXT": f'"text {number}"',
               "MX": f"{number} mail.{zone}"}[kind]
    more = {"A": f"198.51.100.{number}", "AAAA": f"2001:db8:1::{number:x}", "TXT": f'"more {number}"',
            "MX": f"{number + 1} mail.{zone}"}[kind]
    contents = [content] + ([more] if dice.random() < 0.3 else [])
    return {"name": name, "type": kind, "ttl": dice.choice([60, 300]), "changetype": "REPLACE",
            "records": [{"content": c, "disabled": False} for c in contents]}


def change(transfers, zone, dice):
    """One random change at a random replica; again elsewhere if that one cannot just now."""
    rrsets = [random_rrset(dice, zone)]

    def attempt():
        replica = dice.choice(transfers.alive())
        reply = replica.patch(zone, rrsets, timeout_s=5.0)
        return reply is not None and reply.status_code < 500

    wait_until(attempt, "a replica takes the change", FOLLOW_S)


def wait_equal(transfers, zone, server, key):
    """`server` has, record by record, what we have."""
    def equal():
        try:
            mine = ours(transfers.alive()[0], zone, transfers.key)
            theirs = records(server.ip, server.port, zone, key)
        except Exception:  # not transferable just now
            return False
        return mine == theirs

    wait_until(equal, f"{type(server).__name__} has what we have of {zone}", FOLLOW_S)
