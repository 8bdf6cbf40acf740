"""The kinds of fault. Each is a function of (world, rng) that does one, takes its time and mends it again: a phase repeats it.

What comes after the last one is the phase's business: it heals, continues and starts whatever is left."""
import time


def kill(world, rng):
    """kill -9 of one, of some, now and then of all at once."""
    victims = world.minority(rng) if rng.random() < 0.8 else list(world.replicas)
    world.kill(victims)
    time.sleep(rng.uniform(0, 1.5))
    world.start_again(victims)
    time.sleep(rng.uniform(0.3, 2))


def pause(world, rng):
    """SIGSTOP, for less and for more than an election and a lease take."""
    victims = world.minority(rng) if rng.random() < 0.8 else list(world.replicas)
    world.pause(victims)
    time.sleep(rng.choice([0.1, 0.4, 1.0, 3.0]))
    world.resume(victims)
    time.sleep(rng.uniform(0.3, 2))


def kill_leader(world, rng):
    """The leader dies, every time; sometimes it hangs first, with requests in hand."""
    leader = world.leader()
    if leader is None:
        time.sleep(0.1)
        return
    if rng.random() < 0.5:
        world.pause([leader])
        time.sleep(rng.uniform(0, 1))
    world.kill([leader])
    time.sleep(rng.uniform(0, 0.5))
    world.start_again([leader])
    time.sleep(rng.uniform(0.5, 2.5))


def cut(world, rng):
    """Links cut both ways: a minority alone, or every member from every other."""
    side = world.minority(rng)
    rest = [r for r in world.replicas if r not in side]
    pairs = [(a, b) for a in side for b in rest]
    if rng.random() < 0.15:
        pairs = [(a, b) for a in world.replicas for b in world.replicas]
    world.cut([*pairs, *((b, a) for a, b in pairs)])
    time.sleep(rng.uniform(0.3, 4))
    world.heal()
    time.sleep(rng.uniform(0.3, 2))


def cut_one_way(world, rng):
    """Somebody, often the leader, is not heard, or hears nobody; or single directions fail here and there."""
    one = world.leader() if rng.random() < 0.6 else None
    one = one or rng.choice(world.replicas)
    others = [r for r in world.replicas if r is not one]
    how = rng.randrange(4)
    if how == 0:
        pairs = [(one, other) for other in others]
    elif how == 1:
        pairs = [(other, one) for other in others]
    elif how == 2:
        pairs = [(one, rng.choice(others))]
    else:
        pairs = [(a, b) for a in world.replicas for b in world.replicas if rng.random() < 0.3]
    world.cut(pairs)
    time.sleep(rng.uniform(0.3, 4))
    world.heal()
    time.sleep(rng.uniform(0.3, 2))


def roll(world, rng):
    """A rolling restart: SIGTERM to one after the other, the next when the last is ready again."""
    for replica in rng.sample(world.replicas, len(world.replicas)):
        world.stop_in_order(replica)
        time.sleep(rng.uniform(0, 0.5))
        world.start_again([replica])
        world.wait_ready(replica)


def mixed(world, rng):
    """Some are cut off, others stopped or killed meanwhile."""
    world.cut([(a, b) for a in world.replicas for b in world.replicas if rng.random() < 0.2])
    victims = world.minority(rng)
    if rng.random() < 0.5:
        world.pause(victims)
        time.sleep(rng.uniform(0.1, 2))
        world.resume(victims)
    else:
        world.kill(victims)
        time.sleep(rng.uniform(0, 1))
        world.start_again(victims)
    if rng.random() < 0.7:
        world.heal()
    time.sleep(rng.uniform(0.3, 2))


def lose_power(world, rng):
    """Machines go off: their logs come back as they were at the last sync. Of some, or of all at once."""
    victims = world.minority(rng) if rng.random() < 0.5 else list(world.replicas)
    if rng.random() < 0.5:
        world.slow_disks(victims, rng.choice([5, 20, 80]))  # so that something is on its way when the power goes
        time.sleep(rng.uniform(0.2, 0.6))
    world.lose_power(victims, rng)
    time.sleep(rng.uniform(0, 1))
    world.start_again(victims)
    time.sleep(rng.uniform(0.3, 2))


def _one(world, rng):
    """Often the leader."""
    return (world.leader() if rng.random() < 0.5 else None) or rng.choice(world.replicas)


def _hurt_disk(world, victim, rule, seconds):
    world.hurt_disk(victim, rule)
    time.sleep(seconds)
    world.mend_disk(victim)
    time.sleep(0.2)
    world.revive()
    world.wait_ready(victim)
    world.revive()


def fill_disk(world, rng):
    """One has little room left for a while, or none."""
    victim = _one(world, rng)
    room = rng.choice([0, 1, 3, 6]) << 20
    _hurt_disk(world, victim, f"space {world.disk(victim).bytes_used() + room}", rng.uniform(0.5, 5))


def fail_disk(world, rng):
    """A write or a sync of one fails, once or from now on, or writes are torn; short writes are nothing to complain of."""
    rule = rng.choice(["sync error EIO name wal/ times 1", "sync error EIO name wal/", "write error EIO name wal/ times 1",
                       "write torn EIO name wal/", "write short name wal/", "write error ENOSPC name .sst",
                       "read error EIO name .sst", "open error EIO name wal/", "rename error EIO"])
    _hurt_disk(world, _one(world, rng), rule, rng.uniform(0.5, 3))


def stall_disk(world, rng):
    """Syncs of one take long; who leads cannot go on leading."""
    _hurt_disk(world, _one(world, rng), f"sync delay {rng.choice([200, 1000, 4000])} name wal/", rng.uniform(1, 6))


def replace_member(world, rng):
    """One is lost for good, or is well and has to go; a new one with an empty disk takes its place."""
    if not world.replace(_one(world, rng), dead=rng.random() < 0.6):
        time.sleep(0.5)
    time.sleep(rng.uniform(0.3, 1.5))


KINDS = {"kill -9": kill, "leader kills": kill_leader, "SIGSTOP": pause, "cuts": cut, "one-way cuts": cut_one_way,
         "rolling restarts": roll, "mixed": mixed, "power loss": lose_power, "full disk": fill_disk,
         "failing disk": fail_disk, "stalled disk": stall_disk, "member replacement": replace_member}
NEED_DISK_FAULTS = {"power loss", "full disk", "failing disk", "stalled disk"}  # tools/disk_faults
