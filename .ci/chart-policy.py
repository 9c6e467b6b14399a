#!/usr/bin/env python3
"""Checks rendered charts by the rules below: Pod Security `restricted` and what we ask for beyond it.

Usage: chart-policy.py rendered.yaml...      every rule on every file, and on all files every rule's mutant

A rule looks at everything of some kinds and says of each whether it holds. Its mutant is one change to a rendered chart
that breaks it: a rule whose mutant passes checks nothing, and that is a failure too.
"""

import copy
import dataclasses
import pathlib
import sys
import typing

import yaml

GONE = object()
SERVICES = ("inventory", "leasing", "billing")
PODS = ("Deployment", "Job")
# Who calls whom on the gRPC port, beside those that the values name.
EDGES = {("leasing", "inventory"), ("billing", "inventory"), ("billing", "leasing")}
PROTOS = pathlib.Path(__file__).resolve().parent.parent / "proto"


# -- what is looked at


def at(value, path, default=None):
    """What is at a path such as `spec.template.spec.containers.0.image`."""
    for key in filter(None, path.split(".")):
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, TypeError, ValueError):
            return default
    return value


def change(value, path, new):
    """Puts something else at a path, or takes it away."""
    *way, last = path.split(".")
    for key in way:
        value = value[int(key)] if isinstance(value, list) else value.setdefault(key, {})
    last = int(last) if isinstance(value, list) else last
    if new is GONE:
        del value[last]
    else:
        value[last] = new


def component(document):
    return at(document, "metadata.labels", {}).get("app.kubernetes.io/component")


def of(documents, *kinds):
    return [document for document in documents if document["kind"] in kinds]


def pods(documents):
    return of(documents, *PODS)


def services(documents):
    """What a service runs as; the migration Job is none."""
    return of(documents, "Deployment")


def pod(document):
    return at(document, "spec.template.spec", {})


def containers(document):
    return [*pod(document).get("containers", []), *pod(document).get("initContainers", [])]


def every(check):
    """A rule of a pod that holds where it holds for every container."""
    return lambda document, _: all(check(container) for container in containers(document))


def policies(documents):
    return {component(document): document for document in of(documents, "NetworkPolicy")}


def peers(rules, side):
    """The components and other peers that a side of a network policy names, with their ports."""
    for rule in rules or []:
        for peer in rule.get(side, [{}]):
            labels = at(peer, "podSelector.matchLabels", {})
            yield labels.get("app.kubernetes.io/component"), peer, {port.get("port") for port in rule.get("ports", [])}


# -- the longer checks


def volumes_are_safe(document, _):
    allowed = {"configMap", "secret", "emptyDir", "projected", "downwardAPI", "csi", "ephemeral", "persistentVolumeClaim"}
    return all(set(volume) - {"name"} <= allowed for volume in pod(document).get("volumes", []))


def secrets_are_files(document, _):
    """No variable comes from a Secret, and every mounted Secret can be read by owner and group only."""
    for container in containers(document):
        if any("secretKeyRef" in env.get("valueFrom", {}) for env in container.get("env", [])):
            return False
        if any("secretRef" in source for source in container.get("envFrom", [])):
            return False
    secrets = [volume["secret"] for volume in pod(document).get("volumes", []) if "secret" in volume]
    return all(secret.get("defaultMode", 0o644) & 0o007 == 0 for secret in secrets)


def is_probed(document, _):
    """By gRPC, or where the API speaks TLS, which the kubelet does not, by the HTTP of the admin port."""
    tls = any(name.endswith("SERVER__TLS_CERT_FILE") for name in document["config"])
    paths = {"startup": "/healthz", "readiness": "/readyz", "liveness": "/healthz"}

    def is_asked(container, probe):
        asked = container.get(f"{probe}Probe", {})
        return at(asked, "httpGet") == {"path": paths[probe], "port": "admin"} if tls else "grpc" in asked

    return every(lambda c: all(is_asked(c, probe) for probe in paths))(document, None)


def lives_without_the_database(document, _):
    """Liveness is that the process answers; readiness is asked of the whole service."""

    def does(container):
        life, ready = container.get("livenessProbe", {}), container.get("readinessProbe", {})
        by_http = (at(life, "httpGet.path"), at(ready, "httpGet.path")) == ("/healthz", "/readyz")
        return by_http or (at(life, "grpc.service") == "liveness" and "grpc" in ready and not at(ready, "grpc.service"))

    return every(does)(document, None)


def drains(document, _):
    settings = [line for line in document["config"].items() if line[0].endswith(("SERVER__LINGER", "SERVER__DRAIN"))]
    return pod(document).get("terminationGracePeriodSeconds", 30) > sum(int(value.rstrip("s")) for _, value in settings)


