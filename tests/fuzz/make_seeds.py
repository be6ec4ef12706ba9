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


def main():
    top = pathlib.Path(sys.argv[1])
    for kind, seeds in (("messages", MESSAGES), ("responses", RESPONSES), ("events", EVENTS)):
        folder = top / kind
        folder.mkdir(parents=True, exist_ok=True)
        for seed, octets in seeds.items():
            (folder / seed).write_bytes(octets)
    (top / "made").touch()


if __name__ == "__main__":
    main()
