"""What may differ. A rule is narrow, named, and its argument stands in docs/rfc-compliance.md under the same name.

A rule takes a Case and their Answer, and gives back the Answer that they would have sent without what the rule excuses:
theirs itself where it does not apply. What then still differs from ours is a defect of somebody.
"""
from dataclasses import dataclass

import dns.name

from compare import Answer
from worlds import World

RULES = {}  # name -> function, in the order in which they are tried


@dataclass
class Case:
    world: World
    qname: dns.name.Name  # folded
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
    return dns.name.from_wire(rdata, skip)[0]


def hosts_of(rrs):
    """The names whose addresses step 6 of RFC 1034 4.3.2 may add."""
    skip = {"NS": 0, "MX": 2, "SRV": 6, "SVCB": 2, "HTTPS": 2}
    hosts = {names_in(rr.rdata, skip[rr.type]) for rr in rrs if rr.type in skip}
    return hosts | {rr.owner for rr in rrs if rr.type in ("SVCB", "HTTPS")}


@rule
def nsd_servers_of_the_zone(case, theirs):
    """The apex NS RRset beside an answer, with its addresses."""
    apexes = {dns.name.from_text(apex).canonicalize() for apex, _ in case.world.zones}
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
    """RFC 1034 4.3.2 step 6: useful, not required. Which are there may differ, not what they say."""
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
        if key[0] not in hosts or key[1] not in ("A", "AAAA"):
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
    return _same_where_both(theirs, ours, {host for host in hosts_of(ours.authority) if not host.is_subdomain(cut)})
