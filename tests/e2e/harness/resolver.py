"""The second witness: a name server that writes down every query it gets, with the port it came from."""

import re
import subprocess
from typing import NamedTuple

from .sandbox import end_with_parent, resolver_address, wait_until, work_folder

# With --log-queries=extra: "dnsmasq: 3 127.0.0.1/40123 query[AAAA] sfrclak.com from 127.0.0.1"
QUERY = re.compile(r"dnsmasq(?:\[\d+\])?: \d+ \S+/(\d+) query\[([^\]]+)\] (\S+) from ")


class Query(NamedTuple):
    """What one query looks like from both sides."""

    name: str  # lower case
    record_type: str
    source_port: int


class Resolver:
    """dnsmasq that knows some names, and answers NXDOMAIN for every other one.

    upstream: address of another server that it asks about all names instead. ttl: of its own answers, seconds. within: a
    command that enters the namespaces to run in. records: more of dnsmasq's options. Ended by stop().
    """

    _count = 0

    def __init__(self, names, address=None, upstream=None, within=(), ttl=0, records=()):
        Resolver._count += 1
        self.address = address or resolver_address()
        self._log = work_folder() / f"dnsmasq-{Resolver._count}.log"
        known = [f"--host-record={name},127.0.0.1,::1" for name in names] + ["--address=/#/"]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [*within, "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--group=root",
                 f"--pid-file={work_folder() / f'dnsmasq-{Resolver._count}.pid'}", "--no-hosts", "--no-resolv",
                 "--bind-interfaces", f"--listen-address={self.address}", "--cache-size=0", f"--local-ttl={ttl}",
                 "--log-queries=extra", "--log-facility=-", *([f"--server={upstream}"] if upstream else known), *records],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=end_with_parent)
        self.pid = self._process.pid
        wait_until(lambda: self._process.poll() is not None or "started, version" in self._log.read_text(),
                   "the name server starts")
        if self._process.returncode is not None:
            raise AssertionError(f"dnsmasq: {self._log.read_text()}")

    def queries(self):
        """All that arrived so far, in order."""
        return [Query(name.lower(), kind, int(port)) for port, kind, name in QUERY.findall(self._log.read_text())]

    def wait_for(self, count):
        """For clients that do not wait for an answer."""
        wait_until(lambda: len(self.queries()) >= count,
                   lambda: f"{count} queries at the name server, {len(self.queries())} came")

    def stop(self):
        self._process.terminate()
        self._process.wait()
