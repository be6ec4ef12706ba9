#!/usr/bin/env -S python3 -B
"""make_seeds.py FOLDER: writes the seeds of the fuzzers that are not text, each into a folder of its kind."""

import pathlib
import struct
import sys


def name(*labels):
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def message(*names, flags=0x0100, count=None, rest=b""):
    questions = b"".join(one + struct.pack(">HH", 28, 1) for one in names)
    return struct.pack(">HHHHHH", 7, flags, len(names) if count is None else count, 0, 0, 0) + questions + rest


MESSAGES = {
    "plain": message(name(b"www", b"example", b"com")),
    "root": message(name()),
    "longest_name": message(name(b"a" * 63, b"b" * 63, b"c" * 63, b"d" * 61)),
    "most_labels": message(name(*[b"x"] * 127)),
    "mixed_case": message(name(b"wWw", b"ExAmPlE", b"CoM")),
    "two_questions": message(name(b"a", b"test"), name(b"b", b"test")),
    "behind_offset_511": message(name(b"a" * 63, b"b" * 63, b"c" * 63, b"d" * 61), name(b"e" * 63, b"f" * 63, b"g" * 63)),
    "pointer": message(b"\x03www\xc0\x0c"),
    "response": message(name(b"example", b"com"), flags=0x8180),
    "no_question": message(),
    "cut": message(name(b"example", b"com"))[:20],
}


def record(kind, data, owner=b"\xc0\x0c", extended=0):
    return owner + struct.pack(">HHBBHH", kind, 1, extended, 0, 60, len(data)) + data


def response(*records, rcode=0, additionals=b"", count=None):
    header = struct.pack(">HHHHHH", 7, 0x8180 | rcode, 1, len(records) if count is None else count, 0, bool(additionals))
    return header + name(b"example", b"com") + struct.pack(">HH", 1, 1) + b"".join(records) + additionals


# The name of the question is at 12, its "com" at 20.
RESPONSES = {
    "a": response(record(1, b"\xc0\0\2\1")),
    "aaaa": response(record(28, bytes(15) + b"\1")),
    "chain": response(record(5, b"\3www\xc0\x14"), record(5, b"\1b\xc0\x0c"), record(1, bytes(4))),
    "mx_srv": response(record(15, b"\0\x0a\2mx\xc0\x14"), record(33, bytes(6) + b"\1s\xc0\x14")),
    "txt": response(record(16, b"\5a\\b\xff\n\3two")),
    "unknown": response(record(65, b"\0\1\0")),
    "nxdomain": response(rcode=3),
    "extended_rcode": response(rcode=7, additionals=record(41, b"", owner=b"\0", extended=1)),
    "pointer_to_itself": response(record(5, b"\xc0\x29")),
    "pointer_loop": response(record(5, b"\xc0\x2b\xc0\x29")),
    "owner_in_a_loop": response(record(1, bytes(4), owner=b"\xc0\x1d")),
    "more_promised": response(record(1, bytes(4)), count=9),
    "no_question": struct.pack(">HHHHHH", 7, 0x8185, 0, 0, 0, 0),
}


def field(number, value):
    if isinstance(value, int):
        return bytes([number << 3, value])
    return bytes([number << 3 | 2, len(value)]) + value


# fields of proto/nslookout/v1/event.proto: schema_version, event_id, alert, dns {query, record_type}
EVENT = field(1, 1) + field(2, b"0b22c5ec-7532-4f82-a29f-e9f9b54f00ba")
EVENTS = {
    "one": bytes([len(EVENT)]) + EVENT,
    "two": (bytes([len(EVENT)]) + EVENT) * 2,
    "empty_message": b"\0",
    "cut": bytes([len(EVENT)]) + EVENT[:10],
    "too_large": b"\xff\xff\xff\xff\x7f",
}


QUERY = MESSAGES["plain"]


def udp(payload):
    return struct.pack(">HHHH", 40000, 53, 8 + len(payload), 0) + payload


def tcp(payload, sequence=1, flags=0x10):
    return struct.pack(">HHIIBBHI", 40000, 53, sequence, 0, 0x50, flags, 1000, 0) + payload