def spreads(document, _):
    constraints = pod(document).get("topologySpreadConstraints", [])
    return any(
        one["topologyKey"] == "kubernetes.io/hostname" and one["labelSelector"]["matchLabels"] == at(document, "spec.selector.matchLabels")
        for one in constraints
    )


def has_budget(document, documents):
    replicas = at(document, "spec.replicas", 2)
    budgets = [one for one in of(documents, "PodDisruptionBudget") if component(one) == component(document)]
    return replicas < 2 or any(
        at(one, "spec.selector.matchLabels") == at(document, "spec.selector.matchLabels") and 1 <= at(one, "spec.minAvailable", 0)
        for one in budgets
    )


def scaled_or_fixed(document, documents):
    """Replicas are the Deployment's or the autoscaler's, never both: each upgrade would undo what load has done."""
    scaled = [one for one in of(documents, "HorizontalPodAutoscaler") if at(one, "spec.scaleTargetRef.name") == document["metadata"]["name"]]
    return bool(scaled) != ("replicas" in document["spec"])


def denied_by_default(document, documents):
    deny = policies(documents).get("default-deny", {"spec": {}})["spec"]
    selected = at(deny, "podSelector.matchLabels", {"none": "none"})
    labels = at(document, "spec.template.metadata.labels", {})
    return (
        set(deny.get("policyTypes", [])) == {"Ingress", "Egress"}
        and not deny.get("ingress")
        and not deny.get("egress")
        and all(labels.get(key) == value for key, value in selected.items())
    )


def edges_are_the_wanted(document, documents):
    """The gRPC port is open between services on exactly the edges that exist, seen from both ends."""
    port = next(one["containerPort"] for other in services(documents) for one in containers(other)[0]["ports"] if one["name"] == "grpc")
    found = policies(documents)
    names = set(SERVICES)
    into = {
        (caller, called)
        for called in names
        for caller, _, ports in peers(at(found.get(called, {}), "spec.ingress"), "from")
        if caller in names and port in ports
    }
    out = {
        (caller, called)
        for caller in names
        for called, _, ports in peers(at(found.get(caller, {}), "spec.egress"), "to")
        if called in names and port in ports
    }
    return into == EDGES and out == EDGES


def no_open_peer(document, _):
    """No rule without a peer or without a port: such a rule is open to everybody or on every port."""
    for side, whom in (("ingress", "from"), ("egress", "to")):
        for rule in document["spec"].get(side, []):
            everyone = [peer for peer in rule.get(whom, [{}]) if not peer or at(peer, "ipBlock.cidr") in ("0.0.0.0/0", "::/0")]
            if everyone or not rule.get("ports"):
                return False
    return True


def admin_is_for_monitoring(document, documents):
    """No service may be called by another on its admin port, and no route leads there."""
    ports = {one["containerPort"] for other in services(documents) for one in containers(other)[0]["ports"] if one["name"] == "admin"}
    if document["kind"] == "NetworkPolicy":
        inside = [found for peer, _, found in peers(document["spec"].get("ingress"), "from") if peer]
        return component(document) == "postgres" or not any(ports & found for found in inside)
    text = yaml.safe_dump(document["spec"])
    return "name: admin" not in text and not any(f"port: {port}\n" in text or f"number: {port}\n" in text for port in ports)


def routed_services():
    """The gRPC services of the contracts, by the service that serves them; ClockService is for tests."""
    for path in PROTOS.glob("gridlease/**/*.proto"):
        package = ""
        for line in path.read_text().splitlines():
            if line.startswith("package "):
                package = line.split()[1].rstrip(";")
            if line.startswith("service ") and package != "gridlease.common.v1":
                yield f"{package}.{line.split()[1]}"


def everything_is_routed(document, documents):
    wanted = set(routed_services())
    if document["kind"] == "GRPCRoute":
        routes = of(documents, "GRPCRoute")
        found = {(match["method"]["service"], rule["backendRefs"][0]["name"]) for one in routes for rule in one["spec"]["rules"] for match in rule["matches"]}
    else:
        paths = [path for rule in document["spec"]["rules"] for path in rule["http"]["paths"]]
        found = {(path["path"].lstrip("/"), path["backend"]["service"]["name"]) for path in paths}
    return wanted == {name for name, _ in found} and all(backend.endswith("-" + name.split(".")[1]) for name, backend in found)


def only_named_secrets(document, _):
    return document["kind"] != "Secret"


def cluster_is_durable(document, _):
    sync = at(document, "spec.postgresql.synchronous", {})
    return sync.get("dataDurability") == "required" and 1 <= sync.get("number", 0) < document["spec"]["instances"]


