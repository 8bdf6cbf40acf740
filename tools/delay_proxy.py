#!/usr/bin/python3
"""A TCP proxy that makes the links between places slow, uneven, narrow or cut: what netem does, without the kernel.

usage: delay_proxy.py serve CONTROL PLAN       run until SIGTERM; ready once the socket CONTROL exists
       delay_proxy.py ask CONTROL REQUEST...   send requests, print the replies

A request: set us eu delay_ms=40 jitter_ms=2 bytes_per_s=1000000    from us to eu
           cut us eu,  close us eu,  heal us eu,  heal,  status
PLAN has one a line, and where to listen: route us eu LISTEN TARGET (ip:port; for us, whose target is in eu)

A *link* is one direction between two places, with its own delay; a connection from us to eu uses the link us-eu for
what it sends and eu-us for what comes back, and is made one round trip after it was asked for. `set` counts for what
is sent afterwards. `cut` holds the bytes of one direction until `heal`, as packets that are sent again and again would
be; `close` breaks the connections that use the link, and those to come.
"""
import asyncio
import json
import os
import random
import signal
import socket
import sys
from collections import deque
from dataclasses import dataclass, field

CHUNK_BYTES = 64 << 10
IN_FLIGHT_BYTES_MAX = 4 << 20  # of one direction of one connection; then the sender is not read: it has to wait
REQUEST_BYTES_MAX = 4096
SETTINGS = ("delay_ms", "jitter_ms", "bytes_per_s")


@dataclass
class Link:
    """One direction between two places. Every connection that uses it shares its width."""
    delay_ms: float = 0.0
    jitter_ms: float = 0.0      # up to so much more, at random; the order is kept
    bytes_per_s: float = 0.0    # 0: any
    state: str = "up"           # or "cut", or "closed"
    busy_until: float = 0.0
    moved: asyncio.Event = field(default_factory=asyncio.Event)  # set while bytes may leave
    pairs: set = field(default_factory=set)                      # the connections that use it

    def due(self, now, count):
        """When `count` bytes sent now arrive."""
        if self.bytes_per_s:
            self.busy_until = max(now, self.busy_until) + count / self.bytes_per_s
            now = self.busy_until
        return now + (self.delay_ms + random.uniform(0, self.jitter_ms)) / 1000

    def change_state(self, state):
        self.state = state
        if state == "up":
            self.moved.set()
        else:
            self.moved.clear()
        if state == "closed":
            for pair in list(self.pairs):
                pair.cancel()

    def describe(self):
        return {**{name: getattr(self, name) for name in SETTINGS}, "state": self.state, "connections": len(self.pairs)}


class Pump:
    """One direction of one connection: reads, keeps for as long as the link says, writes."""

    def __init__(self, link, reader, writer):
        self.link, self.reader, self.writer = link, reader, writer
        self.in_flight = deque()  # (due, bytes); no bytes: the end
        self.bytes = 0
        self.changed = asyncio.Event()

    async def run(self):
        receiving = asyncio.create_task(self._receive())
        try:
            await self._deliver()
        finally:
            receiving.cancel()

    async def _receive(self):
        due = 0.0
        while True:
            try:
                data = await self.reader.read(CHUNK_BYTES)
            except OSError:
                data = b""
            due = max(due, self.link.due(asyncio.get_running_loop().time(), len(data)))
            self.in_flight.append((due, data))
            self.bytes += len(data)
            self.changed.set()
            if not data:
                return
            while self.bytes >= IN_FLIGHT_BYTES_MAX:
                self.changed.clear()
                await self.changed.wait()

    async def _deliver(self):
        while True:
            while not self.in_flight:
                self.changed.clear()
                await self.changed.wait()
            due, data = self.in_flight[0]
            wait_s = due - asyncio.get_running_loop().time()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            await self.link.moved.wait()
            self.in_flight.popleft()
            self.bytes -= len(data)
            self.changed.set()
            if not data:
                self.writer.write_eof()
                return
            self.writer.write(data)
            await self.writer.drain()


