"""Runtimes and a kubelet that are none: what they answer, and how they misbehave, is the test's.

A fake answers from `containers` (what a test put there), and each question goes through `answer` first if there is one:
it gets the real answer and returns what is to be sent instead, or waits.
"""

import concurrent.futures
import http.server
import json
import os
import socket
import socketserver
import threading

from .runtimes import fields_of, message, text_map

_servers = {}
IN_CRI = "/runtime.v1.RuntimeService/"


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        fake = self.server.fake
        status, body = fake.respond(self.path, self.headers)
        if fake.answer:
            status, body = fake.answer(status, body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "client"

    def log_message(self, *_):
        pass


class _UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


class _TcpServer(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


class _Fake:
    """Ended by stop(); start() begins anew at the same place."""

    def __init__(self):
        self.containers = {}
        self.answer = None
        self.asked = 0
        self.start()

    def start(self):
        self._server = self.server()
        self._server.fake = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class FakeDocker(_Fake):
    """containers: {id: (name, image)}."""

    def __init__(self, path):
        self.socket = path
        super().__init__()

    def server(self):
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        return _UnixServer(str(self.socket), _Handler)

    def respond(self, path, _headers):
        self.asked += 1
        if path == "/containers/json":
            return 200, b"[]"
        container_id = path.removeprefix("/containers/").removesuffix("/json")
        if container_id not in self.containers:
            return 404, b"{}"
        name, image = self.containers[container_id]
        return 200, json.dumps({"Id": container_id, "Name": f"/{name}", "Config": {"Image": image}}).encode()


class FakeKubelet(_Fake):
    """containers: {id: (pod, namespace, uid, name, image)}. Refuses whoever lacks the token."""

    token = "secret-of-the-node"

    def server(self):
        return _TcpServer(("127.0.0.1", 0), _Handler)

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    def respond(self, path, headers):
        self.asked += 1
        if path != "/pods" or headers["Authorization"] != f"Bearer {self.token}":
            return 401, b""
        return 200, json.dumps({"items": [
            {"metadata": {"name": pod, "namespace": namespace, "uid": uid, "labels": {"from": "kubelet"}},
             "status": {"containerStatuses": [{"name": name, "image": image,
                                               "containerID": f"containerd://{container_id}"}]}}
            for container_id, (pod, namespace, uid, name, image) in self.containers.items()]}).encode()


class FakeCri:
    """containers: {id: (pod, namespace, uid, labels, name, image)}; each is its own pod's only one. Ended by stop().

    vanish() takes the socket away for new connections, which are all that there are.

    lists: whether a question for all is answered with them, too. answer: gets the method and the answer's octets. events: octets that the stream of events sends, then it stays open;
    None: there is no such stream. version: of containerd.
    """

    def __init__(self, path, events=None, version="v2.0.0"):
        self.socket = path
        self.version = version
        self.containers = {}
        self.lists = False
        self.answer = None
        self.events = events
        self.asked = 0
        self._over = threading.Event()
        self._start()

    def _start(self):
        import grpc

        class Calls(grpc.GenericRpcHandler):
            def service(_, call):
                method = call.method.removeprefix(IN_CRI)
                if method == "GetContainerEvents" and self.events is not None:
                    return grpc.unary_stream_rpc_method_handler(lambda *_: self._stream())
                if method not in ("Version", "ListContainers", "ListPodSandbox", "ContainerStatus"):
                    return None
                return grpc.unary_unary_rpc_method_handler(lambda request, _: self._answer(method, request))

        self._server = _servers[self.socket] = grpc.server(concurrent.futures.ThreadPoolExecutor(8), handlers=[Calls()])
        self._server.add_insecure_port(f"unix://{self.socket}")
        self._server.start()

    def stop(self):
        """The server itself lives as long as the process: gRPC 1.51 aborts when the last one goes and another comes."""
        self._over.set()
        self.vanish()

    def vanish(self):
        if os.path.exists(self.socket):
            os.rename(self.socket, f"{self.socket}.away")

    def come_back(self):
        os.rename(f"{self.socket}.away", self.socket)

    def _stream(self):
        yield from self.events
        self._over.wait()

    def _answer(self, method, request):
        self.asked += 1
        filters = fields_of(request).get(1, [])
        wanted = fields_of(filters[0]).get(1, [b""])[0].decode() if method.startswith("List") and filters else ""
        octets = message(getattr(self, f"_{method}")(wanted))
        return self.answer(method, octets) if self.answer else octets

    def _Version(self, _):
        return {2: "containerd", 3: self.version}

    def _ContainerStatus(self, _):
        return {}

    def _ListContainers(self, wanted):
        return {1: [{1: container_id, 2: f"pod-of-{container_id}", 3: {1: name}, 4: {1: image}}
                    for container_id, (*_, name, image) in self.containers.items()
                    if wanted == container_id or not wanted and self.lists]}

    def _ListPodSandbox(self, wanted):
        return {1: [{1: f"pod-of-{container_id}", 2: {1: pod, 2: uid, 3: namespace}, 5: text_map(labels)}
                    for container_id, (pod, namespace, uid, labels, *_) in self.containers.items()
                    if wanted == f"pod-of-{container_id}" or not wanted and self.lists]}


class SilentSocket:
    """Takes connections and never says anything."""

    def __init__(self, path):
        self.socket = path
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(64)

    def stop(self):
        self._listener.close()
