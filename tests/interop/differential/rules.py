"""What may differ. A rule is narrow, named, and docs/rfc-compliance.md has its argument under the same name.

A rule takes a Case and their Answer, and gives back the Answer that they would have sent without what the rule excuses:
theirs itself where it does not apply. What then still differs from ours is a defect of somebody.
"""
from dataclasses import dataclass

from compare import Answer, read_name, to_wire
from worlds import World, fold, is_below

RULES = {}  # name -> function, in the order in which they are tried


@dataclass
class Case:
    world: World
    qname: tuple  # folded
    rdtype: str
    server: str
    ours: Answer


def rule(function):
    RULES[function.__name__.replace("_", "-")] = function
    return function


def excused(case, theirs):
    """(names of the rules that excuse the difference, whether something is left)."""
    used = []
    for name, function in RULES.items():
        if theirs == case.ours:
            break
        changed = function(case, theirs)
        if changed != theirs:
            used.append(name)
            theirs = changed
    return used, theirs != case.ours


def of_type(rrs, *types):
    return frozenset(rr for rr in rrs if rr.type in types)


def is_referral(answer):
    return "AA" not in answer.flags and answer.rcode == "NOERROR" and bool(of_type(answer.authority, "NS"))


def names_in(rdata, skip=0):
    return read_name(rdata, skip)[0]


def hosts_of(rrs):
    """The names whose addresses step 6 of RFC 1034 4.3.2 may add."""
    skip = {"NS": 0, "MX": 2, "SRV": 6, "SVCB": 2, "HTTPS": 2}
    hosts = {names_in(rr.rdata, skip[rr.type]) for rr in rrs if rr.type in skip}
    return hosts | {rr.owner for rr in rrs if rr.type in ("SVCB", "HTTPS")}


def target_of(qname, answer):
    """Where the aliases in an answer lead from QNAME; None when they go round."""
    cnames = {rr.owner: names_in(rr.rdata) for rr in of_type(answer, "CNAME")}
    seen = set()
    while qname in cnames and qname not in seen:
        seen.add(qname)
        qname = cnames[qname]
    return None if qname in seen else qname


def zone_of(world, name):
    """The apex of the closest enclosing zone that is served."""
    apexes = [fold(maker.apex) for maker in world.makers]
    return max((apex for apex in apexes if is_below(name, apex)), key=len, default=None)


def zone_asked(case, name):
    """The same, but that DS belongs to the parent's side (RFC 4035 3.1.4.1)."""
    apex = zone_of(case.world, name)
    return (case.rdtype == "DS" and apex == name and zone_of(case.world, name[1:])) or apex


CHAIN_MAX = 15  # aliases that we follow in one answer (kChainMax in src/serve/answer.cc)


@rule
def long_chains(case, theirs):
    """RFC 1034 3.6.2, 5.2.2: a chain of aliases is followed, and loops must not hurt; how far is left open. We stop after
    CHAIN_MAX, BIND sooner and with SERVFAIL, Knot after five of one DNAME, NSD at the second of one DNAME. Only for chains
    that long, or of a DNAME to below itself."""
    ours = case.ours
    grows = any(is_below(names_in(rr.rdata), rr.owner) for rr in of_type(ours.answer | theirs.answer, "DNAME"))
    if len(of_type(ours.answer, "CNAME")) < CHAIN_MAX and not grows:
        return theirs
    if theirs.rcode not in (ours.rcode, "NOERROR", "SERVFAIL"):
        return theirs
    return ours if theirs.answer <= ours.answer or ours.answer <= theirs.answer else theirs


@rule
def loops(case, theirs):
    """RFC 1034 3.6.2 wants loops of CNAMEs signalled, and does not say how. The records show the loop: we and others answer
    with them and NOERROR, BIND with the same and SERVFAIL."""
    if case.server == "bind" and theirs.rcode == "SERVFAIL" and target_of(case.qname, case.ours.answer) is None:
        return theirs._replace(rcode="NOERROR")
    return theirs


@rule
def ds_after_an_alias(case, theirs):
    """An alias leads to the apex of a zone whose parent is here too. RFC 4035 3.1.4.1: DS is the parent's; Knot and BIND stay
    in the child, where there is none."""
    ours = case.ours
    target = target_of(case.qname, theirs.answer)
    if (case.server in ("knot", "bind") and case.rdtype == "DS" and theirs.answer and target == zone_of(case.world, target or case.qname)
            and theirs.answer <= ours.answer and {rr.owner for rr in theirs.authority} <= {target}):
        return ours
    return theirs


