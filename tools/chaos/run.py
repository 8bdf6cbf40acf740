"""The whole run: groups of each size in turn, phase after phase until the time is over."""
import random
import time

from . import faults
from .phase import Phase
from .world import Violation, World

PHASE_SHORTEST_S, PHASE_LONGEST_S = 4.0, 25.0
AROUND_S = 4.0  # what a phase takes beside its faults: its zone, the recovery, the checks


class Run:
    """`make_network(directory, size)`; everything is kept below `directory`."""

    def __init__(self, directory, make_network, seed, kinds, say):
        self.directory, self.make_network, self.seed, self.say = directory, make_network, seed, say
        self.kinds = [(kind, faults.KINDS[kind]) for kind in kinds]
        self.phases = 0

    def group(self, size, seconds):
        """All kinds of fault at one group of `size`, again and again; each at least once. Violation ends it."""
        started = time.monotonic()
        rng = random.Random(f"{self.seed} {size}")
        directory = self.directory / f"group-of-{size}"
        directory.mkdir()
        network = self.make_network(directory, size)
        self.say(f"{size} replicas {network.describe()}, seed {self.seed}, {seconds:.0f} s: {directory}")
        world = World(directory, network)
        try:
            world.start()
            phase_s = min(max(seconds / len(self.kinds) - AROUND_S, PHASE_SHORTEST_S), PHASE_LONGEST_S)
            first = True
            while first or time.monotonic() - started < seconds - phase_s:
                for kind, fault in rng.sample(self.kinds, len(self.kinds)):
                    if not first and time.monotonic() - started > seconds - phase_s:
                        break
                    self._phase(world, kind, fault, rng, phase_s)
                first = False
        finally:
            world.close()

    def _phase(self, world, kind, fault, rng, seconds):
        self.phases += 1
        name = f"phase {self.phases} ({kind})"
        try:
            line = Phase(world, self.phases, kind, fault, rng).run(seconds, self.directory / f"history-{self.phases}.jsonl")
        except Violation as broken:
            raise Violation(f"seed {self.seed}, {len(world.replicas)} replicas, {name}: {broken}") from None
        except AssertionError as late:
            raise Violation(f"seed {self.seed}, {len(world.replicas)} replicas, {name}: {late}") from None
        self.say(f"{name}: {line}")
