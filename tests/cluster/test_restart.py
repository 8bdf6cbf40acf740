"""What was acknowledged is found again: after a stop in order, and after a kill of all at once."""
from harness import wait_until

ZONE = "example.org."


def write(group, count, start=0):
    for number in range(start, start + count):
        replica = group.replicas[number % len(group.replicas)]
        reply = replica.set_record(ZONE, f"r{number}.{ZONE}", "A", f"192.0.2.{number + 1}")
        assert reply is not None and reply.status_code == 204, reply and reply.text


def expect(group, count):
    for replica in group.replicas:
        for number in range(count):
            assert replica.answers(f"r{number}.{ZONE}") == {f"192.0.2.{number + 1}"}


def test_a_stopped_group_finds_every_record_again(group):
    write(group, 20)
    for replica in group.replicas:
        replica.stop()
        assert replica.child.process.returncode == 0, replica.child.last_words()
    group.start()
    expect(group, 20)
    write(group, 5, start=20)
    expect(group, 25)


def test_a_group_killed_all_at_once_finds_every_record_again(group):
    write(group, 20)
    for replica in group.replicas:
        replica.child.process.kill()
    for replica in group.replicas:
        replica.child.process.wait()
    group.start()
    expect(group, 20)


def test_a_follower_that_was_away_catches_up(group):
    away = group.followers()[0]
    away.stop()
    others = [r for r in group.replicas if r is not away]
    for number in range(30):
        reply = others[number % 2].set_record(ZONE, f"r{number}.{ZONE}", "A", f"192.0.2.{number + 1}")
        assert reply.status_code == 204, reply.text
    away.start()
    wait_until(away.is_ready, "the follower is ready again", 60)
    expect(group, 30)


def test_a_leader_that_stops_in_order_hands_over(group):
    write(group, 1)
    leader = group.leader()
    leader.stop()
    rest = [r for r in group.replicas if r is not leader]
    wait_until(lambda: any(r.is_leader() for r in rest), "another replica leads", 10)
    reply = rest[0].set_record(ZONE, f"after.{ZONE}", "A", "192.0.2.200")
    assert reply.status_code == 204, reply.text
    assert rest[1].answers(f"after.{ZONE}") == {"192.0.2.200"}
