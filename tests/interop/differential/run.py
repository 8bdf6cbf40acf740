"""Compares Quorate with NSD, Knot and BIND on random zones.

    run.py --seeds 1:150 [--questions 130] [--signed]

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
import signatures  # noqa: E402
import signing  # noqa: E402
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
    name, rdtype, _, do = question
    wrong = {}
    for server, wire in wires.items():
        theirs = parsed[wire]
        if server == "quorate" or theirs == ours:
            continue
        result.excused += 1
        if isinstance(ours, str) or isinstance(theirs, str):
            wrong[server] = "no answer"
            continue
        case = rules.Case(world, worlds.fold(name), rdtype, server, ours)
        used, why = compare_signed(case, theirs) if do else rules.excused(case, theirs)
        result.rules.update(f"{server} {rule}" for rule in used)
        if why:
            wrong[server] = "differs" if why is True else why
    if do and not isinstance(ours, str):
        why = world.judge.of_ours(rules.Case(world, worlds.fold(name), rdtype, "quorate", ours), ours)
        if why:
            wrong["quorate"] = why
    if wrong:
        result.left.append(describe(world, question, wires, wrong))


def compare_signed(case, theirs):
    """As rules.excused: first what the answer says, then what DNSSEC adds."""
    ours = case.ours
    if case.rdtype == "ANY" and ours.rcode == theirs.rcode and bool(ours.answer) == bool(theirs.answer):
        return ["any-is-any"], False  # RFC 8482 4.1, 7: a part of them is enough
    case.ours = signatures.without(ours, case.rdtype)
    used, left = rules.excused(case, signatures.without(theirs, case.rdtype))
    if left or not set(used) <= signatures.ADDITIVE:
        return used, left
    if not signatures.alike(ours, theirs):
        return used, "signatures"
    if signatures.proofs(theirs) != signatures.proofs(ours):
        # Ours are judged by the zone itself.
        return used + ["other-proofs"], False
    return used, False


def describe(world, question, wires, wrong):
    whats = "; ".join(f"{name}: {why}" for name, why in wrong.items())
    kind = f" ({world.chain})" if world.chain else " (odd)" if world.odd else ""
    lines = [f"=== seed {world.seed}{kind}: {compare.question_text(*question)}: {whats}"]
    by_wire = {}
    for name, wire in wires.items():
        if name in wrong or name == "quorate":
            by_wire.setdefault(compare.show(wire).split("\n", 1)[-1], []).append(name)
    for text, names in by_wire.items():
        lines += [f"  {', '.join(names)}:", text]
    return "\n".join(lines)


def compare_seeds(seeds, questions, signed=False, batch=300):
    result = Result()
    seeds = list(seeds)
    for at in range(0, len(seeds), batch):
        made = [worlds.World(seed, questions, signed) for seed in seeds[at:at + batch]]
        with tempfile.TemporaryDirectory(prefix="quorate-differential-") as folder:
            if signed:
                signing.sign(made, Path(folder) / "signing")
                for world in made:
                    world.judge = signatures.Judge(world)
            compare_worlds(made, Path(folder), result)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="1:150", help="FIRST:LAST, or one")
    parser.add_argument("--questions", type=int, default=130, help="for each world of one to four zones")
    parser.add_argument("--signed", action="store_true", help="zones with signatures, most questions with DO")
    options = parser.parse_args()
    first, _, last = options.seeds.partition(":")
    started = time.monotonic()
    result = compare_seeds(range(int(first), int(last or first) + 1), options.questions, options.signed)
    if not last and result.left:
        print("\n".join(f"--- {apex}\n{text}" for apex, text in worlds.World(int(first), options.questions, options.signed).zones))
    print(result.report())
    print(f"{time.monotonic() - started:.1f} s")
    return 1 if result.left else 0


if __name__ == "__main__":
    sys.exit(main())
