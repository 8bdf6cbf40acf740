"""./dev bench [dns] [kv] [leases] [failover]: Quorate beside its peers, in one run on one machine, as figures and ratios.

Answering: one replica (a group of its own) beside NSD and Knot with one worker each on core 0, the generator on core 1,
the servers taking turns; CPU is the server's own. Writing: three replicas beside three etcd members on the same disk,
driven by the same generator through the same API. Of Quorate alone: writes with read leases on and off and reads under
them (`leases`, a part of `kv` too), and how soon it goes on after kill -9 (`failover`).
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

import dns_part
import failover_part
import kv_part
import lease_part
import peers

PARTS = {"dns": [dns_part], "kv": [kv_part, lease_part], "leases": [lease_part], "failover": [failover_part]}
BESIDE_PEERS = {"dns", "kv"}
ROOT = pathlib.Path(__file__).resolve().parent.parent


def machine() -> dict:
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    load = os.getloadavg()[0]
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(), "load_before": round(load, 2),
            "date": datetime.date.today().isoformat()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=[], metavar="part", help="dns, kv, leases, failover (default: dns and kv)")
    parser.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=3, help="length of one measurement")
    parser.add_argument("--rounds", type=int, help="measurements of each, taken in turns, of which the median counts "
                        "(7); kills of a leader (100, as far as the time goes)")
    parser.add_argument("--hosts", type=int, default=100_000)
    args = parser.parse_args()
    parts = args.parts or ["dns", "kv"]
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")

    unpacked = peers.fetch(ROOT / "build/peers") if BESIDE_PEERS & set(parts) else None
    work = pathlib.Path(tempfile.mkdtemp(prefix="quorate-bench."))
    results = {"machine": machine()}
    if results["machine"]["load_before"] > 0.5:
        print(f"note: this machine is busy (load {results['machine']['load_before']}); the ratios will be noisy")
    try:
        for part in [module for name in parts for module in PARTS[name]]:
            results[part.__name__.removesuffix("_part")] = part.run(args, unpacked, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    out = ROOT / "bench/results" / f"{results['machine']['date']}-{'-'.join(parts)}.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(results, indent=1) + "\n")
    print(f"raw runs: {out.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
