#!/usr/bin/python3
"""What a power failure does to files of a killed process: cuts each back to its last sync (README.md)."""
import argparse
import random
import struct
import sys
from pathlib import Path

HEADER = struct.Struct("<QQQ")  # offset, size of the file before, bytes that follow
SECTOR = 512


def read_undo(path):
    """The records, oldest first; one that the kill cut short changed nothing yet and is left out."""
    data, at, records = path.read_bytes(), 0, []
    while at + HEADER.size <= len(data):
        offset, size, kept = HEADER.unpack_from(data, at)
        at += HEADER.size
        if at + kept > len(data):
            break
        records.append((offset, size, data[at:at + kept]))
        at += kept
    return records


def as_synced(content, records):
    content = bytearray(content)
    for offset, size, old in reversed(records):
        content[offset:offset + len(old)] = old
        del content[size:]
    return bytes(content)


def torn(now, synced, rng):
    """Some sectors of what was not synced made it to the disk, others did not: each whole or not at all."""
    if len(now) != len(synced):
        return synced
    out = bytearray(synced)
    for at in range(0, len(now), SECTOR):
        if now[at:at + SECTOR] != synced[at:at + SECTOR] and rng.random() < 0.5:
            out[at:at + SECTOR] = now[at:at + SECTOR]
    return bytes(out)


def cut_back(directory, record, tear_seed=None):
    """Every file below `directory` becomes what it was at its last sync; with a seed the lost part is torn by sectors.
    The process that wrote them must be dead. Gives the names of the files that lost something."""
    rng = random.Random(tear_seed)
    lost = []
    for path in sorted(p for p in Path(directory).rglob("*") if p.is_file()):
        undo = Path(record) / f"{path.stat().st_ino}.undo"
        if not undo.exists():
            continue
        now = path.read_bytes()
        synced = as_synced(now, read_undo(undo))
        after = synced if tear_seed is None else torn(now, synced, rng)
        if after != now:
            with open(path, "r+b") as file:  # the same inode: the next process records on
                file.write(after)
                file.truncate(len(after))
            lost.append(path.name)
        undo.unlink()
    return lost


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", help="such as DATA/wal")
    parser.add_argument("record", help="the directory named by `record` in the control file")
    parser.add_argument("--tear", type=int, metavar="SEED", help="keep some of the lost sectors")
    options = parser.parse_args()
    lost = cut_back(options.directory, options.record, options.tear)
    print(f"power_loss: cut back {len(lost)} files: {' '.join(lost)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
