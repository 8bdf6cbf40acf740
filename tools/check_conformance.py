#!/usr/bin/python3
"""Every rule in the table of tests/conformance/README.md has tests, and every test that it or docs/rfc-compliance.md names
exists."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests/conformance"
RULES = range(1, 51)
COMPLIANCE = ROOT / "docs/rfc-compliance.md"
ROW = re.compile(r"^\| (\d+) \|[^|]*\|[^|]*\|([^|]*)\|$")
GTEST = re.compile(r"\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)")


def gtests():
    found = set()
    for path in (ROOT / "src").rglob("*_test.cc"):
        found.update(f"{suite}.{name}" for suite, name in GTEST.findall(path.read_text()))
    return found


def rows():
    table = {}
    for line in (FOLDER / "README.md").read_text().splitlines():
        match = ROW.match(line)
        if match:
            table[int(match.group(1))] = match.group(2).split()
    return table


def compliance_faults(known):
    """Of the last cell of each row of docs/rfc-compliance.md, up to the differences."""
    text = COMPLIANCE.read_text().split("\n## Differences")[0]
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("| ") or len(cells) != 4 or cells[0].startswith("RFC,"):
            continue
        for test in cells[3].split():
            if test != "open" and not exists(test, known):
                yield f"{cells[0]}: there is no test `{test}`"


def exists(test, known):
    if test.startswith("fuzz:"):
        return (ROOT / "fuzz" / f"{test.removeprefix('fuzz:')}.cc").is_file()
    if "::" in test:
        file, name = test.split("::", 1)
        path = ROOT / file
        return path.is_file() and re.search(rf"^def {re.escape(name)}\(", path.read_text(), re.MULTILINE) is not None
    if test.endswith(".txt"):
        return (FOLDER / test).is_file()
    return test in known


def faults(table, known):
    for rule in RULES:
        tests = table.get(rule, [])
        if not tests or tests == ["open"]:
            yield f"rule {rule} has no test"
        for test in tests:
            if test != "open" and not exists(test, known):
                yield f"rule {rule}: there is no test `{test}`"
    for rule in sorted(set(table) - set(RULES)):
        yield f"there is no rule {rule}"


def main():
    known = gtests()
    found = [f"tests/conformance/README.md: {fault}" for fault in faults(rows(), known)]
    found += [f"docs/rfc-compliance.md: {fault}" for fault in compliance_faults(known)]
    for fault in found:
        print(fault)
    print(f"conformance: {len(found)} faults" if found else "conformance: every rule has its tests")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
