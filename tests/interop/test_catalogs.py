"""Catalog zones (RFC 9432) with Knot and BIND on the other side."""
import pytest
from harness import quorate, wait_until
from peers import Bind, Knot, Remote, Zone
from transfers import FOLLOW_S, Transfers

CATALOG = "catalog.invalid."


class ConsumingKnot(Knot):
    """The members are served by a template that names our replicas as primaries."""

    def _config(self):
        text = super()._config()
        ids = ", ".join(f"remote{n}" for n in range(len(self.zones[0].primaries)))
        template = f"template:\n  - id: member\n    master: [{ids}]\n    acl: [acl0]\n    storage: \"{self.directory}\"\n"
        text = text.replace("\nzone:\n", f"\n{template}zone:\n", 1)
        return text + "    catalog-role: interpret\n    catalog-template: member\n"


class ConsumingBind(Bind):
    def __init__(self, directory, zones, primaries, **options):
        ours = self._remotes(primaries)
        super().__init__(directory, zones, extra=f"""  catalog-zones {{
    zone "{CATALOG}" default-primaries {{ {ours} }} zone-directory "{directory}" min-update-interval 1;
  }};""", **options)


def consumer(kind, directory, transfers):
    zone = Zone(CATALOG, primaries=transfers.as_primaries(), transfer=[transfers.client()])
    if kind is ConsumingBind:
        return ConsumingBind(directory, [zone], transfers.as_primaries(), keys=[transfers.key])
    return kind(directory, [zone], keys=[transfers.key])


@pytest.mark.parametrize("kind", [ConsumingKnot, ConsumingBind])
def test_what_we_produce_is_consumed(tmp_path, kind):
    with Transfers(tmp_path / "ours", zones=("a.example.", "b.example.")) as transfers:
        url = transfers.replicas[0].url
        made = quorate("zone", "create", CATALOG, "--catalog", "--server", url)
        assert made.returncode == 0, made.stderr
        with consumer(kind, tmp_path / "other", transfers) as server:
            transfers.set(CATALOG, also_notify=transfers.remote(server))
            assert server.serial("a.example.") is None
            for member in ("a.example.", "b.example."):
                transfers.set(member, catalog=CATALOG)
            wait_until(lambda: server.serial("a.example.") == transfers.serial("a.example.")
                       and server.serial("b.example.") == transfers.serial("b.example."), "the members are there", FOLLOW_S)
            transfers.set("a.example.", catalog="none")
            wait_until(lambda: server.serial("a.example.") is None, "the member is gone", FOLLOW_S)
            assert server.serial("b.example.") is not None
        # Nobody but who transfers it sees it (trap 49).
        assert transfers.replicas[1].ask(CATALOG, "SOA").rcode() == 5


def catalog_text(serial, members):
    lines = [f"@ 0 SOA invalid. invalid. {serial} 3600 600 86400 0", "@ 0 NS invalid.", 'version 0 TXT "2"']
    return f"$ORIGIN {CATALOG}\n" + "\n".join(lines + [f"m{n}.zones 0 PTR {m}" for n, m in members]) + "\n"


def member_text(zone):
    return f"$ORIGIN {zone}\n$TTL 60\n@ SOA ns1 admin 3 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\nwww A 192.0.2.80\n"


@pytest.mark.parametrize("kind", [Knot, Bind])
def test_what_others_produce_is_consumed(tmp_path, kind):
    with Transfers(tmp_path / "ours") as transfers:
        told = [Remote(r.ip, r.ports["dns"], transfers.key) for r in transfers.replicas]
        names = ["a.example.", "b.example."]
        zones = [Zone(CATALOG, catalog_text(1, [(0, names[0])]), transfer=[transfers.client()], notify=told)]
        zones += [Zone(name, member_text(name), transfer=[transfers.client()], notify=told) for name in names]
        with kind(tmp_path / "other", zones, keys=[transfers.key]) as server:
            made = quorate("zone", "create", CATALOG, "--secondary", "--catalog", "--primary", transfers.remote(server),
                           "--server", transfers.replicas[0].url)
            assert made.returncode == 0, made.stderr
            here = lambda name: all(r.answers(f"www.{name}") == {"192.0.2.80"} for r in transfers.replicas)  # noqa: E731
            gone = lambda name: all(r.ask(f"www.{name}").rcode() == 5 for r in transfers.replicas)  # noqa: E731
            wait_until(lambda: here(names[0]), "the first member is here", FOLLOW_S)
            server.change(zones[0], catalog_text(2, [(0, names[0]), (1, names[1])]))
            wait_until(lambda: here(names[1]), "the second member is here", FOLLOW_S)
            server.change(zones[0], catalog_text(3, [(1, names[1])]))
            wait_until(lambda: gone(names[0]), "the first member is gone", FOLLOW_S)
            assert here(names[1])
            # A broken catalog changes nothing: that of serial 5 is followed, so 4 was seen.
            server.change(zones[0], catalog_text(4, []).replace('"2"', '"9"'))
            server.change(zones[0], catalog_text(5, [(1, names[1]), (0, names[0])]))
            wait_until(lambda: here(names[0]), "the first member is back", FOLLOW_S)
            assert here(names[1])
