"""What test_resolver.py runs in a network of its own: python3 through_unbound.py DIRECTORY"""
import subprocess
import sys
from pathlib import Path

import dns.flags
import dns.rcode

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "cluster")]
from harness import Up, ip_of, quorate, wait_until  # noqa: E402
from peers import Unbound  # noqa: E402


class Hierarchy:
    def __init__(self, up):
        self.up = up

    def set(self, name, rdtype, *rdata, **options):
        extra = [word for option, value in options.items() for word in (f"--{option}", value)]
        result = quorate("record", "set", name, rdtype, *rdata, *extra, "--oracle", self.up.oracle)
        assert result.returncode == 0, f"{name} {rdtype}: {result.stderr}"

    def ips(self, group):
        return [ip_of(replica["dns"]) for replica in self.up.group(group)]

    def servers(self, group, domain, zone):
        """NS and addresses of a group's replicas into `zone`."""
        names = [f"ns{n}.{domain}" for n in (1, 2, 3)]
        self.set(domain.removeprefix("servers."), "NS", *names, zone=zone)
        for name, ip in zip(names, self.ips(group)):
            self.set(name, "A", ip, zone=zone)

    def build(self):
        self.set(".", "NS", *(f"ns{n}.servers." for n in (1, 2, 3)), zone=".")
        for number, ip in enumerate(self.ips("root"), 1):
            self.set(f"ns{number}.servers.", "A", ip, zone=".")
        for zone, child in ((".", "org."), ("org.", "example.org.")):
            self.servers(child.rstrip("."), child, zone)
            self.servers(child.rstrip("."), child, child)
        self.set("www.example.org.", "A", "192.0.2.80", ttl=1)
        self.set("a.b.c.example.org.", "TXT", "deep")
        self.set("*.wild.example.org.", "A", "192.0.2.81")
        self.set("alias.example.org.", "CNAME", "www.example.org.")
        self.set("big.example.org.", "TXT", *(f"{n:03}" + "x" * 200 for n in range(30)))


def check(resolver, hierarchy):
    def ask(name, rdtype="A", **options):
        return resolver.ask(name, rdtype, timeout_s=30, **options)

    assert resolver.answers("www.example.org.") == {"192.0.2.80"}
    # The names between are asked for one by one (RFC 9156): an empty non-terminal must not be NXDOMAIN (RFC 8020).
    assert resolver.answers("a.b.c.example.org.", "TXT") == {'"deep"'}
    empty = ask("b.c.example.org.", "TXT")
    assert empty.rcode() == dns.rcode.NOERROR and not empty.answer
    assert resolver.answers("x.y.wild.example.org.") == {"192.0.2.81"}
    alias = ask("alias.example.org.")
    assert [rrset[0].to_text() for rrset in alias.answer] == ["www.example.org.", "192.0.2.80"]
    absent = ask("absent.example.org.")
    assert absent.rcode() == dns.rcode.NXDOMAIN and absent.authority[0].name.to_text() == "example.org."
    assert ask("absent-tld.").rcode() == dns.rcode.NXDOMAIN
    # More than fits in UDP: the resolver comes again by TCP.
    assert len(ask("big.example.org.", "TXT", tcp=True).answer[0]) == 30

    # A change is seen as soon as the TTL of a second is over.
    hierarchy.set("www.example.org.", "A", "192.0.2.99", ttl=1)
    wait_until(lambda: resolver.answers("www.example.org.") == {"192.0.2.99"}, "the resolver has the new address")


def check_without_some(resolver, hierarchy):
    """One replica of each group dies; who asks does not notice."""
    for group in ("root", "org", "example.org"):
        pid = hierarchy.up.group(group)[0]["pid"]
        subprocess.run(["kill", "-STOP", str(pid)], check=True)
    try:
        for number in range(20):
            assert resolver.ask(f"host{number}.wild.example.org.", timeout_s=60).answer
    finally:
        for group in ("root", "org", "example.org"):
            subprocess.run(["kill", "-CONT", str(hierarchy.up.group(group)[0]["pid"])], check=True)


def main():
    directory = Path(sys.argv[1])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    up = Up(directory / "up", "--dns-port", "53", "--regions", "1")
    try:
        up.start()
        hierarchy = Hierarchy(up)
        hierarchy.build()
        hints = directory / "root.hints"
        hints.write_text("".join(f". 3600 IN NS ns{n}.servers.\nns{n}.servers. 3600 IN A {ip}\n"
                                 for n, ip in enumerate(hierarchy.ips("root"), 1)))
        with Unbound(directory / "unbound", ip="127.0.0.1", extra=f"""  root-hints: "{hints}"
  use-caps-for-id: yes
  qname-minimisation-strict: yes
  cache-min-ttl: 0
  infra-host-ttl: 1
  harden-below-nxdomain: yes""") as resolver:
            check(resolver, hierarchy)
            check_without_some(resolver, hierarchy)
    finally:
        up.stop()


if __name__ == "__main__":
    main()