def logins_inherit_nothing(document, _):
    roles = at(document, "spec.managed.roles", [])
    return len(roles) == len(SERVICES) and all(role.get("inherit") is False and not role.get("superuser") for role in roles)


def alert_has_runbook(document, _):
    alerts = [rule for group in document["spec"]["groups"] for rule in group["rules"]]
    return bool(alerts) and all(
        at(one, "annotations.runbook_url", "").endswith("#" + one["alert"].lower()) and at(one, "labels.severity") in ("page", "ticket")
        for one in alerts
    )


def migrates_first(document, _):
    """Before an upgrade, in time, and not twice at once."""
    hooks = at(document, "metadata.annotations", {}).get("helm.sh/hook", "")
    first = document["metadata"]["name"].endswith("-first")
    return (first or "pre-upgrade" in hooks) and at(document, "spec.activeDeadlineSeconds", 0) > 0


# -- the rules


@dataclasses.dataclass
class Rule:
    name: str
    looks_at: typing.Callable
    holds: typing.Callable
    # The mutant: the first document of this kind (and component) is changed at this path.
    kind: str
    path: str
    new: object
    component: str | None = None


def is_set(path, wanted):
    return lambda container: at(container, path) == wanted


C = "spec.template.spec.containers.0"
P = "spec.template.spec"

RULES = [
    # Pod Security Standards, `restricted`.
    Rule("runs as a user of its own", pods, lambda d, _: at(pod(d), "securityContext.runAsNonRoot") is True and at(pod(d), "securityContext.runAsUser", 0) >= 10000, "Deployment", f"{P}.securityContext.runAsUser", 0),
    Rule("seccomp is the runtime's", pods, lambda d, _: at(pod(d), "securityContext.seccompProfile.type") == "RuntimeDefault", "Deployment", f"{P}.securityContext.seccompProfile", GONE),
    Rule("shares nothing of the host", pods, lambda d, _: not any(pod(d).get(k) for k in ("hostNetwork", "hostPID", "hostIPC")) and not any("hostPort" in p for c in containers(d) for p in c.get("ports", [])), "Deployment", f"{P}.hostPID", True),
    Rule("mounts only safe volumes", pods, volumes_are_safe, "Deployment", f"{P}.volumes.0", {"name": "database", "hostPath": {"path": "/"}}),
    Rule("cannot gain rights", pods, every(lambda c: at(c, "securityContext.allowPrivilegeEscalation") is False and not at(c, "securityContext.privileged")), "Deployment", f"{C}.securityContext.allowPrivilegeEscalation", True),
    Rule("has no capability", pods, every(lambda c: at(c, "securityContext.capabilities") == {"drop": ["ALL"]}), "Job", f"{C}.securityContext.capabilities", {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}),
    # What we ask for beyond it.
    Rule("cannot write its image", pods, every(is_set("securityContext.readOnlyRootFilesystem", True)), "Deployment", f"{C}.securityContext.readOnlyRootFilesystem", GONE),
    Rule("has no token of the cluster", pods, lambda d, _: pod(d).get("automountServiceAccountToken") is False, "Job", f"{P}.automountServiceAccountToken", GONE),
    Rule("has an account of its own", pods, lambda d, docs: any(a["metadata"]["name"] == pod(d).get("serviceAccountName") and component(a) == component(d) for a in of(docs, "ServiceAccount")), "Deployment", f"{P}.serviceAccountName", "default"),
    Rule("comes by digest", pods, every(lambda c: "@sha256:" in c.get("image", "")), "Deployment", f"{C}.image", "registry.example/gridlease:latest"),
    Rule("asks for CPU and memory and is bound in memory", pods, every(lambda c: {"cpu", "memory"} <= set(at(c, "resources.requests", {})) and "memory" in at(c, "resources.limits", {})), "Deployment", f"{C}.resources.limits", GONE),
    Rule("gets secrets as files that others cannot read", pods, secrets_are_files, "Deployment", f"{C}.env", [{"name": "URL", "valueFrom": {"secretKeyRef": {"name": "x", "key": "url"}}}]),
    Rule("is probed at start, for readiness and for life", services, is_probed, "Deployment", f"{C}.readinessProbe", GONE),
    Rule("lives without the database, is ready only with it", services, lives_without_the_database, "Deployment", f"{C}.livenessProbe", {"grpc": {"port": 50051}}),
    Rule("has time to drain", services, drains, "Deployment", f"{P}.terminationGracePeriodSeconds", 20),
    Rule("is never fewer while it rolls", services, lambda d, _: at(d, "spec.strategy.rollingUpdate.maxUnavailable") == 0, "Deployment", "spec.strategy.rollingUpdate.maxUnavailable", 1),
    Rule("spreads over nodes", services, spreads, "Deployment", f"{P}.topologySpreadConstraints", GONE),
    Rule("stays while nodes are drained", services, has_budget, "PodDisruptionBudget", "spec.selector.matchLabels", {"app": "other"}),
    Rule("is scaled by one hand", services, scaled_or_fixed, "HorizontalPodAutoscaler", "spec.scaleTargetRef.name", "other"),
    Rule("is shut off by default, both ways", pods, denied_by_default, "NetworkPolicy", "spec.policyTypes", ["Ingress"], "default-deny"),
    Rule("calls its peers and no others", lambda d: policies(d).values(), edges_are_the_wanted, "NetworkPolicy", "spec.ingress.0.from.0.podSelector.matchLabels.app.kubernetes.io/component", "migrate", "leasing"),
    Rule("no network rule is for everybody or every port", lambda d: policies(d).values(), no_open_peer, "NetworkPolicy", "spec.egress.0.ports", GONE, "billing"),
    Rule("the admin port is for monitoring", lambda d: of(d, "NetworkPolicy", "Ingress", "GRPCRoute"), admin_is_for_monitoring, "GRPCRoute", "spec.rules.0.backendRefs.0.port", 9090),
    Rule("routes every gRPC service to who serves it", lambda d: of(d, "Ingress", "GRPCRoute"), everything_is_routed, "GRPCRoute", "spec.rules.0.matches.0", GONE),
    Rule("holds no Secret, only names them", lambda d: d, only_named_secrets, "ConfigMap", "kind", "Secret"),
    Rule("acknowledges no commit that is on one machine only", lambda d: of(d, "Cluster"), cluster_is_durable, "Cluster", "spec.postgresql.synchronous.dataDurability", "preferred"),
    Rule("logins inherit nothing", lambda d: of(d, "Cluster"), logins_inherit_nothing, "Cluster", "spec.managed.roles.0.inherit", True),
    Rule("every alert has its runbook", lambda d: of(d, "PrometheusRule"), alert_has_runbook, "PrometheusRule", "spec.groups.0.rules.0.annotations.runbook_url", "docs/runbooks.md"),
    Rule("migrates before an upgrade, within a time", lambda d: of(d, "Job"), migrates_first, "Job", "spec.activeDeadlineSeconds", GONE),
    Rule("everything is of a namespace and labelled", lambda d: d, lambda d, _: at(d, "metadata.namespace") and at(d, "metadata.labels", {}).get("app.kubernetes.io/instance"), "Service", "metadata.namespace", GONE),
]


