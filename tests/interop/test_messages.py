"""Messages as stock clients make them: dnspython's odd ones, and kdig over UDP, TCP and TLS with every option it has."""
import socket
import subprocess

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from harness import PORTS, Replica, ZONES_URL, http, wait_until
from peers import take_address

ZONE = """$ORIGIN example.org.
@ 60 IN SOA ns1 h 7 3600 600 86400 60
@ 60 NS ns1
ns1 60 A 192.0.2.1
www 60 A 192.0.2.80
""" + "".join(f'big 60 TXT "{n:04}{"x" * 200}"\n' for n in range(250)) + "".join(f"h{n} 60 A 192.0.2.{n}\n" for n in range(200))
DOT_PORT = 8530
COOKIE = 10


@pytest.fixture(scope="module")
def replica(tmp_path_factory):
    directory = tmp_path_factory.mktemp("messages")
    ip = take_address()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                    "2", "-subj", "/CN=ns1.example.org", "-addext", "subjectAltName=DNS:ns1.example.org", "-keyout",
                    directory / "key.pem", "-out", directory / "cert.pem"], check=True, capture_output=True)
    one = Replica("messages", ip, directory / "data", directory / "log", [
        "--group-id", "1", "--group", "messages", "--replica-id", "1", "--members", f"1={ip}:{PORTS['peer']}", "--nsid", "ns-7",
        "--listen-dot", f"{ip}:{DOT_PORT}", "--dot-cert", str(directory / "cert.pem"), "--dot-key", str(directory / "key.pem")])
    one.ca = directory / "cert.pem"
    try:
        one.start()
        wait_until(one.is_ready, "the replica is ready", 60)
        made = http("POST", one.url + ZONES_URL, 30, json={"name": "example.org.", "kind": "Native", "zone": ZONE})
        assert made is not None and made.status_code == 201, made and made.text
        yield one
    finally:
        one.stop()


