"""One gRPC call over a connection of its own, just enough of HTTP/2 (RFC 9113) for a test: metadata that etcdctl cannot send."""
import socket
import struct

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
ACK = END_STREAM = 1
END_HEADERS = 4


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name, value):
    """A header field without indexing and Huffman coding (RFC 7541, section 6.2.2); both parts are short."""
    assert len(name) < 127 and len(value) < 127
    return bytes([0, len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def field(number, data):
    """A protobuf field of bytes."""
    assert len(data) < 128
    return bytes([number << 3 | 2, len(data)]) + data


def txn_put(key, value):
    """An etcd TxnRequest that puts without a condition."""
    return field(2, field(2, field(1, key) + field(2, value)))


def frames_of(connection):
    buffer = b""
    while True:
        while len(buffer) < 9 or len(buffer) < 9 + int.from_bytes(buffer[:3], "big"):
            chunk = connection.recv(65536)
            if not chunk:
                return
            buffer += chunk
        end = 9 + int.from_bytes(buffer[:3], "big")
        yield buffer[3], buffer[4], buffer[9:end]
        buffer = buffer[end:]


def call(address, method, message, metadata, timeout_s):
    """The answer's bytes, or None: refused, or nobody knows."""
    ip, port = address.rsplit(":", 1)
    fields = {":method": "POST", ":scheme": "http", ":path": method, ":authority": address, "te": "trailers",
              "content-type": "application/grpc", **metadata}
    try:
        with socket.create_connection((ip.strip("[]"), int(port)), timeout_s) as connection:
            connection.settimeout(timeout_s)
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0) +
                               frame(HEADERS, END_HEADERS, 1, b"".join(literal(*f) for f in fields.items())) +
                               frame(DATA, END_STREAM, 1, b"\0" + struct.pack(">I", len(message)) + message))
            answer = b""
            for kind, flags, payload in frames_of(connection):
                if kind in (SETTINGS, PING) and not flags & ACK:
                    connection.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))
                elif kind == DATA:
                    answer += payload
                elif kind in (RST_STREAM, GOAWAY) or (kind == HEADERS and flags & END_STREAM):
                    break
            return answer[5:] if len(answer) >= 5 else None
    except OSError:
        return None
