"""Processes that look names up."""

import os
import socket
import struct
import subprocess
from typing import NamedTuple

from .sandbox import end_with_parent


class Client(NamedTuple):
    """A process that has ended."""

    pid: int
    status: int
    stdout: bytes


def run_client(command, executable=None, stdin=subprocess.DEVNULL, **options):
    """Runs the command to its end. Its pid is that of the command, and its parent this process."""
    process = subprocess.Popen(command, executable=executable, stdin=stdin, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, preexec_fn=end_with_parent, **options)
    try:
        stdout, _ = process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Client(process.pid, process.returncode, stdout)


def dns_query(name, number):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return number.to_bytes(2, "big") + b"\x01\x00\0\x01\0\0\0\0\0\0" + labels + b"\0\0\x01\0\x01"


class Prober:
    """Sends queries from this process, each without waiting for its answer."""

    def __init__(self, address):
        self._address = (address, 53)
        self.pid = os.getpid()

    def send(self, labels, record_type=1, identifier=0):
        """labels: the name's labels as octets. Returns the port that the query came from."""
        name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
        query = struct.pack(">6H", identifier, 0x0100, 1, 0, 0, 0) + name + struct.pack(">2H", record_type, 1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.connect(self._address)
            sender.send(query)
            return sender.getsockname()[1]
