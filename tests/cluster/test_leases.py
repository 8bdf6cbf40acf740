"""Read leases of real processes: every replica answers from memory, at once after a write, and an operator sees why not."""
import random
import threading
import time

import pytest

from etcd_door import EtcdDoor
from harness import Group, quorate, wait_until

ZONE = "example.org."
OWNER = f"leased.{ZONE}"
KEY = "leased"


class Reader:
    """Reads at one replica by both doors; an answer that is not the value is a fault."""

    def __init__(self, replica):
        self.replica = replica
        self.etcd = EtcdDoor(replica.etcd, timeout_s=5.0)

    def dns(self):
        return self.replica.answers(OWNER, "TXT")

    def expect(self, value):
        assert self.dns() == {f'"{value}"'}, self.replica.name
        assert self.etcd.get(KEY) == value, self.replica.name


def write(replica, value):
    """By DNS and store; returns when both are acknowledged."""
    reply = replica.set_record(ZONE, OWNER, "TXT", f'"{value}"')
    assert reply is not None and reply.status_code == 204, reply and reply.text
    EtcdDoor(replica.etcd, timeout_s=10.0).put(KEY, value)


def member_rows(group):
    """What the leader says of each member; empty when there is none just now."""
    for replica in group.replicas:
        status = replica.group_status() if replica.child.is_running() else None
        if status and status["role"] == "leader":
            return status["members"]
    return []


def all_hold(group):
    rows = member_rows(group)
    own = [r.group_status() for r in group.replicas]
    return bool(rows) and all(row["lease"] == "holder" for row in rows) and all(
        status and status["lease_left_ms"] > 0 for status in own)


def wait_all_hold(group, timeout_s=30.0):
    wait_until(lambda: all_hold(group), "every replica holds a lease", timeout_s)


def read_rounds(replica):
    return replica.group_status()["read_rounds"]


def settings(group, *words):
    """By the command line, at whoever leads."""
    def set_once():
        done = quorate("group", "set", *words, "--server", group.leader().url)
        assert done.returncode in (0, 1, 4, 5), done.stderr  # 1: another leads by now
        return done.returncode == 0
    wait_until(set_once, f"{words} is set", 30)


@pytest.fixture
def leased(calm_group):
    wait_all_hold(calm_group)
    return calm_group


def expect_no_message(replica, reads=100):
    """Reads at a holder ask nobody. On a machine that stalls a lease may lapse, but not again and again."""
    reader = Reader(replica)
    asked = []
    for _ in range(5):
        before = read_rounds(replica)
        for _ in range(reads):
            assert reader.dns() is not None
            reader.etcd.get(KEY)
        asked.append(read_rounds(replica) - before)
        if asked[-1] == 0:
            return
    raise AssertionError(f"{replica.name} asked {asked} times for {2 * reads} reads each")


def test_every_replica_becomes_a_holder_and_status_says_so(leased):
    text = quorate("group", "status", "--server", leased.leader().url).stdout
    assert text.count("is given a read lease") == 3, text
    assert "leases on, 600 ms" in text
    follower = leased.followers()[0]
    text = quorate("group", "status", "--server", follower.url).stdout
    assert "could not be asked" in text, text


def test_reads_at_every_replica_cost_no_message(leased):
    write(leased.replicas[0], "still")
    for replica in leased.replicas:
        expect_no_message(replica)


def test_every_replica_gives_the_new_answer_once_a_write_is_acknowledged(leased):
    readers = [Reader(r) for r in leased.replicas]
    rng = random.Random(3)
    for number in range(200):
        write(rng.choice(leased.replicas), f"v{number}")
        for reader in readers:
            reader.expect(f"v{number}")


def test_with_leases_off_reads_ask_the_leader_and_are_right(leased):
    settings(leased, "leases=off")
    try:
        wait_until(lambda: all(r.group_status()["lease_left_ms"] == 0 for r in leased.replicas), "no lease is left")
        assert all(row["lease"] == "off" for row in member_rows(leased))
        assert "leases off" in quorate("group", "status", "--server", leased.leader().url).stdout
        before = [read_rounds(r) for r in leased.replicas]
        for number in range(20):
            write(leased.replicas[number % 3], f"off{number}")
            for replica in leased.replicas:
                Reader(replica).expect(f"off{number}")
        assert all(read_rounds(r) > old for r, old in zip(leased.replicas, before))
    finally:
        settings(leased, "leases=on")
    wait_all_hold(leased)


