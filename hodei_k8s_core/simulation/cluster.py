"""A Kubernetes in memory: a deterministic state machine without a clock.

Requests and the time go in, replies come out; nothing happens between but what `advance` makes happen.

    cluster = Cluster()
    reply = cluster.handle(Request("GET", "/version"), now=0.0)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.simulation.admission import Admission
from hodei_k8s_core.simulation.agenda import Action, Agenda
from hodei_k8s_core.simulation.behaviour import Behaviours
from hodei_k8s_core.simulation.collection import Collections
from hodei_k8s_core.simulation.discovery import discover
from hodei_k8s_core.simulation.events import Recorder
from hodei_k8s_core.simulation.garbage import Garbage
from hodei_k8s_core.simulation.kubelet import Kubelet
from hodei_k8s_core.simulation.logs import LogStream
from hodei_k8s_core.simulation.namespaces import Namespaces
from hodei_k8s_core.simulation.nodes import NodeLife
from hodei_k8s_core.simulation.objects import Objects
from hodei_k8s_core.simulation.plain import Plain
from hodei_k8s_core.simulation.pods import Pods
from hodei_k8s_core.simulation.resources import PLAIN, RESOURCES, STORED
from hodei_k8s_core.simulation.reviews import Denials, Reviews
from hodei_k8s_core.simulation.route import Route, route_of
from hodei_k8s_core.simulation.scheduler import NODE
from hodei_k8s_core.simulation.statuses import Refused, forbidden, method_not_allowed, unknown_resource
from hodei_k8s_core.simulation.store import HISTORY_LIMIT, Store
from hodei_k8s_core.simulation.streams import Connection
from hodei_k8s_core.simulation.watch import Watch
from hodei_k8s_core.simulation.wire import Json, ServerClock, encode

OpenStream: TypeAlias = Watch | LogStream
Handler: TypeAlias = Callable[[Request, Route, float], Response | OpenStream]

_OF_ALL = ("create", "list", "deletecollection")
"""What is asked of a whole collection; every other verb but a watch names an object."""
USER = "system:serviceaccount:hodei-workers:default"


class Cluster:
    """One API server with its store, scheduler and kubelets.

    `behaviours`: what containers do, by image, by a function of it, or `ByPod`. `nodes`: their objects (`make_node`);
    without any there is one that takes everything. One that is created later has no kubelet, as in a real cluster: what
    is placed there stays Pending. `history_limit`: changes that watches can go back. `denied`: what the caller may not
    do; change it at any time. `clock_offset`: seconds that the server's clock is ahead of the host's.
    """

    def __init__(
        self,
        *,
        behaviours: Behaviours | None = None,
        namespaces: Iterable[str] = ("default", "hodei-workers"),
        denied: Iterable[tuple[str, str]] = (),
        user: str = USER,
        clock_offset: float = 0.0,
        nodes: Iterable[Json] = (),
        history_limit: int = HISTORY_LIMIT,
    ) -> None:
        known = list(nodes)
        self.denied: Denials = frozenset(denied)
        self.clock = ServerClock(clock_offset)
        self.store = Store(history_limit)
        self._user = user
        self._agenda = Agenda()
        self._collections = Collections(self.store, self.clock)
        self._garbage = Garbage(self.store, self._agenda)
        recorder, self._admission = Recorder(self.store, self.clock), Admission(self.store)
        self._kubelet = Kubelet(
            self.store,
            self._agenda,
            self.clock,
            recorder,
            behaviours if behaviours is not None else {},
            self._released,
            frozenset([NODE, *(node["metadata"]["name"] for node in known)]),
        )
        pods = Pods(self.store, self._kubelet, self.clock, self._admission)
        plain = Plain(self.store, self.clock, self._changed)
        spaces = Namespaces(self.store, self.clock, self._agenda, pods, plain)
        self._nodes = NodeLife(self.store, self._agenda, self.clock, recorder, self._kubelet, pods)
        self._handlers = self._table(pods, plain, spaces)
        self._streams: list[Connection] = []
        for name in namespaces:
            head = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name}}
            self.handle(Request("POST", "/api/v1/namespaces", body=encode(head)), 0.0)
        for node in known:
            self.handle(Request("POST", "/api/v1/nodes", body=encode(RESOURCES["nodes"].typed(node))), 0.0)

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
        self._kubelet.poll(now)

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
        """Store an object as given, such as a node: what reads it finds it, and nothing else happens to it."""
        self.store.put(resource, item)

    def lose_node(self, now: float, node: str = NODE) -> None:
        """A node falls silent; what it ran may run on."""
        self._nodes.lose(node, now)

    def restore_node(self, now: float, node: str = NODE) -> None:
        """It is heard of again, and does what it was told meanwhile."""
        self._nodes.restore(node, now)

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

    def close(self) -> None:
        """The end of it: programs that run as containers are killed."""
        self._kubelet.kill_programs()

    def jump_clock(self, seconds: float) -> None:
        """The server's wall clock goes forward, or back; what is due is due when it was."""
        self.clock.offset += seconds

    def rotate_logs(self, now: float) -> None:
        """The node rotates its log files: what was written up to `now` is not served any more."""
        self._kubelet.rotate_logs(now)

    def _answer(self, request: Request, now: float) -> Response | OpenStream:
        document = discover(request)
        if document is not None:
            return document
        route = route_of(request)
        if route is None or route.full_resource not in self._resources:
            raise unknown_resource()
        if (route.verb, route.full_resource) in self.denied:
            named = route.name if route.resource != "namespaces" else ""
            namespace = route.namespace or (route.name if route.resource == "namespaces" else "")
            raise forbidden(self._user, route.verb, route.full_resource, namespace, named or route.name)
        handler = self._handlers.get((route.verb, route.full_resource))
        if handler is None or (route.full_resource in STORED and not _is_possible(route)):
            raise method_not_allowed()
        return handler(request, route, now)

    def _table(self, pods: Pods, plain: Objects, spaces: Namespaces) -> dict[tuple[str, str], Handler]:
        reads, reviews = self._collections, Reviews(self._user, lambda: self.denied, self.clock)
        table: dict[tuple[str, str], Handler] = {
            ("get", "pods/log"): pods.log,
            ("create", "pods/eviction"): pods.evict,
            ("patch", "nodes/status"): plain.patch,
            ("get", "version"): reviews.version,
            ("create", "selfsubjectaccessreviews"): reviews.access,
            ("create", "selfsubjectreviews"): reviews.who,
        }
        table |= {("get", path): reviews.health for path in ("readyz", "livez", "healthz")}
        for resource in STORED:
            table |= {("get", resource): reads.get, ("list", resource): reads.list, ("watch", resource): reads.watch}
        writers: dict[str, Objects] = {"pods": pods, "namespaces": spaces, **dict.fromkeys(PLAIN, plain)}
        for resource, of in writers.items():
            writes = {"create": of.create, "update": of.update, "patch": of.patch, "delete": of.delete}
            writes["deletecollection"] = of.delete_collection
            table |= {(verb, resource): write for verb, write in writes.items() if verb in RESOURCES[resource].verbs}
        self._resources = {resource for _, resource in table}
        return table

    def _released(self, pod_uid: str, namespace: str, now: float) -> None:
        """A Pod is over, or gone."""
        self._admission.refresh(namespace)
        if self._garbage.has_owned(pod_uid):
            self._garbage.collect_for(pod_uid, now)

    def _changed(self, resource: str, item: Json, now: float) -> None:
        """An object was written that others look at."""
        self._garbage.look_at(item, now)
        if resource == "nodes":
            self._nodes.taint_cordoned()
        if resource in ("nodes", "persistentvolumeclaims"):
            self._agenda.at(now, self._kubelet.reschedule)
        elif resource == "resourcequotas":
            self._admission.refresh(item["metadata"]["namespace"])


def _is_possible(route: Route) -> bool:
    """A collection is not changed, and nothing is created under a name."""
    return route.verb == "watch" or bool(route.name) is not (route.verb in _OF_ALL)
