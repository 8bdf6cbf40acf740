"""What a signed zone has to prove about a question, by RFC 4035 3.1.3 and RFC 5155 7.2: found in the text of the signed zone,
with nothing of the product. Names as in worlds.py, folded."""
import base64
import hashlib

from compare import read_name, to_wire
from worlds import fold, is_below


def canonical(name):
    """Sorts as RFC 4034 6.1 has it."""
    return [label.lower() for label in reversed(name)]


def nsec3_hash(name):
    """Without salt and further iterations, as signing.py makes them."""
    text = base64.b32encode(hashlib.sha1(to_wire(name)).digest())
    return text.translate(bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHIJKLMNOPQRSTUV")).lower()


def parse_name(text):
    labels, label, at = [], bytearray(), 0
    while at < len(text):
        if text[at] == "\\":
            if text[at + 1].isdigit():
                label.append(int(text[at + 1:at + 4]))
                at += 4
            else:
                label.append(ord(text[at + 1]))
                at += 2
        elif text[at] == ".":
            labels.append(bytes(label))
            label = bytearray()
            at += 1
        else:
            label.append(ord(text[at]))
            at += 1
    return fold(tuple(labels))


class SignedZone:
    def __init__(self, apex, text):
        self.apex = fold(apex)
        self.types = {}  # owner -> types, NSEC3 and what covers it apart
        self.nsec, self.nsec3 = {}, {}  # owner -> its place in the order
        for line in text.splitlines():
            fields = line.split(None, 4)
            if len(fields) < 5 or line.startswith((";", "$")):
                continue
            owner, rdtype = parse_name(fields[0]), fields[3]
            if rdtype == "NSEC3" or rdtype == "RRSIG" and fields[4].startswith("NSEC3 "):
                if rdtype == "NSEC3":
                    self.nsec3[owner] = owner[0]
                continue
            self.types.setdefault(owner, set()).add(rdtype)
            if rdtype == "NSEC":
                self.nsec[owner] = canonical(owner)
        self.nodes = {owner[at:] for owner in self.types for at in range(len(owner) - len(self.apex) + 1)}
        self.secure = bool(self.nsec or self.nsec3)

    def matching(self, name):
        owner = (nsec3_hash(name),) + self.apex if self.nsec3 else name
        return owner if owner in self.nsec3 or owner in self.nsec else None

    def covering(self, name):
        """The record whose interval the name is in, or that matches."""
        chain = self.nsec3 or self.nsec
        place = nsec3_hash(name) if self.nsec3 else canonical(name)
        before = [owner for owner, at in chain.items() if at <= place] or list(chain)
        return max(before, key=lambda owner: chain[owner])

    def closest_encloser(self, name):
        while name not in self.nodes:
            name = name[1:]
        return name

    def provable_encloser(self, name):
        """(the deepest ancestor that has an NSEC3, the name one label longer): RFC 5155 7.2.1."""
        longer = None
        while not self.matching(name):
            longer, name = name, name[1:]
        return name, longer

    def denial(self, name):
        """That there is no such name."""
        if not self.nsec3:
            encloser = self.closest_encloser(name)
            return {self.covering(name), self.covering((b"*",) + encloser)}
        encloser, longer = self.provable_encloser(name)
        need, wildcard = {self.matching(encloser), self.covering(longer)}, (b"*",) + encloser
        # Where the real encloser is an empty non-terminal that was opted out, this one's wildcard may be there.
        return need if self.matching(wildcard) else need | {self.covering(wildcard)}

    def no_wildcard_needed(self, name):
        """Of a positive answer from a wildcard: that nothing is closer (RFC 4035 3.1.3.3, RFC 5155 7.2.6)."""
        if not self.nsec3:
            return {self.covering(name)}
        encloser = self.closest_encloser(name)
        return {self.covering(name[len(name) - len(encloser) - 1:])}

    def nodata(self, name, rdtype):
        if name in self.nodes:
            if self.matching(name):
                return {self.matching(name)}
            if not self.nsec3:
                return {self.covering(name)}  # an empty non-terminal
            return self._opted_out(name)  # RFC 5155 7.2.4, or an empty non-terminal of such
        encloser = self.closest_encloser(name)
        wildcard = (b"*",) + encloser
        # The wildcard may itself be an empty non-terminal.
        if not self.nsec3:
            return {self.covering(name), self.covering(wildcard)}
        return {self.matching(encloser), self.covering(name[len(name) - len(encloser) - 1:]), self.covering(wildcard)}

    def no_ds(self, cut):
        return {self.matching(cut)} if self.matching(cut) else self._opted_out(cut)

    def _opted_out(self, name):
        encloser, longer = self.provable_encloser(name)
        return {self.matching(encloser), self.covering(longer)}


def types_of(rrs):
    return {rr.type for rr in rrs}


def required(zones, zone_for, qname, rdtype, plain):
    """The owners of the NSEC or NSEC3 in authority that this answer without signatures needs; `zone_for(name)` gives the apex
    of the zone that speaks of a name."""
    need, name, seen = set(), qname, set()
    answers = {}
    for rr in plain.answer:
        answers.setdefault(rr.owner, set()).add(rr.type)
    cnames = {rr.owner: read_name(rr.rdata, 0)[0] for rr in plain.answer if rr.type == "CNAME"}
    dnames = {rr.owner for rr in plain.answer if rr.type == "DNAME"}
    while name not in seen and name in answers:
        seen.add(name)
        zone = zones[zone_for(name)]
        made_of_dname = any(is_below(name, dname) and name != dname and is_below(dname, zone.apex) for dname in dnames)
        if zone.secure and name not in zone.nodes and not made_of_dname:
            need |= zone.no_wildcard_needed(name)
        if name not in cnames or rdtype in ("CNAME", "ANY"):
            return need
        name = cnames[name]
    cuts = {rr.owner for rr in plain.authority if rr.type == "NS"}
    soas = {rr.owner for rr in plain.authority if rr.type == "SOA"}
    if cuts:
        cut = cuts.pop()
        zone = zones[zone_for(cut[1:])]
        if zone.secure and "DS" not in types_of(plain.authority):
            need |= zone.no_ds(cut)
    elif soas:
        zone = zones[soas.pop()]
        if zone.secure:
            need |= zone.denial(name) if plain.rcode == "NXDOMAIN" else zone.nodata(name, rdtype)
    return need - {None}
