"""Clients that put a group under load and write down what they were told, for tests and for `./dev chaos`.

A *step* is called again and again by a thread of `Clients`; it does one operation and adds it to a `History`, which
quorate-lincheck judges, or to a `Journal` of records that must be found again."""
import json
import random
import subprocess
import threading
import time
import uuid
from collections import Counter

import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype

from etcd_door import CallFailed, EtcdDoor
from harness import BUILD_DIR, ZONES_URL, http, udp_exchange, wait_until

LINCHECK = BUILD_DIR / "quorate-lincheck"
ZONE = "example.org."
KEYS = 4              # of each kind: few, so that operations meet
READ_PAUSE_S = 0.002  # the replicas shall have the machine too
REFUSED_PAUSE_S = 0.02
WRITE_TIMEOUT_S = 7.0  # longer than a door waits


class History:
    """What clients did, as docs/testing.md says. Any thread."""

    def __init__(self):
        self.lock = threading.Lock()
        self.operations = []

    def add(self, process, op, key, value, call_ns, outcome):
        return_ns = time.monotonic_ns() if outcome != "unknown" else None
        with self.lock:
            self.operations.append({"process": process, "op": op, "key": key, "value": value, "call_ns": call_ns,
                                    "return_ns": return_ns, "outcome": outcome})

    def count(self, *, process=None, ops=("write", "delete")):
        with self.lock:
            return sum(1 for o in self.operations if o["outcome"] == "ok" and o["op"] in ops and
                       process in (None, o["process"]))

    def judge(self, path):
        """(whether it is linearizable, what quorate-lincheck says). The history is kept at `path`."""
        with open(path, "w", encoding="utf-8") as out:
            for operation in self.operations:
                out.write(json.dumps(operation) + "\n")
        verdict = subprocess.run([LINCHECK, path], capture_output=True, text=True, timeout=300, check=False)
        return verdict.returncode == 0, verdict.stdout + verdict.stderr


class Journal:
    """Records that were acknowledged, each of a name of its own, so that none hides the loss of another. Any thread."""

    def __init__(self):
        self.acknowledged = {}  # owner -> text
        self.written = Counter()  # by process
        self.failed = []        # writes that no attempt brought through, and why
        self.repeated = 0
        self.slowest_s = 0.0

    def lost(self, replica, timeout_s=60.0):
        """What the replica does not answer as acknowledged: [(owner, what it answers)]."""
        found = ((owner, text, definite_answer(replica, owner, timeout_s))
                 for owner, text in list(self.acknowledged.items()))
        return [(owner, answer) for owner, text, answer in found if answer != {text}]


def definite_answer(replica, owner, timeout_s):
    """The texts at `owner`. A replica that cannot answer just now is asked again."""
    def texts():
        try:
            reply = replica.ask(owner, "TXT", timeout_s=2.0)
        except (dns.exception.Timeout, OSError):
            return None
        return reply if reply.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN) else None
    reply = wait_until(texts, f"{replica.name} answers for {owner}", timeout_s)
    return {rdata.strings[0].decode() for rrset in reply.answer if rrset.rdtype == dns.rdatatype.TXT for rdata in rrset}


