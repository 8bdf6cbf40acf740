"""A whole group restarted one by one under load: nobody who retries once notices, and time never runs backwards."""
import random
import statistics

import pytest

from harness import Group, wait_until
from load import Clients, History, Journal, dns_reader, etcd_reader, journal_writer, retrying_dns_writer, wait_same_state

SEED = 4
ROUNDS = 2             # each restarts every replica
RETRY_PAUSE_S = 0.1    # of a client before its one retry, at another replica; that door waits for a leader by itself
STALL_MAX_S = 3.0
WRITES_MIN = 50


# Leaders change when they are stopped, and not because the machine is busy.
PATIENT = """
[raft]
election_ms = 1500
"""


@pytest.fixture
def patient_group(tmp_path):
    config = tmp_path / "serve.toml"
    config.write_text(PATIENT)
    made = Group(tmp_path, options=["--config", str(config)])
    try:
        made.start()
        yield made
    finally:
        made.stop()


class Load:
    """Writers and readers at every replica of `group`."""

    def __init__(self, group):
        self.group, self.history, self.journal = group, History(), Journal()
        self.clients = Clients(SEED)

    def __enter__(self):
        for replica in self.group.replicas:
            self.clients.start(dns_reader(self.history, replica))
            self.clients.start(etcd_reader(self.history, replica))
        self.writers = [self.clients.start(journal_writer(self.journal, self.group, retry_pause_s=RETRY_PAUSE_S))
                        for _ in range(2)]
        self.clients.start(retrying_dns_writer(self.history, self.group, retry_pause_s=RETRY_PAUSE_S))
        return self

    def __exit__(self, *_):
        self.clients.stop.set()

    def goes_on(self):
        """Waits until each writer has written again since now, so that no retry lasts into the next restart."""
        before = dict(self.journal.written)
        wait_until(lambda: self.clients.faults or all(self.journal.written[w] >= before.get(w, 0) + 5
                                                      for w in self.writers), "clients go on", 60)

    def take_slowest_s(self):
        slowest, self.journal.slowest_s = self.journal.slowest_s, 0.0
        return slowest

    def judge(self, path):
        self.clients.finish()
        assert not self.clients.faults, self.clients.faults[:3]
        assert not self.journal.failed, self.journal.failed[:3]
        linearizable, verdict = self.history.judge(path)
        assert linearizable, verdict
        assert len(self.journal.acknowledged) >= WRITES_MIN
        for replica in self.group.replicas:
            assert not self.journal.lost(replica), replica.name
        wait_same_state(self.group)


def restart(replica):
    replica.stop()
    assert replica.child.process.returncode == 0, replica.child.last_words()
    replica.start()
    wait_until(replica.is_ready, f"{replica.name} is ready again", 60)


def test_a_rolling_restart_fails_no_write_and_loses_none(patient_group, tmp_path):
    group, rng, stalls = patient_group, random.Random(SEED), []
    with Load(group) as load:
        load.goes_on()
        for _ in range(ROUNDS):
            for replica in rng.sample(group.replicas, len(group.replicas)):
                load.take_slowest_s()
                restart(replica)
                load.goes_on()
                stalls.append(load.take_slowest_s())
        # The one that leads by now, so that a change of leaders is among them for sure.
        restart(group.leader())
        load.goes_on()
        stalls.append(load.take_slowest_s())
        load.judge(tmp_path / "history.jsonl")
    print(f"{len(load.journal.acknowledged)} writes, {load.journal.repeated} sent twice; the slowest of each restart took "
          f"{', '.join(f'{s:.2f}' for s in stalls)} s")
    assert statistics.median(stalls) < STALL_MAX_S, stalls
