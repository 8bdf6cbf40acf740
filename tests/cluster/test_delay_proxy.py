"""The delaying proxy delays, narrows, holds and closes as told, keeps every byte in order, and its memory is bounded."""
import socket
import sys
import threading
import time

import pytest

from harness import ROOT, wait_until
import local_net
from delay_proxy import IN_FLIGHT_BYTES_MAX, Control
from supervisor import Child, stop_all

PORT = 2380


class Echo(threading.Thread):
    """Sends back what it receives, a little in front of it, unless `silent`: then it never reads."""

    def __init__(self, ip, silent=False):
        super().__init__(daemon=True)
        self.listener, self.silent, self.kept = socket.create_server((ip, PORT)), silent, []
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.kept.append(connection)
            if not self.silent:
                threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    @staticmethod
    def _echo(connection):
        try:
            while data := connection.recv(65536):
                connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.kept:
            connection.close()


class Place:
    """An echo server in `b`, and the proxy between it and `a`."""

    def __init__(self, directory, silent=False):
        base, self.reservation = local_net.choose_base(["proxy"], 2)
        self.listen, target = f"127.{base}.1.1", f"127.{base}.1.2"
        self.echo = Echo(target, silent)
        (directory / "plan").write_text(f"route a b {self.listen}:{PORT} {target}:{PORT}\n"
                                        "set a b delay_ms=20\nset b a delay_ms=30\n")
        path = directory / "control"
        self.child = Child("proxy", [sys.executable, str(ROOT / "tools/delay_proxy.py"), "serve", str(path),
                                     str(directory / "plan")], directory / "proxy.log")
        self.child.start()
        self.control = Control(path)
        wait_until(path.exists, "the proxy listens", 20)

    def connect(self):
        connection = socket.create_connection((self.listen, PORT), 30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def stop(self):
        stop_all([self.child])
        self.echo.close()
        self.reservation.close()


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path)
    yield made
    made.stop()


def exchange(connection, data):
    """Sends, and waits for all of it to come back. Gives the seconds that took."""
    started, received = time.monotonic(), b""
    sender = threading.Thread(target=connection.sendall, args=(data,))
    sender.start()
    while len(received) < len(data):
        more = connection.recv(65536)
        assert more, "the connection ended early"
        received += more
    sender.join()
    assert received == data, "other bytes came back"
    return time.monotonic() - started


def ended(connection):
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def test_bytes_take_as_long_as_both_links_say_and_keep_their_order(place):
    with place.connect() as connection:
        assert exchange(connection, b"first") >= 0.1, "the handshake is a round trip more"
        assert min(exchange(connection, b"x") for _ in range(5)) >= 0.05
        place.control.set("a", "b", delay_ms=0, jitter_ms=5)
        place.control.set("b", "a", delay_ms=0, jitter_ms=5)
        exchange(connection, bytes(range(256)) * 20000)
        place.control.set("a", "b", jitter_ms=0, bytes_per_s=1000000)
        assert exchange(connection, b"y" * 200000) >= 0.19
        assert place.control.status()["a b"]["connections"] == 1
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b"", "an end is passed on"


def test_a_cut_of_one_direction_holds_its_bytes_and_lets_the_other_pass(place):
    with place.connect() as connection:
        exchange(connection, b"first")
        place.control.cut("b", "a")
        connection.sendall(b"held on its way back")
        connection.settimeout(0.5)
        with pytest.raises(socket.timeout):
            connection.recv(1)
        connection.settimeout(30)
        place.control.heal("b", "a")
        assert connection.recv(100) == b"held on its way back"
        place.control.cut("a", "b")
        with place.connect() as late:  # a handshake does not get through either
            late.sendall(b"late")
            late.settimeout(0.3)
            with pytest.raises(socket.timeout):
                late.recv(1)
            place.control.heal()
            late.settimeout(30)
            assert late.recv(100) == b"late"


def test_a_closed_link_ends_connections_and_takes_none(place):
    with place.connect() as connection:
        exchange(connection, b"first")
        place.control.close("b", "a")
        assert ended(connection)
        with place.connect() as late:
            assert ended(late)
    place.control.heal()
    with place.connect() as connection:
        exchange(connection, b"again")


def test_a_receiver_that_does_not_read_holds_up_its_sender(tmp_path):
    place = Place(tmp_path, silent=True)
    try:
        with place.connect() as connection:
            connection.settimeout(1.0)
            sent = 0
            with pytest.raises(socket.timeout):
                while True:
                    sent += connection.send(b"z" * 65536)
                    assert sent < 16 * IN_FLIGHT_BYTES_MAX, "the proxy keeps without bound"
    finally:
        place.stop()


def test_a_request_that_makes_no_sense_is_refused_with_a_reason(place):
    for request, why in (("cut a c", "there is no link a c"), ("set a b speed=1", "settings are"), ("jump", "no request"),
                         ("set a b delay_ms=-1", "not negative"), ("cut a", "missing"), ("", "not enough"), ("route a b 127.0.0.1:1 127.0.0.1:2", "of the plan")):
        with pytest.raises(ValueError, match=why):
            place.control.ask(request)
    assert place.child.is_running()
