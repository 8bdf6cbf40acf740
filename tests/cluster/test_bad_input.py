"""Bad input and faults: each gives one clear error and a non-zero exit or an error reply; no crash, nothing lost."""
import os
import shutil
import socket
import subprocess
import time

import dns.rcode
import pytest

from harness import (PORTS, ZONES_URL, Group, etcdctl, host_port, http, quorate, wait_until)

ZONE = "example.org."


def serve_once(*arguments, timeout_s=20):
    """`quorate serve` that is expected to end by itself: (exit code, what it said on stderr)."""
    result = quorate("serve", *arguments, timeout_s=timeout_s)
    assert result.returncode not in (0, -6, -11), result.stderr
    return result.returncode, result.stderr.strip()


def one_clear_error(text):
    assert text and len(text.splitlines()) <= 2, text
    assert "Assertion" not in text and "CHECK" not in text and "terminate called" not in text
    return text


# --- starting ---

def test_an_unknown_configuration_key_is_named_with_its_line(tmp_path):
    config = tmp_path / "replica.toml"
    config.write_text('data = "d"\n\n[listen]\nhttps = "127.0.0.1:1"\n')
    _, error = serve_once("--config", config)
    assert "listen.https" in one_clear_error(error) and "replica.toml:4" in error


def test_a_configuration_that_is_no_toml_is_named_with_its_line(tmp_path):
    config = tmp_path / "replica.toml"
    config.write_text('data = "d"\nlisten = [\n')
    _, error = serve_once("--config", config)
    assert "replica.toml:" in one_clear_error(error)


@pytest.mark.parametrize("door", PORTS)
def test_a_port_in_use_is_named(tmp_path, door):
    group = Group(tmp_path, size=1)
    replica = group.replicas[0]
    kind = socket.SOCK_DGRAM if door == "dns" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as taken:
        if kind == socket.SOCK_STREAM:  # what lingers of an earlier test is not in the way
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((replica.ip, PORTS[door]))
        if kind == socket.SOCK_STREAM:
            taken.listen(1)
        replica.start()
        assert replica.child.process.wait(20) not in (0, -6, -11)
    assert host_port(replica.ip, PORTS[door]) in replica.child.last_words()
    group.stop()


def test_a_data_directory_of_another_member_is_refused(tmp_path):
    group = Group(tmp_path, size=3)
    try:
        group.start()
        for replica in group.replicas:
            replica.stop()
        first, second = group.replicas[:2]
        shutil.rmtree(second.data)
        shutil.copytree(first.data, second.data)
        second.start()
        assert second.child.process.wait(20) not in (0, -6, -11)
        assert "member" in second.child.last_words() or "replica" in second.child.last_words()
        assert str(second.data) in second.child.last_words()
    finally:
        group.stop()


def refuses_to_start(replica):
    """What it said; it must have ended by itself, in order."""
    replica.start()
    assert replica.child.process.wait(20) not in (0, -6, -11)
    return replica.child.last_words()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def of_another_version(identity):
    """docs/formats.md: the last line is the checksum of the lines before it."""
    body = identity.replace("quorate-data 2", "quorate-data 9")[:identity.index("crc ")]
    return f"{body}crc {crc32c(body.encode()):08x}\n"


def test_a_data_directory_of_another_version_or_damaged_is_refused(tmp_path):
    group = Group(tmp_path, size=1)
    try:
        group.start()
        replica = group.replicas[0]
        assert replica.set_record(ZONE, f"kept.{ZONE}", "A", "192.0.2.1").status_code == 204
        replica.stop()
        identity = replica.data / "identity"
        good = identity.read_text()
        identity.write_text(of_another_version(good))
        assert "version" in refuses_to_start(replica)
        identity.write_text(good.replace("member 1", "member 2"))
        damaged = refuses_to_start(replica)
        assert str(replica.data) in damaged and "damaged" in damaged
        identity.write_text(good)
        group.start()
        assert replica.answers(f"kept.{ZONE}") == {"192.0.2.1"}
    finally:
        group.stop()


def test_a_data_directory_in_use_is_refused(calm_group, tmp_path):
    running = calm_group.replicas[0]
    other = Group(tmp_path, size=1).replicas[0]
    command = other.child.command
    command[command.index("--data") + 1] = str(running.data)
    other.start()
    assert other.child.process.wait(20) not in (0, -6, -11)
    assert str(running.data) in other.child.last_words()
    assert running.is_ready()


# --- asking ---

def test_a_missing_zone_is_an_error_reply(calm_group):
    replica = calm_group.replicas[0]
    reply = replica.set_record("nowhere.test.", "a.nowhere.test.", "A", "192.0.2.1")
    assert reply.status_code == 404 and reply.json()["error"]
    assert replica.ask("a.nowhere.test.").rcode() == dns.rcode.REFUSED
    result = quorate("record", "set", "a.nowhere.test.", "A", "192.0.2.1", "--server", replica.url)
    assert result.returncode not in (0, -6, -11)
    assert "nowhere.test." in one_clear_error(result.stderr.strip())


