"""Writing: three replicas beside three etcd members on one disk, one generator for both (the etcd v3 API)."""

import contextlib
import json
import pathlib
import socket
import statistics
import subprocess

import dns_part
import peers

CLIENTS = (1, 16, 64, 256)


def quorate_group(args, work: pathlib.Path) -> tuple[list[peers.Process], list[str], list[str]]:
    ports = [[peers.free_port(socket.SOCK_STREAM) for _ in range(3)] for _ in range(3)]
    members = ",".join(f"{i + 1}=127.0.0.1:{peer}" for i, (_, peer, _) in enumerate(ports))
    processes = [
        peers.Process([args.build / "quorate", "serve", "--data", work / f"kv{i}", "--listen-etcd", f"127.0.0.1:{etcd}",
                       "--listen-peer", f"127.0.0.1:{peer}", "--listen-http", f"127.0.0.1:{http}", "--group-id", "2",
                       "--group", "kv", "--replica-id", str(i + 1), "--members", members], work / f"kv{i}.log")
        for i, (etcd, peer, http) in enumerate(ports)]
    return (processes, [f"127.0.0.1:{etcd}" for etcd, _, _ in ports], [f"http://127.0.0.1:{http}" for _, _, http in ports])


def measure(args, processes, endpoints: list[str], operation: str, clients: int) -> dict:
    before = [p.cpu_seconds() for p in processes]
    result = json.loads(subprocess.run(
        [args.build / "kv_load", "--endpoints", ",".join(endpoints), "--operation", operation, "--clients",
         str(clients), "--seconds", str(args.seconds)], check=True, capture_output=True, text=True).stdout)
    used = sum(sum(p.cpu_seconds()) - sum(b) for p, b in zip(processes, before))
    return {**result, "cpu_us_per_op": used * 1e6 / max(result["ok"], 1)}


def run(args, unpacked, work: pathlib.Path) -> dict:
    rounds = max(3, (args.rounds or 7) // 2)
    runs = {op: {n: {"etcd": [], "quorate": []} for n in CLIENTS} for op in ("put", "get")}
    etcd_ports = [(peers.free_port(socket.SOCK_STREAM), peers.free_port(socket.SOCK_STREAM)) for _ in range(3)]
    with contextlib.ExitStack() as stack:
        ours, endpoints, urls = quorate_group(args, work)
        theirs = peers.etcd_cluster(unpacked, work, etcd_ports)
        for process in ours + theirs:
            stack.enter_context(process)
        targets = {"etcd": (theirs, [f"127.0.0.1:{client}" for client, _ in etcd_ports]), "quorate": (ours, endpoints)}
        for url in urls:
            dns_part.load_zones(None, url, {})
        for op in runs:
            for clients in CLIENTS:
                for _ in range(rounds):
                    for name, (processes, where) in targets.items():
                        runs[op][clients][name].append(measure(args, processes, where, op, clients))
    for op in runs:
        print_table(op, runs[op], rounds)
    return runs


def print_table(op: str, runs, rounds: int) -> None:
    what = "put, 256-byte values" if op == "put" else "linearizable get"
    print(f"\n{what}, 3 members, clients spread over all (medians of {rounds} alternating runs)\n")
    print("| clients | etcd ops/s, p50/p99 ms, CPU us/op | quorate ops/s, p50/p99 ms, CPU us/op | ops ratio |\n|---|---|---|---|")
    for clients, both in runs.items():
        cells = {}
        for name, rows in both.items():
            m = {key: statistics.median(row[key] for row in rows) for key in ("ops", "p50_us", "p99_us", "cpu_us_per_op")}
            cells[name] = m
        text = {n: f"{m['ops']:,.0f}, {m['p50_us'] / 1e3:.2f}/{m['p99_us'] / 1e3:.2f}, {m['cpu_us_per_op']:.0f}"
                for n, m in cells.items()}
        print(f"| {clients} | {text['etcd']} | {text['quorate']} | {cells['quorate']['ops'] / cells['etcd']['ops']:.2f} x |")
