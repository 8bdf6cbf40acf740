"""Groups whose members change while they serve, by `quorate member` and `quorate serve --join`."""
import json
import subprocess
import threading

import pytest

import local_net
from harness import PORTS, Group, Replica, host_port, http, quorate, wait_until
from load import Clients, Journal, journal_writer

PLACES = 6  # addresses that a test may use, three of them for the first members
SEED = 7


class GrowingGroup(Group):
    """Three first members, and room for others on the same network."""

    def __init__(self, directory, options=()):
        self.base, self.reservation = local_net.choose_base(["group"], PLACES)
        self.directory = directory
        super().__init__(directory, places=[(self._ip(number), PORTS) for number in (1, 2, 3)], options=options)
        self.everybody = list(self.replicas)  # also those who left

    def _ip(self, number):
        return f"127.{self.base}.1.{number}"

    def peer(self, number):
        return host_port(self._ip(number), PORTS["peer"])

    def urls(self):
        return ",".join(r.url for r in self.replicas)

    def joiner(self, number, *arguments):
        """A process that is not started yet; what it is told beside its addresses are `arguments`."""
        made = Replica(f"r{number}", self._ip(number), self.directory / f"r{number}",
                       self.directory / f"r{number}.log", list(arguments))
        self.everybody.append(made)
        return made

    def rows(self):
        """As the leader sees them, by id; empty while there is none."""
        for replica in self.replicas:
            reply = http("GET", replica.url + "/api/v1/members", 2.0) if replica.child.is_running() else None
            if reply is not None and reply.status_code == 200 and reply.json()["role"] == "leader":
                return {row["id"]: row for row in reply.json()["members"]}
        return {}

    def wait_voters(self, *ids, timeout_s=60.0):
        wait_until(lambda: {i for i, row in self.rows().items() if row["voter"]} == set(ids), f"{ids} vote",
                   timeout_s)

    def wait_level(self, level, timeout_s=60.0):
        wait_until(lambda: any((r.group_status() or {}).get("feature_level", 0) >= level for r in self.replicas),
                   f"the group has feature level {level}", timeout_s)

    def member(self, *words, code=0, timeout_s=120):
        done = quorate("member", *words, "--server", self.urls(), timeout_s=timeout_s)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def stop(self):
        self.replicas = self.everybody
        try:
            super().stop()
        finally:
            self.reservation.close()


@pytest.fixture
def growing(tmp_path):
    made = GrowingGroup(tmp_path)
    try:
        made.start()
        made.wait_level(2)
        yield made
    finally:
        made.stop()


def end_of(replica, timeout_s=60.0):
    """The exit code of a process that ends by itself."""
    try:
        return replica.child.process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"{replica.name} does not end: {replica.child.last_words()}") from None


def expect_removed(replica):
    assert end_of(replica) == 0, replica.child.last_words()
    assert "was removed from its group" in replica.child.last_words()
    assert replica.answers("example.org.", "SOA", timeout_s=0.5) is None


def write(replica, value):
    reply = replica.set_record("example.org.", "m.example.org.", "TXT", f'"{value}"')
    assert reply is not None and reply.status_code == 204, reply and reply.text


def test_a_group_grows_to_five_by_joining_and_loses_no_write(growing):
    journal, clients = Journal(), Clients(SEED)
    writers = [clients.start(journal_writer(journal, growing, attempts=8)) for _ in range(2)]

    def goes_on():
        before = dict(journal.written)
        wait_until(lambda: clients.faults or all(journal.written[w] >= before.get(w, 0) + 3 for w in writers),
                   "clients go on", 60)

    try:
        goes_on()
        first = list(growing.replicas)
        for number in (4, 5):
            joiner = growing.joiner(number, "--join", growing.urls())
            joiner.start()
            growing.wait_voters(*range(1, number + 1))
            wait_until(joiner.is_ready, f"{joiner.name} is ready", 60)
            growing.replicas = [*growing.replicas, joiner]
            goes_on()
        # Two of five may go, and the new ones make a majority with any of the others.
        growing.replicas = growing.replicas[2:]
        for replica in first[:2]:
            replica.kill9()
        goes_on()
    finally:
        clients.finish()
    assert not clients.faults, clients.faults[:3]
    assert not journal.failed, journal.failed[:3]
    for replica in growing.replicas:
        assert not journal.lost(replica), replica.name
    # Its place is in its data directory: it is told nothing the next time.
    joined = growing.replicas[-1]
    joined.stop()
    at = joined.child.command.index("--join")
    del joined.child.command[at:at + 2]
    joined.start()
    wait_until(joined.is_ready, "it is ready without a word of where it belongs", 60)
    assert not journal.lost(joined)
    assert joined.group_status()["replica"] == 5


