"""Readers at every replica, writers at random ones, and a leader that is killed or stopped every two seconds: what everybody
saw, by DNS and by etcd, is one linearizable history. Judged by quorate-lincheck."""
import os
import random
import time

from harness import Group
from load import Clients, History, dns_reader, dns_writer, etcd_reader, etcd_writer

SECONDS = float(os.environ.get("QUORATE_SECONDS", "60" if os.environ.get("QUORATE_LONG") else "20"))
SEED = int(os.environ.get("QUORATE_SEED", str(random.randrange(2**32))))
DISTURB_EVERY_S = 2.0
STOPPED_S = 1.2         # longer than an election: another one leads by then, and the old one may believe it still does
READS_MIN = SECONDS * 5  # at each replica by each door
WRITES_MIN = SECONDS * 5


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


def test_what_everybody_saw_is_linearizable(tmp_path):
    history, group = History(), Group(tmp_path)
    clients = Clients(SEED)
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
    linearizable, verdict = history.judge(tmp_path / "history.jsonl")
    print(verdict)
    assert linearizable, f"seed {SEED}: {verdict}"
    assert disturbed >= SECONDS / DISTURB_EVERY_S / 2
    assert min(reads.values()) >= READS_MIN and writes >= WRITES_MIN, (reads, writes)
