"""The HTTP door as clients of the PowerDNS Authoritative API know it, and our additions to it."""
import socket
import uuid

import pytest

from harness import PORTS, ZONES_URL, http

ZONE = "example.org."


@pytest.fixture
def replica(calm_group):
    return calm_group.followers()[0]


def rrset(name, rdtype, *contents, ttl=60, changetype="REPLACE"):
    return {"name": name, "type": rdtype, "ttl": ttl, "changetype": changetype,
            "records": [{"content": content, "disabled": False} for content in contents]}


def find(zone, name, rdtype):
    return next((r for r in zone["rrsets"] if (r["name"], r["type"]) == (name, rdtype)), None)


def read(replica, name, rdtype):
    reply = http("GET", f"{replica.url}{ZONES_URL}/{ZONE}")
    assert reply.status_code == 200, reply.text
    return find(reply.json(), name, rdtype)


def test_a_patch_is_one_change_seen_at_every_replica(calm_group, replica):
    reply = replica.patch(ZONE, [rrset(f"a.{ZONE}", "A", "192.0.2.1", "192.0.2.2"),
                                 rrset(f"m.{ZONE}", "MX", f"10 a.{ZONE}")])
    assert reply.status_code == 204, reply.text
    for each in calm_group.replicas:
        assert each.answers(f"a.{ZONE}") == {"192.0.2.1", "192.0.2.2"}
        assert each.answers(f"m.{ZONE}", "MX") == {f"10 a.{ZONE}"}
    found = read(replica, f"a.{ZONE}", "A")
    assert found["ttl"] == 60 and {r["content"] for r in found["records"]} == {"192.0.2.1", "192.0.2.2"}


def test_a_patch_that_is_wrong_in_one_part_changes_nothing(replica):
    reply = replica.patch(ZONE, [rrset(f"good.{ZONE}", "A", "192.0.2.3"), rrset(f"bad.{ZONE}", "A", "not-an-ip")])
    assert reply.status_code == 422 and "error" in reply.json()
    assert read(replica, f"good.{ZONE}", "A") is None


def test_a_delete_takes_the_rrset_away(replica):
    assert replica.patch(ZONE, [rrset(f"d.{ZONE}", "TXT", '"x"')]).status_code == 204
    assert replica.patch(ZONE, [rrset(f"d.{ZONE}", "TXT", changetype="DELETE")]).status_code == 204
    assert replica.answers(f"d.{ZONE}", "TXT") == set()


@pytest.mark.parametrize("edit, reason", [
    (rrset(f"c.{ZONE}", "CNAME", f"ns1.{ZONE}"), "CNAME"),
    (rrset("www.example.com.", "A", "192.0.2.9"), "example.com"),
    (rrset(ZONE, "SOA", changetype="DELETE"), "SOA"),
    (rrset(ZONE, "NS", changetype="DELETE"), "NS"),
])
def test_a_change_that_would_make_the_zone_invalid_is_refused_with_the_reason(replica, edit, reason):
    assert replica.patch(ZONE, [rrset(f"c.{ZONE}", "A", "192.0.2.4")]).status_code == 204
    reply = replica.patch(ZONE, [edit])
    assert reply.status_code == 422, reply.text
    assert reason in reply.json()["error"]


def test_zones_are_made_listed_exported_and_deleted(replica):
    url = replica.url + ZONES_URL
    made = http("POST", url, json={"name": "made.test.", "kind": "Native", "nameservers": ["ns1.made.test."],
                                   "rrsets": [rrset("ns1.made.test.", "A", "192.0.2.53")]})
    assert made.status_code == 201, made.text
    assert find(made.json(), "made.test.", "SOA")
    assert "made.test." in {z["name"] for z in http("GET", url).json()}
    again = http("POST", url, json={"name": "made.test.", "kind": "Native", "nameservers": ["ns1.made.test."]})
    assert again.status_code == 409, again.text
    exported = http("GET", f"{url}/made.test./export")
    assert exported.status_code == 200 and "192.0.2.53" in exported.text
    assert http("DELETE", f"{url}/made.test.").status_code == 204
    assert http("GET", f"{url}/made.test.").status_code == 404


def test_if_match_changes_only_what_was_read(replica):
    name = f"cond.{ZONE}"
    assert replica.patch(ZONE, [rrset(name, "A", "192.0.2.10")]).status_code == 204
    revision = read(replica, name, "A")["mod_revision"]
    won = replica.patch(ZONE, [rrset(name, "A", "192.0.2.11")], **{"If-Match": str(revision)})
    assert won.status_code == 204, won.text
    lost = replica.patch(ZONE, [rrset(name, "A", "192.0.2.12")], **{"If-Match": str(revision)})
    assert lost.status_code == 412, lost.text
    assert "192.0.2.11" in lost.text  # shows the current value
    assert replica.answers(name) == {"192.0.2.11"}


def test_an_idempotency_key_applies_once_at_whatever_replica_it_is_repeated(calm_group):
    name, key = f"once.{ZONE}", str(uuid.uuid4())
    edit = [rrset(name, "A", "192.0.2.20", changetype="EXTEND")]
    first, second = calm_group.replicas[0], calm_group.replicas[1]
    one = first.patch(ZONE, edit, **{"Idempotency-Key": key})
    assert one.status_code == 204, one.text
    # Somebody else's change in between must not be undone by the repetition.
    assert second.patch(ZONE, [rrset(name, "A", "192.0.2.21")]).status_code == 204
    again = second.patch(ZONE, edit, **{"Idempotency-Key": key})
    assert again.status_code == 204, again.text
    assert again.headers["X-Quorate-Revision"] == one.headers["X-Quorate-Revision"]
    assert first.answers(name) == {"192.0.2.21"}


def test_health_and_metrics(calm_group):
    leaders = 0
    for replica in calm_group.replicas:
        assert http("GET", replica.url + "/livez").status_code == 200
        assert http("GET", replica.url + "/readyz").status_code == 200
        leaders += http("GET", replica.url + "/health/leader").status_code == 200
        metrics = http("GET", replica.url + "/metrics").text
        assert "# TYPE quorate_" in metrics
    assert leaders == 1


def test_bad_requests_get_one_clear_error(replica):
    url = replica.url + ZONES_URL
    assert http("GET", f"{url}/nowhere.test.").status_code == 404
    assert http("GET", replica.url + "/api/v1/nothing").status_code == 404
    wrong_method = http("PUT", url, data="{}")
    assert wrong_method.status_code == 405 and "GET" in wrong_method.headers["Allow"]
    not_json = http("PATCH", f"{url}/{ZONE}", data="{")
    assert not_json.status_code == 400 and not_json.json()["error"]
    assert http("GET", replica.url + "/livez").status_code == 200


def test_a_body_beyond_the_bound_is_refused_before_it_is_sent(replica):
    with socket.create_connection((replica.ip, PORTS["http"]), timeout=5) as connection:
        connection.sendall(f"POST {ZONES_URL} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n".encode())
        assert b" 413 " in connection.recv(4096).splitlines()[0]
    assert http("GET", replica.url + "/livez").status_code == 200
