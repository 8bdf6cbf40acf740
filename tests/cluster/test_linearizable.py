"""Readers at every replica, writers at random ones, and a leader that is killed or stopped every two seconds: what everybody
saw, by DNS and by etcd, is one linearizable history. Judged by quorate-lincheck."""
import json
import os
import random
import subprocess
import threading
import time

import dns.message
import dns.rcode
import dns.rdatatype

from etcd_door import CallFailed, EtcdDoor
from harness import BUILD_DIR, ZONES_URL, Group, http, udp_exchange

LINCHECK = BUILD_DIR / "quorate-lincheck"
ZONE = "example.org."
SECONDS = float(os.environ.get("QUORATE_SECONDS", "60" if os.environ.get("QUORATE_LONG") else "20"))
SEED = int(os.environ.get("QUORATE_SEED", str(random.randrange(2**32))))
DISTURB_EVERY_S = 2.0
STOPPED_S = 1.2         # longer than an election: another one leads by then, and the old one may believe it still does
KEYS = 4                # of each kind: few, so that operations meet
READ_PAUSE_S = 0.002    # the replicas shall have the machine too
READS_MIN = SECONDS * 5  # at each replica by each door
WRITES_MIN = SECONDS * 5


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
        return sum(1 for o in self.operations if o["outcome"] == "ok" and o["op"] in ops and
                   process in (None, o["process"]))


class Clients:
    """Threads, each a process of the history; an exception of any is a fault of the test."""

    def __init__(self, history):
        self.history = history
        self.stop = threading.Event()
        self.threads = []
        self.faults = []

    def start(self, step):
        """Calls step(process number, its own generator) again and again. Gives the number."""
        process = len(self.threads)

        def run():
            rng = random.Random(SEED + process)
            try:
                while not self.stop.is_set():
                    step(process, rng)
            except Exception as error:  # noqa: BLE001
                self.faults.append(repr(error))

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()
        return process

    def finish(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "a client hangs"


def dns_reader(history, replica):
    """By UDP, with bytes that dnspython makes and reads. Only a definite answer goes into the history."""
    def step(process, rng):
        name = f"k{rng.randrange(KEYS)}.{ZONE}"
        query = dns.message.make_query(name, "TXT")
        call_ns = time.monotonic_ns()
        octets = udp_exchange(replica.ip, query.to_wire(), 0.5)
        if octets:
            reply = dns.message.from_wire(octets)
            assert reply.id == query.id
            if reply.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                texts = [rdata.strings[0].decode() for rrset in reply.answer
                         if rrset.rdtype == dns.rdatatype.TXT for rdata in rrset]
                history.add(process, "read", f"dns {name}", texts[0] if texts else None, call_ns, "ok")
        time.sleep(READ_PAUSE_S)
    return step


def etcd_reader(history, replica):
    door = EtcdDoor(replica.etcd, timeout_s=1.0)

    def step(process, rng):
        key = f"k{rng.randrange(KEYS)}"
        call_ns = time.monotonic_ns()
        try:
            history.add(process, "read", f"etcd {key}", door.get(key), call_ns, "ok")
        except CallFailed:
            time.sleep(0.02)
        time.sleep(READ_PAUSE_S)
    return step


def dns_writer(history, group):
    count = iter(range(10**9))

    def step(process, rng):
        name, value, deletes = f"k{rng.randrange(KEYS)}.{ZONE}", f"{process}-{next(count)}", rng.random() < 0.1
        rrset = {"name": name, "type": "TXT", "ttl": 1, "changetype": "DELETE" if deletes else "REPLACE",
                 "records": [] if deletes else [{"content": f'"{value}"', "disabled": False}]}
        replica = rng.choice(group.replicas)
        call_ns = time.monotonic_ns()
        reply = http("PATCH", f"{replica.url}{ZONES_URL}/{ZONE}", 7, json={"rrsets": [rrset]})
        outcome = "unknown"
        if reply is not None and reply.status_code == 204:
            outcome = "ok"
        elif reply is not None and reply.status_code == 503:
            outcome = "fail"  # "nothing was changed": the history tells whether that is so
        else:
            assert reply is None or reply.status_code == 504, reply.text
        history.add(process, "delete" if deletes else "write", f"dns {name}", None if deletes else value, call_ns,
                    outcome)
        if outcome != "ok":
            time.sleep(0.02)
    return step


def etcd_writer(history, group):
    doors = [EtcdDoor(r.etcd, timeout_s=7.0) for r in group.replicas]
    count = iter(range(10**9))

    def step(process, rng):
        key, value = f"k{rng.randrange(KEYS)}", f"{process}-{next(count)}"
        call_ns, outcome = time.monotonic_ns(), "ok"
        try:
            rng.choice(doors).put(key, value)
        except CallFailed as failure:
            outcome = "unknown" if failure.sent else "fail"
            time.sleep(0.02)
        history.add(process, "write", f"etcd {key}", value, call_ns, outcome)
    return step


def disturb(group, number):
    """The leader goes away: every other time for good, and is started again; else it is stopped, and later goes on as if
    nothing had been."""
    leader = next((r for r in group.replicas if r.child.is_running() and r.is_leader()), None)
    if leader is None:
        return False
    if number % 2 == 0:
        leader.kill9()
        leader.start()
    else:
        leader.pause()
        time.sleep(STOPPED_S)
        leader.resume()
    return True


def check(history, path):
    with open(path, "w") as out:
        for operation in history.operations:
            out.write(json.dumps(operation) + "\n")
    verdict = subprocess.run([LINCHECK, path], capture_output=True, text=True, timeout=300, check=False)
    assert verdict.returncode == 0, f"seed {SEED}: {verdict.stdout}{verdict.stderr}"
    return verdict.stdout


def test_what_everybody_saw_is_linearizable(tmp_path):
    history, group = History(), Group(tmp_path)
    clients = Clients(history)
    disturbed = 0
    try:
        group.start()
        readers = {}
        for replica in group.replicas:
            readers[f"{replica.name} by dns"] = clients.start(dns_reader(history, replica))
            readers[f"{replica.name} by etcd"] = clients.start(etcd_reader(history, replica))
        for writer in (dns_writer, dns_writer, etcd_writer, etcd_writer):
            clients.start(writer(history, group))
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends:
            next_at = time.monotonic() + DISTURB_EVERY_S
            disturbed += disturb(group, disturbed)
            clients.stop.wait(max(0.0, next_at - time.monotonic()))
        clients.finish()
        group.wait_ready(60)
    finally:
        clients.stop.set()
        group.stop()
    assert not clients.faults, clients.faults[:3]
    reads = {name: history.count(process=process, ops=("read",)) for name, process in readers.items()}
    writes = history.count()
    print(f"seed {SEED}: {disturbed} disturbances, {writes} writes, reads {reads}")
    print(check(history, tmp_path / "history.jsonl"))
    assert disturbed >= SECONDS / DISTURB_EVERY_S / 2
    assert min(reads.values()) >= READS_MIN and writes >= WRITES_MIN, (reads, writes)
