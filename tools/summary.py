#!/usr/bin/python3
"""Adds up the JUnit reports of ctest and pytest: prints each suite, then `N passed, N failed` as the last line.

usage: summary.py REPORT_DIR SUITE...

A GoogleTest program counts by its own cases, read from what it printed; any other ctest entry counts as one.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

GTEST_RAN = re.compile(r"\[==========\] (\d+) tests? from \d+ test suites? ran")
GTEST_PASSED = re.compile(r"\[  PASSED  \] (\d+) tests?")
GTEST_FAILED = re.compile(r"\[  FAILED  \] (\d+) tests?, listed below")


def count_case(case):
    """(passed, failed, skipped) of one <testcase>."""
    # `notrun` is a program that is missing or could not be started.
    failed = (case.get("status") in ("fail", "notrun") or case.find("failure") is not None
              or case.find("error") is not None)
    skipped = case.find("skipped") is not None
    output = case.findtext("system-out") or ""
    ran = GTEST_RAN.search(output)
    if ran:
        # A program that ended with an error although no case failed (a leak, a crash at exit) is one failure.
        own_failed = int((GTEST_FAILED.search(output) or [0, 0])[1])
        passed = int((GTEST_PASSED.search(output) or [0, 0])[1])
        return passed, max(own_failed, int(failed)), 0
    return int(not failed and not skipped), int(failed), int(skipped and not failed)


def count_report(path):
    totals = [0, 0, 0]
    for case in ElementTree.parse(path).iter("testcase"):
        totals = [a + b for a, b in zip(totals, count_case(case))]
    return totals


def main():
    reports, suites = Path(sys.argv[1]), sys.argv[2:]
    passed = failed = 0
    for suite in suites:
        path = reports / f"{suite}.xml"
        try:
            counts = count_report(path)
        except (OSError, ElementTree.ParseError):
            counts = [0, 1, 0]
            print(f"{suite}: no report, so it did not run to its end")
        note = f", {counts[2]} skipped" if counts[2] else ""
        print(f"{suite}: {counts[0]} passed, {counts[1]} failed{note}")
        passed, failed = passed + counts[0], failed + counts[1]
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
