"""One group of real processes, and what a fault does to it. Main thread only: a child belongs to the thread that starts it."""
import signal
import time

from harness import Group, wait_until
from load import WRITE_TIMEOUT_S, change, wait_same_state

RECOVERED_WITHIN_S = 90.0  # generous: a machine that is busy with other things must not fail a run


class Violation(Exception):
    """A promise was broken; the text says which."""


class World:
    """`directory`: of this group's data and logs, and of faults.log, what was done and when."""

    def __init__(self, directory, network, options=()):
        self.network = network
        self.group = Group(directory, places=network.places(), route=network.route, prefix=network.prefix,
                           options=options)
        self._log = open(directory / "faults.log", "w", encoding="utf-8")
        self._started = time.monotonic()
        self._paused, self._down = set(), set()

    @property
    def replicas(self):
        return self.group.replicas

    def start(self):
        self.note("start")
        self.group.start(RECOVERED_WITHIN_S)

    def close(self):
        for replica in self._paused:
            if replica.child.is_running():
                replica.resume()
        self.group.stop()
        self.network.close()
        self._log.close()

    def note(self, text):
        self._log.write(f"{time.monotonic() - self._started:9.3f} {text}\n")
        self._log.flush()

    def number(self, replica):
        return self.replicas.index(replica) + 1

    def minority(self, rng):
        """Some that the group can do without."""
        return rng.sample(self.replicas, rng.randint(1, (len(self.replicas) - 1) // 2))

    def leader(self):
        """Who says that it leads; None when nobody does, or nobody that answers."""
        answering = [r for r in self.replicas if r not in self._paused and r not in self._down]
        return next((r for r in answering if r.is_leader()), None)

    def kill(self, replicas, how="kill -9"):
        self.note(f"{how} {names(replicas)}")
        for replica in replicas:
            self.expect_running(replica)
            self._down.add(replica)
            self._paused.discard(replica)
            replica.child.process.kill()
        for replica in replicas:
            replica.child.process.wait()

    def start_again(self, replicas):
        self.note(f"start {names(replicas)}")
        for replica in replicas:
            replica.start()
            self._down.discard(replica)

    def pause(self, replicas):
        self.note(f"stop {names(replicas)}")
        for replica in replicas:
            self.expect_running(replica)
            self._paused.add(replica)
            replica.pause()

    def resume(self, replicas):
        self.note(f"continue {names(replicas)}")
        for replica in replicas:
            replica.resume()
            self._paused.discard(replica)

    def stop_in_order(self, replica):
        """SIGTERM; it must end with 0, and soon."""
        self.note(f"SIGTERM {replica.name}")
        self.expect_running(replica)
        self._down.add(replica)
        replica.child.process.send_signal(signal.SIGTERM)
        try:
            code = replica.child.process.wait(RECOVERED_WITHIN_S)
        except Exception:
            raise Violation(f"{replica.name} did not end {RECOVERED_WITHIN_S:.0f} s after SIGTERM") from None
        if code != 0:
            raise Violation(f"{replica.name} ended with {code} after SIGTERM: {replica.child.last_words()}")

    def cut(self, pairs):
        """Each (from, to) of replicas loses what the first sends to the second."""
        pairs = sorted({(self.number(a), self.number(b)) for a, b in pairs if a is not b})
        self.note("cut " + " ".join(f"{a}>{b}" for a, b in pairs))
        for source, destination in pairs:
            self.network.cut(source, destination)

    def heal(self):
        self.note("heal")
        self.network.heal()

    def wait_ready(self, replica):
        wait_until(lambda: replica.is_ready() or self.expect_running(replica), f"{replica.name} is ready",
                   RECOVERED_WITHIN_S)

    def expect_running(self, replica):
        """Violation if it has ended by itself. Gives False, for conditions."""
        if replica not in self._down and not replica.child.is_running():
            code = replica.child.process.returncode
            raise Violation(f"{replica.name} ended by itself with {code}: {replica.child.last_words()}")
        return False

    def expect_all_running(self):
        for replica in self.replicas:
            self.expect_running(replica)

    def recover(self):
        """Ends every fault; then everybody must be ready, and take a write. Gives the seconds that took."""
        started = time.monotonic()
        self.heal()
        self.resume(list(self._paused))
        self.start_again(list(self._down))
        try:
            for replica in self.replicas:
                self.wait_ready(replica)
            for replica in self.replicas:
                wait_until(lambda r=replica: self._takes_a_write(r), f"{replica.name} takes a write", RECOVERED_WITHIN_S)
        except AssertionError as late:
            raise Violation(f"not recovered: {late}") from None
        self.note("recovered")
        return time.monotonic() - started

    def _takes_a_write(self, replica):
        self.expect_running(replica)
        reply = replica.patch("example.org.", change("recovered.example.org.", replica.name), WRITE_TIMEOUT_S)
        return reply is not None and reply.status_code == 204

    def wait_same_state(self):
        try:
            return wait_same_state(self.group, RECOVERED_WITHIN_S)
        except AssertionError as late:
            states = [(r.name, r.group_status()) for r in self.replicas]
            where = {name: state and (state["applied"], state["state_hash"]) for name, state in states}
            raise Violation(f"states differ: {late}: {where}") from None


def names(replicas):
    return " ".join(r.name for r in replicas) or "nobody"
