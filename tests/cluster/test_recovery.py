"""Lost data: a damaged replica repairs itself, a wiped one is turned away, a survivor becomes a new group."""
import json
import secrets
import shutil

from harness import Group, Replica, etcdctl, quorate, stop_all, wait_until

ZONE = "example.org."
DAMAGED, TURNED_AWAY = 84, 85


def write(replica, number):
    wait_until(lambda: takes_write(replica, number), f"{replica.name} takes a write")


def takes_write(replica, number):
    reply = replica.set_record(ZONE, f"r{number}.{ZONE}", "A", f"192.0.2.{number + 1}")
    return reply is not None and reply.status_code == 204


def expect(replica, count):
    for number in range(count):
        assert replica.answers(f"r{number}.{ZONE}") == {f"192.0.2.{number + 1}"}


def log_of(replica):
    return replica.child.log_path.read_text(errors="replace")


def flip_a_byte(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 1]))


def comes_back(replica):
    """True once it is ready; a replica that was damaged has said so, and that it is repaired."""
    if not replica.is_ready():
        assert replica.child.is_running(), replica.child.last_words()
        return False
    return "repaired:" in log_of(replica)


def repair(victim):
    """Starts a replica that was damaged, and waits until it takes part again."""
    victim.start()
    wait_until(lambda: comes_back(victim), "it is repaired", 60)
    assert "DAMAGED:" in log_of(victim) and (victim.data / "damaged-1").is_dir()


def test_a_replica_with_a_damaged_log_repairs_itself_from_its_leader_and_takes_part_again(group):
    for number in range(5):
        write(group.replicas[0], number)
    victim = group.followers()[0]
    others = [r for r in group.replicas if r is not victim]
    victim.stop()
    flip_a_byte(min((victim.data / "wal").glob("*.wal")), 700)
    write(others[0], 5)
    repair(victim)
    expect(victim, 6)
    # Its vote counts again: with one of the others gone it is needed for a majority.
    others[0].kill9()
    wait_until(lambda: takes_write(others[1], 6), "the two take a write", 60)
    victim.stop()
    victim.start()
    wait_until(victim.is_ready, "it starts as usual", 60)
    expect(victim, 7)


def test_a_replica_whose_state_does_not_open_is_repaired_unless_that_is_forbidden(group):
    write(group.replicas[0], 0)
    victim = group.followers()[0]
    victim.stop()
    (victim.data / "state/CURRENT").write_text("state-")
    command = list(victim.child.command)
    victim.child.command = [*command, "--no-repair"]
    victim.start()
    assert victim.child.process.wait(30) == DAMAGED, victim.child.last_words()
    assert "--no-repair" in victim.child.last_words()
    victim.child.command = command
    repair(victim)
    expect(victim, 1)


def test_damage_that_is_met_later_ends_the_replica_and_its_next_start_repairs_it(group):
    leader, victim = group.leader(), group.followers()[0]
    large = [secrets.token_hex(1 << 19) for _ in range(10)]  # fill RocksDB's write buffer: it makes a table
    for number, value in enumerate(large):
        assert etcdctl(leader.etcd, "put", f"large{number}", input_text=value).returncode == 0
    tables = wait_until(lambda: [t for t in victim.data.glob("state/*/*.sst") if t.stat().st_size > 4 << 20],
                        "there is a table of them")
    victim.stop()
    for at in range(1000, tables[0].stat().st_size - (1 << 16), 20000):  # its index and its end stay whole
        flip_a_byte(tables[0], at)
    victim.start()

    def ended():
        return any(etcdctl(victim.etcd, "get", f"large{n}").returncode != 0 and not victim.child.is_running()
                   for n in range(len(large)))
    wait_until(ended, "it has met the damage", 60)
    assert victim.child.process.returncode == DAMAGED, victim.child.last_words()
    victim.start()
    wait_until(lambda: comes_back(victim), "it is repaired", 60)
    got = etcdctl(victim.etcd, "get", "large3", "--print-value-only")
    assert got.stdout.strip() == large[3]


def test_a_group_of_one_has_nobody_to_repair_it(tmp_path):
    group = Group(tmp_path, size=1)
    try:
        group.start()
        replica = group.replicas[0]
        replica.stop()
        flip_a_byte(min((replica.data / "wal").glob("*.wal")), 700)
        replica.start()
        assert replica.child.process.wait(30) == DAMAGED
        said = replica.child.last_words()
        assert "quorate snapshot restore" in said and "quorate recover" in said
        assert not (replica.data / "damaged-1").exists(), "nothing is put aside"
    finally:
        group.stop()


def test_a_wiped_replica_is_turned_away_and_the_others_go_on(group):
    write(group.replicas[0], 0)
    victim = group.followers()[0]
    others = [r for r in group.replicas if r is not victim]
    victim.stop()
    shutil.rmtree(victim.data)
    victim.start()
    assert victim.child.process.wait(60) == TURNED_AWAY, victim.child.last_words()
    assert "turned away" in victim.child.last_words() and "member replace" in victim.child.last_words()
    for replica in others:
        wait_until(replica.is_ready, "the others are ready")
        write(replica, 1)
        expect(replica, 2)


def in_group(replica, arguments):
    """A replica at the same place with other arguments for its group."""
    return Replica(replica.name, replica.ip, replica.data, replica.child.log_path, arguments, replica.ports)


def test_a_survivor_becomes_a_new_group_and_the_old_members_stay_outside(group, tmp_path):
    for number in range(5):
        write(group.replicas[number % 3], number)
    old, survivor, third = group.replicas
    for replica in (old, third):
        replica.kill9()
    survivor.stop()

    refused = quorate("recover", "--data", survivor.data, input_text="7\n")
    assert refused.returncode == 2 and "nothing was changed" in refused.stderr
    assert "LOST may be" in refused.stderr and "NEVER" in refused.stderr and "group 1" in refused.stderr
    refused = quorate("recover", "--data", survivor.data, "--yes")
    assert refused.returncode == 2 and "--group 1" in refused.stderr
    done = quorate("recover", "--data", survivor.data, "--yes", "--group", "1", "-o", "json",
                   "--member", f"3={third.ip}:{third.ports['peer']}")
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["old_group"] == 1 and outcome["group"] != 1
    assert (survivor.data / "identity.old-1").exists()
    survivor.start()  # as of old
    assert survivor.child.process.wait(30) == 1
    assert f"group {outcome['group']}" in survivor.child.last_words()

    arguments = ["--group", "example", *outcome["serve"].split()]
    new = in_group(survivor, arguments)
    joined = in_group(third, [*arguments])
    joined.child.command[joined.child.command.index("--replica-id") + 1] = "3"
    new.start()
    try:
        wait_until(new.is_ready, "the new group is ready", 60)
        expect(new, 5)
        write(new, 5)
        old.start()  # which nobody should do: it is not heard, and answers nothing that needs its group
        shutil.rmtree(third.data)
        joined.start()
        wait_until(lambda: joined.is_ready() and all(m["voter"] for m in new.group_status()["members"]),
                   "the member that joined has caught up and votes", 60)
        expect(joined, 6)
        assert not old.is_ready()
        assert {m["id"] for m in new.group_status()["members"]} == {2, 3}
    finally:
        stop_all([new.child, joined.child])
