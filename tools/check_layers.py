#!/usr/bin/python3
"""A folder includes only what its row of the layer table allows (ARCHITECTURE.md), and a library only where it belongs."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')

EVERYTHING = ["*"]
SIMULATED = ["base", "raft", "kv", "dns", "wire", "zone", "rsm", "storage", "transport", "replica", "serve", "api",
             "oracle", "sim", "testing"]

# Folder -> what it may include beside itself: a folder, or one header of it.
LAYERS = {
    "base": [],
    "raft": ["base"],
    "kv": ["base"],
    "dns": ["base"],
    "wire": ["base", "dns"],
    "zone": ["base", "dns"],
    "rsm": ["base", "kv", "zone", "dns"],
    "storage": ["base", "raft/types.h", "raft/codec.h", "kv/ordered_map.h"],
    "transport": ["base", "raft/types.h", "raft/messages.h", "raft/codec.h"],
    "replica": ["base", "raft", "storage/api.h", "transport/api.h", "rsm/api.h"],
    "serve": ["base", "dns", "wire", "zone"],
    # api/dns is the workers' slow door, and answers what was signed as they answer the rest.
    "api": ["base", "dns", "wire", "zone", "kv", "rsm", "replica/client.h", "serve/slow_door.h", "serve/transport.h",
            "serve/respond.h"],
    "oracle": ["base", "api/http"],
    "app": EVERYTHING,
    "cli": EVERYTHING,
    "sim": SIMULATED,
    "testing": SIMULATED,
    "model": ["base"],
}
# A test may also use these.
TEST_TOOLS = ["testing", "storage/memory", "storage/wal", "transport/loopback"]
# What the simulator must not reach, although its folder is allowed.
NOT_SIMULATED = ["transport/grpc", "storage/rocks"]

# A header's beginning -> the folders that may include it.
LIBRARIES = {
    "rocksdb/": ["storage/rocks"],
    "grpcpp/": ["transport/grpc", "api/etcd", "app", "cli"],
    "google/protobuf": ["transport/grpc", "api/etcd"],
    "boost/": ["api/http", "app"],
    "libknot/": ["dns", "wire"],
    "libzscanner/": ["dns"],
    "libdnssec/": ["dns", "zone"],
    "curl/": ["oracle", "cli"],
    "CLI/": ["cli", "app", "sim", "model", "testing/lincheck_main.cc"],
    "toml++/": ["app"],
    "prometheus/": ["api/http", "app"],
    "openssl/": ["api/http", "api/xfr", "app", "cli", "serve", "wire", "zone"],
    "nlohmann/": ["api/http", "oracle", "cli", "app", "testing"],
    "urcu": ["serve", "app"],
}


def is_test(path):
    return path.name.endswith("_test.cc") or path.name.startswith("test_")


def below(header, place):
    return header == place or header.startswith(place + "/")


def check_own(path, folder, header):
    allowed = LAYERS[folder] + [folder] + (TEST_TOOLS if is_test(path) else [])
    if folder in ("sim", "testing") and any(below(header, place) for place in NOT_SIMULATED):
        return f"the simulator must not include {header}"
    if "*" in allowed or any(below(header, place) for place in allowed):
        return None
    return f"{folder}/ may not include {header}"


def check_library(path, header):
    for prefix, places in LIBRARIES.items():
        if header.startswith(prefix):
            here = path.relative_to(SOURCE).as_posix()
            if not is_test(path) and not any(below(here, place) for place in places):
                return f"{header} belongs to {', '.join(places)}"
    return None


def check_file(path):
    folder = path.relative_to(SOURCE).parts[0]
    if folder not in LAYERS:
        yield 1, f"the folder src/{folder} is not in the layer table"
        return
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, header = match.groups()
        own = quote == '"' and header.split("/")[0] in LAYERS and "/" in header
        fault = check_own(path, folder, header) if own else check_library(path, header)
        if fault:
            yield number, fault


def main():
    faults = 0
    for path in sorted([*SOURCE.rglob("*.h"), *SOURCE.rglob("*.cc")]):
        for number, fault in check_file(path):
            print(f"{path.relative_to(ROOT)}:{number}: {fault}")
            faults += 1
    print(f"layers: {faults} faults" if faults else "layers: clean")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