def ipv4(payload, protocol=17, place=0):
    addresses = bytes([10, 0, 0, 1, 10, 0, 0, 53])
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 7, place, 64, protocol, 0) + addresses + payload


def ethernet(payload, ethertype=0x0800):
    return bytes(12) + struct.pack(">H", ethertype) + payload


def in_stream(payload):
    return struct.pack(">H", len(payload)) + payload


FRAMES = {
    "udp": ethernet(ipv4(udp(QUERY))),
    "tcp": ethernet(ipv4(tcp(in_stream(QUERY)), protocol=6)),
    "fragments": ethernet(ipv4(udp(QUERY)[:24], place=0x2000)),
    "last_fragment": ethernet(ipv4(udp(QUERY)[24:], place=3)),
    "vlan": bytes(12) + b"\x81\0\0\1\x08\0" + ipv4(udp(QUERY)),
}


def pcap(frames, order="<"):
    header = struct.pack(order + "IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    return header + b"".join(struct.pack(order + "IIII", 1700000000, 5, len(f), len(f)) + f for f in frames)


def block(kind, body, order="<"):
    body += bytes(-len(body) % 4)
    return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)


def pcapng(frames, order="<"):
    section = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    options = struct.pack(order + "HHB3xHHqHH", 9, 1, 9, 14, 8, 5, 0, 0)
    interface = block(1, struct.pack(order + "HHI", 1, 0, 0) + options, order)
    packets = [block(6, struct.pack(order + "IIIII", 0, 1, 2, len(f), len(f)) + f, order) for f in frames]
    return section + interface + b"".join(packets) + block(3, struct.pack(order + "I", len(frames[0])) + frames[0], order)


CAPTURES = {
    "pcap": pcap(list(FRAMES.values())),
    "pcap_big_endian": pcap([FRAMES["udp"]], ">"),
    "pcapng": pcapng([FRAMES["udp"], FRAMES["tcp"]]),
    "pcapng_big_endian": pcapng([FRAMES["udp"]], ">"),
    "cut": pcap([FRAMES["udp"]])[:-9],
}


