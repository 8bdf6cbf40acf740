"""One phase: clients at every replica, one kind of fault again and again, recovery, and then the checks."""
import time

from harness import ZONES_URL, http
from load import (Clients, History, Journal, ballast_writer, dns_reader, dns_writer, etcd_reader, etcd_writer,
                  journal_writer, make_zone)

from .world import Violation

READER_PAUSE_S = 0.005
WRITER_PAUSE_S = 0.01
JOURNAL_ATTEMPTS = 1000  # until it is known
CALM_S = 0.5             # of load before the first fault and after the recovery


class Phase:
    """Number `number` of the run, in a zone and under keys of its own: nothing of earlier phases is in its history."""

    def __init__(self, world, number, kind, fault, rng):
        self.world, self.kind, self.fault, self.rng = world, kind, fault, rng
        self.zone, self.prefix = f"p{number}.chaos.test.", f"p{number}/"
        self.history, self.journal = History(), Journal()
        self.clients = Clients(rng.randrange(2**32))
        self.faults = 0

    def run(self, seconds, history_path):
        """A line about it. Violation says what was broken."""
        self.world.note(f"phase {self.zone} {self.kind}")
        make_zone(self.world.group, self.zone, 60)
        self._start_clients()
        try:
            self._hurt(seconds)
            recovered_s = self.world.recover()
            time.sleep(CALM_S)
        finally:
            self.clients.stop.set()
        self._judge(history_path)
        self._tidy(history_path)
        return (f"{self.faults} faults, {self.history.count()} writes and {self.history.count(ops=('read',))} reads seen, "
                f"{len(self.journal.acknowledged)} records kept, recovered in {recovered_s:.1f} s")

    def _start_clients(self):
        group = self.world.group
        for replica in group.replicas:
            self._start_readers(replica)
        self.world.on_new = self._start_readers
        self.clients.start(ballast_writer(group, self.prefix))
        for _ in range(2):
            self.clients.start(dns_writer(self.history, group, self.zone, WRITER_PAUSE_S))
            self.clients.start(etcd_writer(self.history, group, self.prefix, WRITER_PAUSE_S))
            self.clients.start(journal_writer(self.journal, group, self.zone, attempts=JOURNAL_ATTEMPTS,
                                              retry_pause_s=0.05, pause_s=WRITER_PAUSE_S))

    def _start_readers(self, replica):
        self.clients.start(dns_reader(self.history, replica, self.zone, READER_PAUSE_S))
        self.clients.start(etcd_reader(self.history, replica, self.prefix, READER_PAUSE_S))

    def _hurt(self, seconds):
        time.sleep(CALM_S)
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self.fault(self.world, self.rng)
            self.faults += 1
            self.world.expect_all_running()
            self._expect_sane_clients()

    def _expect_sane_clients(self):
        if self.clients.faults:
            raise Violation(f"a client was answered what it must never be: {self.clients.faults[:3]}")

    def _judge(self, history_path):
        try:
            self.clients.finish()
        except AssertionError as hangs:
            raise Violation(str(hangs)) from None
        self._expect_sane_clients()
        if self.journal.failed:
            raise Violation(f"writes that never came through: {self.journal.failed[:3]}")
        linearizable, verdict = self.history.judge(history_path)
        if not linearizable:
            raise Violation(f"{history_path}:\n{verdict}")
        for replica in self.world.replicas:
            lost = self.journal.lost(replica)
            if lost:
                raise Violation(f"{replica.name} lost {len(lost)} acknowledged records, as {lost[:3]}")
        self.world.wait_same_state()
        self.world.expect_all_running()

    def _tidy(self, history_path):
        history_path.unlink()
        http("DELETE", f"{self.world.replicas[0].url}{ZONES_URL}/{self.zone}", 10)
