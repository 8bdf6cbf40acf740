"""Snapshots: kept as files and begun anew from, and sent to a member that fell behind the log."""
import json
import threading

import pytest

from harness import Group, quorate, wait_until

ZONE = "example.org."


def ok(result):
    assert result.returncode == 0, result.stderr
    return result.stdout


def write(replica, name, address):
    reply = replica.set_record(ZONE, f"{name}.{ZONE}", "A", address)
    assert reply is not None and reply.status_code == 204, reply and reply.text


def import_large(replica, directory, records):
    """About 250 bytes a record."""
    lines = [f"{ZONE} 300 IN SOA ns1.{ZONE} h.{ZONE} 1 3600 600 1209600 300", f"{ZONE} 300 IN NS ns1.{ZONE}",
             f"ns1.{ZONE} 300 IN A 192.0.2.1"]
    lines += [f'big{number}.{ZONE} 300 IN TXT "{number:0200d}"' for number in range(records)]
    path = directory / "large.zone"
    path.write_text("\n".join(lines) + "\n")
    ok(quorate("zone", "import", ZONE, path, "--server", replica.url))


@pytest.fixture
def make_group(tmp_path):
    groups = []

    def make(name, **options):
        (tmp_path / name).mkdir()
        groups.append(Group(tmp_path / name, **options))
        return groups[-1]

    yield make
    for group in groups:
        group.stop()


def test_a_new_group_begins_with_what_was_saved(make_group, tmp_path):
    old = make_group("old")
    old.start()
    for number in range(20):
        write(old.replicas[number % 3], f"r{number}", f"192.0.2.{number + 1}")
    ok(quorate("kv", "put", "colour", "blue", "--server", old.replicas[0].url))
    file = tmp_path / "org.snapshot"
    source = old.followers()[0]
    saved = json.loads(ok(quorate("snapshot", "save", file, "--server", source.url, "-o", "json")))
    export = ok(quorate("zone", "export", ZONE, "--server", source.url))
    assert not list(tmp_path.glob("*.part"))
    write(old.replicas[0], "later", "192.0.2.99")

    found = json.loads(ok(quorate("snapshot", "inspect", file, "-o", "json")))
    assert (found["group"]["id"], found["index"], found["bytes"]) == (1, saved["index"], file.stat().st_size)
    assert [zone["name"] for zone in found["zones"]] == [ZONE]
    assert len(found["members"]) == 3

    damaged = tmp_path / "damaged"
    damaged.write_bytes(file.read_bytes()[:-100])
    result = quorate("snapshot", "inspect", damaged)
    assert result.returncode == 1 and f"cut off at byte {file.stat().st_size - 100}" in result.stderr

    new = make_group("new", group_id=77)
    for number, replica in enumerate(new.replicas, 1):
        text = ok(quorate("snapshot", "restore", file, "--data", replica.data, "--group-id", 77, "--replica-id", number,
                          "--members", new.members))
        assert "the new group 77" in text
    result = quorate("snapshot", "restore", file, "--data", new.replicas[0].data, "--group-id", 77, "--replica-id", 1,
                     "--members", new.members)
    assert result.returncode == 1 and "not an empty directory" in result.stderr
    new.start()
    for replica in new.replicas:
        assert replica.answers(f"r7.{ZONE}") == {"192.0.2.8"}
        assert replica.answers(f"later.{ZONE}") == set()
        assert ok(quorate("zone", "export", ZONE, "--server", replica.url)) == export
        assert ok(quorate("kv", "get", "colour", "--server", replica.url)).strip().endswith("blue")
    write(new.replicas[1], "new", "192.0.2.100")
    assert new.replicas[2].answers(f"new.{ZONE}") == {"192.0.2.100"}
    assert old.replicas[2].answers(f"new.{ZONE}") == set(), "the two are strangers"


class Writer:
    """Writes on and on at one replica; keeps count of what failed."""

    def __init__(self, replica):
        self.replica, self.done, self.failed = replica, 0, []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stop.is_set():
            reply = self.replica.set_record(ZONE, f"w.{ZONE}", "A", f"192.0.2.{self.done % 250 + 1}", timeout_s=30)
            if reply is None or reply.status_code not in (204, 503):  # 503: certainly not applied, a new leader
                self.failed.append(reply and reply.text)
            self.done += 1

    def stop(self):
        self._stop.set()
        self._thread.join()


def test_who_fell_behind_the_log_is_sent_a_snapshot_while_writes_go_on(make_group, tmp_path):
    group = make_group("group", options=["--log-entries", "64", "--snapshot-rate", "1MiB"])
    group.start()
    away = group.followers()[0]
    away.stop()
    others = [r for r in group.replicas if r is not away]
    import_large(others[0], tmp_path, 8000)
    for number in range(100):
        write(others[number % 2], f"r{number}", f"192.0.2.{number + 1}")
    for replica in others:
        wait_until(lambda r=replica: (r.metric("quorate_raft_log_entries") or 1e9) <= 64, "the log is cut")

    writer = Writer(others[0])
    try:
        away.start()
        wait_until(lambda: (others[0].metric("quorate_snapshot_sent_bytes_total") or 0)
                   + (others[1].metric("quorate_snapshot_sent_bytes_total") or 0) > 0, "a snapshot is under way", 60)
        before = writer.done
        wait_until(lambda: away.metric("quorate_snapshots_installed_total"), "it is installed", 90)
        assert writer.done > before, "writes go on while it is sent"
        wait_until(away.is_ready, "it is ready", 60)
    finally:
        writer.stop()
    assert not writer.failed
    assert away.metric("quorate_snapshots_refused_total") == 0
    # A leader that lost its office on the way has not heard the end of it.
    wait_until(lambda: sum(r.metric("quorate_snapshots_sent_total") for r in others) == 1
               or away.group_status()["term"] > 1, "the leader knows")
    for number in (0, 50, 99):
        assert away.answers(f"r{number}.{ZONE}") == {f"192.0.2.{number + 1}"}
    assert away.answers(f"big7999.{ZONE}", "TXT")


def test_a_transfer_that_was_cut_goes_on_where_it_was(make_group, tmp_path):
    # Times of a WAN, so that nobody else leads meanwhile.
    group = make_group("group", options=["--log-entries", "16", "--snapshot-rate", "384KiB", "--preset", "wan"])
    group.start()
    away = group.followers()[0]
    away.stop()
    leader = group.leader()
    import_large(leader, tmp_path, 12000)
    for number in range(40):
        write(leader, f"r{number}", f"192.0.2.{number + 1}")
    wait_until(lambda: (leader.metric("quorate_raft_log_entries") or 1e9) <= 16, "the log is cut")

    away.start()
    wait_until(lambda: away.metric("quorate_snapshot_received_bytes_total"), "a part has arrived", 60)
    assert away.metric("quorate_snapshots_installed_total") == 0
    away.pause()
    try:
        wait_until(lambda: leader.metric("quorate_snapshots_set_aside_total"), "the leader gives up waiting", 60)
    finally:
        away.resume()
    wait_until(lambda: away.metric("quorate_snapshots_installed_total"), "it is installed", 90)
    assert leader.metric("quorate_snapshots_resumed_total") >= 1
    size = away.metric("quorate_snapshot_received_bytes_total")
    assert leader.metric("quorate_snapshot_sent_bytes_total") < 2 * size
    wait_until(away.is_ready, "it is ready", 60)
    assert away.answers(f"big11999.{ZONE}", "TXT")
