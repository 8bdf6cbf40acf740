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


KINDS = {"kill -9": kill, "leader kills": kill_leader, "SIGSTOP": pause, "cuts": cut, "one-way cuts": cut_one_way,
         "rolling restarts": roll, "mixed": mixed}
