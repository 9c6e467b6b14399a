#!/usr/bin/env python3
"""Checks a rendered chart: what every pod may do, and that nothing is missing. Usage: chart-policy.py rendered.yaml"""

import sys

import yaml


def pods(documents):
    for document in documents:
        if document["kind"] in ("Deployment", "Job"):
            yield f"{document['kind']} {document['metadata']['name']}", document["kind"], document["spec"]["template"]["spec"]


def pod_findings(kind, pod):
    security = pod.get("securityContext", {})
    yield "runs as a user of its own", security.get("runAsNonRoot") is True and security.get("runAsUser", 0) >= 10000
    yield "seccomp is the runtime's", security.get("seccompProfile", {}).get("type") == "RuntimeDefault"
    yield "has no token of the cluster", pod.get("automountServiceAccountToken") is False
    yield "shares nothing of the host", not any(pod.get(k) for k in ("hostNetwork", "hostPID", "hostIPC"))
    yield "mounts nothing of the host", not any("hostPath" in volume for volume in pod.get("volumes", []))
    if kind == "Deployment":
        yield "has time to drain", pod.get("terminationGracePeriodSeconds", 0) >= 30


def container_findings(kind, container):
    security = container.get("securityContext", {})
    yield "cannot gain rights", security.get("allowPrivilegeEscalation") is False and not security.get("privileged")
    yield "cannot write its image", security.get("readOnlyRootFilesystem") is True
    yield "has no capability", security.get("capabilities") == {"drop": ["ALL"]}
    yield "comes by digest", "@sha256:" in container["image"]
    resources = container.get("resources", {})
    yield "asks for and is bound in memory", all("memory" in resources.get(k, {}) for k in ("requests", "limits"))
    if kind == "Deployment":
        probes = [container.get(f"{name}Probe", {}) for name in ("startup", "readiness", "liveness")]
        yield "is probed by gRPC", all("grpc" in probe for probe in probes)
        yield "gets no secret by environment", not container.get("env")


def main(path):
    with open(path, encoding="utf-8") as file:
        documents = [document for document in yaml.safe_load_all(file) if document]
    problems, checked = [], 0
    for name, kind, pod in pods(documents):
        findings = [*pod_findings(kind, pod)]
        for container in pod["containers"]:
            findings += container_findings(kind, container)
        checked += len(findings)
        problems += [f"{name}: not so: {rule}" for rule, holds in findings if not holds]
    components = {
        document["metadata"]["labels"]["app.kubernetes.io/component"]
        for document in documents
        if document["kind"] in ("Deployment", "Job")
    }
    if components != {"inventory", "leasing", "billing", "migrate"}:
        problems.append(f"the chart runs {sorted(components)}")
    if any(document["kind"] == "Secret" for document in documents):
        problems.append("the chart holds a Secret; it may only name them")
    for problem in problems:
        print(f"chart policy: {problem}", file=sys.stderr)
    print(f"chart policy: {checked} findings, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