def test_who_is_removed_ends_and_stays_away_and_the_leader_too(growing):
    write(growing.leader(), "before")
    gone = growing.followers()[0]
    number = growing.replicas.index(gone) + 1
    assert "is a learner" in growing.member("demote", number)
    wait_until(lambda: growing.rows().get(number, {}).get("role") == "learner", "it is a learner")
    wait_until(lambda: gone.answers("m.example.org.", "TXT") == {'"before"'}, "a learner answers as any other")
    assert f"member {number} is a voter" in growing.member("promote", number)
    growing.wait_voters(1, 2, 3)

    assert f"member {number} was removed" in growing.member("remove", number)
    expect_removed(gone)
    growing.replicas.remove(gone)
    assert "removed already" in growing.member("remove", number)
    assert "no member 9" in growing.member("remove", 9, code=3)
    gone.start()
    expect_removed(gone)

    leader = growing.leader()
    number = int(leader.name[1:])
    growing.member("remove", number)
    growing.replicas.remove(leader)
    expect_removed(leader)
    last = growing.replicas[0]
    wait_until(last.is_leader, "the last one leads", 60)
    write(last, "after")
    assert last.answers("m.example.org.", "TXT") == {'"after"'}
    assert "the last voter" in growing.member("remove", int(last.name[1:]), code=1)


def test_a_dead_member_is_replaced_and_never_comes_back(growing):
    dead = growing.followers()[0]
    number = growing.replicas.index(dead) + 1
    dead.kill9()
    growing.replicas.remove(dead)
    said = json.loads(growing.member("replace", number, growing.peer(4), "-o", "json"))
    assert said["id"] == 4 and not said["already"]
    again = json.loads(growing.member("replace", number, growing.peer(4), "-o", "json"))
    assert again["id"] == 4 and again["already"], "asking twice is asking once"
    wait_until(lambda: growing.rows().get(4, {}).get("replaces") == number, "the leader knows who goes")
    assert f"replaces member {number}" in growing.member("list")
    # As it says; the place was made for that address.
    words = said["serve"].split()
    assert words[:2] == ["quorate", "serve"] and words[words.index("--listen-peer") + 1] == growing.peer(4)
    heir = growing.joiner(4, "--join", words[words.index("--join") + 1])
    heir.start()
    growing.wait_voters(*({1, 2, 3, 4} - {number}))
    wait_until(heir.is_ready, "it is ready", 60)
    write(heir, "by the heir")
    dead.start()
    expect_removed(dead)


def test_what_would_stop_the_group_is_refused_and_force_waits_for_the_others(growing):
    dead, other = growing.followers()
    names = {r: growing.replicas.index(r) + 1 for r in (dead, other)}
    dead.kill9()
    wait_until(lambda: growing.rows().get(names[dead], {}).get("recent") is False, "its silence is noticed")
    said = growing.member("remove", names[other], code=1)
    assert f"member {names[dead]} does not answer" in said and "--force" in said
    leader = growing.leader()
    assert len(leader.group_status()["members"]) == 3
    said = quorate("member", "remove", names[other], "--force", "--timeout", "4", "--server", leader.url)
    assert said.returncode == 5, (said.returncode, said.stdout, said.stderr)
    assert "the group decides nothing" in said.stderr
    rows = {row["id"]: row for row in leader.group_status()["members"]}
    assert rows[names[other]]["leaving"], rows
    dead.start()
    expect_removed(other)
    growing.replicas.remove(other)
    growing.wait_voters(*({1, 2, 3} - {names[other]}))


def test_one_change_at_a_time_and_the_command_line_waits_for_its_turn(tmp_path):
    """A member that was given a long read lease and hangs holds its own removal up."""
    group = GrowingGroup(tmp_path, options=["--preset", "wan"])
    try:
        group.start(90)
        group.wait_level(2)
        wait_until(lambda: all(row["lease"] == "holder" for row in group.rows().values()) and
                   group.leader().group_status()["timing"]["lease_ms"] == 5000, "all hold leases", 60)
        leader, (stuck, other) = group.leader(), group.followers()
        numbers = {r: group.replicas.index(r) + 1 for r in (stuck, other)}
        stuck.pause()
        replies = []
        removal = threading.Thread(target=lambda: replies.append(
            http("DELETE", f"{leader.url}/api/v1/members/{numbers[stuck]}", 30.0)))
        removal.start()

        def under_way():
            return leader.group_status()["change_under_way"] or bool(replies)

        wait_until(under_way, "the removal is under way")
        second = http("POST", f"{leader.url}/api/v1/members", 30.0, json={"address": group.peer(4)})
        if not replies:  # else this machine was so slow that the lease ran out in between
            assert second.status_code == 503 and "another change is under way" in second.text, second.text
            assert second.headers["Retry-After"]
        assert "is a learner" in group.member("demote", numbers[other])
        removal.join(60)
        assert replies and replies[0] is not None and replies[0].status_code in (200, 504), replies
        wait_until(lambda: numbers[stuck] not in group.rows(), "it is removed")
        stuck.resume()
        group.replicas.remove(stuck)
        expect_removed(stuck)
    finally:
        group.stop()