def kdig(replica, *arguments, port=PORTS["dns"]):
    done = subprocess.run(["kdig", f"@{replica.ip}", "-p", str(port), "+noidn", "+retry=0", "+time=10", *arguments],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_many_options_at_once_are_no_trouble(replica):
    options = [dns.edns.GenericOption(code, bytes(size)) for code, size in ((65001, 0), (65002, 100), (8, 4), (65535, 60))]
    options += [dns.edns.GenericOption(65100 + n, b"") for n in range(100)]
    query = dns.message.make_query("www.example.org.", "A", use_edns=0, payload=1232, options=options)
    reply = dns.query.udp(query, replica.ip, 5, PORTS["dns"])
    assert reply.answer[0][0].to_text() == "192.0.2.80"
    assert not reply.options  # RFC 6891 6.1.2: what is not known is not given back


def test_pipelined_questions_are_all_answered_on_one_connection(replica):
    with socket.create_connection((replica.ip, PORTS["dns"]), timeout=30) as sock:
        wires = []
        for number in range(200):
            query = dns.message.make_query(f"h{number}.example.org." if number % 10 else "big.example.org.",
                                           "A" if number % 10 else "TXT")
            query.id = 1000 + number
            wires.append(query.to_wire())
        # In pieces that do not end where messages do.
        stream = b"".join(len(wire).to_bytes(2, "big") + wire for wire in wires)
        for at in range(0, len(stream), 977):
            sock.sendall(stream[at:at + 977])
        answers = {}
        with sock.makefile("rb") as received:
            for _ in wires:
                reply = dns.message.from_wire(received.read(int.from_bytes(received.read(2), "big")))
                answers[reply.id] = reply
    assert sorted(answers) == [1000 + number for number in range(200)]
    for number in range(200):
        rrset = answers[1000 + number].answer[0]
        assert len(rrset) == 250 if number % 10 == 0 else rrset[0].to_text() == f"192.0.2.{number}"


def test_a_big_answer_is_cut_in_udp_and_whole_in_tcp(replica):
    query = dns.message.make_query("big.example.org.", "TXT", use_edns=0, payload=4096)
    cut, by_tcp = dns.query.udp_with_fallback(query, replica.ip, 10, PORTS["dns"])
    assert by_tcp and len(cut.answer[0]) == 250
    udp = dns.query.udp(query, replica.ip, 5, PORTS["dns"])
    assert udp.flags & dns.flags.TC and not udp.answer and len(udp.to_wire()) < 1232


def test_odd_headers(replica):
    for opcode in (1, 2, 3, 6, 15):
        wire = bytearray(dns.message.make_query("www.example.org.", "A").to_wire())
        wire[2] = opcode << 3
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(10)
            sock.sendto(wire, (replica.ip, PORTS["dns"]))
            answer = sock.recv(4096)
        assert answer[:2] == wire[:2] and answer[2] & 0xf8 == 0x80 | opcode << 3 and answer[3] & 15 == dns.rcode.NOTIMP
    badvers = dns.message.make_query("www.example.org.", "A", use_edns=0)
    badvers.ednsflags |= 1 << 16  # the version (RFC 6891 6.1.3)
    assert dns.query.udp(badvers, replica.ip, 5, PORTS["dns"]).rcode() == dns.rcode.BADVERS


def test_kdig_gets_the_server_id(replica):
    assert "ns-7" in kdig(replica, "+nsid", "www.example.org", "A")
    assert "ns-7" not in kdig(replica, "www.example.org", "A", "+edns")


def test_kdig_gets_a_cookie_and_uses_it(replica):
    first = dns.message.make_query("www.example.org.", "A", use_edns=0, options=[dns.edns.GenericOption(COOKIE, b"12345678")])

    def cookie():
        return next((o.data for o in dns.query.udp(first, replica.ip, 5, PORTS["dns"]).options if o.otype == COOKIE), None)

    given = wait_until(cookie, "the group has secrets for cookies", 60)
    assert given[:8] == b"12345678" and len(given) == 24  # RFC 9018 4.3
    text = kdig(replica, "+cookie=" + given.hex(), "www.example.org", "A")
    assert "192.0.2.80" in text and "COOKIE" in text and given[:8].hex() in text.lower()
    short = dns.message.make_query("www.example.org.", "A", use_edns=0, options=[dns.edns.GenericOption(COOKIE, b"1234567")])
    assert dns.query.udp(short, replica.ip, 5, PORTS["dns"]).rcode() == dns.rcode.FORMERR  # RFC 7873 5.2.2


def test_kdig_over_tls_with_padding_and_the_name_in_the_certificate(replica):
    strict = ["+tls", f"+tls-ca={replica.ca}", "+tls-hostname=ns1.example.org"]
    text = kdig(replica, *strict, "+padding", "www.example.org", "A", port=DOT_PORT)
    assert "192.0.2.80" in text and "TLS session" in text and "PADDING" in text
    # Not over UDP, where it would only make the answer larger.
    assert "PADDING" not in kdig(replica, "+padding", "www.example.org", "A").split("ANSWER SECTION")[0]
    big = kdig(replica, *strict, "big.example.org", "TXT", port=DOT_PORT)
    assert big.count("xxxxxxxx") >= 250


def test_one_connection_for_many_questions_and_how_long_it_may_stay(replica):
    text = kdig(replica, "+tcp", "+keepopen", "www.example.org", "A", "h7.example.org", "A", "h8.example.org", "A")
    assert all(ip in text for ip in ("192.0.2.80", "192.0.2.7", "192.0.2.8"))
    query = dns.message.make_query("www.example.org.", "A", use_edns=0, options=[dns.edns.GenericOption(11, b"")])
    keepalive = [o for o in dns.query.tcp(query, replica.ip, 5, PORTS["dns"]).options if o.otype == 11]
    assert len(keepalive) == 1 and len(keepalive[0].data) == 2 and int.from_bytes(keepalive[0].data, "big") > 0
    assert not [o for o in dns.query.udp(query, replica.ip, 5, PORTS["dns"]).options if o.otype == 11]  # RFC 7828 3.2.2


def test_the_version_of_the_zone_is_its_serial(replica):
    query = dns.message.make_query("www.example.org.", "A", use_edns=0, options=[dns.edns.GenericOption(19, b"")])
    version = next(o.data for o in dns.query.udp(query, replica.ip, 5, PORTS["dns"]).options if o.otype == 19)
    assert version == bytes([2, 0]) + (7).to_bytes(4, "big")  # RFC 9660 2.1: labels of the apex, type SOA-SERIAL
