"""The kinds of objects that a cluster knows: one table, from which routes, discovery and `kubectl get` are made."""

from __future__ import annotations

import msgspec

from hodei_k8s_core.simulation.wire import Json

VERSION = "v1"
"""Of every group here."""
READ = ("get", "list", "watch")
ALL = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
_SINGLE = tuple(verb for verb in ALL if verb != "deletecollection")


class Resource(msgspec.Struct, frozen=True):
    """One kind. `is_update_creating`: a PUT for a name that does not exist creates it. `is_update_versioned`: a PUT
    must name the resourceVersion that it replaces. `is_returned`: a DELETE replies with the object, and no Status."""

    name: str
    kind: str
    group: str = ""
    namespaced: bool = True
    verbs: tuple[str, ...] = ALL
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[tuple[str, str], ...] = ()
    is_update_creating: bool = False
    is_update_versioned: bool = False
    is_returned: bool = False

    @property
    def api_version(self) -> str:
        return f"{self.group}/{VERSION}" if self.group else VERSION

    @property
    def qualified(self) -> str:
        """As messages name it: `leases.coordination.k8s.io`."""
        return f"{self.name}.{self.group}" if self.group else self.name

    @property
    def qualified_kind(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def details(self) -> Json:
        """The group in a Status's details, where there is one."""
        return {"group": self.group} if self.group else {}

    def typed(self, item: Json) -> Json:
        """An object as a reply shows it."""
        return {"kind": self.kind, "apiVersion": self.api_version, **item}


RESOURCES: dict[str, Resource] = {
    one.name: one
    for one in (
        Resource(
            "pods",
            "Pod",
            short_names=("po",),
            categories=("all",),
            subresources=(("log", "get"), ("eviction", "create")),
            is_returned=True,
        ),
        Resource("namespaces", "Namespace", namespaced=False, verbs=_SINGLE, short_names=("ns",)),
        Resource("events", "Event", short_names=("ev",)),
        Resource("nodes", "Node", namespaced=False, short_names=("no",)),
        Resource("resourcequotas", "ResourceQuota", short_names=("quota",), is_returned=True),
        Resource("limitranges", "LimitRange", short_names=("limits",)),
        Resource("secrets", "Secret"),
        Resource("configmaps", "ConfigMap", short_names=("cm",)),
        Resource("serviceaccounts", "ServiceAccount", short_names=("sa",), is_returned=True),
        Resource("persistentvolumeclaims", "PersistentVolumeClaim", short_names=("pvc",), is_returned=True),
        Resource("leases", "Lease", "coordination.k8s.io", is_update_creating=True, is_update_versioned=True),
        Resource("priorityclasses", "PriorityClass", "scheduling.k8s.io", namespaced=False, short_names=("pc",)),
        Resource("runtimeclasses", "RuntimeClass", "node.k8s.io", namespaced=False),
        Resource("storageclasses", "StorageClass", "storage.k8s.io", namespaced=False, short_names=("sc",)),
        Resource(
            "selfsubjectaccessreviews",
            "SelfSubjectAccessReview",
            "authorization.k8s.io",
            namespaced=False,
            verbs=("create",),
        ),
        Resource(
            "selfsubjectreviews", "SelfSubjectReview", "authentication.k8s.io", namespaced=False, verbs=("create",)
        ),
    )
}
STORED = tuple(name for name, one in RESOURCES.items() if "get" in one.verbs)
"""What is kept, and can be read."""
PLAIN = tuple(name for name in STORED if name not in ("pods", "namespaces"))
"""What is kept as it is given, with nothing that happens to it."""
