"""Zones and questions for every server alike, from a seed."""

import pathlib
import random


def host_zone(path: pathlib.Path, hosts: int, seed: int = 1) -> None:
    """example.org with `hosts` names; every tenth has an AAAA too, every twentieth is an alias."""
    rng = random.Random(seed)
    with open(path, "w") as out:
        out.write("$ORIGIN example.org.\n$TTL 3600\n@ IN SOA ns1 hostmaster 1 7200 3600 1209600 300\n"
                  "@ IN NS ns1\n@ IN NS ns2\nns1 IN A 192.0.2.1\nns2 IN A 192.0.2.2\n")
        for i in range(hosts):
            out.write(f"h{i:07d} IN A 198.51.{rng.randrange(100, 200)}.{rng.randrange(256)}\n")
            if i % 10 == 0:
                out.write(f"h{i:07d} IN AAAA 2001:db8::{i % 65536:x}\n")
            if i % 20 == 0:
                out.write(f"alias{i:07d} IN CNAME h{i:07d}\n")


def mixed_questions(path: pathlib.Path, hosts: int, count: int = 200_000, seed: int = 2) -> None:
    """80 % among a thousand hot names, 10 % names that do not exist, 10 % other types and any name."""
    rng = random.Random(seed)
    hot = [f"h{rng.randrange(hosts):07d}.example.org" for _ in range(1000)]
    with open(path, "w") as out:
        for _ in range(count):
            kind = rng.random()
            if kind < 0.8:
                out.write(f"{rng.choice(hot)} A\n")
            elif kind < 0.9:
                out.write(f"no{rng.randrange(10 ** 9)}.example.org A\n")
            else:
                out.write(f"h{rng.randrange(hosts):07d}.example.org {rng.choice(['A', 'AAAA', 'MX', 'TXT'])}\n")


def referral_questions(path: pathlib.Path, root_zone: pathlib.Path, count: int = 100_000, seed: int = 3) -> None:
    """Names below random TLDs of the real root zone."""
    tlds = sorted({fields[0].lower() for fields in (line.split() for line in open(root_zone))
                   if len(fields) >= 5 and fields[3] == "NS" and fields[0] != "."})
    rng = random.Random(seed)
    with open(path, "w") as out:
        for _ in range(count):
            out.write(f"www.n{rng.randrange(10 ** 6)}.{rng.choice(tlds)} A\n")
