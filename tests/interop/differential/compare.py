"""Answers as values, and what is left of a difference after the rules."""
import struct
from collections import namedtuple

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset

import worlds

# Of an answer: `flags` a set of texts, sections frozensets of RR.
Answer = namedtuple("Answer", "rcode flags answer authority additional edns")
RR = namedtuple("RR", "owner type ttl rdata")  # owner a folded dns.name.Name; rdata canonical octets


def question_wire(name, rdtype, size, do=False):
    """Without the id."""
    qname = b"".join(bytes([len(label)]) + label for label in name) + b"\0"
    header = struct.pack("!HHHHH", 0, 1, 0, 0, 1 if size else 0)
    out = header + qname + struct.pack("!HH", dns.rdatatype.from_text(rdtype), 1)
    if size:
        out += b"\0" + struct.pack("!HHIH", 41, size, 0x8000 if do else 0, 0)
    return out


def parse(wire):
    """An Answer, or a text that says why it is none."""
    if wire is None:
        return "silence"
    try:
        message = dns.message.from_wire(wire, one_rr_per_rrset=False)
    except dns.exception.DNSException as error:
        return f"malformed: {error!r} {wire.hex()}"
    flags = frozenset(dns.flags.to_text(message.flags & ~dns.flags.QR).split())
    edns = None if message.edns < 0 else (message.edns, message.ednsflags & 0xffff)
    return Answer(dns.rcode.to_text(message.rcode()), flags, *map(_section, message.sections[1:]), edns)


def _section(rrsets):
    return frozenset(RR(rrset.name.canonicalize(), dns.rdatatype.to_text(rrset.rdtype), rrset.ttl,
                        rdata.to_digestable(dns.name.root)) for rrset in rrsets for rdata in rrset)


def show(wire):
    if wire is None:
        return "    silence"
    try:
        text = dns.message.from_wire(wire).to_text()
    except dns.exception.DNSException as error:
        return f"    malformed: {error!r} {wire.hex()}"
    return "\n".join("    " + line for line in text.splitlines())


def question_text(name, rdtype, size):
    return f"{worlds.text_of(name)} {rdtype}" + (f" EDNS {size}" if size else "")