def test_a_barred_member_gets_no_lease_and_answers_right(leased):
    barred = leased.followers()[0]
    number = leased.replicas.index(barred) + 1
    settings(leased, f"eligible={number}:off")
    try:
        wait_until(lambda: barred.group_status()["lease_left_ms"] == 0, "its lease is gone")
        # Well for far longer than makes a demoted member eligible again.
        quiet_until = time.monotonic() + 3
        while time.monotonic() < quiet_until:
            write(leased.replicas[0], "barred")
            Reader(barred).expect("barred")
        row = next(row for row in member_rows(leased) if row["id"] == number)
        assert row["lease"] == "not_eligible" and row["lease_barred"]
    finally:
        settings(leased, f"eligible={number}:on")
    wait_all_hold(leased)


class Writing:
    """Writes in the background, each checked at every replica, until told to stop."""

    def __init__(self, group):
        self.group = group
        self.stop = threading.Event()
        self.count = 0
        self.fault = None
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        readers = [Reader(r) for r in self.group.replicas]
        try:
            while not self.stop.is_set():
                value = f"w{self.count}"
                write(self.group.replicas[self.count % 3], value)
                for reader in readers:
                    reader.expect(value)
                self.count += 1
        except Exception as error:  # noqa: BLE001: a thread's error must fail the test
            self.fault = repr(error)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join(60)
        assert not self.thread.is_alive(), "a writer hangs"


def timing(group):
    return group.leader().group_status()["timing"]


def test_presets_change_under_load(leased):
    with Writing(leased) as writing:
        settings(leased, "preset=wan")
        wait_until(lambda: timing(leased)["lease_ms"] == 5000, "leases last as the preset says")
        settings(leased, "preset=lan")
        wait_until(lambda: timing(leased)["lease_ms"] == 600, "leases are short again")
        assert timing(leased)["lease_wait_ms"] >= 6200, "leaders wait for the long ones that may still be held"
        wait_until(lambda: timing(leased)["lease_wait_ms"] < 800, "and no longer than that")
    assert writing.fault is None, writing.fault
    assert writing.count > 20
    wait_all_hold(leased)


def test_a_learner_answers_under_a_lease_of_its_own(tmp_path):
    group = Group(tmp_path, size=4, learners=1)
    try:
        group.start()
        wait_all_hold(group)
        learner = group.replicas[3]
        assert member_rows(group)[3]["role"] == "learner"
        reader = Reader(learner)
        for number in range(50):
            write(group.replicas[number % 4], f"l{number}")
            reader.expect(f"l{number}")
        expect_no_message(learner)
        group.leader().kill9()
        wait_until(lambda: any(r.is_leader() for r in group.replicas[:3] if r.child.is_running()), "a voter leads")
        assert not learner.is_leader()
    finally:
        group.stop()


def time_of_write(replica, value):
    started = time.monotonic()
    write(replica, value)
    return time.monotonic() - started


def test_a_crashed_follower_stalls_writes_once_and_gets_its_lease_back(group):
    wait_all_hold(group)
    wait_s = timing(group)["lease_wait_ms"] / 1000
    leader, crashed = group.leader(), group.followers()[0]
    write(leader, "before")
    crashed.kill9()
    stall, after = time_of_write(leader, "crashed"), time_of_write(leader, "after")
    print(f"a write after the crash took {stall:.3f} s of {wait_s:.3f} s allowed, the next {after:.3f} s")
    assert stall < wait_s + 5
    crashed.start()
    wait_all_hold(group)
    write(leader, "back")
    Reader(crashed).expect("back")


def test_a_follower_that_stops_in_order_stalls_nothing(group):
    wait_all_hold(group)
    leader, stopped = group.leader(), group.followers()[0]
    write(leader, "before")
    stopped.stop()
    print(f"a write after the stop took {time_of_write(leader, 'stopped'):.3f} s")
    row = next(row for row in member_rows(group) if row["id"] == group.replicas.index(stopped) + 1)
    assert row["lease"] in ("left", "silent", "not_eligible"), row
    stopped.start()
    wait_all_hold(group)
