"""Read leases: what they cost writes, and what reads cost at the leader and at a follower under them."""

import contextlib
import json
import pathlib
import statistics
import urllib.request

import dns_part
import kv_part
import peers

WRITE_CLIENTS = (1, 16, 64)
READ_CLIENTS = 16
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def status(url: str) -> dict:
    return json.load(OPENER.open(url + "/api/v1/group", timeout=5))


def leader_of(urls: list[str]) -> int:
    return next(i for i, url in enumerate(urls) if status(url)["role"] == "leader")


def switch(urls: list[str], on: bool) -> None:
    request = urllib.request.Request(urls[leader_of(urls)] + "/api/v1/group", json.dumps({"leases": on}).encode(),
                                     {"Content-Type": "application/json"}, method="PATCH")
    OPENER.open(request, timeout=10).close()
    peers.wait_until(f"leases are {'on' if on else 'off'} everywhere",
                     lambda: all((status(url)["lease_left_ms"] > 0) == on for url in urls))


def measure_reads(args, processes, endpoints, urls, replica: int) -> dict:
    rounds = [status(url)["read_rounds"] for url in urls]
    before = sum(processes[replica].cpu_seconds())
    row = kv_part.measure(args, processes, [endpoints[replica]], "get", READ_CLIENTS)
    row["own_cpu_us_per_op"] = (sum(processes[replica].cpu_seconds()) - before) * 1e6 / max(row["ok"], 1)
    row["read_rounds"] = sum(status(url)["read_rounds"] for url in urls) - sum(rounds)
    return row


def run(args, _unpacked, work: pathlib.Path) -> dict:
    count = max(7, args.rounds or 7)
    writes = {n: {"on": [], "off": []} for n in WRITE_CLIENTS}
    reads = {"leader": [], "follower": []}
    with contextlib.ExitStack() as stack:
        (work / "leases").mkdir()
        processes, endpoints, urls = kv_part.quorate_group(args, work / "leases")
        for process in processes:
            stack.enter_context(process)
        for url in urls:
            dns_part.load_zones(None, url, {})
        for round_ in range(count):
            # The order alternates: what comes second finds a longer log and a warmer machine.
            for name in (("on", "off"), ("off", "on"))[round_ % 2]:
                switch(urls, name == "on")
                for clients in WRITE_CLIENTS:
                    writes[clients][name].append(kv_part.measure(args, processes, endpoints, "put", clients))
        switch(urls, True)
        for round_ in range(count):
            leader = leader_of(urls)
            for name, replica in (("leader", leader), ("follower", (leader + 1 + round_ % 2) % 3)):
                reads[name].append(measure_reads(args, processes, endpoints, urls, replica))
    print_tables(writes, reads, count)
    return {"put": writes, "get": reads}


def median(rows: list[dict], key: str) -> float:
    return statistics.median(row[key] for row in rows)


def print_tables(writes, reads, count: int) -> None:
    print(f"\nput with leases on and off, 3 replicas, clients spread over all (medians of {count} alternating runs)\n")
    print("| clients | on: p50/p99 ms, ops/s | off: p50/p99 ms, ops/s | p50 ratio | ops ratio |\n|---|---|---|---|---|")
    for clients, both in writes.items():
        text = {n: f"{median(r, 'p50_us') / 1e3:.2f}/{median(r, 'p99_us') / 1e3:.2f}, {median(r, 'ops'):,.0f}"
                for n, r in both.items()}
        ratios = [f"{median(both['on'], key) / median(both['off'], key):.3f} x" for key in ("p50_us", "ops")]
        print(f"| {clients} | {text['on']} | {text['off']} | {ratios[0]} | {ratios[1]} |")
    print(f"\nlinearizable get under leases, {READ_CLIENTS} clients at one replica (medians of {count} alternating runs)\n")
    print("| at | ops/s | p50/p99 ms | CPU us/op of that replica | ReadIndex rounds, all runs |\n|---|---|---|---|---|")
    for name, rows in reads.items():
        print(f"| {name} | {median(rows, 'ops'):,.0f} | {median(rows, 'p50_us') / 1e3:.2f}/{median(rows, 'p99_us') / 1e3:.2f} "
              f"| {median(rows, 'own_cpu_us_per_op'):.1f} | {sum(row['read_rounds'] for row in rows)} |")
    ratio = median(reads["follower"], "own_cpu_us_per_op") / median(reads["leader"], "own_cpu_us_per_op")
    print(f"\nCPU of a read at a follower against one at the leader: {ratio:.2f} x")
