#!/usr/bin/python3
"""Messages signed by dnspython, an implementation that shares nothing with ours: prints known_answers.txt."""
import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.update

NOW = 1700000000
SECRET = bytes(range(1, 41))
KEY_NAME = dns.name.from_text("Key.Example.")
ALGORITHMS = {"hmac-md5": dns.tsig.HMAC_MD5, "hmac-sha1": dns.tsig.HMAC_SHA1, "hmac-sha224": dns.tsig.HMAC_SHA224,
              "hmac-sha256": dns.tsig.HMAC_SHA256, "hmac-sha384": dns.tsig.HMAC_SHA384,
              "hmac-sha512": dns.tsig.HMAC_SHA512}


def key_of(algorithm):
    return dns.tsig.Key(KEY_NAME, SECRET, ALGORITHMS[algorithm])


def template(algorithm, message_id, error=0, other=b""):
    return dns.rdtypes.ANY.TSIG.TSIG(dns.rdataclass.ANY, dns.rdatatype.TSIG, ALGORITHMS[algorithm], NOW, 300, b"",
                                     message_id, error, other)


def signed(wire, algorithm, request_mac=b"", context=None, multi=False, error=0, other=b""):
    rdata = template(algorithm, int.from_bytes(wire[:2], "big"), error, other)
    rdata, context = dns.tsig.sign(wire, key_of(algorithm), rdata, NOW, request_mac, context, multi)
    body = rdata.to_wire(None)
    record = KEY_NAME.to_wire() + bytes([0, 250, 0, 255, 0, 0, 0, 0]) + len(body).to_bytes(2, "big") + body
    additional = int.from_bytes(wire[10:12], "big") + 1
    return wire[:10] + additional.to_bytes(2, "big") + wire[12:] + record, rdata.mac, context


def query(message_id=0x1234):
    q = dns.message.make_query("www.Example.org.", "A", use_edns=0, payload=1232)
    q.id = message_id
    return q


def answer(q, text="192.0.2.1"):
    a = dns.message.make_response(q)
    a.flags |= dns.flags.AA
    a.answer.append(dns.rrset.from_text("www.Example.org.", 60, "IN", "A", text))
    return a.to_wire()


def main():
    for algorithm in ALGORITHMS:
        request, mac, _ = signed(query().to_wire(), algorithm)
        print(f"request.{algorithm} {request.hex()}")
        print(f"answer.{algorithm} {signed(answer(query()), algorithm, mac)[0].hex()}")
    # A change, as nsupdate would send it: no EDNS.
    update = dns.update.UpdateMessage("example.org.", id=0x4321)
    update.add("new", 60, "A", "192.0.2.7")
    print(f"update {signed(update.to_wire(), 'hmac-sha256')[0].hex()}")
    # A forwarder gave it an ID of its own (RFC 8945 4.2: Original ID).
    request, mac, _ = signed(query().to_wire(), "hmac-sha256")
    print(f"forwarded {(bytes([0xab, 0xcd]) + request[2:]).hex()}")
    server_time = (NOW + 4000).to_bytes(6, "big")
    print(f"badtime {signed(answer(query()), 'hmac-sha256', mac, error=18, other=server_time)[0].hex()}")
    # A stream: signed, two unsigned, signed, signed.
    context = None
    for number, sign in enumerate([True, False, False, True, True]):
        wire = answer(query(), f"192.0.2.{number}")
        if sign:
            wire, _, context = signed(wire, "hmac-sha256", mac, context, multi=True)
        else:
            context.update(wire)
        print(f"stream.{number} {wire.hex()}")


if __name__ == "__main__":
    main()
