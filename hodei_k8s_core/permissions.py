"""What we may have to do in a cluster: one table of feature -> verbs on resources, each with its reason.

The audit asks for these permissions, `hodei-k8s rbac` and the manifests grant them; nothing else says what they are.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final

import msgspec

from hodei_k8s_core.config import KubernetesConfig

DEFAULT_ACCOUNT: Final = "hodei-k8s"
_RBAC: Final = "rbac.authorization.k8s.io"


class Feature(enum.Enum):
    """What a provider can be used for, by what it needs to be permitted."""

    WORKERS = "workers"
    LOGS = "logs"
    JOBS = "jobs"
    EVENTS = "events"
    NAMESPACE = "namespace"
    LIMITS = "limits"
    NODES = "nodes"
    CLASSES = "classes"
    OTP_SECRETS = "otp-secrets"
    CLAIMS = "claims"
    LEASES = "leases"
    CREATE_NAMESPACE = "create-namespace"


class Rule(msgspec.Struct, frozen=True):
    """One row: `feature` needs `verbs` on `resource` (with its subresource: `pods/log`), since `reason`.

    `is_required`: without it the feature does not work; otherwise less is known, or said. `is_cluster_scoped`: a Role
    cannot grant it, a ClusterRole must.
    """

    feature: Feature
    resource: str
    verbs: tuple[str, ...]
    reason: str
    group: str = ""
    is_required: bool = True
    is_cluster_scoped: bool = False

    @property
    def full_resource(self) -> str:
        """The resource with its group, as `kubectl auth can-i` takes it."""
        resource, slash, subresource = self.resource.partition("/")
        return f"{resource}.{self.group}{slash}{subresource}" if self.group else self.resource


RULES: Final[tuple[Rule, ...]] = (
    Rule(
        Feature.WORKERS,
        "pods",
        ("create", "get", "list", "watch", "delete"),
        "a worker is a Pod: made, looked for after a lost reply, watched until it is ready or gone, and ended",
    ),
    Rule(Feature.LOGS, "pods/log", ("get",), "to read and follow what workers write"),
    Rule(
        Feature.JOBS,
        "pods",
        ("patch",),
        "assign, release and drain write annotations on the worker's Pod",
        is_required=False,
    ),
    Rule(Feature.EVENTS, "events", ("list",), "events say why a Pod does not start", is_required=False),
    # A namespace's own name is the namespace of the request (k8s.io/apiserver, endpoints/request/requestinfo.go), so a
    # Role in it suffices, and permits no other namespace.
    Rule(
        Feature.NAMESPACE,
        "namespaces",
        ("get",),
        "to tell a namespace that does not exist from one without workers",
        is_required=False,
    ),
    Rule(Feature.LIMITS, "resourcequotas", ("list",), "what the namespace's quota leaves", is_required=False),
    Rule(Feature.LIMITS, "limitranges", ("list",), "what one Pod of the namespace may have", is_required=False),
    Rule(
        Feature.NODES,
        "nodes",
        ("list",),
        "how large a worker can be, and on which architectures and accelerators",
        is_required=False,
        is_cluster_scoped=True,
    ),
    Rule(
        Feature.NODES,
        "pods",
        ("list",),
        "what the Pods of all namespaces leave free on the nodes",
        is_required=False,
        is_cluster_scoped=True,
    ),
    *(
        Rule(
            Feature.CLASSES,
            resource,
            ("list",),
            f"which {what} a worker can have",
            group=group,
            is_required=False,
            is_cluster_scoped=True,
        )
        for resource, group, what in (
            ("priorityclasses", "scheduling.k8s.io", "priorities"),
            ("runtimeclasses", "node.k8s.io", "runtimes"),
            ("storageclasses", "storage.k8s.io", "kinds of volumes"),
        )
    ),
    Rule(Feature.OTP_SECRETS, "secrets", ("create", "delete"), "a worker's OTP in a Secret of its own"),
    Rule(Feature.OTP_SECRETS, "pods", ("patch",), "a worker waits behind a scheduling gate until its Secret exists"),
    Rule(
        Feature.CLAIMS,
        "persistentvolumeclaims",
        ("create", "delete"),
        "a worker's own volume is made and goes with it",
    ),
    Rule(Feature.CLAIMS, "pods", ("patch",), "a worker waits behind a scheduling gate until its claims exist"),
    Rule(
        Feature.LEASES,
        "leases",
        ("get", "create", "update"),
        "one replica of `serve` at a time is the leader",
        group="coordination.k8s.io",
    ),
    Rule(
        Feature.CREATE_NAMESPACE,
        "namespaces",
        ("create",),
        "`--create-namespace` makes the namespace of the workers",
        is_cluster_scoped=True,
    ),
)

_IS_CONFIGURED: Final[dict[Feature, Callable[[KubernetesConfig], bool]]] = {
    Feature.WORKERS: lambda _: True,
    Feature.LOGS: lambda _: True,
    Feature.JOBS: lambda _: True,
    Feature.EVENTS: lambda _: True,
    Feature.NAMESPACE: lambda _: True,
    Feature.LIMITS: lambda _: True,
    Feature.OTP_SECRETS: lambda config: config.otp_delivery == "secret",
}
"""The features that settings turn on. The others are asked for by name."""


def configured_features(config: KubernetesConfig) -> frozenset[Feature]:
    """What a provider with these settings does, without being asked for more."""
    return frozenset(feature for feature, is_configured in _IS_CONFIGURED.items() if is_configured(config))


def rules_for(features: Collection[Feature]) -> tuple[Rule, ...]:
    """The rows of these features, in the table's order."""
    return tuple(rule for rule in RULES if rule.feature in features)


