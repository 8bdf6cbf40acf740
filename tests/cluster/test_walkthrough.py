"""The walk-through of the README, as a script: three levels of real DNS, from the root down."""
import re
import subprocess

import dns.flags
import dns.rdatatype
import dns.zone
import pytest

from harness import BUILD_DIR, PORTS, ROOT, ask, ip_of, quorate, wait_until

ROOT_ZONE = ROOT / "tests/data/root.zone"


def run(up, *arguments, **options):
    result = quorate(*arguments, "--oracle", up.oracle, **options)
    assert result.returncode == 0, f"{' '.join(map(str, arguments))}: {result.stderr}"
    return result.stdout


def ips(up, group, region=0):
    return [ip_of(replica["dns"]) for replica in up.group(group, region)]


def dig(ip, *arguments):
    return subprocess.run(["dig", f"@{ip}", "-p", str(PORTS["dns"]), *arguments], capture_output=True, text=True,
                          timeout=30, check=True).stdout


def delegate(up, zone, child):
    """NS and glue of the group `child` into the parent's zone."""
    run(up, "record", "set", f"{child}.", "NS", *[f"ns{n}.{child}." for n in (1, 2, 3)], "--zone", zone)
    for region, name in enumerate(up.region_names()):
        for number, ip in enumerate(ips(up, child, region), 1):
            run(up, "record", "set", f"ns{number}.{child}.", "A", ip, "--zone", zone, "--region", name)


@pytest.fixture(scope="module")
def delegated(up):
    """Step 1 to 3: the delegations, each region's with the addresses of its own groups as glue, and an address."""
    delegate(up, ".", "org")
    delegate(up, "org.", "example.org")
    run(up, "record", "set", "www.example.org.", "A", "192.0.2.80", "--ttl", "60")
    return up


def test_resolve_walks_from_the_root_and_prints_each_step(delegated):
    result = quorate("resolve", "www.example.org", "--root", delegated.group("root")[0]["dns"], "--trace")
    assert result.returncode == 0, result.stderr
    text = result.stdout + result.stderr
    # Each level is asked in turn.
    steps = [text.index(next(a for a in [r["dns"] for r in delegated.group(group)] + ips(delegated, group)
                             if a in text)) for group in ("root", "org", "example.org")]
    assert steps == sorted(steps)
    assert "192.0.2.80" in result.stdout


def test_every_region_got_the_write(delegated):
    for region in (0, 1):
        for ip in ips(delegated, "example.org", region):
            reply = ask(ip, "www.example.org.")
            assert [r.to_text() for rrset in reply.answer for r in rrset] == ["192.0.2.80"]
            assert reply.answer[0].ttl == 60 and reply.flags & dns.flags.AA


def test_stock_dig_agrees(delegated):
    for ip in ips(delegated, "example.org"):
        assert dig(ip, "+short", "www.example.org", "A").split() == ["192.0.2.80"]
        assert dig(ip, "+short", "+tcp", "www.example.org", "A").split() == ["192.0.2.80"]


def test_dig_norecurse_gets_referrals_with_glue(delegated):
    root = dig(ips(delegated, "root")[0], "+norecurse", "www.example.org", "A")
    assert "status: NOERROR" in root and "ANSWER: 0" in root and not re.search(r"flags:[^;]* aa", root)
    assert len(re.findall(r"^org\.\s+\d+\s+IN\s+NS\s+ns\d\.org\.$", root, re.M)) == 3
    assert set(re.findall(r"^ns\d\.org\.\s+\d+\s+IN\s+A\s+(\S+)$", root, re.M)) == set(ips(delegated, "org"))
    org = dig(ips(delegated, "org")[1], "+norecurse", "www.example.org", "A")
    assert set(re.findall(r"^ns\d\.example\.org\.\s+\d+\s+IN\s+A\s+(\S+)$", org, re.M)) == set(
        ips(delegated, "example.org"))


def test_stock_kdig_agrees(delegated):
    kdig = subprocess.run(["kdig", f"@{ips(delegated, 'example.org')[2]}", "-p", str(PORTS["dns"]), "+short",
                           "www.example.org", "A"], capture_output=True, text=True, timeout=30, check=True)
    assert kdig.stdout.split() == ["192.0.2.80"]


def test_records_are_added_listed_and_deleted_by_the_command_line(delegated):
    name = "bar.example.org."
    run(delegated, "record", "set", name, "A", "192.0.2.7", "--ttl", "60")
    run(delegated, "record", "add", name, "A", "192.0.2.8")
    assert {"192.0.2.7", "192.0.2.8"} <= set(run(delegated, "record", "get", name, "A").split())
    assert name in run(delegated, "record", "list", "example.org.")
    run(delegated, "record", "delete", name, "A")
    assert ask(ips(delegated, "example.org")[0], name).answer == []


def test_the_commands_of_the_readme_do_what_it_says(delegated):
    commands = [line.strip() for line in (ROOT / "README.md").read_text().splitlines()
                if re.match(r"    (export|quorate|dig) ", line)]
    assert len(commands) >= 6
    here = ips(delegated, "root")[0].rsplit(".", 2)[0]  # 127.BASE
    script = "set -e\n" + "\n".join(commands).replace("127.1.", here + ".").replace("build/release", str(BUILD_DIR))
    script = script.replace("$PWD/", "")
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("192.0.2.7") >= 2  # resolve and dig


def test_the_real_root_zone_is_imported_served_and_given_back(delegated):
    run(delegated, "zone", "import", ".", ROOT_ZONE, timeout_s=120)
    for region in (0, 1):
        for ip in ips(delegated, "root", region):
            reply = ask(ip, "www.kernel.org.", want_dnssec=True)
            assert not reply.answer and not reply.flags & dns.flags.AA
            assert "a0.org.afilias-nst.info." in {r.to_text() for rrset in reply.authority for r in rrset
                                                  if rrset.rdtype == dns.rdatatype.NS}
            assert any(rrset.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA) for rrset in reply.additional)
    exported = run(delegated, "zone", "export", ".", timeout_s=120)
    # --oracle may name the region before each region's outcome; the zone itself goes to stdout alone.
    assert records(exported) == records(ROOT_ZONE.read_text())
    signed = quorate("record", "set", "new-tld.", "NS", "ns.example.", "--zone", ".", "--oracle", delegated.oracle)
    assert signed.returncode != 0 and "sign" in signed.stderr


def records(text):
    zone = dns.zone.from_text(text, origin=".", relativize=False, check_origin=False)
    return {(name.to_text(), rdataset.rdtype, rdataset.ttl, rdata.to_text())
            for name, rdataset in zone.iterate_rdatasets() for rdata in rdataset}


def test_a_restart_finds_every_record_again(delegated):
    run(delegated, "record", "set", "kept.example.org.", "TXT", '"over a restart"')
    delegated.stop()
    delegated.start()
    for region in (0, 1):
        for ip in ips(delegated, "example.org", region):
            wait_until(lambda at=ip: ask(at, "kept.example.org.", "TXT").answer, "the record is there", 10)
            assert ask(ip, "www.example.org.").answer
