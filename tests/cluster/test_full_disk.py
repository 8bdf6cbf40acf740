"""A disk that gets full: first nothing is let in that grows, then the reserve lets the replica start and be emptied."""
import pytest

from disk_faults import Faults
from harness import Group, etcdctl, http, quorate, wait_until

ZONE = "example.org."
RESERVE_MIB, LOW_MIB = 4, 8
MIB = 1 << 20


@pytest.fixture
def group(tmp_path):
    group = Group(tmp_path, options=["--disk-reserve", str(RESERVE_MIB), "--disk-low", str(LOW_MIB)])
    group.faults = {replica.name: Faults.of(replica) for replica in group.replicas}
    try:
        group.start()
        yield group
    finally:
        group.stop()


def leave(group, replica, mib):
    """The replica's disk has so much room left, from now on."""
    used = sum(path.stat().st_blocks * 512 for path in replica.data.rglob("*") if path.is_file())
    group.faults[replica.name].set(f"space {used + mib * MIB}")


def disk(replica):
    status = replica.group_status()
    return status and status.get("disk")


def is_low(replica):
    seen = disk(replica)
    return bool(seen and seen["low"])


def delete(replica, name):
    return replica.patch(ZONE, [{"name": name, "type": "A", "changetype": "DELETE"}])


def test_with_little_room_every_door_refuses_what_grows_and_takes_what_does_not(group):
    first = group.replicas[0]
    assert first.set_record(ZONE, f"old.{ZONE}", "A", "192.0.2.1").status_code == 204
    assert etcdctl(first.etcd, "put", "old", "1").returncode == 0
    for replica in group.replicas:
        leave(group, replica, LOW_MIB - 2)
    for replica in group.replicas:
        wait_until(lambda r=replica: is_low(r), f"{replica.name} knows that its disk is nearly full")
    for replica in group.replicas:
        refused = replica.set_record(ZONE, f"new.{ZONE}", "A", "192.0.2.2")
        assert refused.status_code == 507 and refused.json()["code"] == "disk_low", refused.text
        put = etcdctl(replica.etcd, "put", "new", "1")
        assert put.returncode != 0 and "database space exceeded" in put.stderr
    cli = quorate("record", "set", f"new.{ZONE}", "A", "192.0.2.2", "--server", first.url)
    assert cli.returncode == 1 and "nearly full" in cli.stderr and "delete" in cli.stderr, cli.stderr
    assert first.answers(f"old.{ZONE}") == {"192.0.2.1"}, "reading goes on"
    assert delete(group.replicas[1], f"old.{ZONE}").status_code == 204
    assert etcdctl(group.replicas[2].etcd, "del", "old").returncode == 0
    for replica in group.replicas:
        group.faults[replica.name].set()
    wait_until(lambda: not any(is_low(r) for r in group.replicas), "there is room again")
    assert first.set_record(ZONE, f"new.{ZONE}", "A", "192.0.2.2").status_code == 204


def test_a_leader_with_little_room_hands_over_and_unreadable_room_is_not_taken_for_none(group):
    leader = group.leader()
    others = [r for r in group.replicas if r is not leader]
    for replica in others:
        group.faults[replica.name].set("statvfs error EIO")
    leave(group, leader, LOW_MIB - 2)
    wait_until(lambda: any(r.is_leader() for r in others), "a replica with room leads")
    assert not any(is_low(r) for r in others)
    assert others[0].set_record(ZONE, f"a.{ZONE}", "A", "192.0.2.1").status_code == 204


def test_a_replica_that_met_the_end_of_its_disk_starts_on_the_reserve_and_can_be_emptied(group):
    victim = group.followers()[0]
    others = [r for r in group.replicas if r is not victim]
    assert others[0].set_record(ZONE, f"a.{ZONE}", "A", "192.0.2.1").status_code == 204
    reserve = victim.data / "reserve"
    wait_until(reserve.exists, "there is a reserve")
    assert reserve.stat().st_blocks * 512 >= RESERVE_MIB * MIB
    leave(group, victim, 0)
    victim.stop()
    victim.start()  # cannot even note that it starts: gives the reserve back, and goes on
    wait_until(victim.is_ready, "it is ready", 60)
    assert not reserve.exists()
    wait_until(lambda: is_low(victim), "it knows that its disk is nearly full")
    assert victim.set_record(ZONE, f"b.{ZONE}", "A", "192.0.2.2").status_code == 507
    assert delete(victim, f"a.{ZONE}").status_code == 204
    metrics = http("GET", victim.url + "/metrics").text
    assert "quorate_disk_low 1" in metrics and "quorate_disk_free_bytes" in metrics
    group.faults[victim.name].set()
    wait_until(reserve.exists, "the reserve is made again")
