"""Signs the zones of a world with BIND's tools: NSEC, NSEC3, or NSEC3 with opt-out, one key of P-256 for each zone."""
import concurrent.futures
import re
import subprocess

CHAINS = {"nsec": [], "nsec3": ["-3", "-", "-H", "0"], "opt-out": ["-3", "-", "-H", "0", "-A"]}


def sign(worlds, folder):
    """Replaces the texts of all zones of these worlds."""
    jobs = [(world, index, folder / f"{world.seed}-{index}") for world in worlds for index in range(len(world.zones))]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda job: _sign(*job), jobs))


def _sign(world, index, folder):
    apex, text = world.zones[index]
    folder.mkdir(parents=True)
    (folder / "zone").write_text(text)
    key = _run(folder, "dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", "-f", "KSK", apex).strip()
    (folder / "zone").write_text(text + (folder / f"{key}.key").read_text())
    # -z: the key signs everything; -P: no judgement on the outcome, which the servers are asked for.
    _run(folder, "dnssec-signzone", "-q", "-z", "-P", "-O", "full", "-o", apex, *CHAINS[world.chain], "-f", "signed", "zone",
         key)
    # Not every reader takes these as dnssec-signzone writes them in names (NSD not an escaped backslash before a dot, Knot and
    # we not the bare others); in other places there are none.
    signed = re.sub(r"\\\\|[{}`\[\]]", lambda found: f"\\{ord(found[0][0]):03}", (folder / "signed").read_text())
    world.zones[index] = (apex, signed)


def _run(folder, *command):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout
