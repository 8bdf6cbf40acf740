"""One group of real processes, and what a fault does to it. Main thread only: a child belongs to the thread that starts it."""
import signal
import time

from disk_faults import LIBRARY, Faults, cut_back
from harness import Group, Replica, wait_until
from load import WRITE_TIMEOUT_S, ZONE, change, wait_same_state

DISK_FAULT_CODES = range(80, 85)  # docs/operations/damaged-replica.md
RECOVERED_WITHIN_S = 180.0  # generous: a machine that is busy with other things must not fail a run

OPTIONS = ["--disk-low", "8", "--disk-reserve", "4"]  # MiB
# Short logs, so that they end and are cut all the time.
CONFIG = """
[storage]
wal_segment_mib = 1
"""


class Violation(Exception):
    """A promise was broken; the text says which."""


class Disk:
    """One replica's, by tools/disk_faults. What a power failure would take from the log is noted down all the time, also over
    a kill -9: what a process finds in its log and builds upon must be on the disk."""

    def __init__(self, data):
        self.data = data
        self._faults = Faults(data)
        self.mend()

    def prefix(self):
        return ["env", *(f"{name}={value}" for name, value in self._faults.env().items())]

    def set(self, *rules):
        self._faults.set(*rules, record=True)

    def mend(self):
        self.set()

    def lose_power(self, tear_seed):
        """The process is dead. Gives the names of the files that lost something."""
        return cut_back(self.data / "wal", self._faults.record, tear_seed)

    def bytes_used(self):
        return sum(file.stat().st_blocks * 512 for file in self.data.rglob("*") if file.is_file())