def role_rules(features: Collection[Feature]) -> tuple[Rule, ...]:
    """What a Role in the workers' namespace must grant; a verb that two features need stands at the first one."""
    return _granted_once(rule for rule in rules_for(features) if not rule.is_cluster_scoped)


def cluster_role_rules(features: Collection[Feature]) -> tuple[Rule, ...]:
    """What only a ClusterRole can grant; empty for features that stay in the namespace."""
    return _granted_once(rule for rule in rules_for(features) if rule.is_cluster_scoped)


def rbac_manifests(
    config: KubernetesConfig,
    features: Collection[Feature],
    *,
    account: str = DEFAULT_ACCOUNT,
    account_namespace: str | None = None,
) -> list[dict[str, Any]]:
    """The least that `account` needs for these features: ServiceAccount, Role, RoleBinding, and where something is
    cluster-scoped a ClusterRole and its binding.

    The rules are those of `role_rules` and `cluster_role_rules`, in that order.
    `account_namespace`: where the account lives; None for the workers' namespace.
    """
    home = account_namespace or config.namespace
    subject = {"kind": "ServiceAccount", "name": account, "namespace": home}
    manifests = [
        _manifest("v1", "ServiceAccount", account, home),
        _manifest(f"{_RBAC}/v1", "Role", account, config.namespace, rules=_granted(role_rules(features))),
        _binding("Role", account, subject, config.namespace),
    ]
    if rules := cluster_role_rules(features):
        # Two installations in one cluster must not share a ClusterRole by accident.
        name = f"{account}-{home}"
        manifests += [
            _manifest(f"{_RBAC}/v1", "ClusterRole", name, rules=_granted(rules)),
            _binding("ClusterRole", name, subject),
        ]
    return manifests


def _granted_once(rules: Iterator[Rule]) -> tuple[Rule, ...]:
    granted: set[tuple[str, str, str]] = set()
    kept = []
    for rule in rules:
        verbs = tuple(verb for verb in rule.verbs if (rule.group, rule.resource, verb) not in granted)
        granted |= {(rule.group, rule.resource, verb) for verb in verbs}
        if verbs:
            kept.append(msgspec.structs.replace(rule, verbs=verbs))
    return tuple(kept)


def _granted(rules: tuple[Rule, ...]) -> list[dict[str, list[str]]]:
    return [{"apiGroups": [rule.group], "resources": [rule.resource], "verbs": list(rule.verbs)} for rule in rules]


def _binding(role_kind: str, name: str, subject: dict[str, str], namespace: str | None = None) -> dict[str, Any]:
    role = {"apiGroup": _RBAC, "kind": role_kind, "name": name}
    return _manifest(f"{_RBAC}/v1", f"{role_kind}Binding", name, namespace, roleRef=role, subjects=[subject])


def _manifest(version: str, kind: str, name: str, namespace: str | None = None, **content: Any) -> dict[str, Any]:
    metadata = {"name": name} if namespace is None else {"name": name, "namespace": namespace}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **content}