def test_a_malformed_zone_file_is_refused_with_line_and_column(calm_group, tmp_path):
    replica = calm_group.replicas[0]
    text = (f"{ZONE} 3600 IN SOA ns1.{ZONE} host.{ZONE} 1 3600 600 86400 300\n{ZONE} 3600 IN NS ns1.{ZONE}\n"
            f"ns1.{ZONE} 3600 IN A 192.0.2.1\nbad.{ZONE} 3600 IN A 192.0.2.300\n")
    reply = http("PUT", f"{replica.url}{ZONES_URL}/{ZONE}/zonefile", data=text)
    assert reply.status_code == 422, reply.text
    assert reply.json()["line"] == 4 and reply.json()["column"] > 1 and reply.json()["reason"]
    file = tmp_path / "bad.zone"
    file.write_text(text)
    result = quorate("zone", "import", ZONE, file, "--server", replica.url)
    assert result.returncode not in (0, -6, -11)
    assert "line 4" in result.stderr or ":4:" in result.stderr
    assert replica.answers(f"ns1.{ZONE}") not in (None, {"192.0.2.1"})  # the old content is in force


def test_an_unreachable_group_is_an_error_with_a_code_of_its_own():
    result = quorate("record", "set", f"a.{ZONE}", "A", "192.0.2.1", "--server", "http://127.0.0.1:9")
    assert result.returncode == 4, result.stderr
    assert "127.0.0.1:9" in one_clear_error(result.stderr.strip())


def test_wrong_arguments_are_a_usage_error():
    for arguments in (["record", "set"], ["record", "set", "a..b.", "A", "192.0.2.1", "--server", "http://127.0.0.1:9"],
                      ["nonsense"]):
        result = quorate(*arguments)
        assert result.returncode == 2, (arguments, result.stderr)


# --- faults ---

def test_without_a_quorum_writes_are_refused_and_nothing_is_guessed(group):
    survivor, *others = group.replicas
    assert survivor.set_record(ZONE, f"before.{ZONE}", "A", "192.0.2.1").status_code == 204
    for replica in others:
        replica.kill9()
    started = time.monotonic()
    reply = survivor.set_record(ZONE, f"during.{ZONE}", "A", "192.0.2.2", timeout_s=20)
    assert reply is not None and reply.status_code in (503, 504) and reply.json()["hint"], reply
    assert time.monotonic() - started < 15
    assert http("GET", survivor.url + "/livez").status_code == 200
    wait_until(lambda: not survivor.is_ready(), "it is no longer ready", 10)
    assert survivor.ask(f"before.{ZONE}").rcode() == dns.rcode.SERVFAIL  # P5: linearizable is the default
    result = quorate("record", "set", f"during.{ZONE}", "A", "192.0.2.2", "--server", survivor.url)
    assert result.returncode in (4, 5) and result.stderr.strip()
    for replica in others:
        replica.start()
    group.wait_ready()
    assert survivor.answers(f"before.{ZONE}") == {"192.0.2.1"}
    assert survivor.set_record(ZONE, f"after.{ZONE}", "A", "192.0.2.3").status_code == 204


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
@pytest.mark.parametrize("of", ["a follower", "the leader"])
def test_a_full_disk_stops_one_replica_and_loses_nothing(tmp_path, of):
    group = Group(tmp_path)
    for replica in group.replicas:
        replica.data.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m", "none", replica.data], check=True)
    try:
        group.start()
        victim = group.leader() if of == "the leader" else group.followers()[0]
        others = [r for r in group.replicas if r is not victim]
        fill(victim.data / "ballast")
        acknowledged = write_until(others, lambda: not victim.child.is_running())
        assert victim.child.process.returncode == 83, victim.child.last_words()
        assert "disk-full" in victim.child.last_words() and "No space left" in victim.child.last_words()
        check_keys(others, acknowledged)
        (victim.data / "ballast").unlink()
        victim.start()
        group.wait_ready()
        check_keys([victim], acknowledged)
    finally:
        group.stop()
        for replica in group.replicas:
            subprocess.run(["umount", replica.data], check=True)


def fill(path):
    with open(path, "wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(1 << 20))
        except OSError:
            pass


def write_until(replicas, condition, timeout_s=60):
    """Writes half a MiB at a time, so that the log soon needs room; gives what was acknowledged."""
    acknowledged, count, deadline = {}, 0, time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"{count} writes, and the disk of the victim is not full yet"
        value = f"{count}:" + "x" * (1 << 19)
        result = etcdctl(replicas[count % len(replicas)].etcd, "--command-timeout=5s", "put", f"big/{count % 100}",
                         input_text=value)
        if result.returncode == 0:
            acknowledged[f"big/{count % 100}"] = value
        count += 1
    return acknowledged


def check_keys(replicas, acknowledged):
    for key, value in acknowledged.items():
        for replica in replicas:
            found = etcdctl(replica.etcd, "get", key, "--print-value-only").stdout
            # A later write of the same key may have been applied although its answer was lost.
            assert int(found.split(":")[0]) >= int(value.split(":")[0]), f"{replica.name} lost {key}"
