"""Receivers of events, each with start(), stop() and what it has received so far: rsyslog, an OTLP collector, a Kafka
cluster, the journal's socket. A receiver that is started again listens at the same place and keeps what it had.
"""

import array
import gzip
import http.server
import importlib
import os
import pathlib
import socket
import ssl
import struct
import subprocess
import sys
import threading

from .packages import unpacked
from .sandbox import SOURCE, end_with_parent, wait_until, work_folder

RSYSLOG_PACKAGES = ("rsyslog", "rsyslog-openssl", "libestr0", "libfastjson4")
LIBRARIES = "usr/lib/x86_64-linux-gnu"


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Certificates:
    """An authority and what it signed: a server at 127.0.0.1 and 127.0.0.2, one at another address, a client; and another
    authority with a client of its own. Each is a pair of paths, certificate and key, the authorities certificates alone."""

    def __init__(self):
        folder = work_folder() / "certificates"
        folder.mkdir(exist_ok=True)
        self.ca, self.stranger = folder / "ca.pem", folder / "stranger.pem"
        self.certificate, self.key = self.server = folder / "server.pem", folder / "server.key"
        self.elsewhere = folder / "elsewhere.pem", folder / "elsewhere.key"
        self.client = folder / "client.pem", folder / "client.key"
        self.strange_client = folder / "strange.pem", folder / "strange.key"
        for authority in (self.ca, self.stranger):
            self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test authority",
                          "-keyout", authority.with_suffix(".key"), "-out", authority)
        for pair, authority, names in ((self.server, self.ca, "IP:127.0.0.1,IP:127.0.0.2"), (self.elsewhere, self.ca, "IP:192.0.2.1"),
                                       (self.client, self.ca, "DNS:client.test"), (self.strange_client, self.stranger, "DNS:client.test")):
            self._sign(pair, authority, names)

    def _sign(self, pair, authority, names):
        certificate, key = pair
        request, extensions = key.with_suffix(".csr"), key.with_suffix(".names")
        extensions.write_text(f"subjectAltName={names}\n")
        self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=receiver", "-keyout", key, "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", authority, "-CAkey", authority.with_suffix(".key"),
                      "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", certificate)

    def server_side(self, pair=None, asks=False):
        """TLS for a receiver in Python. asks: for a certificate of the client's."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*(pair or self.server))
        context.load_verify_locations(self.ca)
        context.verify_mode = ssl.CERT_REQUIRED if asks else ssl.CERT_NONE
        return context

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Rsyslog:
    """rsyslogd with a UDP, a TCP and a TLS input, each with a file of what came: version, priority, program, kind,
    structured data and message, tab by tab."""

    _count = 0

    def __init__(self, certificates, clients="anon"):
        """clients: which clients it takes over TLS, as rsyslog's streamDriver.authMode has it."""
        packages = [unpacked(name) for name in RSYSLOG_PACKAGES]
        Rsyslog._count += 1
        self._folder = work_folder() / f"rsyslog-{Rsyslog._count}"
        self._folder.mkdir()
        self.udp, self.tcp, self.tls = free_port(socket.SOCK_DGRAM), free_port(), free_port()
        self._daemon = packages[0] / "usr/sbin/rsyslogd"
        self._modules = ":".join(str(package / LIBRARIES / "rsyslog") for package in packages[:2])
        self._libraries = ":".join(str(package / LIBRARIES) for package in packages[2:])
        self._process = None
        self._configuration = self._folder / "rsyslog.conf"
        self._configuration.write_text(f"""
global(workDirectory="{self._folder}" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off"
       defaultNetstreamDriverCAFile="{certificates.ca}" defaultNetstreamDriverCertFile="{certificates.certificate}"
       defaultNetstreamDriverKeyFile="{certificates.key}")
module(load="imudp") module(load="imptcp")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="{clients}")
template(name="line" type="string"
         string="%protocol-version%\\t%pri%\\t%app-name%\\t%msgid%\\t%structured-data%\\t%msg%\\n")
ruleset(name="udp") {{ action(type="omfile" file="{self._folder}/udp" template="line") }}
ruleset(name="tcp") {{ action(type="omfile" file="{self._folder}/tcp" template="line") }}
ruleset(name="tls") {{ action(type="omfile" file="{self._folder}/tls" template="line") }}
input(type="imudp" address="127.0.0.1" port="{self.udp}" ruleset="udp")
input(type="imptcp" address="127.0.0.1" port="{self.tcp}" ruleset="tcp")
input(type="imtcp" address="127.0.0.1" port="{self.tls}" ruleset="tls")
""")

    def start(self):
        pid_file = self._folder / "pid"
        pid_file.unlink(missing_ok=True)
        with (self._folder / "log").open("a") as log:
            self._process = subprocess.Popen(
                [self._daemon, "-n", "-f", self._configuration, "-i", pid_file, "-M", self._modules],
                env={**os.environ, "LD_LIBRARY_PATH": self._libraries}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=end_with_parent)
        wait_until(self._listens, lambda: f"rsyslog listens: {(self._folder / 'log').read_text()}")
        return self

    def _listens(self):
        ports = set()
        for table in ("tcp", "udp"):
            for line in pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                ports.add(int(line.split()[1].split(":")[1], 16))
        return {self.udp, self.tcp, self.tls} <= ports

    def stop(self):
        self._process.terminate()
        self._process.wait(30)

    def received(self, way):
        """Of one way: (version, priority, program, kind, structured data, message) each."""
        path = self._folder / way
        text = path.read_text() if path.exists() else ""
        return [tuple(line.split("\t", 5)) for line in text[: text.rfind("\n") + 1].splitlines()]


