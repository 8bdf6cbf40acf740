#!/usr/bin/python3
"""Runs libFuzzer programs, two at a time, each from its kept corpus in fuzz/corpus, and judges them.

usage: fuzz.py [--seconds N] [--jobs N] [--report FILE] [--work DIR] [--minimize] TARGET...

What is new is kept in the work directory, and what failed in crashes/ there. With --minimize nothing is tried: the
smallest set of inputs that reaches what the kept and the new ones reach becomes the kept corpus.
"""
import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/fuzz"
CORPUS = ROOT / "fuzz/corpus"
FILES_MAX = 190        # kept for a target
FILE_BYTES_MAX = 4096  # of what is tried, and so of what is kept
DONE = re.compile(r"^Done (\d+) runs", re.M)


def run(target, seconds, work):
    """(runs, seconds, what was wrong or None)"""
    new, crashes = work / "corpus" / target, work / "crashes"
    kept = CORPUS / target
    for folder in (new, crashes):
        folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    # The seed makes two runs alike, as far as time does; a hung input is one that takes a minute.
    done = subprocess.run(
        [BUILD / f"fuzz_{target}", f"-max_total_time={seconds}", "-seed=1", "-timeout=60",
         f"-max_len={FILE_BYTES_MAX}", f"-artifact_prefix={crashes}/{target}-", "-print_final_stats=1", new]
        + ([kept] if kept.is_dir() else []),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    runs = int((DONE.search(done.stderr) or [0, 0])[1])
    wrong = None
    if done.returncode != 0 or runs == 0:
        wrong = f"{target}: exit code {done.returncode} after {runs} runs\n" + done.stderr[-6000:]
    return runs, time.monotonic() - began, wrong


def report(path, results):
    suite = ElementTree.Element("testsuite", name="fuzz", tests=str(len(results)))
    for target, (runs, seconds, wrong) in results.items():
        case = ElementTree.SubElement(suite, "testcase", classname="fuzz", name=target, time=f"{seconds:.1f}")
        ElementTree.SubElement(case, "system-out").text = f"{runs} runs"
        if wrong:
            ElementTree.SubElement(case, "failure", message="found something").text = re.sub(r"[^\n -~]", "?", wrong)
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(suite).write(path)


def minimize(target, work):
    kept = CORPUS / target
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([BUILD / f"fuzz_{target}", "-set_cover_merge=1", f"-max_len={FILE_BYTES_MAX}", scratch, kept,
                        work / "corpus" / target],
                       stderr=subprocess.DEVNULL, check=True)
        inputs = sorted(Path(scratch).iterdir(), key=lambda path: (path.stat().st_size, path.name))
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        for path in inputs[:FILES_MAX]:
            shutil.copy(path, kept / path.name[:16])
    files = list(kept.iterdir())
    print(f"{target}: {len(files)} inputs, {sum(f.stat().st_size for f in files)} octets")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--report", type=Path)
    parser.add_argument("--work", type=Path, default=BUILD / "work")
    parser.add_argument("--minimize", action="store_true")
    parser.add_argument("target", nargs="+")
    options = parser.parse_args()
    for target in options.target:
        if not (BUILD / f"fuzz_{target}").exists():
            sys.exit(f"there is no fuzz target `{target}` in {BUILD}")
        (options.work / "corpus" / target).mkdir(parents=True, exist_ok=True)
        (CORPUS / target).mkdir(parents=True, exist_ok=True)
    if options.minimize:
        for target in options.target:
            minimize(target, options.work)
        return 0
    with ThreadPoolExecutor(options.jobs) as pool:
        running = {target: pool.submit(run, target, options.seconds, options.work) for target in options.target}
        results = {target: future.result() for target, future in running.items()}
    for target, (runs, seconds, wrong) in results.items():
        print(f"{target}: {runs} runs in {seconds:.0f} s{': FAILED' if wrong else ''}")
        if wrong:
            print(wrong)
    if options.report:
        report(options.report, results)
    return 1 if any(wrong for _, _, wrong in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
