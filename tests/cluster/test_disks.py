"""Disks that fail: the replica ends with the fault's name and code and never lies; its group goes on; it comes back."""
import pytest

from disk_faults import Faults
from harness import Group, etcdctl, wait_until

ZONE = "example.org."
WRITE, SYNC, READ, FULL, DAMAGED = 80, 81, 82, 83, 84
LARGE = "v" * (1 << 20)  # eight of them fill RocksDB's write buffer


@pytest.fixture(scope="module")
def hurt(tmp_path_factory):
    """A group whose disks fail on command; each test leaves it well."""
    group = Group(tmp_path_factory.mktemp("hurt"))
    group.faults = {replica.name: Faults.of(replica) for replica in group.replicas}
    group.written = 0
    try:
        group.start()
        yield group
    finally:
        group.stop()


def write(group, replica):
    """One more record through `replica`; True if it was acknowledged."""
    number = group.written
    reply = replica.set_record(ZONE, f"r{number}.{ZONE}", "A", f"192.0.2.{number % 250 + 1}")
    if reply is None or reply.status_code != 204:
        return False
    group.written += 1
    return True


def expect_all(group, replica):
    for number in range(group.written):
        assert replica.answers(f"r{number}.{ZONE}") == {f"192.0.2.{number % 250 + 1}"}


def expect_end(victim, code, words):
    said = victim.child.last_words()
    assert victim.child.process.returncode == code, said
    assert "stopped by a disk fault" in said and all(word in said for word in words), said


# What the disk does, to the files with which name; exit code, words that must be said.
FAULTS = {
    "a write fails": ("write error EIO name /wal/", WRITE, ["write-failed", "/wal/", "Input/output error"]),
    "a write is torn": ("write torn EIO name /wal/ after 1", WRITE, ["write-failed", "/wal/"]),
    "a sync fails": ("sync error EIO name /wal/ after 1", SYNC, ["sync-failed", "/wal/"]),
    "the disk is full": ("write error ENOSPC name /wal/", FULL, ["disk-full", "No space left", "reserve"]),
}


@pytest.mark.parametrize("of, fault", [("the leader", "a write fails"), ("the leader", "a sync fails"),
                                       ("a follower", "a write is torn"), ("a follower", "a sync fails"),
                                       ("a follower", "the disk is full")])
def test_a_replica_whose_log_cannot_be_written_ends_and_the_others_go_on(hurt, fault, of):
    rule, code, words = FAULTS[fault]
    victim = hurt.leader() if of == "the leader" else hurt.followers()[0]
    others = [r for r in hurt.replicas if r is not victim]
    hurt.faults[victim.name].set(rule)
    wait_until(lambda: write(hurt, others[0]) and not victim.child.is_running(), "the disk's fault has ended it")
    expect_end(victim, code, words)
    wait_until(lambda: write(hurt, others[1]), "the others take a write")
    hurt.faults[victim.name].set()
    victim.start()
    hurt.wait_ready()
    for replica in hurt.replicas:
        expect_all(hurt, replica)


def test_short_writes_are_written_on(hurt):
    for faults in hurt.faults.values():
        faults.set("write short name /wal/")
    for replica in hurt.replicas:
        wait_until(lambda r=replica: write(hurt, r), "a write is taken")
    for replica in hurt.replicas:
        hurt.faults[replica.name].set()
        assert replica.child.is_running(), replica.child.last_words()
        expect_all(hurt, replica)


def fill_write_buffer(replica, key):
    for number in range(10):
        done = etcdctl(replica.etcd, "put", f"{key}{number}", input_text=LARGE)
        assert done.returncode == 0, done.stderr


def test_a_replica_whose_state_cannot_be_written_ends_and_the_others_go_on(hurt):
    victim = hurt.followers()[0]
    hurt.faults[victim.name].set("sync error EIO name .sst")
    writer = hurt.leader()
    fill_write_buffer(writer, "large")
    wait_until(lambda: not victim.child.is_running(), "the disk's fault has ended it")
    expect_end(victim, SYNC, ["sync-failed", ".sst"])
    hurt.faults[victim.name].set()
    victim.start()
    hurt.wait_ready()
    expect_all(hurt, victim)


def test_a_leader_whose_disk_stalls_steps_down(hurt):
    leader = hurt.leader()
    others = [r for r in hurt.replicas if r is not leader]
    hurt.faults[leader.name].set("sync delay 6000 name /wal/")
    write(hurt, leader)  # so that there is something to sync
    wait_until(lambda: any(r.is_leader() for r in others), "another replica leads", 30)
    hurt.faults[leader.name].set()
    wait_until(lambda: write(hurt, others[0]), "the others take a write")
    assert leader.child.is_running(), leader.child.last_words()
    hurt.wait_ready()
    for replica in hurt.replicas:
        expect_all(hurt, replica)
