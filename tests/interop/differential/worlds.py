"""Small zones and questions about them from a seed: a world. Two runs of one seed make the same."""
import random

TTLS = [0, 1, 60, 300, 3600, 86400]
PLAIN = [b"a", b"b", b"c", b"d", b"www", b"ns", b"mail", b"_tcp", b"x-1", b"A", b"Bc", b"xn--p1ai"]
ODD = [b"\x00", b"a.b", b"\xff\xfe", b" ", b"\\", b'"', b"(;)", b"@", b"**", b"a*", b"l" * 63, b"@{}`[", b"\xc0\x0c"]
QTYPES = ["A"] * 10 + ["AAAA", "TXT", "MX", "NS", "NS", "SOA", "CNAME", "CNAME", "DNAME", "DNAME", "DS", "DS", "SRV",
                       "ANY", "PTR", "SVCB", "HTTPS", "CAA", "NAPTR", "HINFO", "TYPE65280", "RRSIG", "DNSKEY", "NSEC", "NSEC3PARAM"]
OUTSIDE = (b"host", b"elsewhere", b"invalid")


def label_text(label):
    return "".join(chr(c) if c in b"-_*" or chr(c).isalnum() and c < 128 else f"\\{c:03d}" for c in label)


def text_of(name):
    return "".join(label_text(label) + "." for label in name) or "."


def fold(name):
    return tuple(label.lower() for label in name)


def size_of(name):
    return sum(len(label) + 1 for label in name) + 1


def is_below(name, ancestor):
    """At it or below."""
    return len(name) >= len(ancestor) and fold(name[len(name) - len(ancestor):]) == fold(ancestor)


