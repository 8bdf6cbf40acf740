"""UPDATE (RFC 2136) and TSIG (RFC 8945) with other people's programs, at every replica."""
import statistics
import threading
import time

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest

from harness import ask, wait_until
from signed import ALGORITHMS, Key, change, exchange, exchange_wire, knsupdate, make_key, nsupdate

ZONE = "example.org."


@pytest.fixture(scope="module")
def key(calm_group):
    return make_key(calm_group.leader(), "ddns.")


def serial(replica):
    answer = replica.ask(ZONE, "SOA").answer
    return answer[0][0].serial


@pytest.mark.parametrize("program", [nsupdate, knsupdate])
def test_every_replica_takes_signed_updates(calm_group, key, program):
    for number, replica in enumerate(calm_group.replicas):
        name = f"{program.__name__}-{number}.{ZONE}"
        done = program(replica, ZONE, [f"update add {name} 60 A 192.0.2.{number + 1}"], key, tcp=number == 1)
        assert done.returncode == 0, done.stdout + done.stderr
        for other in calm_group.replicas:  # linearizable: at once
            assert other.answers(name) == {f"192.0.2.{number + 1}"}
        done = program(replica, ZONE, [f"update delete {name} A"], key)
        assert done.returncode == 0, done.stdout + done.stderr
        assert all(other.answers(name) == set() for other in calm_group.replicas)


def test_unsigned_and_wrongly_signed_updates_change_nothing(calm_group, key):
    before = serial(calm_group.replicas[0])
    line = [f"update add no.{ZONE} 60 A 192.0.2.1"]
    for replica in calm_group.replicas:
        assert "REFUSED" in nsupdate(replica, ZONE, line).stderr
        assert "NOTAUTH(BADKEY)" in nsupdate(replica, ZONE, line, Key("nobody.", key.secret)).stderr
        assert "NOTAUTH(BADSIG)" in nsupdate(replica, ZONE, line, Key(key.name, "c2VjcmV0")).stderr
        other = Key(key.name, key.secret, "hmac-sha512")
        assert "NOTAUTH(BADKEY)" in nsupdate(replica, ZONE, line, other).stderr
        assert "NOTAUTH" in nsupdate(replica, "elsewhere.", ["update add x.elsewhere. 60 A 192.0.2.1"], key).stderr
    assert serial(calm_group.replicas[0]) == before


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_all_algorithms_by_dnspython(calm_group, algorithm):
    key = make_key(calm_group.leader(), f"{algorithm}.keys.", algorithm)
    replica = calm_group.followers()[0]
    message = change(ZONE, key)
    message.add(algorithm, 60, "TXT", algorithm)
    assert exchange(replica, message).rcode() == dns.rcode.NOERROR
    query = dns.message.make_query(f"{algorithm}.{ZONE}", "TXT")
    query.use_tsig(key.ring())
    for tcp in (False, True):
        answer = exchange(replica, query, tcp)  # raises where the signature is wrong
        assert answer.had_tsig and [r.to_text() for r in answer.answer[0]] == [f'"{algorithm}"']


def test_a_message_of_another_time_is_badtime(calm_group, key):
    late = change(ZONE, key)
    late.add("late", 60, "A", "192.0.2.1")
    real = time.time
    try:
        time.time = lambda: real() - 3600
        octets = late.to_wire()
    finally:
        time.time = real
    assert exchange_wire(calm_group.replicas[0], octets) == dns.rcode.NOTAUTH
    assert calm_group.replicas[0].answers(f"late.{ZONE}") == set()


def test_prerequisites(calm_group, key):
    replica = calm_group.followers()[-1]
    add = f"update add once.{ZONE} 60 A 192.0.2.1"
    assert nsupdate(replica, ZONE, [f"prereq nxdomain once.{ZONE}", add], key).returncode == 0
    assert "YXDOMAIN" in nsupdate(replica, ZONE, [f"prereq nxdomain once.{ZONE}", add], key).stderr
    assert "NXRRSET" in nsupdate(replica, ZONE, [f"prereq yxrrset once.{ZONE} TXT", add], key).stderr
    assert "YXRRSET" in nsupdate(replica, ZONE, [f"prereq nxrrset once.{ZONE} A", add], key).stderr
    assert "NXDOMAIN" in nsupdate(replica, ZONE, [f"prereq yxdomain never.{ZONE}", add], key).stderr
    assert "NOTZONE" in nsupdate(replica, ZONE, ["update add www.elsewhere. 60 A 192.0.2.1"], key).stderr


def test_many_updates_in_one_message(calm_group, key):
    message = change(ZONE, key)
    for number in range(1200):
        message.add("many", 60, "TXT", f"{number:030d}")
    assert len(message.to_wire()) > 50000
    replica = calm_group.followers()[0]
    before = serial(replica)
    assert exchange(replica, message).rcode() == dns.rcode.NOERROR
    assert serial(replica) == before + 1
    assert len(ask(replica.ip, f"many.{ZONE}", "TXT", tcp=True, port=replica.ports["dns"]).answer[0]) == 1200


def test_what_a_key_may_change_is_what_it_is_granted(calm_group):
    acme = make_key(calm_group.leader(), "acme.", grants=[f"subtree _acme-challenge.{ZONE} TXT"])
    replica = calm_group.followers()[0]
    allowed = nsupdate(replica, ZONE, [f"update add _acme-challenge.{ZONE} 60 TXT token"], acme)
    assert allowed.returncode == 0, allowed.stderr
    assert "REFUSED" in nsupdate(replica, ZONE, [f"update add www.{ZONE} 60 A 192.0.2.1"], acme).stderr
    assert "REFUSED" in nsupdate(replica, ZONE, [f"update add _acme-challenge.{ZONE} 60 HINFO a b"], acme).stderr