@rule
def any_below_a_dname(case, theirs):
    """The CNAME made of a DNAME is data of QNAME, so ANY has its answer (RFC 6672 3.1, RFC 1034 4.3.2 step 3a); NSD and Knot
    follow it as if it were another type."""
    if (case.rdtype == "ANY" and case.server in ("nsd", "knot") and of_type(case.ours.answer, "DNAME")
            and case.ours.answer <= theirs.answer):
        return case.ours
    return theirs


@rule
def alias_into_another_zone(case, theirs):
    """Knot and BIND stop where an alias leads from one zone that they serve to another, RFC 1034 4.3.2 step 3a goes on at
    step 1, which looks for the zone anew. Knot adds what the first zone says of the name: a referral, or that there is none."""
    ours = case.ours
    common = theirs.answer & ours.answer
    if case.server not in ("knot", "bind") or (case.server == "bind" and common != theirs.answer):
        return theirs
    stops = target_of(case.qname, common)
    last = next((rr.owner for rr in common if rr.type == "CNAME" and names_in(rr.rdata) == stops), None)
    if not last or zone_asked(case, last) == zone_asked(case, stops):
        return theirs
    if case.server == "knot" and {rr.owner for rr in of_type(theirs.authority, "SOA")} <= {zone_asked(case, last)}:
        return ours
    return theirs if theirs.authority or theirs.rcode != "NOERROR" else ours


@rule
def nsd_names_of_another_zone(case, theirs):
    """NSD has one tree of names for all zones: a name that only another zone has (glue in the parent's) exists for it, and
    hence is no NXDOMAIN and keeps a wildcard away, or is a wildcard. RFC 1034 4.3.2 looks in one zone at a time."""
    names = {case.qname} | {names_in(rr.rdata) for rr in of_type(case.ours.answer, "CNAME")}
    if case.server == "nsd" and any(_is_phantom(case, name) for name in names):
        return case.ours
    return theirs


def _is_phantom(case, name):
    """Whether the deepest name at or above it, or a wildcard beside, is of another zone than the one that it belongs to."""
    apex = zone_asked(case, name)
    while apex and len(name) >= len(apex):
        wildcard = (b"*",) + name
        if case.world.is_node_elsewhere(wildcard, apex) and not case.world.is_node(wildcard, apex):
            return True
        if case.world.is_node(name, apex):
            return False
        if case.world.is_node_elsewhere(name, apex):
            return True
        name = name[1:]
    return False


@rule
def knot_servers_at_a_wildcard(case, theirs):
    """RFC 4592 4.2 leaves NS at a wildcard undefined and discouraged: to us it is data, Knot makes a cut of it."""
    if case.server == "knot" and any(rr.owner[0] == b"*" for rr in of_type(theirs.authority, "NS") if rr.owner):
        return case.ours if case.world.odd else theirs
    return theirs


@rule
def knot_dname_at_a_wildcard(case, theirs):
    """RFC 4592 4.4 leaves DNAME at a wildcard undefined and discouraged: for names below we use it at its owner, as RFC 6672
    2.3 has it for any DNAME; Knot makes one of the name that was asked for."""
    if case.server == "knot" and case.world.odd and any(rr.owner[0] == b"*" for rr in of_type(case.ours.answer, "DNAME")):
        return case.ours
    return theirs


@rule
def nsec_or_rrsig_at_an_alias(case, theirs):
    """Asked for RRSIG or NSEC at a CNAME that has none, Knot and BIND say so; RFC 1034 4.3.2 step 3a follows the CNAME, since QTYPE
    is not CNAME and RFC 4035 makes no exception."""
    if case.server in ("knot", "bind") and case.rdtype in ("RRSIG", "NSEC") and of_type(case.ours.answer - theirs.answer, "CNAME"):
        return case.ours
    return theirs


@rule
def nsd_case_of_targets(case, theirs):
    """NSD writes the target of SVCB in small letters. RFC 4343 4.1: case ought to be kept."""
    if case.server != "nsd":
        return theirs

    def folded(rr):
        target, end = read_name(rr.rdata, 2)
        return rr._replace(rdata=rr.rdata[:2] + to_wire(target) + rr.rdata[end:])
    same = {folded(rr): rr for rr in of_type(case.ours.answer, "SVCB", "HTTPS")}
    return theirs._replace(answer=frozenset(same.get(rr, rr) for rr in theirs.answer))


