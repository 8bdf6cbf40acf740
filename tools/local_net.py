"""Addresses of the example deployment: one loopback address per replica, 127.BASE.REGION.NUMBER."""
import contextlib
import errno
import socket
from dataclasses import dataclass

ORACLE_PORT = 8050
PORTS = {"dns": 5300, "http": 8053, "etcd": 2379, "peer": 2380}
FIRST_BASE, LAST_BASE = 1, 250


class AddressesTaken(Exception):
    """No free addresses; the text says what is in the way."""


@dataclass(frozen=True)
class Place:
    """Where one replica listens, before it is known what it serves."""
    region: str
    inst_id: str
    ip: str

    def address(self, door):
        return f"{self.ip}:{PORTS[door]}"


def places(base, regions, instances):
    """In order of registration: the Oracle fills group after group."""
    return [Place(region, f"{region}-{number}", f"127.{base}.{index}.{number}")
            for index, region in enumerate(regions, 1) for number in range(1, instances + 1)]


def oracle_ip(base):
    return f"127.{base}.0.1"


def taken(kind, ip, port):
    """What is in the way of listening there, or None."""
    with socket.socket(socket.AF_INET, kind) as probe:
        # A closed connection that lingers is not in the way; a listener is, and so is any UDP socket.
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ip, port))
            if kind == socket.SOCK_STREAM:
                probe.listen(1)
        except OSError as error:
            return f"{ip}:{port}: {errno.errorcode.get(error.errno, '')} {error.strerror}"
    return None


def what_is_taken(base, regions, instances):
    """The first address of the deployment that cannot be listened on, or None."""
    wanted = [(socket.SOCK_STREAM, oracle_ip(base), ORACLE_PORT)]
    for place in places(base, regions, instances):
        wanted += [(socket.SOCK_STREAM, place.ip, port) for port in PORTS.values()]
        wanted.append((socket.SOCK_DGRAM, place.ip, PORTS["dns"]))
    return next(filter(None, (taken(*address) for address in wanted)), None)


def reserve(base):
    """Keeps other runs of up.py off this base while the returned socket is open; None when another has it."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(f"\0quorate-up-{base}")
    except OSError:
        sock.close()
        return None
    return sock


def choose_base(regions, instances, fixed=None):
    """(base, reservation). `fixed` is a base that must be had, as that of an earlier run on the same data."""
    reason = "no base is left"
    for base in [fixed] if fixed else range(FIRST_BASE, LAST_BASE + 1):
        reservation = reserve(base)
        if not reservation:
            reason = f"another deployment of `./dev up` runs on 127.{base}.0.0/16"
            continue
        reason = what_is_taken(base, regions, instances)
        if not reason:
            return base, reservation
        with contextlib.suppress(OSError):
            reservation.close()
    raise AddressesTaken(reason)