def test_a_message_sent_again_at_another_replica_gets_the_first_answer(calm_group, key):
    first, second, third = calm_group.replicas
    message = change(ZONE, key)
    message.add("replayed", 60, "A", "192.0.2.1")
    octets = message.to_wire()
    assert exchange_wire(first, octets) == dns.rcode.NOERROR
    removal = change(ZONE, key)
    removal.delete("replayed")
    assert exchange(second, removal).rcode() == dns.rcode.NOERROR
    before = serial(third)
    assert exchange_wire(third, octets) == dns.rcode.NOERROR
    assert third.answers(f"replayed.{ZONE}") == set()
    assert serial(third) == before
    # What was refused stays refused, although it would do now.
    refused = change(ZONE, key)
    refused.present("replayed")
    refused.add("replayed", 60, "A", "192.0.2.2")
    octets = refused.to_wire()
    assert exchange_wire(second, octets) == dns.rcode.NXDOMAIN
    again = change(ZONE, key)
    again.add("replayed", 60, "A", "192.0.2.3")
    assert exchange(third, again).rcode() == dns.rcode.NOERROR
    assert exchange_wire(first, octets) == dns.rcode.NXDOMAIN
    assert first.answers(f"replayed.{ZONE}") == {"192.0.2.3"}


def test_an_update_at_a_follower_takes_less_than_300_ms(calm_group, key):
    replica = calm_group.followers()[0]
    taken = []
    for number in range(15):
        message = change(ZONE, key)
        message.replace("fast", 60, "A", f"192.0.2.{number}")
        begun = time.monotonic()
        assert exchange(replica, message, tcp=False).rcode() == dns.rcode.NOERROR
        taken.append(time.monotonic() - begun)
    assert statistics.median(taken) < 0.3, taken


def test_a_signed_answer_too_large_for_udp_is_truncated_and_signed(calm_group, key):
    replica = calm_group.replicas[0]
    message = change(ZONE, key)
    for number in range(5):
        message.add("large", 60, "TXT", f"{number}" * 90)
    assert exchange(replica, message).rcode() == dns.rcode.NOERROR
    query = dns.message.make_query(f"large.{ZONE}", "TXT", use_edns=0, payload=600)
    query.use_tsig(key.ring())
    over_udp = exchange(replica, query, tcp=False)
    assert over_udp.had_tsig and over_udp.flags & dns.flags.TC and not over_udp.answer
    assert len(exchange(replica, query, tcp=True).answer[0]) == 5


def test_notify_for_what_is_no_secondary(calm_group):
    for zone, expected in ((ZONE, dns.rcode.REFUSED), ("elsewhere.", dns.rcode.NOTAUTH)):
        notify = dns.message.make_query(zone, "SOA")
        notify.set_opcode(dns.opcode.NOTIFY)
        answer = exchange(calm_group.replicas[0], notify, tcp=False)
        assert answer.rcode() == expected and answer.opcode() == dns.opcode.NOTIFY


class Counter(threading.Thread):
    """Counts up by compare-and-set, a signed message a step. One that has no answer is sent again as it is, to the
    next replica, until it has one: that must be NOERROR, for nobody else counts."""

    def __init__(self, replicas, key):
        super().__init__()
        self.replicas, self.key = replicas, key
        self.steps, self.retries, self.refusals = 0, 0, []
        self.enough = threading.Event()

    def message(self, value):
        message = change(ZONE, self.key)
        if value > 0:
            message.present("counter", "TXT", str(value - 1))
        else:
            message.absent("counter")
        message.replace("counter", 60, "TXT", str(value))
        return message.to_wire()

    def run(self):
        turn = 0
        while not self.enough.is_set() and not self.refusals:
            octets, deadline = self.message(self.steps), time.monotonic() + 120
            while True:
                rcode = exchange_wire(self.replicas[turn % len(self.replicas)], octets)
                if rcode not in (None, dns.rcode.SERVFAIL):
                    break
                turn, self.retries = turn + 1, self.retries + 1
                if time.monotonic() > deadline:
                    self.refusals.append("no answer")
                    return
                time.sleep(0.05)
            if rcode != dns.rcode.NOERROR:
                self.refusals.append(dns.rcode.to_text(rcode))
                return
            self.steps += 1
            turn += 1


def test_each_update_takes_effect_once_while_leaders_are_killed(group):
    key = make_key(group.leader(), "ddns.")
    before = serial(group.replicas[0])
    counter = Counter(group.replicas, key)
    counter.start()
    try:
        for _ in range(2):
            begun = counter.steps
            wait_until(lambda b=begun: counter.steps >= b + 10 or counter.refusals, "it counts", 90)
            victim = group.leader()
            victim.kill9()
            begun = counter.steps
            wait_until(lambda b=begun: counter.steps >= b + 10 or counter.refusals, "it counts on", 90)
            victim.start()
            group.wait_ready()
    finally:
        counter.enough.set()
        counter.join(180)
    assert counter.refusals == []
    assert group.leader().answers(f"counter.{ZONE}", "TXT") == {f'"{counter.steps - 1}"'}
    assert serial(group.leader()) == before + counter.steps