@rule
def nsd_servers_of_the_zone(case, theirs):
    """The apex NS RRset beside an answer, with its addresses."""
    apexes = {fold(maker.apex) for maker in case.world.makers}
    ns = theirs.authority
    if (case.server != "nsd" or not ns or case.ours.authority or not theirs.answer or of_type(ns, "NS") != ns
            or not {rr.owner for rr in ns} <= apexes):
        return theirs
    extra = {rr for rr in theirs.additional - case.ours.additional if rr.type in ("A", "AAAA") and rr.owner in hosts_of(ns)}
    return theirs._replace(authority=frozenset(), additional=theirs.additional - extra)


@rule
def any_is_any(case, theirs):
    """RFC 8482: each server chooses of the RRsets of the name; all of them have the owner asked for."""
    ours = case.ours
    if (case.rdtype != "ANY" or not ours.answer or not theirs.answer or theirs.rcode != ours.rcode
            or "TC" in ours.flags | theirs.flags):
        return theirs
    both = {rr.type for rr in ours.answer} & {rr.type for rr in theirs.answer}
    if of_type(ours.answer, *both) != of_type(theirs.answer, *both):
        return theirs
    if {rr.owner for rr in ours.answer} != {rr.owner for rr in theirs.answer}:
        return theirs
    return theirs._replace(answer=ours.answer, additional=ours.additional)


@rule
def addresses_beside_an_answer(case, theirs):
    """RFC 1034 4.3.2 step 6, RFC 9460 4.1: useful, not required. Which are there may differ, not what they say."""
    ours = case.ours
    if is_referral(ours) or of_type(ours.authority, "NS") or not ours.answer:
        return theirs
    return _same_where_both(theirs, ours, hosts_of(ours.answer))


def _same_where_both(theirs, ours, hosts):
    """Takes our additional where both differ only in which RRsets of addresses of `hosts` they have."""
    def sets(rrs):
        out = {}
        for rr in rrs:
            out.setdefault((rr.owner, rr.type), set()).add(rr)
        return out
    mine, other = sets(ours.additional), sets(theirs.additional)
    for key in mine.keys() ^ other.keys():
        if key[0] not in hosts or key[1] not in ("A", "AAAA", "SVCB", "HTTPS"):
            return theirs
    if any(mine[key] != other[key] for key in mine.keys() & other.keys()):
        return theirs
    return theirs._replace(additional=ours.additional)


@rule
def glue_of_siblings(case, theirs):
    """RFC 9471 3.2: addresses of servers that are not below the cut may be left out of a referral."""
    ours = case.ours
    cuts = {rr.owner for rr in of_type(ours.authority, "NS")}
    if len(cuts) != 1 or theirs.authority != ours.authority:
        return theirs
    cut = cuts.pop()
    return _same_where_both(theirs, ours, {host for host in hosts_of(ours.authority) if not is_below(host, cut)})


@rule
def wildcard_below_a_cut(case, theirs):
    """NSD and Knot make glue of a wildcard that is hidden below the cut. RFC 1034 4.3.3: delegation cancels the wildcard."""
    cuts = {rr.owner for rr in of_type(case.ours.authority, "NS")}
    if case.server not in ("nsd", "knot") or len(cuts) != 1 or theirs.authority != case.ours.authority:
        return theirs
    apex = zone_of(case.world, case.qname)

    def is_made(rr):
        return (rr.type in ("A", "AAAA") and rr.owner in hosts_of(theirs.authority) and is_below(rr.owner, list(cuts)[0])
                and not case.world.is_node(rr.owner, apex))
    return theirs._replace(additional=frozenset(rr for rr in theirs.additional if not is_made(rr)))


@rule
def knot_no_soa_after_dnames(case, theirs):
    """Asked for DNAME, Knot ends a chain of several DNAMEs that leads to no data without the SOA."""
    several = len(of_type(theirs.answer, "DNAME")) > 1
    lacks = theirs.rcode == "NOERROR" and not theirs.authority and case.ours.authority == of_type(case.ours.authority, "SOA")
    if case.server == "knot" and case.rdtype == "DNAME" and several and lacks and theirs.answer == case.ours.answer:
        return theirs._replace(authority=case.ours.authority)
    return theirs
