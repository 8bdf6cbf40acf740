#!/usr/bin/python3
"""Habits that a script can see: a README per folder, no paths of one machine, no TODOs, Python that compiles."""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|home|root)/")
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
TEXT = {".h", ".cc", ".py", ".md", ".txt", ".cmake", ".proto", ".sh", ".toml", ".json", ""}
WITH_README = ["bench", "deploy", "docs", "fuzz", "tests", "tools", "proto"]


def tracked():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
                            capture_output=True, text=True)
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def check_text(path):
    try:
        lines = path.read_text().splitlines()
    except UnicodeDecodeError:
        return
    for number, line in enumerate(lines, 1):
        if MACHINE_PATH.search(line):
            yield f"{path.relative_to(ROOT)}:{number}: a path of one machine"
        if UNFINISHED.search(line) and path.suffix in (".h", ".cc", ".py"):
            yield f"{path.relative_to(ROOT)}:{number}: unfinished work belongs in an issue"
    if path.suffix == ".py":
        try:
            compile("\n".join(lines), str(path), "exec")
        except SyntaxError as error:
            yield f"{path.relative_to(ROOT)}:{error.lineno}: {error.msg}"


def check_readmes(files):
    folders = {f.relative_to(ROOT).parts[:2] for f in files if f.relative_to(ROOT).parts[0] == "src"}
    wanted = [ROOT.joinpath(*parts) for parts in folders if len(parts) == 2]
    wanted += [ROOT / name for name in WITH_README if any(ROOT / name in f.parents for f in files)]
    for folder in sorted(wanted):
        if folder.is_dir() and not (folder / "README.md").exists():
            yield f"{folder.relative_to(ROOT)}: has no README.md"


def main():
    files = tracked()
    this = Path(__file__).resolve()
    faults = list(check_readmes(files))
    for path in files:
        if path.suffix in TEXT and path != this:
            faults += check_text(path)
    print("\n".join(faults + [f"habits: {len(faults)} faults" if faults else "habits: clean"]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
