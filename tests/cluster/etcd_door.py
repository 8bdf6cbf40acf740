"""A connection to the etcd door that costs microseconds, not a process: puts and gets as unary gRPC calls (HTTP/2, RFC 9113).

Only what such a call needs: one at a time, small messages, and no reading of header fields: a call succeeded when a
message came (gRPC sends none with an error)."""
import socket
import struct

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, END_HEADERS, ACK = 1, 4, 1
LARGE_WINDOW = 1 << 30


class CallFailed(Exception):
    """`sent`: whether the server may have seen it."""

    def __init__(self, why, sent):
        super().__init__(why)
        self.sent = sent


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    """A length-delimited field of protobuf."""
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(message):
    """(number, value) of each; nothing here needs fixed-size ones."""
    at = 0

    def take_varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        tag = take_varint()
        value = take_varint()
        if tag & 7 == 2:
            value, at = message[at:at + value], at + value
        yield tag >> 3, value


def header(name, value):
    """RFC 7541 6.2.2, with a name of its own; every one here is shorter than 127 octets."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


class EtcdDoor:
    """Any thread, one at a time. Raises CallFailed; the next call connects anew."""

    def __init__(self, endpoint, timeout_s=1.0):
        host, port = endpoint.rsplit(":", 1)
        self.address = (host, int(port))
        self.timeout_s = timeout_s
        self.socket = None

    def put(self, key, value):
        self._call(b"/etcdserverpb.KV/Put", field(1, key.encode()) + field(2, value.encode()))

    def get(self, key):
        """The value, or None where the key is absent. Linearizable."""
        for number, kv in fields(self._call(b"/etcdserverpb.KV/Range", field(1, key.encode()))):
            if number == 2:
                return dict(fields(kv)).get(5, b"").decode()
        return None

    def close(self):
        if self.socket:
            self.socket.close()
            self.socket = None

    def _connect(self):
        self.socket = socket.create_connection(self.address, self.timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.stream = -1
        self._send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self._frame(SETTINGS, 0, 0) +
                   self._frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", LARGE_WINDOW)))

    @staticmethod
    def _frame(kind, flags, stream, payload=b""):
        return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload

    def _send(self, octets):
        self.socket.sendall(octets)

    def _take(self, count):
        while len(self.received) < count:
            more = self.socket.recv(65536)
            if not more:
                raise OSError("the connection ended")
            self.received += more
        out, self.received = self.received[:count], self.received[count:]
        return out

    def _call(self, path, message):
        sent = False
        try:
            if not self.socket:
                self._connect()
            self.stream += 2
            block = b"\x83\x86" + header(b":path", path) + header(b":authority", b"loopback") + header(
                b"content-type", b"application/grpc") + header(b"te", b"trailers")
            sent = True
            self._send(self._frame(HEADERS, END_HEADERS, self.stream, block) +
                       self._frame(DATA, END_STREAM, self.stream, b"\0" + struct.pack(">I", len(message)) + message))
            return self._answer()
        except OSError as error:
            self.close()
            raise CallFailed(repr(error), sent) from error

    def _answer(self):
        data = b""
        while True:
            head = self._take(9)
            length, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
            stream, payload = int.from_bytes(head[5:], "big"), self._take(length)
            if kind == SETTINGS and not flags & ACK:
                self._send(self._frame(SETTINGS, ACK, 0))
            elif kind == PING and not flags & ACK:
                self._send(self._frame(PING, ACK, 0, payload))
            elif kind == GOAWAY:
                raise OSError("the server goes away")
            elif stream == self.stream and kind == DATA:
                data += payload
            if stream == self.stream and (kind == RST_STREAM or flags & END_STREAM and kind in (DATA, HEADERS)):
                break
        if not data:
            raise CallFailed("refused", True)
        return data[5:]
