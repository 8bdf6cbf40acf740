"""NSD, Knot and BIND as secondaries of our group: they are told of changes, fetch them with TSIG from any replica, and end
with the same records."""
import random
from contextlib import ExitStack

import dns.query
import pytest
from harness import wait_until
from peers import Bind, Knot, Nsd, Zone
from transfers import FOLLOW_S, Transfers, change, keyring, records, wait_equal

ZONE = "example.org."


def secondary(kind, directory, transfers, zone=ZONE):
    return kind(directory, [Zone(zone, primaries=transfers.as_primaries(), transfer=[transfers.client()])],
                keys=[transfers.key])


def test_they_follow_a_thousand_random_changes_and_a_leader_that_is_killed(tmp_path):
    dice = random.Random(1995)
    with ExitStack() as stack:
        transfers = stack.enter_context(Transfers(tmp_path / "ours"))
        servers = [stack.enter_context(secondary(kind, tmp_path / kind.__name__, transfers)) for kind in (Nsd, Knot, Bind)]
        transfers.set(ZONE, also_notify=",".join(transfers.remote(s) for s in servers))
        killed = None
        for number in range(1000):
            change(transfers, ZONE, dice)
            if number == 400:
                killed = transfers.group.leader()
                killed.kill9()
            if number == 600:
                killed.start()
        transfers.group.wait_ready()
        for server in servers:
            wait_equal(transfers, ZONE, server, transfers.key)
        # By differences, not by whole zones: the counters of those that lived say so.
        incremental = sum(counter(r, "incremental") for r in transfers.alive())
        full = sum(counter(r, "full") for r in transfers.alive())
        assert incremental > 20, f"{incremental} incremental and {full} full transfers"


def counter(replica, result):
    return replica.metric(f'quorate_transfers_out_total{{result="{result}"}}') or 0


@pytest.mark.parametrize("kind", [Nsd, Knot, Bind])
def test_told_by_notify_within_a_moment(tmp_path, kind):
    """The secondary's own timers are an hour: only NOTIFY can bring it the change."""
    with Transfers(tmp_path / "ours") as transfers, secondary(kind, tmp_path / "other", transfers) as server:
        transfers.set(ZONE, also_notify=transfers.remote(server))
        for address in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
            transfers.replicas[0].set_record(ZONE, f"www.{ZONE}", "A", address)
            wait_until(lambda a=address: server.answers(f"www.{ZONE}") == {a}, f"{kind.__name__} has {address}", FOLLOW_S)


def test_who_has_no_key_gets_nothing(tmp_path):
    with Transfers(tmp_path / "ours") as transfers:
        replica = transfers.replicas[1]
        with pytest.raises(Exception) as refused:
            records(replica.ip, replica.ports["dns"], ZONE)
        assert "REFUSED" in str(refused.value)


def test_one_version_while_writes_go_on(tmp_path):
    """RFC 5936 section 2.2: the stream begins and ends with the same SOA, and what is between is that version's: each change
    sets two names to one value."""
    with Transfers(tmp_path / "ours") as transfers:
        replica, dice = transfers.replicas[0], random.Random(5936)
        # Large enough for many messages.
        filler = [{"name": f"f{n}.{ZONE}", "type": "TXT", "ttl": 60, "changetype": "REPLACE",
                   "records": [{"content": '"' + "x" * 200 + '"', "disabled": False}]} for n in range(2000)]
        assert replica.patch(ZONE, filler).status_code == 204
        for round_number in range(40):
            stream = dns.query.xfr(replica.ip, ZONE, port=replica.ports["dns"], relativize=False,
                                   keyring=keyring(transfers.key), keyname=transfers.key.name,
                                   keyalgorithm=transfers.key.algorithm, lifetime=20.0)
            seen, soas = {}, []
            for message in stream:
                value = f"192.0.2.{dice.randrange(1, 250)}"
                rrsets = [{"name": f"{name}.{ZONE}", "type": "A", "ttl": 60, "changetype": "REPLACE",
                           "records": [{"content": value, "disabled": False}]} for name in ("aaa", "zzz")]
                if round_number % 2 == 0 or not soas:
                    assert dice.choice(transfers.replicas).patch(ZONE, rrsets).status_code == 204
                for rrset in message.answer:
                    for rdata in rrset:
                        if rrset.name.to_text() == ZONE and rrset.rdtype == 6:
                            soas.append(rdata.serial)
                        seen[rrset.name.to_text(), rrset.rdtype] = rdata.to_text()
            assert soas and len(set(soas)) == 1
            assert seen.get((f"aaa.{ZONE}", 1)) == seen.get((f"zzz.{ZONE}", 1))
