"""Answering: queries per second and CPU-seconds per million answers beside NSD and Knot."""

import contextlib
import json
import pathlib
import statistics
import subprocess
import urllib.error
import urllib.request

import peers
import zones

ROOT = pathlib.Path(__file__).resolve().parent.parent
SERVER_CPU, CLIENT_CPU = 0, 1


def quorate(args, work: pathlib.Path, zone_files: dict[str, pathlib.Path], port: int) -> peers.Process:
    http, peer = (peers.free_port(peers.socket.SOCK_STREAM) for _ in range(2))
    binary = args.build / "quorate"
    process = peers.Process(
        [binary, "serve", "--data", work / "quorate", "--listen-dns", f"127.0.0.1:{port}", "--listen-http",
         f"127.0.0.1:{http}", "--listen-peer", f"127.0.0.1:{peer}", "--group-id", "1", "--group", "bench",
         "--replica-id", "1", "--members", f"1=127.0.0.1:{peer}"], work / "quorate.log", SERVER_CPU)
    process.url = f"http://127.0.0.1:{http}"
    process.load = lambda: load_zones(binary, process.url, zone_files)
    return process


def load_zones(binary, url, zone_files):
    def ready():
        try:
            return urllib.request.urlopen(url + "/readyz", timeout=1).status == 200
        except (urllib.error.URLError, OSError):
            return False
    peers.wait_until("quorate is ready", ready)
    for name, path in zone_files.items():
        subprocess.run([binary, "zone", "import", name, path, "--server", url], check=True, stdout=subprocess.DEVNULL)


def answers(port: int, name: str) -> bool:
    done = subprocess.run(["dig", "+tries=1", "+time=1", "-p", str(port), "@127.0.0.1", name, "SOA"],
                          capture_output=True, text=True)
    return "status: NOERROR" in done.stdout


def measure(args, process, port: int, questions: pathlib.Path, edns: bool) -> dict:
    before = process.cpu_seconds()
    command = [args.build / "dns_load", "--port", str(port), "--queries", questions, "--seconds", str(args.seconds),
               "--cpu", str(CLIENT_CPU)] + (["--edns"] if edns else [])
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    user, system = (b - a for a, b in zip(before, process.cpu_seconds()))
    if result["wrong"]:
        raise RuntimeError(f"{result['wrong']} wrong answers from {process.command[0]}")
    millions = max(result["answered"], 1) / 1e6
    return {**result, "cpu_per_million": (user + system) / millions, "user_per_million": user / millions}


def run(args, unpacked, work: pathlib.Path) -> dict:
    hosts_zone, mixed, referrals = work / "hosts.zone", work / "mixed.txt", work / "referrals.txt"
    root_zone = ROOT / "tests/data/root.zone"
    zones.host_zone(hosts_zone, args.hosts)
    zones.mixed_questions(mixed, args.hosts)
    zones.referral_questions(referrals, root_zone)
    files = {"example.org.": hosts_zone, ".": root_zone}
    ports = {name: peers.free_port() for name in ("nsd", "knot", "quorate")}
    loads = {"mixed": (mixed, False), "root referrals, EDNS": (referrals, True)}
    runs = {load: {name: [] for name in ports} for load in loads}
    with contextlib.ExitStack() as stack:
        servers = {"nsd": peers.nsd(unpacked, work, files, ports["nsd"], SERVER_CPU),
                   "knot": peers.knot(unpacked, work, files, ports["knot"], SERVER_CPU),
                   "quorate": quorate(args, work, files, ports["quorate"])}
        for server in servers.values():
            stack.enter_context(server)
        servers["quorate"].load()
        for name, port in ports.items():
            peers.wait_until(f"{name} answers", lambda: answers(port, "example.org") and answers(port, "."))
        for load, (questions, edns) in loads.items():
            for _ in range(args.rounds or 7):
                for name, server in servers.items():
                    runs[load][name].append(measure(args, server, ports[name], questions, edns))
    for load in loads:
        print_table(load, runs[load])
    return runs


def median(rows: list[dict], key: str) -> float:
    return statistics.median(row[key] for row in rows)


def print_table(load: str, runs: dict[str, list[dict]]) -> None:
    print(f"\nAnswering, {load} (medians of {len(runs['nsd'])} alternating runs)\n")
    print("| server | queries/s | CPU s per million (user) | p50 us | p99 us | lost |\n|---|---|---|---|---|---|")
    for name, rows in runs.items():
        print(f"| {name} | {median(rows, 'qps'):,.0f} | {median(rows, 'cpu_per_million'):.2f} "
              f"({median(rows, 'user_per_million'):.2f}) | {median(rows, 'p50_us'):.0f} | {median(rows, 'p99_us'):.0f} "
              f"| {sum(row['lost'] for row in rows)} |")
    best = min(median(runs[name], "cpu_per_million") for name in ("nsd", "knot"))
    print(f"\nCPU per million against the better peer: {median(runs['quorate'], 'cpu_per_million') / best:.2f} x")
