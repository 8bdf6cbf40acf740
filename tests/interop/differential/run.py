"""Compares Quorate with NSD, Knot and BIND on random zones.

    run.py --seeds 1:150 [--questions 130]

Prints every difference that no rule excuses with its seed, question, answers and zones, then how often each rule was
needed. `--seeds N` alone repeats one. Exit code 1 when there was one.
"""
import argparse
import collections
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "cluster")]
import compare  # noqa: E402
import rules  # noqa: E402
import servers  # noqa: E402
import worlds  # noqa: E402

SHOWN = 30  # differences printed in full


class Result:
    def __init__(self):
        self.asked = self.by_tcp = self.excused = 0
        self.rules = collections.Counter()
        self.left = []  # texts
        self.compared = collections.Counter()  # questions by server
        self.not_loaded = collections.Counter()  # zones by server, odd worlds aside
        self.refused_by_us = {}

    def report(self):
        lines = self.left[:SHOWN]
        lines.append(f"asked {self.asked}, {self.by_tcp} again by TCP; compared with " + ", ".join(f"{s} {n}" for s, n in sorted(self.compared.items())))
        lines += [f"  {count:7} {name}" for name, count in self.rules.most_common()]
        lines.append(f"zones of others not loaded: {dict(self.not_loaded)}; refused by us: {self.refused_by_us}")
        lines.append(f"{len(self.left)} differences that nothing excuses")
        return "\n".join(lines)


def compare_worlds(made, directory, result):
    """Asks all questions of these worlds with one start of each server."""
    zones = [zone for world in made for zone in world.zones]
    with servers.running(directory, zones) as running:
        result.refused_by_us.update(running["quorate"].refused)
        has = servers.who_has(running, [apex for apex, _ in zones])
        questions = [(world, question) for world in made for question in world.questions]
        wires = [compare.question_wire(*question) for _, question in questions]
        different = servers.ask_all(running, wires)
        for number, groups in different.items():
            # RFC 2181 9: with TC set what else is there is not used, so the whole answer is compared.
            if any(map(servers.is_cut_short, groups.values())):
                different[number] = servers.ask_again_by_tcp(running, wires[number])
                result.by_tcp += 1
    fit = {(name, world.seed): all(apex in has[name] for apex, _ in world.zones) for name in has for world in made}
    for (name, seed), fits in fit.items():
        world = next(w for w in made if w.seed == seed)
        result.not_loaded[name] += 0 if fits or world.odd else 1
        result.compared[name] += len(world.questions) if fits else 0
    result.asked += len(questions)
    for number, groups in different.items():
        world, question = questions[number]
        judge(world, question, {name: wire for names, wire in groups.items() for name in names if fit[name, world.seed]},
              result)


def judge(world, question, wires, result):
    if "quorate" not in wires:
        return
    parsed = {wire: compare.parse(wire) for wire in set(wires.values())}
    ours = parsed[wires["quorate"]]
    qname = worlds.fold(question[0])
    wrong = []
    for name, wire in wires.items():
        theirs = parsed[wire]
        if name == "quorate" or theirs == ours:
            continue
        if isinstance(ours, str) or isinstance(theirs, str):
            wrong.append(name)
            continue
        used, left = rules.excused(rules.Case(world, qname, question[1], name, ours), theirs)
        result.rules.update(f"{name} {rule}" for rule in used)
        result.excused += 1
        if left:
            wrong.append(name)
    if wrong:
        result.left.append(describe(world, question, wires, wrong))


def describe(world, question, wires, wrong):
    lines = [f"=== seed {world.seed}{' (odd)' if world.odd else ''}: {compare.question_text(*question)}: differs from {', '.join(wrong)}"]
    by_wire = {}
    for name, wire in wires.items():
        if name in wrong or name == "quorate":
            by_wire.setdefault(compare.show(wire).split("\n", 1)[-1], []).append(name)
    for text, names in by_wire.items():
        lines += [f"  {', '.join(names)}:", text]
    return "\n".join(lines)


def compare_seeds(seeds, questions, batch=300, directory=None):
    result = Result()
    seeds = list(seeds)
    for at in range(0, len(seeds), batch):
        made = [worlds.World(seed, questions) for seed in seeds[at:at + batch]]
        with tempfile.TemporaryDirectory(prefix="quorate-differential-", dir=directory) as folder:
            compare_worlds(made, Path(folder), result)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="1:150", help="FIRST:LAST, or one")
    parser.add_argument("--questions", type=int, default=130, help="for each world of one to four zones")
    options = parser.parse_args()
    first, _, last = options.seeds.partition(":")
    started = time.monotonic()
    result = compare_seeds(range(int(first), int(last or first) + 1), options.questions)
    if not last and result.left:
        print("\n".join(f"--- {apex}\n{text}" for apex, text in worlds.World(int(first), options.questions).zones))
    print(result.report())
    print(f"{time.monotonic() - started:.1f} s")
    return 1 if result.left else 0


if __name__ == "__main__":
    sys.exit(main())
