"""Every door on IPv6."""
import subprocess

import pytest

from harness import QUORATE, Child, Group, etcdctl, free_ports, http, quorate, stop_all, wait_until

ZONE = "example.org."


@pytest.fixture(scope="module")
def group6(tmp_path_factory):
    group = Group(tmp_path_factory.mktemp("six"), places=[("::1", free_ports("::1")) for _ in range(3)])
    try:
        group.start()
        yield group
    finally:
        group.stop()


def test_a_group_forms_writes_and_answers_on_ipv6(group6):
    for number, replica in enumerate(group6.replicas):
        reply = replica.set_record(ZONE, f"six{number}.{ZONE}", "AAAA", "2001:db8::1")
        assert reply.status_code == 204, reply.text
        for other in group6.replicas:
            assert other.answers(f"six{number}.{ZONE}", "AAAA") == {"2001:db8::1"}
            assert other.answers(f"six{number}.{ZONE}", "AAAA", tcp=True) == {"2001:db8::1"}


def test_stock_tools_reach_it(group6):
    replica = group6.replicas[0]
    assert replica.set_record(ZONE, f"dug.{ZONE}", "A", "192.0.2.6").status_code == 204
    dig = subprocess.run(["dig", "@::1", "-p", str(replica.ports["dns"]), "+short", f"dug.{ZONE}", "A"],
                         capture_output=True, text=True, timeout=30, check=True)
    assert dig.stdout.strip() == "192.0.2.6"
    assert etcdctl(replica.etcd, "put", "six", "6").returncode == 0
    assert etcdctl(replica.etcd, "get", "six", "--print-value-only").stdout == "6\n"


def test_the_command_line_reaches_it(group6):
    result = quorate("record", "set", f"cli.{ZONE}", "A", "192.0.2.66", "--ttl", "60", "--server",
                     group6.replicas[1].url)
    assert result.returncode == 0, result.stderr
    assert group6.replicas[2].answers(f"cli.{ZONE}") == {"192.0.2.66"}


def test_the_glue_of_the_first_content_is_aaaa(group6):
    assert group6.replicas[0].answers(f"ns1.{ZONE}", "AAAA") == {"::1"}


def test_an_oracle_listens_on_ipv6(tmp_path):
    port = free_ports("::1", ("oracle",))["oracle"]
    child = Child("oracle", [str(QUORATE), "oracle", "--listen", f"[::1]:{port}", "--data", str(tmp_path / "o")],
                  tmp_path / "oracle.log")
    child.start()
    try:
        wait_until(lambda: http("GET", f"http://[::1]:{port}/status"), "the Oracle answers")
    finally:
        stop_all([child])
    assert child.process.returncode == 0