class Clients:
    """Threads, each a process of the history; an exception of any is a fault of the test."""

    def __init__(self, seed):
        self.seed = seed
        self.stop = threading.Event()
        self.threads = []
        self.faults = []

    def start(self, step):
        """Calls step(process number, its own generator) again and again. Gives the number."""
        process = len(self.threads)

        def run():
            rng = random.Random(self.seed + process)
            try:
                while not self.stop.is_set():
                    step(process, rng)
            except Exception as error:  # noqa: BLE001
                self.faults.append(repr(error))

        self.threads.append(threading.Thread(target=run, daemon=True))
        self.threads[-1].start()
        return process

    def finish(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "a client hangs"


def dns_reader(history, replica, zone=ZONE, pause_s=READ_PAUSE_S):
    """By UDP, with bytes that dnspython makes and reads. Only a definite answer goes into the history."""
    def step(process, rng):
        name = f"k{rng.randrange(KEYS)}.{zone}"
        query = dns.message.make_query(name, "TXT")
        call_ns = time.monotonic_ns()
        octets = udp_exchange(replica.ip, query.to_wire(), 0.5, replica.ports["dns"])
        if octets:
            reply = dns.message.from_wire(octets)
            assert reply.id == query.id
            if reply.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                texts = [rdata.strings[0].decode() for rrset in reply.answer
                         if rrset.rdtype == dns.rdatatype.TXT for rdata in rrset]
                history.add(process, "read", f"dns {name}", texts[0] if texts else None, call_ns, "ok")
        time.sleep(pause_s)
    return step


def etcd_reader(history, replica, prefix="", pause_s=READ_PAUSE_S):
    door = EtcdDoor(replica.etcd, timeout_s=1.0)

    def step(process, rng):
        key = f"{prefix}k{rng.randrange(KEYS)}"
        call_ns = time.monotonic_ns()
        try:
            history.add(process, "read", f"etcd {key}", door.get(key), call_ns, "ok")
        except CallFailed:
            time.sleep(REFUSED_PAUSE_S)
        time.sleep(pause_s)
    return step


def outcome_of(reply):
    """Of a write by HTTP: ok; fail, when the door says that nothing was changed; or unknown."""
    if reply is not None and reply.status_code == 204:
        return "ok"
    if reply is not None and reply.status_code in (503, 507):
        return "fail"
    assert reply is None or reply.status_code == 504, reply.text
    return "unknown"


def change(name, value, *, deletes=False):
    return [{"name": name, "type": "TXT", "ttl": 1, "changetype": "DELETE" if deletes else "REPLACE",
             "records": [] if deletes else [{"content": f'"{value}"', "disabled": False}]}]


def dns_writer(history, group, zone=ZONE, pause_s=0.0):
    """One attempt each at a random replica: what a door says of the outcome is part of the history."""
    count = iter(range(10**9))

    def step(process, rng):
        name, value, deletes = f"k{rng.randrange(KEYS)}.{zone}", f"{process}-{next(count)}", rng.random() < 0.1
        call_ns = time.monotonic_ns()
        outcome = outcome_of(rng.choice(group.replicas).patch(zone, change(name, value, deletes=deletes),
                                                              WRITE_TIMEOUT_S))
        history.add(process, "delete" if deletes else "write", f"dns {name}", None if deletes else value, call_ns,
                    outcome)
        time.sleep(pause_s if outcome == "ok" else REFUSED_PAUSE_S)
    return step


class Doors:
    """One client's connections to the etcd doors of a group whose members may change."""

    def __init__(self, group):
        self.group, self.by_address = group, {}

    def any(self, rng):
        address = rng.choice(self.group.replicas).etcd
        if address not in self.by_address:
            self.by_address[address] = EtcdDoor(address, timeout_s=WRITE_TIMEOUT_S)
        return self.by_address[address]


def etcd_writer(history, group, prefix="", pause_s=0.0):
    doors, count = Doors(group), iter(range(10**9))

    def step(process, rng):
        key, value = f"{prefix}k{rng.randrange(KEYS)}", f"{process}-{next(count)}"
        call_ns, outcome = time.monotonic_ns(), "ok"
        try:
            doors.any(rng).put(key, value)
        except CallFailed as failure:
            outcome = "unknown" if failure.sent else "fail"
            time.sleep(REFUSED_PAUSE_S)
        history.add(process, "write", f"etcd {key}", value, call_ns, outcome)
        time.sleep(pause_s)
    return step


def ballast_writer(group, prefix="", size=8000, pause_s=0.05):
    """Puts of some size to few keys, so that logs grow, end and are cut; nobody looks at them."""
    doors = Doors(group)

    def step(_process, rng):
        try:
            doors.any(rng).put(f"{prefix}ballast{rng.randrange(KEYS)}", "b" * size)
        except CallFailed:
            time.sleep(REFUSED_PAUSE_S)
        time.sleep(pause_s)
    return step


def write_until_known(group, rng, zone, rrsets, attempts, retry_pause_s):
    """Sends one change under one idempotency key until it is acknowledged or `attempts` are used up: again to the same door
    if that does not know the outcome, to another if it did not take the change. Gives (outcome, what each door said)."""
    key, replica, said = str(uuid.uuid4()), rng.choice(group.replicas), []
    known = "fail"
    for _ in range(attempts):
        reply = replica.patch(zone, rrsets, WRITE_TIMEOUT_S, **{"Idempotency-Key": key})
        outcome = outcome_of(reply)
        said.append(f"{replica.name}: {reply.status_code} {reply.text}" if reply is not None else
                    f"{replica.name}: no answer")
        if outcome == "ok":
            return "ok", said
        if outcome == "unknown":
            known = "unknown"
        if reply is None or outcome == "fail":
            replica = rng.choice([r for r in group.replicas if r is not replica])
        time.sleep(retry_pause_s)
    return known, said


def journal_writer(journal, group, zone=ZONE, *, attempts=2, retry_pause_s=0.3, pause_s=0.0):
    """New names, each written under an idempotency key in at most `attempts` attempts."""
    count = iter(range(10**9))

    def step(process, rng):
        owner, text = f"n{next(count)}.w{process}.{zone}", f"{process}-{rng.randrange(10**9)}"
        started = time.monotonic()
        outcome, said = write_until_known(group, rng, zone, change(owner, text), attempts, retry_pause_s)
        journal.repeated += len(said) > 1
        journal.slowest_s = max(journal.slowest_s, time.monotonic() - started)
        if outcome == "ok":
            journal.acknowledged[owner] = text
            journal.written[process] += 1
        else:
            journal.failed.append(f"{owner} after {time.monotonic() - started:.1f} s: {outcome}: {said[-10:]}")
        time.sleep(pause_s)
    return step


def retrying_dns_writer(history, group, zone=ZONE, *, attempts=2, retry_pause_s=0.3, pause_s=0.0):
    """As dns_writer, but under an idempotency key in at most `attempts` attempts, which are one operation."""
    count = iter(range(10**9))

    def step(process, rng):
        name, value = f"k{rng.randrange(KEYS)}.{zone}", f"{process}-{next(count)}"
        call_ns = time.monotonic_ns()
        outcome, _ = write_until_known(group, rng, zone, change(name, value), attempts, retry_pause_s)
        history.add(process, "write", f"dns {name}", value, call_ns, outcome)
        time.sleep(pause_s)
    return step


def same_state(group):
    """Where all replicas are, once they have applied the same and hold the same; else False."""
    states = [r.group_status() for r in group.replicas]
    if not all(states):
        return False
    points = [(s["applied"], s["state_hash"]["index"], s["state_hash"]["hash"]) for s in states]
    return points[0] if len(set(points)) == 1 else False


def wait_same_state(group, timeout_s=30.0):
    return wait_until(lambda: same_state(group), "all replicas hold the same state", timeout_s)


def make_zone(group, zone, timeout_s=30.0):
    """A new zone, answered by every replica."""
    def made():
        reply = http("POST", group.leader().url + ZONES_URL, WRITE_TIMEOUT_S,
                     json={"name": zone, "nameservers": [f"ns.{zone}"]})
        return reply is not None and reply.status_code in (201, 409)
    wait_until(made, f"{zone} is made", timeout_s)
    for replica in group.replicas:
        wait_until(lambda r=replica: r.answers(zone, "SOA"), f"{replica.name} answers for {zone}", timeout_s)
