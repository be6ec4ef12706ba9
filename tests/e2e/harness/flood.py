"""Tens of thousands of queries a second from one process (sendmmsg(2)), of which every so many ask for a watched name.

Flood starts that process; as a program this file is it: ADDRESS RATE EVERY NAME. It sends until its standard input closes,
and writes what it sent as JSON.
"""

import ctypes
import json
import select
import socket
import subprocess
import sys
import time

NAMES = 4000  # different ones, that nothing matches
BATCH = 200  # messages of one call; a multiple of it is sent


class _Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class _Header(ctypes.Structure):
    """struct msghdr; of a connected socket, so there is no name."""

    _fields_ = [("name", ctypes.c_void_p), ("name_length", ctypes.c_uint32), ("iovec", ctypes.POINTER(_Iovec)),
                ("iovecs", ctypes.c_size_t), ("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t),
                ("flags", ctypes.c_int)]


class _Message(ctypes.Structure):
    """struct mmsghdr"""

    _fields_ = [("header", _Header), ("length", ctypes.c_uint)]


def _query(name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return b"\0\0\x01\0\0\x01\0\0\0\0\0\0" + labels + b"\0\0\x01\0\x01"


class _Batch:
    """Messages that one call sends. numbered: one of them, which gets an identifier of its own each time."""

    def __init__(self, queries):
        self._buffers = [ctypes.create_string_buffer(query, len(query)) for query in queries]
        self._iovecs = (_Iovec * len(queries))()
        self._messages = (_Message * len(queries))()
        for iovec, message, buffer in zip(self._iovecs, self._messages, self._buffers):
            iovec.base, iovec.length = ctypes.addressof(buffer), len(buffer)
            message.header.iovec, message.header.iovecs = ctypes.pointer(iovec), 1

    def number(self, index, identifier):
        self._buffers[index][0:2] = identifier.to_bytes(2, "big")

    def send(self, libc, descriptor):
        done = 0
        while done < len(self._messages):
            sent = libc.sendmmsg(descriptor, ctypes.byref(self._messages[done]), len(self._messages) - done, 0)
            if sent < 0:
                raise OSError(ctypes.get_errno(), "sendmmsg")
            done += sent


def _send(address, rate, every, name):
    libc = ctypes.CDLL(None, use_errno=True)
    plain = [_query(f"n{number}.flood.test") for number in range(NAMES)]
    batches = [_Batch(plain[at:at + BATCH]) for at in range(0, NAMES, BATCH)]
    marked = [_Batch([_query(name), *plain[at + 1:at + BATCH]]) for at in range(0, NAMES, BATCH)]
    sent = matching = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect((address, 53))
        start = time.monotonic()
        number = 0
        while not select.select([0], [], [], max(0, start + sent / rate - time.monotonic()))[0]:
            is_marked = number * BATCH % every < BATCH
            batch = (marked if is_marked else batches)[number % len(batches)]
            if is_marked:
                batch.number(0, matching & 0xFFFF)
                matching += 1
            batch.send(libc, client.fileno())
            sent += BATCH
            number += 1
        print(json.dumps({"sent": sent, "matching": matching, "seconds": time.monotonic() - start}))


class Flood:
    """rate: queries a second, if this machine can. every: one of so many asks for name, with identifiers that count up."""

    def __init__(self, address, rate, every, name):
        # Nobody reads it: a full buffer costs the sender nothing, and there is no refusal.
        self._server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._server.bind((address, 53))
        self._process = subprocess.Popen([sys.executable, "-B", __file__, address, str(rate), str(every), name],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def running(self):
        return self._process.poll() is None

    def stop(self):
        """What it sent: {"sent": …, "matching": …, "seconds": …}."""
        out, _ = self._process.communicate(timeout=30)
        self._server.close()
        if self._process.returncode != 0:
            raise AssertionError(f"the sender ended with {self._process.returncode}")
        return json.loads(out)

    def kill(self):
        self._process.kill()
        self._process.wait()
        self._server.close()


if __name__ == "__main__":
    _send(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
