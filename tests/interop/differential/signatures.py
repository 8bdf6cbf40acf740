"""The part of a signed answer that DNSSEC adds, judged apart from the rest."""
from compare import Answer, type_text
from proofs import SignedZone, required
from rules import of_type, zone_asked, zone_of
from worlds import fold, is_below

ADDED = {"RRSIG", "NSEC", "NSEC3"}
# What these rules excuse leaves the signatures of the rest comparable.
ADDITIVE = {"nsd-servers-of-the-zone", "addresses-beside-an-answer", "glue-of-siblings", "wildcard-below-a-cut"}


def without(answer, rdtype):
    """The answer but for what DNSSEC adds to it; what was asked for stays."""
    added = ADDED - {rdtype}
    if rdtype in ("ANY", "RRSIG"):
        return answer._replace(authority=_drop(answer.authority, ADDED), additional=_drop(answer.additional, ADDED))
    return answer._replace(answer=_drop(answer.answer, added), authority=_drop(answer.authority, ADDED),
                           additional=_drop(answer.additional, ADDED))


def _drop(rrs, types):
    return frozenset(rr for rr in rrs if rr.type not in types)


def covered(rr):
    return type_text(int.from_bytes(rr.rdata[:2], "big"))


def signed_sets(section):
    return {(rr.owner, covered(rr)) for rr in section if rr.type == "RRSIG"}


class Judge:
    """Of one world."""

    def __init__(self, world):
        self.world = world
        self.zones = {fold(maker.apex): SignedZone(maker.apex, text) for maker, (_, text) in zip(world.makers, world.zones)}

    def of_ours(self, case, ours):
        """What is wrong with our signatures and proofs, by the zones themselves; None if nothing."""
        plain = without(ours, case.rdtype)
        if plain.rcode not in ("NOERROR", "NXDOMAIN", "YXDOMAIN") or case.rdtype in ("ANY", "RRSIG"):
            return None
        have = {rr.owner for rr in ours.authority if rr.type in ("NSEC", "NSEC3")}
        need = required(self.zones, lambda name: zone_asked(case, name) if name == case.qname else zone_of(self.world, name),
                        case.qname, case.rdtype, plain)
        if have != need:
            return f"proofs: {sorted(have - need)} are too many, {sorted(need - have)} are missing"
        missing = {one for section in (ours.answer, ours.authority)
                   for one in {(rr.owner, rr.type) for rr in section if rr.type != "RRSIG"} - signed_sets(section)
                   if self._is_signed(plain, *one)}
        return f"no signature of {sorted(missing)}" if missing else None

    def _is_signed(self, plain, owner, rdtype):
        if rdtype in ("NSEC", "NSEC3"):
            return True
        if rdtype == "NS" and any(rr.owner == owner for rr in plain.authority):
            return False  # of a referral
        if rdtype == "CNAME" and any(rr.type == "DNAME" and rr.owner != owner and is_below(owner, rr.owner) for rr in plain.answer):
            return False
        return True


def alike(ours: Answer, theirs: Answer):
    """Whether the signatures of the RRsets that both have are the same."""
    for mine, other in zip(ours[2:5], theirs[2:5]):
        both = {(rr.owner, rr.type) for rr in mine} & {(rr.owner, rr.type) for rr in other}
        if not _of(both, mine) == _of(both, other):
            return False
    return True


def _of(sets, section):
    return frozenset(rr for rr in of_type(section, "RRSIG") if (rr.owner, covered(rr)) in sets)


def proofs(answer):
    return frozenset(rr for rr in answer.authority if rr.type in ("NSEC", "NSEC3"))
