"""Debian's own etcdctl against the etcd door."""
import json
import subprocess
import time

import pytest

from harness import etcdctl, wait_until

ZONE = "example.org."


@pytest.fixture
def endpoint(calm_group):
    return calm_group.followers()[0].etcd


def ok(endpoint, *arguments, **options):
    result = etcdctl(endpoint, *arguments, **options)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_put_get_and_delete(endpoint):
    assert ok(endpoint, "put", "greeting", "hello") == "OK\n"
    assert ok(endpoint, "get", "greeting") == "greeting\nhello\n"
    assert ok(endpoint, "del", "greeting") == "1\n"
    assert ok(endpoint, "get", "greeting") == ""


def test_every_replica_reads_what_another_wrote(calm_group):
    for number, replica in enumerate(calm_group.replicas):
        ok(replica.etcd, "put", "shared", str(number))
        for other in calm_group.replicas:
            assert ok(other.etcd, "get", "shared", "--print-value-only") == f"{number}\n"


def test_ranges_prefixes_limits_and_order(endpoint):
    for key in ("p/a", "p/b", "p/c", "q/a"):
        ok(endpoint, "put", key, f"value of {key}")
    assert ok(endpoint, "get", "--prefix", "p/", "--keys-only").split() == ["p/a", "p/b", "p/c"]
    assert ok(endpoint, "get", "p/a", "p/c", "--keys-only").split() == ["p/a", "p/b"]
    assert ok(endpoint, "get", "--prefix", "p/", "--limit=2", "--keys-only").split() == ["p/a", "p/b"]
    assert ok(endpoint, "get", "--prefix", "p/", "--order=DESCEND", "--sort-by=KEY", "--keys-only").split() == [
        "p/c", "p/b", "p/a"]
    assert ok(endpoint, "del", "--prefix", "p/") == "3\n"


def test_history_and_compaction(endpoint):
    ok(endpoint, "put", "h", "one")
    revision = json.loads(ok(endpoint, "get", "h", "-w", "json"))["header"]["revision"]
    ok(endpoint, "put", "h", "two")
    assert ok(endpoint, "get", "h", f"--rev={revision}", "--print-value-only") == "one\n"
    now = json.loads(ok(endpoint, "get", "h", "-w", "json"))["header"]["revision"]
    assert "compacted" in ok(endpoint, "compaction", str(now))
    gone = etcdctl(endpoint, "get", "h", f"--rev={revision}")
    assert gone.returncode != 0 and "required revision has been compacted" in gone.stderr
    future = etcdctl(endpoint, "get", "h", f"--rev={now + 1000}")
    assert future.returncode != 0 and "required revision is a future revision" in future.stderr


def test_a_transaction_compares_and_chooses(endpoint):
    ok(endpoint, "put", "lock", "free")
    take = 'value("lock") = "free"\n\nput lock taken\n\nget lock\n\n'
    assert ok(endpoint, "txn", input_text=take).startswith("SUCCESS")
    second = ok(endpoint, "txn", input_text=take)
    assert second.startswith("FAILURE") and "taken" in second


def test_a_watch_sees_changes_from_a_revision_on_and_dns_changes_too(calm_group):
    replica = calm_group.replicas[0]
    ok(replica.etcd, "put", "w", "1")
    revision = json.loads(ok(replica.etcd, "get", "w", "-w", "json"))["header"]["revision"]
    ok(replica.etcd, "put", "w", "2")
    watch = subprocess.Popen(["etcdctl", "--endpoints", replica.etcd, "watch", "w", f"--rev={revision}"],
                             stdout=subprocess.PIPE, text=True, env={"ETCDCTL_API": "3", "PATH": "/usr/bin:/bin"})
    dns_watch = subprocess.Popen(["etcdctl", "--endpoints", replica.etcd, "watch", "--prefix", "/dns/", "--rev",
                                  str(revision)],
                                 stdout=subprocess.PIPE, env={"ETCDCTL_API": "3", "PATH": "/usr/bin:/bin"})
    try:
        assert [watch.stdout.readline() for _ in range(6)] == ["PUT\n", "w\n", "1\n", "PUT\n", "w\n", "2\n"]
        other = calm_group.replicas[1]
        assert other.set_record(ZONE, f"watched.{ZONE}", "A", "192.0.2.77").status_code == 204
        assert dns_watch.stdout.readline() == b"PUT\n"
        assert dns_watch.stdout.readline().startswith(b"/dns/")
    finally:
        for process in (watch, dns_watch):
            process.kill()
            process.wait()


def test_records_are_changed_by_dns_commands_only(endpoint):
    refused = etcdctl(endpoint, "put", "/dns/anything", "x")
    assert refused.returncode != 0 and refused.stderr.strip()
    assert etcdctl(endpoint, "del", "--prefix", "/dns/").returncode != 0


def test_status_names_the_leader(calm_group):
    leader = calm_group.leader()
    status = json.loads(ok(leader.etcd, "endpoint", "status", "-w", "json"))[0]["Status"]
    assert status["leader"] == status["header"]["member_id"]
    assert status["raftTerm"] > 0
    assert "is healthy" in ok(leader.etcd, "endpoint", "health") + etcdctl(leader.etcd, "endpoint", "health").stderr


def test_a_lost_leader_costs_etcdctl_a_retry_not_an_answer(group):
    endpoints = ",".join(r.etcd for r in group.replicas)
    ok(endpoints, "put", "k", "1")
    group.leader().kill9()
    started = time.monotonic()
    wait_until(lambda: etcdctl(endpoints, "--command-timeout=5s", "put", "k", "2").returncode == 0,
               "a put succeeds again", 20)
    assert time.monotonic() - started < 20
    alive = [r for r in group.replicas if r.child.is_running()]
    assert ok(alive[0].etcd, "get", "k", "--print-value-only") == "2\n"