def packet(kind, payload, fields=b"", link_type=1):
    """As capture_packets.cc reads it; the payload is filled up to a multiple of three."""
    payload += bytes(-len(payload) % 3)
    return bytes([kind, link_type, len(payload) // 3]) + payload + fields


PACKETS = {
    "frame": packet(0, FRAMES["udp"]),
    "udp": packet(1, QUERY, b"\0\0"),
    "response": packet(1, RESPONSES["a"], b"\3\0"),
    "tcp": packet(2, b"", b"\0\0\2\0") + packet(2, in_stream(QUERY), b"\0\1\x10\0"),
    "tcp_out_of_order": packet(2, b"", b"\0\0\2\0")
    + packet(2, in_stream(QUERY)[30:], b"\0\x1f\x10\0")
    + packet(2, in_stream(QUERY)[:30], b"\0\1\x10\0"),
    # one of the segments is as long as half of the sequence space, and makes another that waited lie behind by as much
    "half_the_sequence_space": packet(2, b"", b"\0\0\2\0")
    + packet(2, in_stream(QUERY)[:30], b"\0\x1f\x10\0")
    + packet(0x41, in_stream(QUERY)[:30], b"\0\1\x10\1\0\x80\0\0\0"),
    "fragments": packet(3, udp(QUERY)[:24], b"\0\x20\0") + packet(3, udp(QUERY)[24:], b"\0\0\3"),
    "ipv6": packet(5, QUERY, b"\0\0\0"),
    "ipv6_extensions": packet(5, QUERY, b"\0\2\0\0\0\1\0\0\0"),
    "ipv6_fragment": packet(6, QUERY, b"\0\0\0\0\1\2\0\1\0"),
}

STREAM = in_stream(QUERY) + in_stream(MESSAGES["most_labels"]) + in_stream(b"") + in_stream(MESSAGES["cut"])
STREAMS = {
    "in_order": b"\x10\0" + STREAM,
    "reversed": b"\2\4" + bytes([200, 255, 100, 200, 50, 99, 0, 60]) + STREAM,
    "overlaps": b"\xff\3" + bytes([10, 50, 5, 20, 40, 10]) + STREAM,
    "long_message": b"\0\2\x20\x20\x10\x10" + in_stream(MESSAGES["plain"] + bytes(150)) + in_stream(QUERY),
}

# sizes and places of bpf/abi.h: nsl_candidate (464 octets, its name at 208), nsl_unix_request, nsl_response, nsl_bypass
CANDIDATE = bytearray(464)
CANDIDATE[160:168] = struct.pack("<HHHBB", 53, 40000, 53, 4, 1)
CANDIDATE[168:180] = struct.pack("<HHHHHH", 7, 0x0100, 28, 1, 1, len(name(b"www", b"example", b"com")))
CANDIDATE[208:225] = name(b"www", b"example", b"com")
CANDIDATE = bytes(CANDIDATE)
VARLINK = (
    b'{"method":"io.systemd.Resolve.ResolveHostname","parameters":{"name":"b\xc3\xbccher.example","family":2}}\0'
    b'{"method":"io.systemd.Resolve.ResolveAddress","parameters":{"address":[127,0,0,1],"family":2}}\0'
)
RECORDS = {
    "candidate": b"\0" + CANDIDATE,
    "request": b"\0" + CANDIDATE[:167] + b"\3" + CANDIDATE[168:] + struct.pack("<II", len(VARLINK), 0) + VARLINK.ljust(1024, b"\0"),
    "response": b"\1" + bytes(40) + struct.pack("<II", len(RESPONSES["a"]), len(RESPONSES["a"])) + RESPONSES["a"],
    "bypass": b"\2" + struct.pack("<QIHBB", 1, 1, 853, 2, 0) + bytes(120),
    "process": b"\3" + bytes(56) + struct.pack("<HHHH", 13, 5, 9, 0) + b"curl".ljust(16, b"\0") + bytes(64)
    + b"curl/bin/usr/tmp//".ljust(768, b"\0") + b"curl\0-s\0x".ljust(512, b"\0"),
    "environment": b"\4" + struct.pack("<II", 20, 0) + b"CI=true\0CI=false\0A=\0",
}


def nscd(kind, key):
    return b"\1" + struct.pack("<III", 2, kind, len(key)) + key


REQUESTS = {
    "varlink": b"\0" + VARLINK,
    "record": b'\0{"method":"io.systemd.Resolve.ResolveRecord","parameters":{"name":"example.com","type":16}}\0',
    "service": b'\0{"method":"io.systemd.Resolve.ResolveService","parameters":{"type":"_ldap._tcp","domain":"example.com"}}\0',
    "nscd": nscd(4, b"example.com\0"),
    "nscd_addresses": nscd(14, b"example.com\0"),
    "nscd_reverse": nscd(6, bytes([127, 0, 0, 1])),
    "nscd_reverse6": nscd(7, bytes(15) + b"\1"),
}


def grpc(payload):
    return b"\0" + struct.pack(">I", len(payload)) + payload


# fields of proto/cri/v1/runtime.proto
METADATA = field(1, b"web-0") + field(2, b"1-2") + field(3, b"shop")
LABELS = b"".join(field(5, field(1, key) + field(2, b"web")) for key in (b"app", b"io.kubernetes.pod.name"))
SANDBOXES = field(1, field(1, b"pod1") + field(2, METADATA) + LABELS)
CONTAINERS = field(1, field(1, b"aa") + field(2, b"pod1") + field(3, field(1, b"web")) + field(4, field(1, b"nginx:1")))
STATUS = field(1, b"aa") + field(2, field(1, b"web")) + field(8, field(1, b"nginx:1"))
CONTAINER_EVENT = field(1, b"aa") + field(4, field(1, b"pod1") + field(2, METADATA)) + field(5, STATUS)
CRI = {
    "lists": b"\xff" + grpc(SANDBOXES) + grpc(CONTAINERS),
    "in_pieces": b"\3" + grpc(SANDBOXES) + grpc(CONTAINERS),
    "event": b"\x10" + grpc(CONTAINER_EVENT) * 2,
    "compressed": b"\xff\1" + grpc(b"")[1:],
    "too_long": b"\xff\0\xff\xff\xff\xff",
    "cut": b"\7" + grpc(SANDBOXES)[:-3],
}

ID = b"0123456789abcdef" * 4
PROC = {
    "stat": b"\0" + b"a) R (b\n",
    "docker": b"\1/system.slice/docker-" + ID + b".scope",
    "pod": b"\1/kubepods.slice/kubepods-pod3f0c1b5e_5f0e_4b0a_9b0e_1234567890ab.slice:cri-containerd:" + ID,
    "kubelet": b"\1/kubepods/pod3f0c1b5e-5f0e-4b0a-9b0e-1234567890ab/" + ID,
    "buildkit": b"\1/buildkit/abcdefghijklmnopqrstuvwxy",
    "nspawn": b"\1/machine.slice/machine-web\\x2d1.scope/payload",
    "lxc": b"\1/lxc.payload.web/system.slice",
    "environment": b"\2\4HOME=/root\0npm_package_name=x\0GITHUB_ACTIONS=true\0SECRET=y\0",
    "long_variable": b"\2\xffnpm_package_name=" + b"x" * 300 + b"\0CI=1",
    "command_line": b"\3curl\0-s\0\0http://x",
    "path": b"\3curl/bin/usr/",
}

# operations of spool.cc: kind + 8 * amount
SPOOL = {
    "in_and_out": bytes([1, 3 + 8 * 9, 4 + 8 * 9, 6 + 8 * 9, 7, 3 + 8 * 5, 7]),
    "several_segments": bytes([1, 3 + 8 * 30, 3 + 8 * 30, 4 + 8 * 5, 6 + 8 * 4, 7, 3 + 8 * 10]),
    "delivered_to_the_end": bytes([1, 3 + 8 * 16, 4 + 8 * 31, 6 + 8 * 31, 7, 3 + 8 * 30, 7]),
    "full": bytes([1] + [3 + 8 * 31] * 4 + [4 + 8 * 31, 6 + 8 * 5, 1, 3, 7, 3 + 8 * 31]),
    "damaged": bytes([0, 3 + 8 * 20, 4, 6, 7, 2, 0, 1, 5, 9, 9, 4 + 8 * 31]),
    "cut": bytes([0, 3 + 8 * 20, 7, 0, 0, 3, 4 + 8 * 31, 6, 3 + 8 * 2]),
}

# octets as rule_tables.cc takes them: seeds, names, rules, names that are asked for
RULE_TABLES = {
    "suffix": bytes([1, 2, 2, 5, 7, 2, 3, 6, 1, 0, 0, 0, 1, 1, 0, 1, 0, 0, 2, 0, 1, 1, 2, 0, 4, 1, 9, 1, 3, 1]),
    "contains": bytes([3, 4, 3, 8, 5, 7, 2, 0, 1, 2, 4, 9, 0, 1, 2, 0, 1, 28, 1, 2, 2, 0, 3, 0, 0, 2, 6, 1, 12, 1]),
    "every_name": bytes(range(1, 120)),
    "negated": bytes([0, 0, 2, 1, 2, 3, 4, 5, 6, 1, 1, 7, 0, 1, 1, 1, 8, 0, 1, 4, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
}

KINDS = {
    "messages": MESSAGES,
    "responses": RESPONSES,
    "events": EVENTS,
    "captures": CAPTURES,
    "packets": PACKETS,
    "streams": STREAMS,
    "records": RECORDS,
    "requests": REQUESTS,
    "cri": CRI,
    "proc": PROC,
    "spool": SPOOL,
    "rule_tables": RULE_TABLES,
}


def main():
    top = pathlib.Path(sys.argv[1])
    for kind, seeds in KINDS.items():
        folder = top / kind
        folder.mkdir(parents=True, exist_ok=True)
        for seed, octets in seeds.items():
            (folder / seed).write_bytes(octets)
    (top / "made").touch()


if __name__ == "__main__":
    main()