class Collector:
    """An OTLP/HTTP collector. answers: statuses (and headers) to give before it takes something. token: what it wants to see in
    Authorization. tls: as a server has it."""

    def __init__(self, tls=None):
        self.port = free_port()
        self.tls, self.token = tls, None
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.records, self.requests, self.answers, self.connections = [], [], [], []
        self._messages = self._compiled()
        self._server = None

    @staticmethod
    def _compiled():
        folder = work_folder() / "otlp"
        folder.mkdir(exist_ok=True)
        subprocess.run(["protoc", f"-I{SOURCE / 'proto'}", f"--python_out={folder}", "otlp/v1/logs.proto"], check=True)
        sys.path.insert(0, str(folder))
        return importlib.import_module("otlp.v1.logs_pb2")

    def start(self):
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, answer = collector.take(self.path, self.headers, body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def process_request(self, request, client_address):
                collector.connections.append(request)
                super().process_request(request, client_address)

            def finish_request(self, request, client_address):
                """In the thread of this connection."""
                if not collector.tls:
                    super().finish_request(request, client_address)
                    return
                with collector.tls.wrap_socket(request, server_side=True) as session:
                    collector.connections.append(session)
                    super().finish_request(session, client_address)

            def handle_error(self, *_):
                pass

        self._server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # has ended
        self.connections.clear()

    def take(self, path, headers, body):
        self.requests.append((path, dict(headers)))
        if self.answers:
            status, more, answer = self.answers.pop(0)
            return status, more, answer
        if self.token and headers.get("Authorization") != self.token:
            return 401, {}, b""
        if headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        request = self._messages.ExportRequest.FromString(body)
        for logs in request.resource_logs:
            resource = {pair.key: pair.value.string_value for pair in logs.resource.attributes}
            for scope in logs.scope_logs:
                for octets in scope.log_records:
                    self.records.append((resource, self._messages.LogRecord.FromString(octets)))
        return 200, {"Content-Type": "application/x-protobuf"}, b""

    def partial(self, rejected, message):
        """The answer of a collector that did not take all."""
        success = self._messages.PartialSuccess(rejected_log_records=rejected, error_message=message)
        return self._messages.ExportResponse(partial_success=success).SerializeToString()

    def bodies(self):
        return [record.body.string_value for _, record in self.records]


class Kafka:
    """A cluster of one broker that can be down; messages is what its topic "dns" holds."""

    def __init__(self):
        self._process = subprocess.Popen([os.environ.get("NSLOOKOUT_KAFKA_CLUSTER", SOURCE / "build" / "kafka_cluster")], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True, preexec_fn=end_with_parent)
        self.brokers = self._process.stdout.readline().strip()

    def _command(self, line):
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def start(self):
        self._command("up")
        self._process.stdout.readline()
        return self

    def stop(self):
        self._command("down")
        self._process.stdout.readline()

    def messages(self, count):
        """The first so many, as key and value; fewer when no more come."""
        self._command(f"read {count}")
        found = []
        while (line := self._process.stdout.readline().rstrip("\n")) != "end":
            found.append(tuple(line.split("\t", 1)))
        return found

    def end(self):
        self._process.stdin.close()
        self._process.wait(30)


class KafkaFront:
    """Before a Kafka cluster at 127.0.0.1, and at 127.0.0.2: TLS, and SASL PLAIN with SaslHandshake of version 0, behind which the
    name and the password are a frame without a header. users: {name: password}. The cluster names itself in its answers, with
    the address of the front instead."""

    API_VERSIONS, SASL_HANDSHAKE = 18, 17  # keys of requests

    def __init__(self, cluster, tls, users=None):
        self._cluster = cluster.split(":")[0], int(cluster.split(":")[1])
        self._tls, self._users = tls, users or {}
        self.refused = 0
        self._listener = socket.create_server(("127.0.0.2", self._cluster[1]))
        self.brokers = f"127.0.0.2:{self._cluster[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain):
        try:
            with self._tls.wrap_socket(plain, server_side=True) as client, socket.create_connection(self._cluster) as broker:
                self._pass_on(client, broker)
        except OSError:  # ssl.SSLError, too
            plain.close()

    @staticmethod
    def _frame(connection):
        """Without its length; None at the end."""
        octets = b""
        while len(octets) < 4 or len(octets) < 4 + int.from_bytes(octets[:4], "big"):
            wanted = 4 - len(octets) if len(octets) < 4 else 4 + int.from_bytes(octets[:4], "big") - len(octets)
            more = connection.recv(wanted)
            if not more:
                return None
            octets += more
        return octets[4:]

    def _pass_on(self, client, broker):
        """One request at a time; a request without an answer (Produce with acks=0) is none that nslookout makes."""
        authenticated, shaken = not self._users, False
        while (request := self._frame(client)) is not None:
            key, version = struct.unpack(">2H", request[:4])
            if not authenticated and shaken:
                name, _, password = request[1:].decode().partition("\0")
                authenticated = self._users.get(name) == password
                if not authenticated:
                    self.refused += 1
                    return
                client.sendall(bytes(4))
                continue
            if not authenticated and key == self.SASL_HANDSHAKE:
                shaken = True
                answer = request[4:8] + struct.pack(">hiH", 0, 1, 5) + b"PLAIN"
                client.sendall(len(answer).to_bytes(4, "big") + answer)
                continue
            if not authenticated and key != self.API_VERSIONS:
                self.refused += 1
                return
            broker.sendall(len(request).to_bytes(4, "big") + request)
            answer = self._frame(broker)
            if answer is None:
                return
            answer = answer.replace(b"127.0.0.1", b"127.0.0.2")
            if self._users and key == self.API_VERSIONS and version < 3:  # later ones are encoded otherwise
                identifier, error, count = struct.unpack(">IhI", answer[:10])
                answer = struct.pack(">IhI3H", identifier, error, count + 1, self.SASL_HANDSHAKE, 0, 0) + answer[10:]
            client.sendall(len(answer).to_bytes(4, "big") + answer)


class Journal:
    """The socket of a journal: entries as lists of (field, value). small: the largest datagram it takes."""

    def __init__(self):
        self.path = work_folder() / "journal.socket"
        self.entries, self.from_files = [], 0
        self._socket = None

    def start(self):
        self.path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        threading.Thread(target=self._receive, args=(self._socket,), daemon=True).start()
        return self

    def stop(self):
        self.path.unlink()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _receive(self, listener):
        while True:
            try:
                octets, ancillary, _, _ = listener.recvmsg(1 << 20, socket.CMSG_SPACE(4))
            except OSError:
                return
            if not octets and not ancillary:
                return
            for _, _, data in ancillary:
                descriptors = array.array("i")
                descriptors.frombytes(data[:4])
                octets = os.pread(descriptors[0], 1 << 24, 0)
                os.close(descriptors[0])
                self.from_files += 1
            self.entries.append(self._fields(octets))

    @staticmethod
    def _fields(octets):
        fields = []
        while octets:
            line, _, rest = octets.partition(b"\n")
            name, equals, value = line.partition(b"=")
            if not equals:
                size = struct.unpack("<Q", rest[:8])[0]
                value, rest = rest[8:8 + size], rest[9 + size:]
            fields.append((name.decode(), value.decode()))
            octets = rest
        return fields

    def values(self, field):
        return [value for entry in self.entries for name, value in entry if name == field]
