"""Failing over: a leader killed again and again, then a follower; when writes are acknowledged again, and how long DNS is silent."""

import pathlib
import socket
import statistics
import struct
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/cluster"))
import harness  # noqa: E402
from etcd_door import CallFailed, EtcdDoor  # noqa: E402

ROUNDS = 100
WRITERS = 4            # at each replica that stays
PAUSE_S = 0.005        # of a writer between its writes, and of a reader between its questions
GIVE_UP_S = 20.0
AFTER_S = 0.3          # readers are watched so long after writes go on
SERIES_S = {"leader": 480, "follower": 240}  # a series ends then, however many rounds it has
OWNER = "still.example.org."


class Writer(threading.Thread):
    """Puts one key after the other at one replica; notes when each was called and acknowledged."""

    def __init__(self, replica, number):
        super().__init__()
        self.door, self.number = EtcdDoor(replica.etcd, timeout_s=1.0), number
        self.stop, self.acknowledged = threading.Event(), []

    def run(self):
        while not self.stop.is_set():
            called = time.monotonic()
            try:
                self.door.put(f"w{self.number}", str(called))
                self.acknowledged.append((called, time.monotonic()))
            except CallFailed:
                pass
            time.sleep(PAUSE_S)
        self.door.close()


class Reader(threading.Thread):
    """Asks one replica, over UDP, for a name that no write touches; notes when answers came."""

    def __init__(self, replica):
        super().__init__()
        self.where = (replica.ip, replica.ports["dns"])
        self.stop, self.answered = threading.Event(), []

    def run(self):
        labels = b"".join(bytes([len(label)]) + label for label in OWNER.encode().rstrip(b".").split(b".")) + b"\0"
        question = labels + struct.pack(">HH", 1, 1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(self.where)
            sock.settimeout(PAUSE_S)
            number = 0
            while not self.stop.is_set():
                number = (number + 1) & 0xffff
                sock.send(struct.pack(">HHHHHH", number, 0, 1, 0, 0, 0) + question)
                asked = time.monotonic()
                try:
                    reply = sock.recv(4096)
                    _, flags, _, answers = struct.unpack(">HHHH", reply[:8])
                    if flags & 0x800f == 0x8000 and answers == 1:
                        self.answered.append(time.monotonic())
                except OSError:
                    pass
                time.sleep(max(0.0, asked + PAUSE_S - time.monotonic()))


def longest_gap(times, since, until):
    marks = [since] + sorted(t for t in times if since <= t <= until) + [until]
    return max(b - a for a, b in zip(marks, marks[1:]))


def all_hold(group):
    states = [r.group_status() for r in group.replicas]
    if not all(states):
        return False
    rows = next((s["members"] for s in states if s["role"] == "leader"), [])
    return bool(rows) and all(s["lease_left_ms"] > 0 for s in states) and all(row["lease"] == "holder" for row in rows)


def one_round(group, victim) -> dict:
    rest = [r for r in group.replicas if r is not victim]
    writers = [Writer(replica, n) for n, replica in enumerate(rest * WRITERS)]
    readers = [Reader(replica) for replica in rest]
    for thread in writers + readers:
        thread.start()

    def acknowledged(since):
        return [at for w in writers for called, at in list(w.acknowledged) if called >= since]
    try:
        began = time.monotonic()
        harness.wait_until(lambda: all(len(w.acknowledged) > 3 for w in writers) and
                           all(len(r.answered) > 10 for r in readers), "everybody is served", GIVE_UP_S)
        killed = time.monotonic()
        victim.kill9()
        first = None
        while first is None and time.monotonic() < killed + GIVE_UP_S:
            first = min(acknowledged(killed), default=None)
            time.sleep(0.002)
        until = time.monotonic() + AFTER_S
        # At once: a member that is away for longer, again and again, is made to wait for its lease.
        victim.start()
        time.sleep(AFTER_S)
    finally:
        for thread in writers + readers:
            thread.stop.set()
        for thread in writers + readers:
            thread.join()
    return {"recovered": first is not None, "write_s": (first or until) - killed,
            "write_gap_s": longest_gap(acknowledged(began), killed - 0.1, until),
            "read_gap_s": [longest_gap(r.answered, killed - 0.1, until) for r in readers]}


def rounds(group, count, longest_s, choose) -> list[dict]:
    out, ends = [], time.monotonic() + longest_s
    while len(out) < count and time.monotonic() < ends:
        harness.wait_until(lambda: all_hold(group), "every replica holds a lease", 60)
        out.append(one_round(group, choose(group, len(out))))
    return out


def run(args, _unpacked, work: pathlib.Path) -> dict:
    count = args.rounds or ROUNDS
    harness.QUORATE = args.build / "quorate"
    group = harness.Group(work)
    try:
        group.start()
        reply = group.replicas[0].set_record("example.org.", OWNER, "A", "192.0.2.1")
        if reply is None or reply.status_code != 204:
            raise RuntimeError("the first record was not written")
        harness.wait_until(lambda: all_hold(group), "every replica holds a lease", 60)
        results = {"timing": group.leader().group_status()["timing"],
                   "leader killed": rounds(group, count, SERIES_S["leader"], lambda g, _: g.leader()),
                   "follower killed": rounds(group, max(1, count // 2), SERIES_S["follower"],
                                             lambda g, n: g.followers()[n % 2])}
    finally:
        group.stop()
    print_table(results)
    return results


def cells(seconds: list[float]) -> str:
    ordered = sorted(s * 1e3 for s in seconds)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return f"{statistics.median(ordered):.0f} | {p99:.0f} | {ordered[-1]:.0f}"


def print_table(results: dict) -> None:
    timing = results["timing"]
    print(f"\nFailing over, 3 replicas, lease {timing['lease_ms']} ms, T_wait {timing['lease_wait_ms']} ms, "
          f"election {timing['election_ms']} ms and up\n")
    print("| kill -9 of | what | rounds, recovered | p50 ms | p99 ms | max ms |\n|---|---|---|---|---|---|")
    for what, rows in (("the leader", results["leader killed"]), ("a follower", results["follower killed"])):
        n = f"{len(rows)}, {sum(r['recovered'] for r in rows)}"
        print(f"| {what} | until the next write is acknowledged | {n} | {cells([r['write_s'] for r in rows])} |")
        print(f"| {what} | longest time without a DNS answer at either other replica | {n} | "
              f"{cells([gap for r in rows for gap in r['read_gap_s']])} |")
