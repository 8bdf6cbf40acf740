"""kill -9 of any replica at any time, 50 times under load: no acknowledged write is lost, and no read goes back."""
import os
import random
import threading
import time
import uuid

from harness import ZONES_URL, Group, etcdctl, http, wait_until

ZONE = "example.org."
KILLS = int(os.environ.get("QUORATE_KILLS", "50"))
SEED = int(os.environ.get("QUORATE_SEED", str(random.randrange(2**32))))
RETRY_S = 60.0


class Load:
    """Writers and a reader in threads; what they were told, and what they found wrong."""

    def __init__(self, group):
        self.group = group
        self.stop = threading.Event()
        self.acknowledged = {}  # owner -> address
        self.keys = {}          # etcd key -> value
        self.counter = 0        # the last acknowledged value of counter.example.org.
        self.reads = 0
        self.faults = []
        writers = [threading.Thread(target=self._guard, args=(self._write_names, n)) for n in range(3)]
        self.threads = writers + [threading.Thread(target=self._guard, args=(work, 9))
                                  for work in (self._count, self._read_counter, self._put_keys)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def finish(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(RETRY_S + 30)
            assert not thread.is_alive(), "a client hangs"

    def _guard(self, work, number):
        try:
            work(random.Random(SEED + number), number)
        except Exception as error:  # noqa: BLE001: a thread's error must fail the test
            self.faults.append(repr(error))

    def _apply(self, rng, owner, rdtype, content):
        """Sends one change, to other replicas with the same key as long as its outcome is not known."""
        key, deadline = str(uuid.uuid4()), time.monotonic() + RETRY_S
        while True:
            replica = rng.choice(self.group.replicas)
            reply = replica.set_record(ZONE, owner, rdtype, content, timeout_s=6, **{"Idempotency-Key": key})
            if reply is not None and reply.status_code == 204:
                return
            assert reply is None or reply.status_code in (503, 504), reply.text
            assert time.monotonic() < deadline, f"no write succeeded in {RETRY_S} s"
            time.sleep(0.02)

    def _write_names(self, rng, number):
        count = 0
        while not self.stop.is_set():
            owner, content = f"n{count}.w{number}.{ZONE}", f"10.{number}.{count >> 8 & 255}.{count & 255}"
            self._apply(rng, owner, "A", content)
            self.acknowledged[owner] = content
            count += 1

    def _count(self, rng, _number):
        while not self.stop.is_set():
            self._apply(rng, f"counter.{ZONE}", "TXT", f'"{self.counter + 1}"')
            self.counter += 1

    def _read_counter(self, rng, _number):
        while not self.stop.is_set():
            at_least = self.counter
            replica = rng.choice(self.group.replicas)
            found = replica.answers(f"counter.{ZONE}", "TXT", timeout_s=0.5)
            if found:
                value = int(found.pop().strip('"'))
                self.reads += 1
                if value < at_least:
                    self.faults.append(f"{replica.name} answered {value} after {at_least} was acknowledged")
            time.sleep(0.005)

    def _put_keys(self, rng, _number):
        count = 0
        while not self.stop.is_set():
            key, value = f"load/{count}", f"v{count}"
            result = etcdctl(rng.choice(self.group.replicas).etcd, "--command-timeout=3s", "put", key, value)
            if result.returncode == 0:
                self.keys[key] = value
                count += 1


def kill_and_restart(group, rng):
    # Mostly one; now and then all but one, which stops the group for a moment, or all.
    victims = rng.sample(group.replicas, rng.choice([1, 1, 1, 1, 1, 1, 2, 3]))
    for victim in victims:
        victim.child.process.kill()
    for victim in victims:
        victim.child.process.wait()
        victim.start()
    time.sleep(rng.uniform(0, 0.8))  # the next one may die while it still recovers
    return len(victims)


def check_dns(group, load):
    for number, (owner, content) in enumerate(load.acknowledged.items()):
        replica = group.replicas[number % len(group.replicas)]
        assert replica.answers(owner) == {content}, f"{replica.name} lost {owner}"


def check_http(replica, load):
    zone = http("GET", f"{replica.url}{ZONES_URL}/{ZONE}", 30).json()
    found = {r["name"]: r["records"][0]["content"] for r in zone["rrsets"] if r["type"] == "A"}
    lost = {owner for owner, content in load.acknowledged.items() if found.get(owner) != content}
    assert not lost, f"{replica.name} lost {len(lost)} records, as {sorted(lost)[:3]}"


def check_etcd(replica, load):
    lines = etcdctl(replica.etcd, "get", "--prefix", "load/").stdout.splitlines()
    found = dict(zip(lines[::2], lines[1::2]))
    lost = {key for key, value in load.keys.items() if found.get(key) != value}
    assert not lost, f"{replica.name} lost {len(lost)} keys, as {sorted(lost)[:3]}"


def same_state(group):
    states = [r.group_status() for r in group.replicas]
    if not all(states):
        return False
    points = [(s["applied"], s["state_hash"]["index"], s["state_hash"]["hash"]) for s in states]
    return points[0] if len(set(points)) == 1 else False


def test_no_acknowledged_write_is_lost_and_no_read_goes_back(tmp_path):
    print(f"seed {SEED}: QUORATE_SEED={SEED} repeats the choices")
    rng = random.Random(SEED)
    group = Group(tmp_path)
    try:
        group.start()
        load = Load(group)
        load.start()
        kills, started = 0, time.monotonic()
        while kills < KILLS:
            kills += kill_and_restart(group, rng)
            if kills % 5 == 0:
                group.wait_ready(60)
        group.wait_ready(60)
        load.finish()
        print(f"{kills} kills in {time.monotonic() - started:.0f} s: {len(load.acknowledged)} records, "
              f"{load.counter} counts, {len(load.keys)} keys acknowledged, {load.reads} reads")
        assert not load.faults, load.faults[:5]
        assert len(load.acknowledged) > KILLS and load.keys and load.reads > KILLS
        group.wait_ready(60)
        check_dns(group, load)
        for replica in group.replicas:
            check_http(replica, load)
            check_etcd(replica, load)
        wait_until(lambda: same_state(group), "all replicas hold the same state", 10)
    finally:
        group.stop()
