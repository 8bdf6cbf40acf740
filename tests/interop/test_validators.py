"""Signed zones as validators see them: BIND's delv, with the zone's key as the only trust anchor, believes every answer."""
import subprocess

import pytest

from harness import PORTS, Replica, ZONES_URL, http, wait_until
from peers import take_address

ZONE = """$ORIGIN {apex}
@ 60 IN SOA ns1 h 7 3600 600 86400 60
@ 60 NS ns1
ns1 60 A 192.0.2.1
www 60 A 192.0.2.80
www 60 AAAA 2001:db8::80
*.wild 60 TXT "any"
deep.er.ent 60 A 192.0.2.3
alias 60 CNAME www
lost 60 CNAME nowhere
into.wild 60 MX 10 www
old 60 DNAME ent
child 60 NS ns.child
ns.child 60 A 192.0.2.53
secure 60 NS ns.child
secure 60 DS 1 13 2 {digest}
"""
CHAINS = {"nsec": [], "nsec3": ["-3", "-", "-H", "0"], "opt-out": ["-3", "-", "-H", "0", "-A"]}
# Questions by what delv is to find.
QUESTIONS = {
    "an answer": ["www A", "www AAAA", "@ SOA", "@ DNSKEY", "into.wild MX", "alias A", "deep.er.old A", "secure DS"],
    "an answer of a wildcard": ["x.wild TXT", "a.b.wild TXT"],
    "ncache nxrrset": ["www TXT", "ent A", "er.ent A", "wild A"],
    "ncache nxrrset of a wildcard": ["x.wild A"],
    "ncache nxdomain": ["nowhere A", "a.b.nowhere A", "x.www A", "lost A", "x.old A"],
}


@pytest.fixture(scope="module")
def replica(tmp_path_factory):
    directory = tmp_path_factory.mktemp("signed")
    ip = take_address()
    one = Replica("signed", ip, directory / "data", directory / "log", [
        "--group-id", "1", "--group", "signed", "--replica-id", "1", "--members", f"1={ip}:{PORTS['peer']}"])
    try:
        one.start()
        wait_until(one.is_ready, "the replica is ready", 60)
        one.anchors = {chain: sign_and_load(one, directory / chain, f"{chain}.example.", options)
                       for chain, options in CHAINS.items()}
        yield one
    finally:
        one.stop()


def sign_and_load(replica, directory, apex, options):
    """The file with the trust anchor."""
    directory.mkdir()

    def run(*command):
        return subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True).stdout.strip()
    key = run("dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", "-f", "KSK", apex)
    public = (directory / f"{key}.key").read_text()
    (directory / "zone").write_text(ZONE.format(apex=apex, digest="ab" * 32) + public)
    run("dnssec-signzone", "-q", "-z", "-P", "-O", "full", "-o", apex, *options, "-f", "signed", "zone", key)
    made = http("POST", replica.url + ZONES_URL, 30, json={"name": apex, "kind": "Native",
                                                           "zone": (directory / "signed").read_text()})
    assert made is not None and made.status_code == 201, made and made.text
    flags, protocol, algorithm, *words = public.splitlines()[-1].split("DNSKEY", 1)[1].split()
    anchor = directory / "anchors"
    anchor.write_text(f'trust-anchors {{ {apex} static-key {flags} {protocol} {algorithm} "{"".join(words)}"; }};\n')
    return anchor


@pytest.mark.parametrize("chain", CHAINS)
def test_delv_believes_every_answer(replica, chain):
    apex = f"{chain}.example."
    for kind, questions in QUESTIONS.items():
        for question in questions:
            owner, rdtype = question.split()
            said = delv(replica, chain, apex if owner == "@" else f"{owner}.{apex}", rdtype)
            verdict = said.splitlines()[0]
            # RFC 5155 12.2.2: what rests on the absence of a name in an opt-out span is not proved, and not wrong.
            open_to_doubt = chain == "opt-out" and ("wildcard" in kind or "nxdomain" in kind)
            believed = verdict in ("; fully validated", "; negative response, fully validated")
            assert believed or open_to_doubt and verdict.endswith("unsigned answer"), f"{question}: {said}"
            failure = f";; resolution failed: {kind.removesuffix(' of a wildcard')}" if "ncache" in kind else ""
            assert [line for line in said.splitlines() if line.startswith(";; ")] == [failure] * bool(failure), f"{question}: {said}"


def delv(replica, chain, name, rdtype):
    done = subprocess.run(["delv", f"@{replica.ip}", "-p", str(PORTS["dns"]), "-a", replica.anchors[chain],
                           f"+root={chain}.example.", name, rdtype], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr
