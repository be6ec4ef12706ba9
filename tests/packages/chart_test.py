#!/usr/bin/python3 -B
"""The Helm chart rendered by helm and held against the types of the Kubernetes API; the plain manifests are its output."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import yaml

from harness import SOURCE, main

CHART = SOURCE / "deploy/helm/nslookout"
MANIFEST = SOURCE / "deploy/kubernetes/nslookout.yaml"
TOOLS = SOURCE / ".cache/chart_tools"
# what `helm template` is given to make the manifest
MANIFEST_ARGUMENTS = ["--namespace", "nslookout"]
HEADER = """# The DaemonSet without Helm: kubectl apply -f nslookout.yaml. Rendered from deploy/helm/nslookout with its defaults
# (tests/packages/chart_test.py --write), so that the two do not differ. Set the image to that of your registry.
apiVersion: v1
kind: Namespace
metadata:
  name: nslookout
  labels:
    # The pods read the node's /proc and load programs into its kernel.
    pod-security.kubernetes.io/enforce: privileged
"""
TYPES = {"ConfigMap": "core/v1", "Service": "core/v1", "ServiceAccount": "core/v1", "Namespace": "core/v1",
         "DaemonSet": "apps/v1", "ClusterRole": "rbac/v1", "ClusterRoleBinding": "rbac/v1"}
EVERYTHING = """
mode: enforce
rules: {own.yml: "title: x"}
capabilities: {oldKernels: true, olderProcesses: true}
seLinuxOptions: {type: spc_t}
appArmorProfile: {type: Localhost, localhostProfile: nslookout}
kubelet: {enabled: true}
metrics: {serviceMonitor: {enabled: true, labels: {release: prometheus}}}
priorityClassName: system-node-critical
imagePullSecrets: [{name: registry}]
affinity: {nodeAffinity: {}}
podAnnotations: {a/b: c}
podLabels: {a: b}
extraArgs: [--responses]
extraEnv: [{name: NSLOOKOUT_BACKEND, value: cgroup}]
extraVolumes: [{name: lists, emptyDir: {}}]
extraVolumeMounts: [{name: lists, mountPath: /lists}]
"""


def helm(*arguments, values=None):
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, **{f"HELM_{name}_HOME": f"{folder}/{name}" for name in ("CACHE", "CONFIG", "DATA")}}
        if values is not None:
            file = pathlib.Path(folder, "values.yaml")
            file.write_text(values)
            arguments = (*arguments, "--values", str(file))
        return subprocess.run([TOOLS / "helm", *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=False)


def template(values=None, arguments=()):
    rendered = helm("template", "nslookout", str(CHART), *MANIFEST_ARGUMENTS, *arguments, values=values)
    if rendered.returncode != 0:
        raise AssertionError(rendered.stderr)
    return rendered.stdout


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


def of_kind(text, kind):
    return next(document for document in documents(text) if document["kind"] == kind)


def container(text):
    return of_kind(text, "DaemonSet")["spec"]["template"]["spec"]["containers"][0]


def type_errors(docs):
    """What the TypeScript compiler has against the documents as values of the API's types: unknown fields, too."""
    with tempfile.TemporaryDirectory() as folder:
        lines = []
        for number, document in enumerate(docs):
            kind = document["kind"]
            if kind not in TYPES:
                continue
            lines.append(f'import {{ {kind} as K{number} }} from "kubernetes-types/{TYPES[kind]}";')
            lines.append(f"export const d{number}: K{number} = {json.dumps(document)};")
        file = pathlib.Path(folder, "documents.ts")
        file.write_text("\n".join(lines) + "\n")
        pathlib.Path(folder, "node_modules").symlink_to(TOOLS / "node_modules")
        ended = subprocess.run(["node", TOOLS / "node_modules/typescript/lib/tsc.js", "--noEmit", "--strict",
                                file], capture_output=True, text=True, check=False, cwd=folder)
        return ended.stdout.strip()


class Chart(unittest.TestCase):
    maxDiff = None

    def test_lint(self):
        linted = helm("lint", "--strict", str(CHART))
        self.assertEqual(linted.returncode, 0, linted.stdout + linted.stderr)

    def test_every_document_is_of_its_type(self):
        for values in (None, EVERYTHING):
            with self.subTest(values=values):
                self.assertEqual(type_errors(documents(template(values))), "")

    def test_an_unknown_field_would_be_noticed(self):
        document = of_kind(template(), "DaemonSet")
        document["spec"]["template"]["spec"]["hostNetwrok"] = True
        self.assertIn("hostNetwrok", type_errors([document]))

    def test_wrong_values_are_refused(self):
        for values, said in (("mode: bock", "mode"), ("capabilites: {}", "capabilites"), ("metrics: {port: 0}", "port"),
                             ("metrics: {address: '[::1]'}", "address"),
                             ("rules: {own.txt: x}", "own.txt"), ("runtime: {socket: relative}", "socket"),
                             ("seLinuxOptions: {tpye: spc_t}", "tpye"), ("appArmorProfile: {type: None}", "appArmorProfile"),
                             ("appArmorProfile: {type: Localhost}", "appArmorProfile"),
                             ("appArmorProfile: {type: Unconfined, localhostProfile: x}", "appArmorProfile"),
                             ("kubelet: {resource: nodes}", "resource"), ("kubelet: {url: 10.0.0.1}", "url")):
            with self.subTest(values=values):
                rendered = helm("template", "x", str(CHART), values=values)
                self.assertNotEqual(rendered.returncode, 0)
                self.assertIn(said, rendered.stderr)

    def test_what_the_chart_makes_other_things_from_is_said_in_the_values(self):
        for values, said in (
                ("config: {mode: enforce}", "config.mode: leave it out, capabilities follow the value mode"),
                ("config: {metrics: '0.0.0.0:1'}", "config.metrics: leave it out, ports and probes follow"),
                ("config: {proc: /proc}", "config.proc: leave it out"),
                ("config: {cri_sockets: [/run/crio/crio.sock]}", "config.cri_sockets: leave it out, the mount follows the value"),
                ("config: {kubelet: 'https://127.0.0.1:10250'}", "config.kubelet: leave it out, the token follows"),
                ("extraEnv: [{name: NSLOOKOUT_METRICS, value: '9'}]", "extraEnv NSLOOKOUT_METRICS: leave it out"),
                ("extraArgs: [--mode, enforce]", "extraArgs --mode: leave it out"),
                ("extraArgs: ['--cri-socket=/run/crio/crio.sock']", "extraArgs --cri-socket: leave it out")):
            with self.subTest(values=values):
                rendered = helm("template", "x", str(CHART), values=values)
                self.assertNotEqual(rendered.returncode, 0)
                self.assertIn(said, rendered.stderr)
        # those that only begin alike
        template("{config: {process_entries: 5000}, extraArgs: [--process-entries=5000, --kubelet-ca=/ca.pem]}")

    def test_selinux_and_apparmor(self):
        values = "{seLinuxOptions: {type: spc_t}, appArmorProfile: {type: Unconfined}}"
        annotation = "container.apparmor.security.beta.kubernetes.io/nslookout"

        def rendered(values, version):
            pod = of_kind(template(values, ("--kube-version", version)), "DaemonSet")["spec"]["template"]
            context = pod["spec"]["containers"][0]["securityContext"]
            return context.get("seLinuxOptions"), context.get("appArmorProfile"), pod["metadata"]["annotations"].get(annotation)

        self.assertEqual(rendered(values, "1.30.0"), ({"type": "spc_t"}, {"type": "Unconfined"}, None))
        self.assertEqual(rendered(values, "1.29.9"), ({"type": "spc_t"}, None, "unconfined"))
        self.assertEqual(rendered("{}", "1.29.9"), (None, None, None))
        for values, expected in (("{type: RuntimeDefault}", "runtime/default"),
                                 ("{type: Localhost, localhostProfile: own}", "localhost/own")):
            with self.subTest(values):
                self.assertEqual(rendered(f"appArmorProfile: {values}", "1.25.0"), (None, None, expected))

    def test_the_kubelet_is_asked_where_it_is_and_for_pods_alone(self):
        for values, url, resource in (
                ("{enabled: true}", "https://127.0.0.1:10250", "nodes/pods"),
                ("{enabled: true, resource: nodes/proxy}", "https://127.0.0.1:10250", "nodes/proxy"),
                ("{enabled: true, url: 'https://[$(HOST_IP)]:10250'}", "https://[$(HOST_IP)]:10250", "nodes/pods"),
                ("{enabled: true}, hostNetwork: false", "https://$(HOST_IP):10250", "nodes/pods")):
            with self.subTest(values=values):
                text = template(f"{{kubelet: {values}}}")
                env = container(text)["env"]
                names = [variable["name"] for variable in env]
                self.assertLess(names.index("HOST_IP"), names.index("NSLOOKOUT_KUBELET"), "what it refers to comes before")
                self.assertEqual(env[names.index("HOST_IP")]["valueFrom"], {"fieldRef": {"fieldPath": "status.hostIP"}})
                self.assertEqual(env[names.index("NSLOOKOUT_KUBELET")]["value"], url)
                self.assertEqual(of_kind(text, "ClusterRole")["rules"],
                                 [{"apiGroups": [""], "resources": [resource], "verbs": ["get"]}])
        self.assertNotIn("ClusterRole", [document["kind"] for document in documents(template())])

    def test_privileges(self):
        context = container(template())["securityContext"]
        self.assertEqual(context, {
            "runAsUser": 0, "privileged": False, "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"], "add": ["BPF", "PERFMON", "NET_ADMIN"]},
            "seccompProfile": {"type": "RuntimeDefault"}})

    def test_capabilities_of_each_switch(self):
        base = ["BPF", "PERFMON", "NET_ADMIN"]
        for values, more in (("capabilities: {oldKernels: true}", ["SYS_RESOURCE"]),
                             ("capabilities: {olderProcesses: true}", ["SYS_PTRACE", "DAC_READ_SEARCH"]),
                             ("mode: dry-run", []),
                             ("mode: enforce", ["NET_RAW", "SYS_ADMIN"]),
                             ("{mode: enforce, capabilities: {answers: false}}", [])):
            with self.subTest(values=values):
                added = container(template(values))["securityContext"]["capabilities"]["add"]
                self.assertEqual(added, base + more)

    def test_the_node_is_mounted_read_only(self):
        pod = of_kind(template(), "DaemonSet")["spec"]["template"]["spec"]
        mounts = {mount["mountPath"]: mount for mount in pod["containers"][0]["volumeMounts"]}
        own = mounts.pop("/run/nslookout")  # where `nslookout status` finds the agent
        self.assertEqual(set(mounts), {"/etc/nslookout", "/host/proc", "/sys/fs/cgroup", "/run/containerd"})
        self.assertTrue(all(mount["readOnly"] for mount in mounts.values()))
        self.assertNotIn("readOnly", own)
        self.assertIn("emptyDir", next(volume for volume in pod["volumes"] if volume["name"] == own["name"]))
        self.assertNotIn("hostPID", pod)
        self.assertEqual(pod["tolerations"], [{"operator": "Exists"}])
        self.assertFalse(pod["automountServiceAccountToken"])

    def test_a_change_of_the_configuration_restarts_the_pods(self):
        def checksum(values):
            return of_kind(template(values), "DaemonSet")["spec"]["template"]["metadata"]["annotations"]["checksum/config"]

        self.assertEqual(checksum("{}"), checksum("podLabels: {a: b}"))
        self.assertNotEqual(checksum("{}"), checksum("config: {observe: all}"))

    def test_configuration(self):
        for values, expected in (
                ("{}", {"rules": ["/usr/share/nslookout/rules"], "proc": "/host/proc", "mode": "audit",
                        "cri_sockets": ["/run/containerd/containerd.sock"], "metrics": "127.0.0.1:9477",
                        "outputs": ["stdout"]}),
                ("{runtime: {socket: ''}, metrics: {enabled: false}, mode: enforce, config: {observe: all}}",
                 {"rules": ["/usr/share/nslookout/rules"], "proc": "/host/proc", "mode": "enforce", "observe": "all",
                  "no_runtime_sockets": True, "outputs": ["stdout"]}),
                ("{metrics: {serviceMonitor: {enabled: true}}, rules: {a.yml: x}}",
                 {"rules": ["/usr/share/nslookout/rules", "/rules"], "proc": "/host/proc", "mode": "audit",
                  "cri_sockets": ["/run/containerd/containerd.sock"], "metrics": "0.0.0.0:9477", "outputs": ["stdout"]}),
                ("{metrics: {address: '::', serviceMonitor: {enabled: true}}}",
                 {"rules": ["/usr/share/nslookout/rules"], "proc": "/host/proc", "mode": "audit",
                  "cri_sockets": ["/run/containerd/containerd.sock"], "metrics": "[::]:9477", "outputs": ["stdout"]})):
            with self.subTest(values=values):
                config = documents(template(values))
                config = next(d for d in config if d["kind"] == "ConfigMap" and "config.yaml" in d["data"])
                self.assertEqual(yaml.safe_load(config["data"]["config.yaml"]), expected)

    def test_probes_ask_where_the_agent_listens(self):
        for values, host in (("{}", "127.0.0.1"), ("hostNetwork: false", None),
                             ("metrics: {serviceMonitor: {enabled: true}}", None), ("metrics: {address: '::'}", None),
                             ("metrics: {address: '::1'}", "::1"), ("metrics: {address: 192.0.2.7}", "192.0.2.7")):
            with self.subTest(values=values):
                inner = container(template(values))
                for probe, path in (("startupProbe", "/readyz"), ("readinessProbe", "/readyz"), ("livenessProbe", "/healthz")):
                    get = inner[probe]["httpGet"]
                    self.assertEqual((get["path"], get["port"], get.get("host")), (path, "metrics", host))
        self.assertNotIn("livenessProbe", container(template("metrics: {enabled: false}")))

    def test_the_plain_manifest_is_what_the_chart_says(self):
        self.assertEqual(MANIFEST.read_text(), manifest(), "tests/packages/chart_test.py --write renders it anew")


def manifest():
    return HEADER + template()


if __name__ == "__main__":
    fetched = subprocess.run([pathlib.Path(__file__).parent / "fetch_chart_tools.sh", TOOLS], stdin=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True, check=False)
    if fetched.returncode != 0:
        print(f"skipped: {fetched.stderr}")
        sys.exit(77)
    if sys.argv[1:] == ["--write"]:
        MANIFEST.write_text(manifest())
    else:
        main()