class ZoneMaker:
    """One zone. `odd`: also what loaders are free to refuse: data below a DNAME, NS and DNAME at a wildcard."""

    def __init__(self, rng, apex, others, children, odd):
        self.rng, self.apex, self.others, self.children, self.odd = rng, apex, others, children, odd
        self.rrsets = {}  # folded owner -> {type: (ttl, [rdata])}
        self.spelled = {}  # folded owner -> owner
        self._make_tree()
        self._fill()

    def _label(self):
        roll = self.rng.random()
        return b"*" if roll < 0.12 else self.rng.choice(ODD if roll < 0.22 else PLAIN)

    def _make_tree(self):
        self.tree = [self.apex]
        for _ in range(self.rng.randint(3, 22)):
            name = self.rng.choice(self.tree)
            for _ in range(self.rng.choice([1, 1, 1, 2, 3])):  # more than one: an empty non-terminal
                name = (self._label(),) + name
            if size_of(name) <= 250 and fold(name) not in map(fold, self.tree):
                self.tree.append(name)

    def some_name(self):
        """A target: in the zone or near it, in another zone of the world, or outside."""
        roll = self.rng.random()
        if roll < 0.6:
            name = self.rng.choice(self.tree)
        elif roll < 0.75:
            name = (self._label(),) + self.rng.choice(self.tree)
        elif roll < 0.92 and self.others:
            name = self.rng.choice(self.others)
            if self.rng.random() < 0.6:
                name = (self._label(),) + name
        else:
            name = OUTSIDE
        return name if size_of(name) <= 255 else OUTSIDE

    def add(self, owner, rdtype, *rdata):
        if size_of(owner) > 255:
            return
        self.spelled.setdefault(fold(owner), owner)
        node = self.rrsets.setdefault(fold(owner), {})
        ttl, old = node.get(rdtype, (self.rng.choice(TTLS), []))
        node[rdtype] = (ttl, old + [r for r in dict.fromkeys(rdata) if r not in old])

    def _address(self, owner):
        if self.rng.random() < 0.8:
            self.add(owner, "A", *(f"192.0.2.{self.rng.randint(1, 254)}" for _ in range(self.rng.choice([1, 1, 2]))))
        if self.rng.random() < 0.5 or fold(owner) not in self.rrsets:
            self.add(owner, "AAAA", f"2001:db8::{self.rng.randint(1, 9999)}")

    def _fill(self):
        rng = self.rng
        apex_dname = rng.random() < 0.08 and (self.odd or not self.children)
        if rng.random() < 0.9:  # else BIND may refuse the zone: it wants the servers' addresses
            ns = [OUTSIDE] if apex_dname else [(b"ns0",) + self.apex, *([OUTSIDE] if rng.random() < 0.3 else [])]
            if not apex_dname:
                self._address(ns[0])
        else:
            ns = [self.some_name() for _ in range(rng.randint(1, 3))]
        self.add(self.apex, "SOA", f"{text_of(self.some_name())} {text_of((b'h',) + self.apex)} {rng.randint(1, 2**32 - 1)} "
                                   f"3600 600 86400 {rng.choice(TTLS)}")
        self.add(self.apex, "NS", *(text_of(n) for n in ns))
        if rng.random() < 0.3:
            self._address(self.apex)
        if apex_dname:
            self._dname(self.apex)
        for child in self.children:
            self._cut(child)
        self.dnames = [self.apex] if "DNAME" in self.rrsets[fold(self.apex)] else []
        self.cuts = list(self.children)
        for name in sorted(self.tree[1:], key=len):  # ancestors first
            self._fill_name(name)

    def _fill_name(self, name):
        if any(is_below(name, dname) for dname in self.dnames) and not (self.odd and self.rng.random() < 0.5):
            return
        if any(is_below(name, cut) for cut in self.cuts):
            # Glue, or data that the cut hides.
            if fold(name) not in map(fold, self.cuts) and self.rng.random() < 0.5:
                self._address(name)
            return
        kinds = {"address": 28, "text": 8, "mx": 7, "srv": 5, "cname": 16, "dname": 5, "cut": 13, "many": 5, "rare": 7,
                 "svcb": 4, "nothing": 3}
        if name[0] == b"*" and not self.odd:
            del kinds["dname"], kinds["cut"]
        getattr(self, "_" + self.rng.choices(list(kinds), kinds.values())[0])(name)

    def _nothing(self, name):
        pass

    def _text(self, name):
        self.add(name, "TXT", *(f'"{"t" * self.rng.choice([1, 5, 200])}{i}" "\\"\\255"' for i in range(self.rng.choice([1, 1, 2, 7]))))

    def _mx(self, name):
        self.add(name, "MX", *(f"{self.rng.randint(0, 20)} {text_of(self.some_name())}" for _ in range(self.rng.randint(1, 3))))

    def _srv(self, name):
        self.add(name, "SRV", f"0 {self.rng.randint(0, 9)} 5060 {text_of(self.some_name())}")

    def _svcb(self, name):
        target = text_of(self.some_name())
        self.add(name, self.rng.choice(["SVCB", "HTTPS"]), self.rng.choice([f"0 {target}", f"1 {target} alpn=h2", "1 ."]))

    def _cname(self, name):
        self.add(name, "CNAME", text_of(self.some_name()))

    def _dname(self, name):
        if fold(name) not in self.rrsets or "CNAME" not in self.rrsets[fold(name)]:
            self.add(name, "DNAME", text_of(self.some_name()))
        if fold(name) != fold(self.apex):
            self.dnames.append(name)
            if self.rng.random() < 0.3:
                self._address(name)

    def _cut(self, name):
        rng = self.rng
        if hasattr(self, "cuts"):
            self.cuts.append(name)
        for _ in range(rng.randint(1, 3)):
            host = self.some_name() if rng.random() < 0.4 else (rng.choice(PLAIN),) + name
            self.add(name, "NS", text_of(host))
            in_zone = is_below(host, self.apex)
            taken = self.rrsets.get(fold(host), {})
            occluded = any(is_below(host, dname) and fold(host) != fold(dname) for dname in getattr(self, "dnames", []))
            if in_zone and is_below(host, name) and "CNAME" not in taken and not occluded and rng.random() < 0.85:
                self._address(host)
        if rng.random() < 0.3:
            self.add(name, "DS", f"{rng.randint(0, 65535)} 13 2 " + "ab" * 32)

    def _many(self, name):
        self._address(name)
        self._text(name)
        self._mx(name)

    def _rare(self, name):
        rdtype, rdata = self.rng.choice([
            ("CAA", '0 issue "ca.example"'), ("HINFO", '"cpu" "os"'), ("TYPE65280", "\\# 3 c00c01"),
            ("PTR", text_of(self.some_name())), ("NAPTR", f'1 2 "u" "E2U+sip" "!x!y!" {text_of(self.some_name())}'),
            ("RP", f"{text_of(self.some_name())} {text_of(self.some_name())}"), ("TLSA", "3 1 1 abcd")])
        self.add(name, rdtype, rdata)

    def text(self):
        lines = []
        for owner, node in self.rrsets.items():
            for rdtype, (ttl, rdata) in node.items():
                lines += [f"{text_of(self.spelled[owner])} {ttl} IN {rdtype} {value}" for value in rdata]
        lines.sort(key=lambda line: " SOA " not in line)
        return "\n".join(lines) + "\n"