class World:
    """`directory`: of this group's data and logs, and of faults.log, what was done and when."""

    def __init__(self, directory, network):
        self.directory, self.network = directory, network
        numbers = range(1, network.size + 1)
        self._disks = {number: Disk(directory / f"r{number}") for number in numbers} if LIBRARY.exists() else {}
        config = directory / "serve.toml"
        config.write_text(CONFIG)
        self._options = ["--config", str(config), *OPTIONS]
        self.group = Group(directory, places=[network.place(number) for number in numbers], route=network.route,
                           prefix=self._prefix, options=self._options)
        self._numbers = dict(zip(self.replicas, numbers))
        self._member_ids = dict(self._numbers)
        self.on_new = lambda replica: None  # told of each that has taken another's place
        self._log = open(directory / "faults.log", "w", encoding="utf-8")
        self._started = time.monotonic()
        self._paused, self._down, self._may_end = set(), set(), set()

    def _prefix(self, number):
        return [*self.network.prefix(number), *(self._disks[number].prefix() if self._disks else ())]

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
        return self._numbers[replica]

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
            if replica.child.is_running():
                replica.child.process.kill()
        for replica in replicas:
            replica.child.process.wait()

    def start_again(self, replicas):
        self.note(f"start {names(replicas)}")
        for replica in replicas:
            replica.start()
            self._down.discard(replica)
            self._may_end.discard(replica)

    def disk(self, replica):
        return self._disks[self.number(replica)]

    def lose_power(self, replicas, rng):
        """Of what was not synced, nothing is left, or some sectors."""
        self.kill(replicas, "power loss of")
        for replica in replicas:
            self.disk(replica).mend()
            lost = self.disk(replica).lose_power(rng.choice([None, rng.randrange(2**32)]))
            self.note(f"{replica.name} lost the end of {' '.join(lost) or 'nothing'}")

    def slow_disks(self, replicas, milliseconds):
        for replica in replicas:
            self.disk(replica).set(f"sync delay {milliseconds} name wal/")

    def hurt_disk(self, replica, *rules):
        """From now on it may end by itself, with an error of its own that says why."""
        self.note(f"disk of {replica.name}: {'; '.join(rules)}")
        self._may_end.add(replica)
        self.disk(replica).set(*rules)

    def mend_disk(self, replica):
        """And starts it again if it has ended; it may still end of what the disk did to it before."""
        self.note(f"disk of {replica.name}: well again")
        self.disk(replica).mend()

    def revive(self):
        """Starts again who has ended as it may: by itself, with an error that it has said."""
        ended = [r for r in self._may_end if not r.child.is_running()]
        for replica in ended:
            code, words = replica.child.process.returncode, replica.child.last_words()
            self.note(f"{replica.name} has ended with {code}: {words}")
            if code not in DISK_FAULT_CODES or "stopped by a disk fault" not in words:
                raise Violation(f"{replica.name} ended with {code} when its disk failed: {words}")
        if ended:
            self.start_again(ended)

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

    def replace(self, victim, *, dead):
        """A process with an empty disk joins in the place of `victim`, which is killed first if it is to be `dead`, and
        else must end by itself once it is removed. False: there are no places left."""
        number = self.network.add()
        if number is None:
            return False
        if dead:
            self.kill([victim])
        replica = self._newcomer(number)
        doors = ",".join(r.url for r in self.replicas if r not in self._down)  # one of them leads
        joining = ["--join", doors, "--replaces", str(self._member_ids[victim])]
        self.note(f"{replica.name} joins for {victim.name}, " + ("which is dead" if dead else "which is well"))
        plain = replica.child.command
        replica.child.command = [*plain, *joining]
        replica.start()
        replica.child.command = plain  # its place is in its data directory from then on
        self.group.replicas[self.replicas.index(victim)] = replica
        self._leave(victim, dead)
        self.wait_ready(replica)
        self._member_ids[replica] = replica.group_status()["replica"]
        self.on_new(replica)
        return True

    def members(self):
        """The ids of those that the leader counts; every id that there may be while nobody leads."""
        leader = self.leader()
        status = leader and leader.group_status()
        return {row["id"] for row in status["members"]} if status else set(self._member_ids.values())

    def _newcomer(self, number):
        ip, ports = self.network.place(number)
        data = self.directory / f"r{number}"
        if self._disks:
            self._disks[number] = Disk(data)
        replica = Replica(f"r{number}", ip, data, f"{data}.log", self._options, ports, self._prefix(number))
        self._numbers[replica] = number
        return replica

    def _leave(self, victim, dead):
        """Waits until it is removed."""
        if dead:
            left = lambda: self._member_ids[victim] not in self.members()
        else:
            left = lambda: not victim.child.is_running()
        wait_until(lambda: left() or self.expect_all_running(), f"{victim.name} is removed", RECOVERED_WITHIN_S)
        self._down.discard(victim)
        self._may_end.discard(victim)
        if not dead and victim.child.process.returncode != 0:
            raise Violation(f"{victim.name} was removed and ended with {victim.child.process.returncode}: "
                            f"{victim.child.last_words()}")

    def expect_running(self, replica):
        """Violation if it has ended by itself. Gives False, for conditions."""
        if replica not in self._down | self._may_end and not replica.child.is_running():
            code = replica.child.process.returncode
            raise Violation(f"{replica.name} ended by itself with {code}: {replica.child.last_words()}")
        return False

    def expect_all_running(self):
        for replica in self.replicas:
            self.expect_running(replica)

    def recover(self):
        """Ends every fault; then everybody must be ready, take a write and answer. Gives the seconds that took."""
        started = time.monotonic()
        self.heal()
        self.revive()
        self.resume(list(self._paused))
        self.start_again(list(self._down))
        try:
            for replica in self.replicas:
                self.wait_ready(replica)
            for replica in self.replicas:
                wait_until(lambda r=replica: self._takes_a_write(r), f"{replica.name} takes a write", RECOVERED_WITHIN_S)
            for replica in self.replicas:
                wait_until(lambda r=replica: self._answers(r), f"{replica.name} answers", RECOVERED_WITHIN_S)
        except AssertionError as late:
            raise Violation(f"not recovered: {late}") from None
        self.note("recovered")
        return time.monotonic() - started

    def _takes_a_write(self, replica):
        self.expect_running(replica)
        reply = replica.patch(ZONE, change(f"recovered.{ZONE}", replica.name), WRITE_TIMEOUT_S)
        return reply is not None and reply.status_code == 204

    def _answers(self, replica):
        self.expect_running(replica)
        found = replica.answers(f"recovered.{ZONE}", "TXT", timeout_s=1.0)
        if found and found != {f'"{self.replicas[-1].name}"'}:
            raise Violation(f"{replica.name} answers {found} after {self.replicas[-1].name} was written")
        return bool(found)

    def wait_same_state(self):
        try:
            return wait_same_state(self.group, RECOVERED_WITHIN_S)
        except AssertionError as late:
            states = [(r.name, r.group_status()) for r in self.replicas]
            where = {name: state and (state["applied"], state["state_hash"]) for name, state in states}
            raise Violation(f"states differ: {late}: {where}") from None


def names(replicas):
    return " ".join(r.name for r in replicas) or "nobody"
