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
    for kind, seeds in (("messages", MESSAGES), ("events", EVENTS)):
        folder = top / kind
        folder.mkdir(parents=True, exist_ok=True)
        for seed, octets in seeds.items():
            (folder / seed).write_bytes(octets)
    (top / "made").touch()


if __name__ == "__main__":
    main()
