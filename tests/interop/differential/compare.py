"""Answers as values, and what is left of a difference after the rules."""
import struct
from collections import namedtuple

import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype

import worlds

# Of an answer: `flags` a set of texts, sections frozensets of RR.
Answer = namedtuple("Answer", "rcode flags answer authority additional edns")
# `owner` a folded name, as worlds.py has them (a tuple of labels without the root); in `rdata` names are expanded and folded.
RR = namedtuple("RR", "owner type ttl rdata")
FLAGS = {0x400: "AA", 0x200: "TC", 0x100: "RD", 0x80: "RA", 0x40: "Z", 0x20: "AD", 0x10: "CD"}
# Octets before the names in rdata, and how many names: the types of RFC 4034 6.2 that occur.
NAMES = {"NS": (0, 1), "CNAME": (0, 1), "PTR": (0, 1), "DNAME": (0, 1), "SOA": (0, 2), "RP": (0, 2), "MX": (2, 1),
         "SRV": (6, 1), "RRSIG": (18, 1), "NSEC": (0, 1)}
TYPES = {}


class Malformed(Exception):
    pass


def question_wire(name, rdtype, size, do=False):
    """Without the id."""
    qname = b"".join(bytes([len(label)]) + label for label in name) + b"\0"
    header = struct.pack("!HHHHH", 0, 1, 0, 0, 1 if size else 0)
    out = header + qname + struct.pack("!HH", dns.rdatatype.from_text(rdtype), 1)
    if size:
        out += b"\0" + struct.pack("!HHIH", 41, size, 0x8000 if do else 0, 0)
    return out


def read_name(wire, at):
    """(folded name, where it ends)."""
    labels, end = [], None
    for _ in range(256):
        size = wire[at]
        if size >= 0xc0:
            end = end or at + 2
            at = (size & 0x3f) << 8 | wire[at + 1]
        elif size == 0:
            return tuple(labels), end or at + 1
        elif size > 63:
            break
        else:
            labels.append(wire[at + 1:at + 1 + size].lower())
            at += 1 + size
    raise Malformed("a name without end")


def to_wire(name):
    return b"".join(bytes([len(label)]) + label for label in name) + b"\0"


def type_text(number):
    return TYPES.get(number) or TYPES.setdefault(number, dns.rdatatype.to_text(number))


def _rdata(wire, rdtype, at, end):
    before, names = NAMES.get(rdtype, (0, 0))
    if rdtype == "NAPTR":  # three strings after two numbers
        before, names = 4, 1
        for _ in range(3):
            before += 1 + wire[at + before]
    out = wire[at:at + before]
    at += before
    for _ in range(names):
        name, at = read_name(wire, at)
        out += to_wire(name)
    return out + wire[at:end]


def parse(wire):
    """An Answer, or a text that says why it is none."""
    if wire is None:
        return "silence"
    try:
        return _parse(wire)
    except (Malformed, IndexError, struct.error) as error:
        return f"malformed: {error!r} {wire.hex()}"


def _parse(wire):
    _, bits, questions, *counts = struct.unpack_from("!6H", wire)
    at = 12
    for _ in range(questions):
        at = read_name(wire, at)[1] + 4
    rcode, edns, sections = bits & 15, None, []
    for count in counts:
        section = set()
        for _ in range(count):
            owner, at = read_name(wire, at)
            number, rdclass, ttl, size = struct.unpack_from("!HHIH", wire, at)
            at += 10
            if number == 41:
                rcode |= ttl >> 20 & 0xff0
                edns = ttl & 0xffffff
            else:
                rdtype = type_text(number)
                section.add(RR(owner, rdtype, ttl, _rdata(wire, rdtype, at, at + size)))
            at += size
        sections.append(frozenset(section))
    if at != len(wire):
        raise Malformed("trailing octets")
    flags = frozenset(text for bit, text in FLAGS.items() if bits & bit)
    return Answer(dns.rcode.to_text(rcode), flags, *sections, edns)


def show(wire):
    if wire is None:
        return "    silence"
    try:
        text = dns.message.from_wire(wire).to_text()
    except dns.exception.DNSException as error:
        return f"    malformed: {error!r} {wire.hex()}"
    return "\n".join("    " + line for line in text.splitlines())


def question_text(name, rdtype, size, do=False):
    return f"{worlds.text_of(name)} {rdtype}" + (f" EDNS {size}" if size else "") + (" DO" if do else "")
