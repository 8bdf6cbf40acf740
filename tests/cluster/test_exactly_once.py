"""Counters in sessions while leaders die: each increment counts once, however often it is sent."""
import json
import os
import random
import threading
import time
import uuid

from grpc_unary import call, txn_put
from harness import ZONES_URL, etcdctl, http, quorate, wait_until

ZONE = "example.org."
KILLS = int(os.environ.get("QUORATE_LEADER_KILLS", "5"))
SEED = int(os.environ.get("QUORATE_SEED", str(random.randrange(2**32))))
RETRY_S = 60.0


def write(group, rng, make_reply):
    """Sends one write to any replica until its outcome is known. Gives the reply, and how often it was sent."""
    deadline, sent = time.monotonic() + RETRY_S, 0
    while True:
        assert time.monotonic() < deadline, f"no outcome in {RETRY_S} s"
        reply, sent = make_reply(rng.choice(group.replicas)), sent + 1
        if reply is None:
            continue
        outcome = reply.headers["X-Quorate-Outcome"]
        if outcome == "applied":
            return reply, sent
        assert reply.json()["outcome"] == outcome
        assert reply.json()["retryable"], f"{outcome} for good: {reply.text}"
        time.sleep(0.02)


def open_session(group, rng):
    key = {"Idempotency-Key": str(uuid.uuid4())}  # else a lost answer leaves a session that nobody knows
    reply, _ = write(group, rng, lambda r: http("POST", r.url + "/api/v1/sessions", 6, json={"lifetime": 600},
                                                headers=key))
    assert reply.status_code == 201
    return reply.json()["id"]


def records(number):
    return [{"name": f"counter.{ZONE}", "type": "TXT", "ttl": 60, "changetype": "REPLACE",
             "records": [{"content": f'"{number}"', "disabled": False}]}]


class Clients:
    """Each in a session of its own, one write after the other, each repeated until its outcome is known."""

    def __init__(self, group):
        self.group, self.stop, self.faults = group, threading.Event(), []
        self.puts = self.changes = self.repeated = 0
        self.threads = [threading.Thread(target=self._guard, args=(work,)) for work in (self._put, self._change)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def finish(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(RETRY_S + 30)
            assert not thread.is_alive(), "a client hangs"

    def _guard(self, work):
        try:
            work(random.Random(SEED + 1))
        except Exception as error:  # noqa: BLE001: a thread's error must fail the test
            self.faults.append(repr(error))

    def _put(self, rng):
        """At the etcd door: the key's version counts how often it was put."""
        session = open_session(self.group, rng)
        while not self.stop.is_set():
            sequence, deadline, sent = self.puts + 1, time.monotonic() + RETRY_S, 0
            metadata = {"quorate-session": f"{session}:{sequence};oldest={sequence}"}
            message = txn_put(b"counter", str(sequence).encode())
            while True:
                sent += 1
                if call(rng.choice(self.group.replicas).etcd, "/etcdserverpb.KV/Txn", message, metadata, 2) is not None:
                    break
                assert time.monotonic() < deadline, f"no outcome in {RETRY_S} s"
                time.sleep(0.02)
            self.puts += 1
            self.repeated += sent > 1

    def _change(self, rng):
        """At the HTTP door: the zone's serial counts what changed it."""
        session = open_session(self.group, rng)
        while not self.stop.is_set():
            sequence = self.changes + 1
            key = {"Idempotency-Key": f"session {session}:{sequence};oldest={sequence}"}
            reply, sent = write(self.group, rng, lambda r: r.patch(ZONE, records(sequence), timeout_s=2, **key))
            assert reply.status_code == 204
            self.changes += 1
            self.repeated += sent > 1


def serial(group):
    zone = http("GET", f"{group.leader().url}{ZONES_URL}/{ZONE}?rrsets=false", 30)
    return zone.json()["serial"]


def times_put(group):
    found = json.loads(etcdctl(group.leader().etcd, "get", "counter", "-w", "json").stdout)
    return found["kvs"][0]["version"]


def test_every_acknowledged_increment_counts_once_while_leaders_die(group):
    print(f"seed {SEED}: QUORATE_SEED={SEED} repeats the choices")
    rng = random.Random(SEED)
    before = serial(group)
    clients = Clients(group)
    clients.start()
    for _ in range(KILLS):
        puts, changes = clients.puts + 20, clients.changes + 20
        wait_until(lambda p=puts, c=changes: clients.faults or (clients.puts >= p and clients.changes >= c),
                   "the clients go on", RETRY_S)
        leader = group.leader()
        if rng.random() < 0.5:  # it hangs with requests in hand, then dies
            leader.pause()
            time.sleep(rng.uniform(0, 0.3))
        leader.kill9()
        leader.start()
        wait_until(leader.is_ready, "it is back", 60)
    clients.finish()
    assert not clients.faults, clients.faults
    print(f"{clients.puts} puts and {clients.changes} changes acknowledged, {clients.repeated} sent more than once")
    assert clients.repeated > 0, "nothing was ever repeated: the test shows nothing"
    assert times_put(group) == clients.puts
    assert serial(group) - before == clients.changes


def test_a_session_that_was_closed_gives_unknown_and_applies_nothing(group):
    rng = random.Random(SEED)
    session = open_session(group, rng)
    reply, _ = write(group, rng, lambda r: r.patch(ZONE, records(1), **{"Idempotency-Key": f"session {session}:1"}))
    assert reply.status_code == 204
    before = serial(group)
    replica = group.followers()[0]
    closed = quorate("session", "close", session, "--server", replica.url)
    assert closed.returncode == 0, closed.stderr
    late = replica.patch(ZONE, records(2), **{"Idempotency-Key": f"session {session}:2"})
    assert late.headers["X-Quorate-Outcome"] == "unknown" and late.json()["retryable"] is False
    assert serial(group) == before


def test_the_command_line_writes_once_with_a_dated_key(group):
    replica = group.followers()[0]
    done = quorate("kv", "put", "k", "v", "--etcd", replica.etcd, "-o", "json")
    assert done.returncode == 0, done.stderr
    assert '"outcome":"applied"' in done.stdout
    read = quorate("kv", "get", "k", "--etcd", replica.etcd, "--consistency", "local")
    assert read.stdout == "v\n"
    for other in group.replicas:
        if other is not replica:
            other.pause()
    lost = quorate("kv", "put", "k", "w", "--etcd", replica.etcd, "--timeout", "2", "-o", "json")
    assert lost.returncode in (4, 5), lost.stderr
    assert '"outcome":"un' in lost.stdout  # unknown, or unavailable if no leader was left to take it
    assert quorate("kv", "get", "k", "--etcd", replica.etcd, "--consistency", "local").stdout == "v\n"
