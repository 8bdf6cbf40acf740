"""Malformed packets get FORMERR or silence as the RFCs say, and do no harm."""
import random
import socket
import struct

import dns.message
import dns.rcode
import pytest

from harness import PORTS, udp_exchange

ZONE = "example.org."


def header(ident=0x1234, flags=0, qd=1, an=0, ns=0, ar=0):
    return struct.pack("!6H", ident, flags, qd, an, ns, ar)


QUESTION = b"\x07example\x03org\x00" + struct.pack("!2H", 1, 1)


@pytest.mark.parametrize("packet", [b"", b"\x12\x34", header()[:11], header(flags=0x8000) + QUESTION],
                         ids=["empty", "two bytes", "a short header", "a response"])
def test_what_is_no_query_gets_silence(calm_group, packet):
    assert udp_exchange(calm_group.replicas[0].ip, packet, 0.3) is None


@pytest.mark.parametrize("packet", [
    header(qd=2) + QUESTION + QUESTION,
    header() + QUESTION[:-1],
    header() + QUESTION + b"trailing",
    header() + b"\xc0\x0c" + struct.pack("!2H", 1, 1),
    header() + b"\x40abc\x00" + struct.pack("!2H", 1, 1),
    header(ar=1) + QUESTION + b"\x03abc\x00" + struct.pack("!2HIH", 41, 1232, 0, 0),
    header(ar=2) + QUESTION + 2 * (b"\x00" + struct.pack("!2HIH", 41, 1232, 0, 0)),
], ids=["two questions", "a cut question", "trailing bytes", "a pointer to itself", "a bad label",
        "an OPT that is not at the root", "two OPTs"])
def test_a_malformed_query_gets_formerr(calm_group, packet):
    reply = udp_exchange(calm_group.replicas[0].ip, packet)
    assert reply and reply[:2] == packet[:2] and reply[3] & 15 == dns.rcode.FORMERR


def test_unknown_opcodes_and_edns_versions_are_named(calm_group):
    ip = calm_group.replicas[0].ip
    reply = udp_exchange(ip, header(flags=11 << 11) + QUESTION)
    assert reply[3] & 15 == dns.rcode.NOTIMP
    version_one = b"\x00" + struct.pack("!2HIH", 41, 1232, 1 << 16, 0)
    answer = dns.message.from_wire(udp_exchange(ip, header(ar=1) + QUESTION + version_one))
    assert answer.rcode() == dns.rcode.BADVERS and answer.edns == 0


def test_noise_does_no_harm(calm_group):
    rng = random.Random(1)
    valid = dns.message.make_query(f"www.{ZONE}", "A", use_edns=0).to_wire()
    replica = calm_group.replicas[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _ in range(5000):
            packet = bytearray(valid if rng.random() < 0.7 else rng.randbytes(rng.randrange(600)))
            for _ in range(rng.randrange(4)):
                if packet:
                    packet[rng.randrange(len(packet))] = rng.randrange(256)
            sock.sendto(packet[:rng.randrange(len(packet) + 1)] if rng.random() < 0.3 else packet,
                        (replica.ip, PORTS["dns"]))
    for tail in (b"", b"\x00", b"\x00\x00", b"\xff\xff", b"\x00\x05abc", rng.randbytes(3000)):
        with socket.create_connection((replica.ip, PORTS["dns"]), timeout=5) as connection:
            connection.sendall(tail)
    assert replica.answers(f"ns1.{ZONE}") and replica.child.is_running() and replica.child.restarts == 0
