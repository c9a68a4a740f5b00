"""How Pods end on their node: stopped, past their deadline, evicted, finished; and how their record goes."""

from __future__ import annotations

from functools import partial

from hodei_k8s_core.simulation.container import CREATING, KILLED, Container
from hodei_k8s_core.simulation.pod_status import NodeView
from hodei_k8s_core.simulation.records import PodRecords
from hodei_k8s_core.simulation.wire import Json

SETTLE = 0.5
"""Seconds from the end of the last container to the Pod's final phase (seen: about 1)."""
REMOVAL = 0.2
"""Seconds from the final phase of a deleted Pod until it is gone."""
_DEADLINE = "Pod was active on the node longer than the specified deadline"


class Endings(PodRecords):
    """The half of the kubelet that ends things."""

    def stop(self, pod: Json, grace: float, now: float) -> None:
        """A Pod was asked to end within `grace` seconds; a later call can only shorten that."""
        self._stop(self.view(pod), grace, now)

    def disrupt(self, pod: Json, reason: str, message: str, now: float) -> None:
        """Note in a Pod's status who ends it, and why."""
        view = self.view(pod)
        view.disruption = reason, message
        self._publish(view, now)

    def forget(self, pod: Json, now: float) -> None:
        """A Pod's record is gone: whatever still ran is killed."""
        uid = pod["metadata"]["uid"]
        view = self._views.pop(uid)
        for container in view.containers:
            if container.process is not None:
                container.process.kill()
            if container.ended is None:
                container.end(now, KILLED, "Error")
        self._recorder.forget(uid)
        self._released(view, now)

    def _released(self, view: NodeView, now: float) -> None:
        """A Pod takes no room any more."""

    def _restart(self, view: NodeView, one: Container, now: float) -> None:
        """Run a container again."""

    def _watch_deadline(self, view: NodeView, now: float) -> None:
        spec = self._pod(view)["spec"]
        if "activeDeadlineSeconds" in spec:
            grace = spec["terminationGracePeriodSeconds"]
            self._agenda.at(now + spec["activeDeadlineSeconds"], partial(self._exceed, view, grace))

    def _exceed(self, view: NodeView, grace: float, now: float) -> None:
        if self._acts(view) and not view.has_ended and view.asked_to_stop is None:
            self._tell(view, "Normal", "DeadlineExceeded", _DEADLINE, now)
            self._give_up(view, "DeadlineExceeded", _DEADLINE, grace, now)

    def _evict(self, view: NodeView, one: Container, run: int, message: str, now: float) -> None:
        """The node is short of something, and this Pod has to go."""
        if self._acts(view) and one.is_running and one.number == run and view.asked_to_stop is None:
            view.disruption = "TerminationByKubelet", message
            self._tell(view, "Warning", "Evicted", message, now)
            self._give_up(view, "Evicted", message, 1, now)

    def _give_up(self, view: NodeView, reason: str, message: str, grace: float, now: float) -> None:
        view.reason, view.message = reason, message
        self._stop(view, grace, now)

    def _stop(self, view: NodeView, grace: float, now: float) -> None:
        first = view.asked_to_stop is None
        asked = now if view.asked_to_stop is None else view.asked_to_stop
        view.asked_to_stop = asked
        if view.lost or not all(one.behaviour.stops for one in view.containers):
            return
        began = view.has_begun
        if not began:
            self._unmake_sandbox(view, now)
        self._publish(view, now)
        for one in view.containers:
            self._stop_container(view, one, asked, now + grace, now, first=first)
        if began:
            self._publish(view, now)
        if view.all_ended:
            self._agenda.at(now + SETTLE, partial(self._finish, view))

    def _unmake_sandbox(self, view: NodeView, now: float) -> None:
        """Nothing ran yet: what the containers waited for is forgotten, and the sandbox goes."""
        for one in view.containers:
            one.waiting = CREATING
        self._publish(view, now)
        view.sandbox = False

    def _stop_container(
        self, view: NodeView, one: Container, asked: float, killed: float, now: float, *, first: bool
    ) -> None:
        """Its end by `killed` at the latest; of several ends that were planned the first one comes."""
        does, run = one.behaviour, one.number
        if one.ended is not None:
            return
        if one.started is None:
            one.abandon()
            return
        if first:
            self._tell(view, "Normal", "Killing", f"Stopping container {one.name}", now, one.name)
            one.lines = [(at, text) for at, text in one.lines if at <= now] + [(now, text) for text in does.on_term]
        if one.process is not None:
            one.process.stop()
            self._agenda.at(killed, partial(self._kill, view, one, run))
            return
        if does.term is not None and asked + does.term <= killed:
            ends, code = asked + does.term, does.term_exit_code
        else:
            ends, code = killed, KILLED
        self._agenda.at(ends, partial(self._end, view, one, run, code, ""))

    def _kill(self, view: NodeView, one: Container, run: int, now: float) -> None:  # noqa: ARG002 - as every action
        """SIGKILL for a process of this machine; its end is heard of as any other."""
        if self._acts(view) and one.is_running and one.number == run and one.process is not None:
            one.process.kill()

    def _end(self, view: NodeView, one: Container, run: int, code: int, reason: str, now: float) -> None:
        if self._acts(view) and one.is_running and one.number == run:
            one.end(now, code, reason)
            self._after_end(view, one, now)

    def _after_end(self, view: NodeView, one: Container, now: float) -> None:
        self._publish(view, now)
        failed = one.ended is not None and one.ended.exit_code != 0
        again = view.restart_policy == "Always" or (view.restart_policy == "OnFailure" and failed)
        if again and view.asked_to_stop is None:
            self._agenda.at(now + SETTLE, partial(self._restart, view, one))
        elif view.all_ended:
            self._agenda.at(now + SETTLE, partial(self._finish, view))

    def _finish(self, view: NodeView, now: float) -> None:
        if not self._acts(view) or not view.all_ended:
            return
        if not view.has_ended:
            view.phase = view.end_phase
            self._publish(view, now)
            self._released(view, now)
        if "deletionTimestamp" in self._pod(view)["metadata"]:
            self._agenda.at(now + REMOVAL, partial(self._remove, view))

    def _remove(self, view: NodeView, now: float) -> None:
        """The kubelet deletes the record with grace 0, which the API server does unless a finalizer holds it."""
        if not self._acts(view):
            return
        pod = self._pod(view)
        if pod["metadata"]["deletionGracePeriodSeconds"] == 0:
            return
        meta = {**pod["metadata"], "deletionTimestamp": self._clock.timestamp(now), "deletionGracePeriodSeconds": 0}
        pod = self._store.put("pods", {**pod, "metadata": meta})
        if not meta.get("finalizers"):
            self._store.remove("pods", pod)
            self.forget(pod, now)