class Proxy:
    """Of one event loop; `plan` is lines, see above. ValueError says which one makes no sense."""

    def __init__(self, plan):
        self.links, self.routes, self.servers = {}, [], []
        for number, line in enumerate(plan, 1):
            try:
                if line.split():
                    answer(self, line)
            except (ValueError, TypeError) as error:
                raise ValueError(f"line {number} of the plan: {error}") from None

    def route(self, source, destination, listen, target):
        self.routes.append((source, destination, split(listen), split(target)))
        for pair in ((source, destination), (destination, source)):
            self.links.setdefault(pair, Link()).moved.set()

    async def start(self):
        for source, destination, listen, target in self.routes:
            links = self.link(source, destination), self.link(destination, source)
            self.servers.append(await asyncio.start_server(
                lambda reader, writer, l=links, t=target: self._connected(*l, t, reader, writer), *listen,
                limit=CHUNK_BYTES))

    def link(self, source, destination):
        if (source, destination) not in self.links:
            known = ", ".join(sorted(f"{a} {b}" for a, b in self.links))
            raise ValueError(f"there is no link {source} {destination}; there are: {known}")
        return self.links[source, destination]

    def set(self, source, destination, **settings):
        link = self.link(source, destination)
        for name, value in settings.items():
            if name not in SETTINGS or float(value) < 0:
                raise ValueError(f"{name}={value}: settings are {', '.join(SETTINGS)}, and not negative")
        for name, value in settings.items():
            setattr(link, name, float(value))

    def cut(self, source, destination):
        self.link(source, destination).change_state("cut")

    def close(self, source, destination):
        self.link(source, destination).change_state("closed")

    def heal(self, source=None, destination=None):
        for link in [self.link(source, destination)] if source else self.links.values():
            link.change_state("up")

    def status(self):
        return {f"{a} {b}": link.describe() for (a, b), link in sorted(self.links.items())}

    async def _connected(self, there, back, target, reader, writer):
        pair = asyncio.current_task()
        writers = [writer]
        for link in (there, back):
            link.pairs.add(pair)
        try:
            if "closed" not in (there.state, back.state):
                await self._carry(there, back, target, reader, writers)
        except (OSError, asyncio.CancelledError):
            pass  # the connection ends, and both its ends see that
        finally:
            for link in (there, back):
                link.pairs.discard(pair)
            for each in writers:
                each.transport.abort()

    @staticmethod
    async def _carry(there, back, target, reader, writers):
        for link in (there, back):  # the handshake
            await asyncio.sleep(link.delay_ms / 1000)
            await link.moved.wait()
        far_reader, far_writer = await asyncio.open_connection(*target, limit=CHUNK_BYTES)
        writers.append(far_writer)
        for each in writers:
            each.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pumps = [asyncio.create_task(Pump(there, reader, far_writer).run()),
                 asyncio.create_task(Pump(back, far_reader, writers[0]).run())]
        try:
            await asyncio.gather(*pumps)
        finally:
            for pump in pumps:
                pump.cancel()


def split(address):
    host, port = address.rsplit(":", 1)
    return host.strip("[]"), int(port)


def answer(proxy, line):
    """Carries out one request, or line of a plan. ValueError or TypeError says what is wrong with it."""
    verb, *words = line.split()
    if verb not in ("route", "set", "cut", "close", "heal", "status"):
        raise ValueError(f"there is no request `{verb}`; there are set, cut, close, heal, status")
    if verb == "route" and proxy.servers:
        raise ValueError("routes are of the plan alone")
    places = [word for word in words if "=" not in word]
    settings = dict(word.split("=", 1) for word in words if "=" in word)
    return getattr(proxy, verb)(*places, **settings) or {}


async def serve(control, plan):
    proxy = Proxy(plan)

    async def asked(reader, writer):
        try:
            while line := await reader.readline():
                try:
                    reply = answer(proxy, line.decode())
                except (ValueError, TypeError) as error:
                    reply = {"error": str(error)}
                writer.write(json.dumps(reply).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError):
            pass  # it went away, or its line is too long
        finally:
            writer.close()

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await proxy.start()
    await asyncio.start_unix_server(asked, control, limit=REQUEST_BYTES_MAX)
    await stop.wait()
    os.unlink(control)


class Control:
    """Asks a running proxy. ValueError: it refused; OSError: it is not there."""

    def __init__(self, path):
        self.path = str(path)

    def set(self, source, destination, **settings):
        self.ask(" ".join(["set", source, destination, *(f"{k}={v}" for k, v in settings.items())]))

    def cut(self, source, destination):
        self.ask(f"cut {source} {destination}")

    def close(self, source, destination):
        self.ask(f"close {source} {destination}")

    def heal(self, *link):
        self.ask(" ".join(["heal", *link]))

    def status(self):
        return self.ask("status")

    def ask(self, line):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(10)
            sock.connect(self.path)
            with sock.makefile("rw") as file:
                file.write(line + "\n")
                file.flush()
                reply = json.loads(file.readline() or '{"error": "the proxy went away"}')
        if "error" in reply:
            raise ValueError(reply["error"])
        return reply


def main():
    try:
        if len(sys.argv) == 4 and sys.argv[1] == "serve":
            with open(sys.argv[3], encoding="utf-8") as file:
                asyncio.run(serve(sys.argv[2], list(file)))
            return 0
        if len(sys.argv) > 3 and sys.argv[1] == "ask":
            for line in sys.argv[3:]:
                print(json.dumps(Control(sys.argv[2]).ask(line), indent=1))
            return 0
    except (OSError, ValueError) as error:
        print(f"delay_proxy.py: {error}", file=sys.stderr)
        return 1
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
