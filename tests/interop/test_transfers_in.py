"""Knot and BIND as primaries of a zone of ours: it is fetched, followed by IXFR and NOTIFY, survives the leader, and is
promoted."""
import pytest
from harness import quorate, wait_until
from peers import Bind, Client, Knot, Remote, Zone
from transfers import FOLLOW_S, Transfers, ours, records, succeed, zone_url
from harness import http

ZONE = "example.net."


def text(serial, hosts):
    lines = [f"@ 300 SOA ns1 admin {serial} 3600 600 86400 60", "@ 300 NS ns1", "ns1 300 A 192.0.2.1",
             "sub NS ns.sub", "ns.sub A 192.0.2.53", "below.sub TXT \"occluded\"", "* TXT \"wild\""]
    lines += [f"h{n} {60 + n % 3} A 192.0.2.{n}" for n in hosts]
    return f"$ORIGIN {ZONE}\n$TTL 300\n" + "\n".join(lines) + "\n"


def primary(kind, directory, transfers, content, told=()):
    zone = Zone(ZONE, content, transfer=[transfers.client()],
                notify=[Remote(r.ip, r.ports["dns"], transfers.key) for r in told])
    return kind(directory, [zone], keys=[transfers.key])


def follow(transfers, server, serial):
    wait_until(lambda: all(serial_of(r) == serial for r in transfers.alive()), f"we have serial {serial}", FOLLOW_S)
    assert ours(transfers.alive()[0], ZONE, transfers.key) == records(server.ip, server.port, ZONE, transfers.key)


def serial_of(replica):
    found = replica.answers(ZONE, "SOA")
    return int(next(iter(found)).split()[2]) if found else None


def create(transfers, server, replica):
    done = quorate("zone", "create", ZONE, "--secondary", "--primary", transfers.remote(server), "--server", replica.url)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", [Knot, Bind])
def test_a_zone_is_followed_and_promoted(tmp_path, kind):
    with Transfers(tmp_path / "ours") as transfers:
        follower = transfers.group.followers()[0]
        # A follower is told: it is the leader who must ask.
        with primary(kind, tmp_path / "other", transfers, text(10, range(1, 100)), told=[follower]) as server:
            create(transfers, server, follower)
            follow(transfers, server, 10)
            zone = server.zones[0]
            server.change(zone, text(11, range(5, 120)))
            follow(transfers, server, 11)
            leader = transfers.group.leader()
            assert leader.metric('quorate_transfers_in_total{result="incremental"}') >= 1
            # Not ours to change.
            assert follower.set_record(ZONE, f"mine.{ZONE}", "A", "192.0.2.200").status_code in (409, 422)
            leader.kill9()
            server.change(zone, text(12, range(5, 130)))
            wait_until(lambda: [r for r in transfers.alive() if r.is_leader()], "there is another leader", FOLLOW_S)
            # The NOTIFY may have met nobody who leads: the refresh by hand is what an operator would do.
            done = quorate("zone", "refresh", ZONE, "--server", transfers.alive()[0].url)
            assert done.returncode == 0, done.stderr
            follow(transfers, server, 12)
            leader.start()
            transfers.group.wait_ready()
            status = quorate("zone", "status", ZONE, "--server", ",".join(r.url for r in transfers.replicas))
            assert "Secondary serial 12 loaded" in status.stdout, status.stdout + status.stderr
        promoted = quorate("zone", "promote", ZONE, "--server", follower.url if follower.child.is_running()
                           else transfers.alive()[0].url)
        assert promoted.returncode == 0, promoted.stderr
        succeed(transfers.replicas[2].set_record(ZONE, f"mine.{ZONE}", "A", "192.0.2.200"))
        wait_until(lambda: all(r.answers(f"mine.{ZONE}") == {"192.0.2.200"} for r in transfers.replicas),
                   "the change is everywhere", FOLLOW_S)
        assert serial_of(transfers.replicas[0]) == 13


def test_until_it_is_loaded_a_zone_is_a_failure_not_an_answer(tmp_path):
    with Transfers(tmp_path / "ours") as transfers:
        replica = transfers.replicas[0]
        done = quorate("zone", "create", ZONE, "--secondary", "--primary", "127.0.0.1@1", "--server", replica.url)
        assert done.returncode == 0, done.stderr
        assert replica.ask(f"www.{ZONE}").rcode() == 2
        status = wait_until(lambda: failed_status(transfers), "the try has failed", FOLLOW_S)
        assert status["state"] == "not-loaded" and "127.0.0.1@1" in status["error"]
        assert quorate("zone", "promote", ZONE, "--server", replica.url).returncode != 0


def failed_status(transfers):
    reply = http("GET", zone_url(transfers.group.leader(), ZONE) + "/transfer")
    status = reply.json() if reply is not None and reply.status_code == 200 else {}
    return status if status.get("error") else None


def test_over_tls(tmp_path):
    """RFC 9103: BIND serves the zone over TLS only."""
    with Transfers(tmp_path / "ours") as transfers:
        tls_port = free_tls_port()
        extra = f"  listen-on port {tls_port} tls ephemeral {{ 127.0.0.1; }};\n"
        zone = Zone(ZONE, text(10, range(1, 50)), transfer=[transfers.client()])
        with Bind(tmp_path / "other", [zone], keys=[transfers.key], extra=extra) as server:
            remote = f"{server.ip}@{tls_port}+key:{transfers.key.name}+tls"
            done = quorate("zone", "create", ZONE, "--secondary", "--primary", remote, "--server", transfers.replicas[0].url)
            assert done.returncode == 0, done.stderr
            follow(transfers, server, 10)
            server.change(zone, text(11, range(1, 55)))
            wait_until(lambda: server.serial(ZONE) == 11, "BIND has the change", FOLLOW_S)
            assert quorate("zone", "refresh", ZONE, "--server", transfers.replicas[1].url).returncode == 0
            follow(transfers, server, 11)


def free_tls_port():
    from peers import take_port
    return take_port()
