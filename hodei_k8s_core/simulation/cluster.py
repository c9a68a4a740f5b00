"""A Kubernetes in memory: a deterministic state machine without a clock.

Requests and the time go in, replies come out; nothing happens between but what `advance` makes happen.

    cluster = Cluster()
    reply = cluster.handle(Request("GET", "/version"), now=0.0)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.simulation.agenda import Action, Agenda
from hodei_k8s_core.simulation.behaviour import Behaviours
from hodei_k8s_core.simulation.collection import Collections
from hodei_k8s_core.simulation.kubelet import Kubelet
from hodei_k8s_core.simulation.logs import LogStream
from hodei_k8s_core.simulation.owned_objects import OWNED, OwnedObjects
from hodei_k8s_core.simulation.pods import Pods, decode
from hodei_k8s_core.simulation.reviews import Denials, Reviews
from hodei_k8s_core.simulation.route import Route, route_of
from hodei_k8s_core.simulation.statuses import (
    Refused,
    already_exists,
    forbidden,
    invalid,
    method_not_allowed,
    unknown_resource,
)
from hodei_k8s_core.simulation.store import Store
from hodei_k8s_core.simulation.streams import Connection
from hodei_k8s_core.simulation.watch import KINDS, Watch
from hodei_k8s_core.simulation.wire import Json, ServerClock, json_response, uid_of

OpenStream: TypeAlias = Watch | LogStream
Handler: TypeAlias = Callable[[Request, Route, float], Response | OpenStream]

USER = "system:serviceaccount:hodei-workers:default"
_FIRST_NAMESPACE_UID = 0x7000_0000


class Cluster:
    """One API server with its store and one node.

    `behaviours`: what containers do, by image. `denied`: what the caller may not do; change it at any time.
    `clock_offset`: seconds that the server's clock is ahead of the host's.
    """

    def __init__(
        self,
        *,
        behaviours: Behaviours | None = None,
        namespaces: Iterable[str] = ("default", "hodei-workers"),
        denied: Iterable[tuple[str, str]] = (),
        user: str = USER,
        clock_offset: float = 0.0,
    ) -> None:
        self.denied: Denials = frozenset(denied)
        self.clock = ServerClock(clock_offset)
        self.store = Store()
        self._user = user
        self._agenda = Agenda()
        self._collections = Collections(self.store)
        self._owned = OwnedObjects(self.store, self._agenda, self.clock)
        does = behaviours if behaviours is not None else {}
        self._kubelet = Kubelet(self.store, self._agenda, self.clock, does, self._owned.collect_for)
        self._handlers = self._table(Pods(self.store, self._kubelet, self.clock))
        self._streams: list[Connection] = []
        self._namespaces = 0
        for name in namespaces:
            self.store.put("namespaces", self._namespace(name, 0.0))

    def handle(self, request: Request, now: float) -> Response | OpenStream:
        """The reply to a request that arrives at `now`; a watch or a followed log is an open reply."""
        self.advance(now)
        date = ("date", self.clock.http_date(now))
        try:
            reply = self._answer(request, now)
        except Refused as refusal:
            reply = refusal.response
        if isinstance(reply, Response):
            return Response(reply.status, (*reply.headers, date), reply.body)
        reply.headers = (*reply.headers, date)
        self._streams = [*(stream for stream in self._streams if stream.is_open), reply]
        return reply

    def advance(self, now: float) -> None:
        """Let everything happen that is due by `now`."""
        self._agenda.run_until(now)

    def next_event_at(self) -> float | None:
        """When something will happen by itself, or None."""
        return self._agenda.next_at()

    def at(self, time: float, action: Action) -> None:
        """Do `action(time)` when the virtual time gets there: what others do to this cluster."""
        self._agenda.at(time, action)

    def pods(self, namespace: str) -> dict[str, Json]:
        """The Pods of a namespace by name."""
        return self.objects("pods", namespace)

    def objects(self, resource: str, namespace: str) -> dict[str, Json]:
        """The objects of a kind in a namespace by name."""
        return {item["metadata"]["name"]: item for item in self.store.list_at(self.store.version, resource, namespace)}

    def add_event(self, event: Json) -> None:
        """Store an Event as given (it needs metadata.name and metadata.namespace)."""
        self.store.put("events", event)

    def add(self, resource: str, item: Json) -> None:
        """Store an object as given, such as a node: what reads it finds it, and nothing else happens."""
        self.store.put(resource, item)

    def expire_versions(self, *, as_http: bool = False) -> None:
        """Every version that a client holds is too old from now on; open watches go on.

        `as_http`: watches are told by a 410, and not by an ERROR event inside a 200.
        """
        self.store.expire_versions()
        self._collections.expiry_as_http = as_http

    def restart(self) -> None:
        """The API server restarts: open replies are cut, versions from before are too old. Containers go on."""
        self.cut_streams()
        self.store.expire_versions()

    def cut_streams(self) -> None:
        """Break every open reply."""
        for stream in self._streams:
            stream.cut()
        self._streams = []

    def rotate_logs(self, now: float) -> None:
        """The node rotates its log files: what was written up to `now` is not served any more."""
        self._kubelet.rotate_logs(now)

    def _answer(self, request: Request, now: float) -> Response | OpenStream:
        route = route_of(request)
        if route is None or route.full_resource not in self._resources:
            raise unknown_resource()
        if (route.verb, route.full_resource) in self.denied:
            named = route.name if route.resource != "namespaces" else ""
            namespace = route.namespace or (route.name if route.resource == "namespaces" else "")
            raise forbidden(self._user, route.verb, route.full_resource, namespace, named or route.name)
        handler = self._handlers.get((route.verb, route.full_resource))
        if handler is None:
            raise method_not_allowed()
        return handler(request, route, now)

    def _table(self, pods: Pods) -> dict[tuple[str, str], Handler]:
        reads, reviews = self._collections, Reviews(self._user, lambda: self.denied, self.clock)
        table: dict[tuple[str, str], Handler] = {
            ("create", "pods"): pods.create,
            ("patch", "pods"): pods.patch,
            ("delete", "pods"): pods.delete,
            ("get", "pods/log"): pods.log,
            ("create", "namespaces"): self._create_namespace,
            ("get", "version"): reviews.version,
            ("create", "selfsubjectaccessreviews"): reviews.access,
            ("create", "selfsubjectreviews"): reviews.who,
        }
        table |= {("get", path): reviews.health for path in ("readyz", "livez", "healthz")}
        for resource in OWNED:
            table[("create", resource)] = self._owned.create
            table[("delete", resource)] = self._owned.delete
        for resource in KINDS:
            table[("get", resource)] = reads.get
            table[("list", resource)] = reads.list
            table[("watch", resource)] = reads.watch
        self._resources = {resource for _, resource in table}
        return table

    def _create_namespace(self, request: Request, route: Route, now: float) -> Response:  # noqa: ARG002 - as every handler
        name = (decode(request.body, Json).get("metadata") or {}).get("name", "")
        if not name:
            need = ("metadata.name", "FieldValueRequired", "Required value: name or generateName is required")
            raise invalid("Namespace", "", [need])
        if self.store.find("namespaces", "", name) is not None:
            raise already_exists("namespaces", name)
        stored = self.store.put("namespaces", self._namespace(name, now))
        return json_response(201, {"kind": "Namespace", "apiVersion": "v1", **stored})

    def _namespace(self, name: str, now: float) -> Json:
        self._namespaces += 1
        meta = {
            "name": name,
            "uid": uid_of(_FIRST_NAMESPACE_UID + self._namespaces),
            "creationTimestamp": self.clock.timestamp(now),
            "labels": {"kubernetes.io/metadata.name": name},
        }
        return {"metadata": meta, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