def prepared(documents):
    """Each Deployment knows its own settings, as the pod will."""
    documents = copy.deepcopy(documents)
    maps = {document["metadata"]["name"]: document.get("data", {}) for document in of(documents, "ConfigMap")}
    for document in services(documents):
        document["config"] = maps.get(document["metadata"]["name"], {})
    return documents


def offenders(rule, documents):
    documents = prepared(documents)
    return [f"{one['kind']} {at(one, 'metadata.name')}" for one in rule.looks_at(documents) if not rule.holds(one, documents)]


def mutant(rule, documents):
    """The rendered chart with the rule's one change; None where there is nothing to change."""
    documents = copy.deepcopy(documents)
    for document in of(documents, rule.kind):
        if rule.component in (None, component(document)):
            way, _, label = rule.path.partition(".app.kubernetes.io/")
            if label:
                at(document, way)[f"app.kubernetes.io/{label}"] = rule.new
            else:
                change(document, rule.path, rule.new)
            return documents
    return None


def main(paths):
    charts = {path: [one for one in yaml.safe_load_all(pathlib.Path(path).read_text()) if one] for path in paths}
    problems = []
    for path, documents in charts.items():
        for rule in RULES:
            problems += [f"{pathlib.Path(path).name}: {one}: not so: {rule.name}" for one in offenders(rule, documents)]
        running = {component(document) for document in pods(documents)}
        if running != {*SERVICES, "migrate"}:
            problems.append(f"{path}: the chart runs {sorted(running)}")
    killed = 0
    for rule in RULES:
        mutants = [one for documents in charts.values() if (one := mutant(rule, documents))]
        if not mutants:
            problems.append(f"no rendered chart has a {rule.kind} for the mutant of: {rule.name}")
        elif not all(offenders(rule, one) for one in mutants):
            problems.append(f"its mutant passes, so it checks nothing: {rule.name}")
        else:
            killed += 1
    for problem in problems:
        print(f"chart policy: {problem}", file=sys.stderr)
    print(f"chart policy: {len(RULES)} rules on {len(charts)} renderings, {killed} mutants refused, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
