"""What a replica that reaches no majority answers, as each zone has it set."""
import dns.edns
import dns.rcode

from harness import ZONES_URL, http, quorate, wait_until

BOUNDED = "bounded.test."
LOCAL = "example.org."


def info_codes(reply):
    return [int(option.code) for option in reply.options if option.otype == dns.edns.OptionType.EDE]


def set_up(group):
    leader = group.leader()
    assert leader.set_record(LOCAL, f"www.{LOCAL}", "A", "192.0.2.1").status_code == 204
    for name in ("strict.test.", BOUNDED):
        made = http("POST", leader.url + ZONES_URL, json={"name": name, "nameservers": [f"ns.{name}"]})
        assert made.status_code == 201, made.text
    for zone, setting in ((LOCAL, "local"), (BOUNDED, "bounded=1s")):
        done = quorate("zone", "set", zone, f"consistency={setting}", "--server", leader.url)
        assert done.returncode == 0, done.stderr


def test_without_a_majority_the_zone_decides_between_an_older_answer_and_none(group):
    set_up(group)
    left = group.followers()[0]
    wait_until(lambda: left.answers(f"www.{LOCAL}") == {"192.0.2.1"}, "the follower has the record")
    shown = quorate("zone", "show", LOCAL, "--server", left.url)
    assert "consistency=local" in shown.stdout, shown.stderr
    for other in group.replicas:
        if other is not left:
            other.kill9()

    def stale():
        reply = left.ask(f"www.{LOCAL}", use_edns=0)
        return reply if info_codes(reply) == [3] else None

    reply = wait_until(stale, "the local zone is answered with a flag")
    assert reply.rcode() == dns.rcode.NOERROR
    assert [rdata.to_text() for rrset in reply.answer for rdata in rrset] == ["192.0.2.1"]
    assert not left.ask(f"www.{LOCAL}").options, "no extended error without EDNS"
    for zone in ("strict.test.", BOUNDED):
        # Of the bounded one the bound passes.
        refused = wait_until(lambda z=zone: (r := left.ask(z, "SOA", use_edns=0)).rcode() == dns.rcode.SERVFAIL and r,
                             f"{zone} is not answered")
        assert info_codes(refused) == [23]
    metrics = http("GET", left.url + "/metrics").text
    assert 'quorate_dns_stale_answers_total{transport="udp"} 0' not in metrics

    for other in group.replicas:
        if other is not left:
            other.start()
    group.wait_ready()
    wait_until(lambda: left.ask("strict.test.", "SOA").rcode() == dns.rcode.NOERROR, "all is as before")
    for replica in group.replicas:
        # The settings came through the restart.
        zone = http("GET", f"{replica.url}{ZONES_URL}/{LOCAL}?rrsets=false").json()
        assert zone["consistency"] == "local"
    wait_until(lambda: not left.ask(f"www.{LOCAL}", use_edns=0).options, "answers are linearizable again")