class World:
    """`zones`: (apex, text); `questions`: (name, type, EDNS payload size or 0, DO). `chain`: how it is to be signed, or None;
    signing.py does it."""

    def __init__(self, seed, questions=130, signed=False):
        self.seed = seed
        rng = random.Random(f"world {seed}")
        self.odd = rng.random() < 0.12 and not signed
        self.chain = rng.choice(["nsec", "nsec3", "opt-out"]) if signed else None
        tag = f"w{seed}".encode()
        main = (tag, b"test") if rng.random() < 0.7 else (tag.upper(),)
        apexes = [main]
        if rng.random() < 0.5:
            apexes.append((rng.choice(PLAIN),) + main)
            if rng.random() < 0.4:
                apexes.append((rng.choice(PLAIN),) * rng.choice([1, 2]) + apexes[-1])
        if rng.random() < 0.4:
            apexes.append((b"x" + tag, b"test"))
        delegated = {apex: rng.random() < 0.8 for apex in apexes}
        self.makers = []
        for apex in apexes:
            children = [other for other in apexes[:3] if other != apex and is_below(other, apex) and delegated[other]
                        and not any(is_below(other, mid) and is_below(mid, apex) for mid in apexes if mid not in (apex, other))]
            others = [other for other in apexes if other != apex]
            self.makers.append(ZoneMaker(rng, apex, others, children, self.odd))
        self.zones = [(text_of(maker.apex), maker.text()) for maker in self.makers]
        self.questions = [self._question(rng) for _ in range(questions)]

        self._nodes = {}  # folded apex -> names of the zone with the empty non-terminals

    def _nodes_of(self, maker):
        apex = fold(maker.apex)
        if apex not in self._nodes:
            self._nodes[apex] = {owner[at:] for owner in maker.rrsets for at in range(len(owner) - len(apex) + 1)}
        return apex, self._nodes[apex]

    def is_node(self, name, apex):
        """Whether the zone has this name (folded both), be it an empty non-terminal."""
        return any(name in nodes for its, nodes in map(self._nodes_of, self.makers) if its == apex)

    def is_node_elsewhere(self, name, apex):
        """Whether another zone of the world has it, or is below it."""
        return any(name in nodes or is_below(its, name) for its, nodes in map(self._nodes_of, self.makers) if its != apex)

    def _question(self, rng):
        maker = rng.choice(self.makers)
        roll = rng.random()
        name = rng.choice(list(maker.spelled.values())) if roll < 0.5 else rng.choice(maker.tree)
        if rng.random() < 0.45:
            for _ in range(rng.choice([1, 1, 1, 2, 3])):
                name = (rng.choice([b"*", b"zz", rng.choice(PLAIN), rng.choice(PLAIN), rng.choice(ODD)]),) + name
        elif rng.random() < 0.12:
            name = name[1:]  # a parent: an empty non-terminal, or outside
        if rng.random() < 0.2:
            name = tuple(bytes(c ^ 0x20 if chr(c).isalpha() and c < 128 and rng.random() < 0.5 else c for c in label)
                         for label in name)
        while size_of(name) > 255:
            name = name[1:]
        size = rng.choice([0, 1232, 1232, 4096])
        qtype = rng.choice(QTYPES)
        # Any part of the signatures will do (RFC 8482 7), and BIND alone answers NSEC at a cut from above.
        if self.chain and qtype in ("RRSIG", "NSEC"):
            qtype = "A"
        return name, qtype, size, bool(self.chain and size and rng.random() < 0.9)
