#!/usr/bin/python3
"""The pure code has no clock, thread, chance, I/O or logging, and never iterates an unordered container.

It must run unchanged in the simulator and give the same bytes on every replica (ARCHITECTURE.md). The banned words
are in banned.txt. Tests are free.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
PURE = ["raft", "kv", "zone", "rsm", "dns", "wire", "serve/respond*", "oracle/plan*", "oracle/deployment*"]
# `node_hash_map<K, V> name` up to the name; types nest at most as deep as one line holds.
UNORDERED = re.compile(r"\b(?:unordered|flat_hash|node_hash)_(?:multi)?(?:map|set)<.*>[&\s]+(\w+)\s*(?:[;={(]|ABSL_)")
COMMENT = re.compile(r"//.*")


def banned():
    for line in (Path(__file__).parent / "banned.txt").read_text().splitlines():
        if line and not line.startswith("# "):
            pattern, why = line.split("\t")
            yield re.compile(pattern), why


def pure_files():
    for place in PURE:
        for path in sorted(SOURCE.glob(place)):
            files = [path] if path.is_file() else [*path.rglob("*.h"), *path.rglob("*.cc")]
            yield from (f for f in files if f.suffix in (".h", ".cc") and not re.match(r"test_|.*_test\.", f.name))


def unordered_names(path):
    """Variables of an unordered type declared in the file or in its own header."""
    names = set()
    for source in {path, path.with_suffix(".h")}:
        if source.exists():
            names.update(UNORDERED.findall(COMMENT.sub("", source.read_text())))
    return names


def check_file(path, words):
    names = unordered_names(path)
    iteration = None
    if names:
        any_name = "|".join(sorted(names))
        iteration = re.compile(rf"for\s*\([^;]*:\s*[\w.>-]*\b({any_name})\s*\)|\b({any_name})\.c?begin\(\)")
    for number, line in enumerate(path.read_text().splitlines(), 1):
        code = COMMENT.sub("", line)
        for pattern, why in words:
            if pattern.search(code):
                yield number, f"`{pattern.search(code).group(0).strip()}`: {why}"
        if iteration and iteration.search(code):
            yield number, "iterates an unordered container: its order differs between replicas"


def main():
    words = list(banned())
    faults = 0
    for path in pure_files():
        for number, fault in check_file(path, words):
            print(f"{path.relative_to(ROOT)}:{number}: {fault}")
            faults += 1
    print(f"purity: {faults} faults" if faults else "purity: clean")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
