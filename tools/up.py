#!/usr/bin/python3
"""Runs the example deployment on loopback: regions x (root, org, example.org) x 3 replicas, and an Oracle.

Every process is a real one, formed through the Oracle. DIR/endpoints.json says where everything listens. Ctrl-C
stops all of it; with --data the records are found again by the next run.
"""
import argparse
import fcntl
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import local_net
from deployment import Deployment, StartFailed
from screen import Screen, summary

REGION_NAMES = ["us-east-1", "ap-southeast-1", "eu-west-1", "sa-east-1"]
GROUPS = 3  # root, org, example.org: the Oracle's example


class Stop(Exception):
    """Somebody asked this program to end."""


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev up", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", metavar="DIR", help="keep everything in DIR; without it, all is gone at the end")
    parser.add_argument("--regions", type=int, default=2, choices=range(1, len(REGION_NAMES) + 1))
    parser.add_argument("--replicas", type=int, default=3, choices=(1, 3, 5), help="of each group (3)")
    parser.add_argument("--base", type=int, metavar="N", help="listen in 127.N.0.0/16 (the first that is free)")
    parser.add_argument("--dns-port", type=int, default=local_net.PORTS["dns"], metavar="N",
                        help="where replicas answer DNS (5300); with 53 resolvers can follow the delegations")
    parser.add_argument("--ready-timeout", type=float, default=120, metavar="S", help="give up after S seconds (120)")
    parser.add_argument("--build-dir", default="build/release", help="where the program quorate is")
    return parser.parse_args()


def lock_directory(directory):
    lock = open(directory / "up.lock", "w", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise StartFailed(f"another ./dev up runs on {directory}: stop it, or give another --data") from None
    return lock


def settle_layout(directory, arguments):
    """(base, regions, replicas, reservation): what an earlier run on this directory had, or what is asked for."""
    remembered = directory / "up.json"
    if remembered.exists():
        try:
            layout = json.loads(remembered.read_text())
            base, regions, replicas = layout["base"], layout["regions"], layout["replicas"]
        except (ValueError, KeyError, TypeError):
            raise StartFailed(f"{remembered} cannot be understood: restore it, or use another --data") from None
    else:
        base, regions, replicas = arguments.base, REGION_NAMES[:arguments.regions], arguments.replicas
    base, reservation = local_net.choose_base(regions, GROUPS * replicas, base)
    beside = remembered.with_suffix(".new")
    beside.write_text(json.dumps({"base": base, "regions": regions, "replicas": replicas}) + "\n")
    os.replace(beside, remembered)
    return base, regions, replicas, reservation


def print_guide(deployment, directory, quorate, seconds):
    first = deployment.regions()[0]["groups"]
    print(f"\nReady after {seconds:.1f} s: {summary(deployment)}.\n\nOracle  {deployment.oracle_url}")
    for region in deployment.regions():
        for group in region["groups"]:
            where = "  ".join(r["dns"] for r in group["replicas"])
            print(f"{region['name']:<15} {group['name']:<12} DNS  {where}")
    ports = local_net.PORTS
    print(f"HTTP is on port {ports['http']}, the etcd door on port {ports['etcd']} of the same addresses.")
    print(f"Logs and data: {directory}; for scripts: {directory / 'endpoints.json'}\n\nTry:")
    name = "bar.example.org"
    print(f"  {quorate} record set {name}. A 192.0.2.7 --ttl 60 --oracle {deployment.oracle_url}")
    print(f"  {quorate} resolve {name} --root {first[0]['replicas'][0]['dns']} --trace")
    print(f"  dig @{first[-1]['replicas'][0]['dns'].split(':')[0]} -p {ports['dns']} {name} A\n", flush=True)


def run(directory, arguments):
    quorate = Path(arguments.build_dir).resolve() / "quorate"
    if not quorate.exists():
        raise StartFailed(f"there is no {quorate}: run ./dev build")
    base, regions, replicas, reservation = settle_layout(directory, arguments)
    started = time.monotonic()
    deployment = Deployment(quorate, directory, base, regions, replicas, GROUPS)
    try:
        deployment.start(lambda text: print(f"  {text}", flush=True), started + arguments.ready_timeout)
        print_guide(deployment, directory, quorate, time.monotonic() - started)
        screen = Screen(deployment)
        while True:
            deployment.tend()
            deployment.observe()
            screen.draw()
            time.sleep(0.5)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        print("\nstopping", flush=True)
        deployment.stop()
        reservation.close()


def main():
    def on_signal(number, _frame):
        raise Stop(number)

    arguments = parse_arguments()
    local_net.PORTS["dns"] = arguments.dns_port
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    directory = Path(arguments.data or tempfile.mkdtemp(prefix="quorate-up-")).resolve()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = lock_directory(directory)
        run(directory, arguments)
        lock.close()
    except Stop:
        return 0
    except (StartFailed, local_net.AddressesTaken, OSError) as error:
        print(f"./dev up: {error}", file=sys.stderr)
        return 1
    finally:
        if not arguments.data:
            shutil.rmtree(directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
