"""Events, as the scheduler and the kubelet write them: the same one again only counts up."""

from __future__ import annotations

from collections import deque

from hodei_k8s_core.simulation.store import Store
from hodei_k8s_core.simulation.wire import Json, ServerClock, uid_of

_FIRST_UID = 0x5000_0000
SCHEDULER = "default-scheduler"
LIFE = 3600.0
"""Seconds that an event is kept (`--event-ttl`)."""


class Recorder:
    """Writes events about Pods into the store; at most one line of history for each repetition."""

    def __init__(self, store: Store, clock: ServerClock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[tuple[str, str, str], str] = {}
        self._ages: deque[tuple[float, str, str]] = deque()
        self._written = 0

    def scheduler(self, pod: Json, kind: str, reason: str, message: str, now: float) -> None:
        """An event in the new form: `eventTime`, no count."""
        moment = self._clock.log_timestamp(now)[:-4] + "Z"
        action = "Binding" if reason == "Scheduled" else "Scheduling"
        told: Json = {"source": {}, "firstTimestamp": None, "lastTimestamp": None, "type": kind, "eventTime": moment}
        by = {"reportingComponent": SCHEDULER, "reportingInstance": f"{SCHEDULER}-simulated"}
        self._write(pod, {"reason": reason, "message": message, **told, "action": action, **by}, "", now)

    def kubelet(self, pod: Json, kind: str, reason: str, message: str, now: float, container: str = "") -> None:
        """An event in the old form, counted."""
        node = pod["spec"].get("nodeName", "")
        self.component(pod, "kubelet", node, kind, reason, message, now, container)

    def component(
        self, pod: Json, by: str, host: str, kind: str, reason: str, message: str, now: float, container: str = ""
    ) -> None:
        """An event of any component, in the old form."""
        field = f"spec.containers{{{container}}}" if container else ""
        moment = self._clock.timestamp(now)
        key = (pod["metadata"]["uid"], field, f"{reason} {message}")
        before = self._store.find("events", pod["metadata"]["namespace"], self._known.get(key, ""))
        if before is not None:
            self._store.put("events", {**before, "count": before["count"] + 1, "lastTimestamp": moment})
            return
        source = {"component": by, **({"host": host} if host else {})}
        told: Json = {"reason": reason, "message": message, "source": source, "firstTimestamp": moment}
        told |= {"lastTimestamp": moment, "count": 1, "type": kind, "eventTime": None}
        told |= {"reportingComponent": by, "reportingInstance": host}
        self._known[key] = self._write(pod, told, field, now)

    def forget(self, uid: str) -> None:
        """A Pod is gone; its events stay, and none is counted up any more."""
        for key in [key for key in self._known if key[0] == uid]:
            del self._known[key]

    def _write(self, pod: Json, told: Json, field: str, now: float) -> str:
        self._written += 1
        meta = pod["metadata"]
        name = f"{meta['name']}.{self._written:016x}"
        about = {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}
        about |= {"apiVersion": "v1", "resourceVersion": meta["resourceVersion"]}
        if field:
            about["fieldPath"] = field
        head = {"name": name, "namespace": meta["namespace"], "uid": uid_of(_FIRST_UID + self._written)}
        head["creationTimestamp"] = self._clock.timestamp(now)
        self._store.put("events", {"metadata": head, "involvedObject": about, **told})
        self._ages.append((now, meta["namespace"], name))
        while now - self._ages[0][0] > LIFE:
            _, namespace, old = self._ages.popleft()
            expired = self._store.find("events", namespace, old)
            if expired is not None:
                self._store.remove("events", expired)
        return name
