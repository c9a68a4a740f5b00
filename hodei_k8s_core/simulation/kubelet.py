"""The scheduler and the kubelet: what happens to a Pod as time goes, by the behaviour of its containers.

created -schedule-> scheduled, ContainerCreating -pull-> -start-> Running -ready-> ready -run-> terminated
                                                                         -stop (SIGTERM, term or grace)-> gone
"""

from __future__ import annotations

from functools import partial

from hodei_k8s_core.simulation.agenda import Agenda
from hodei_k8s_core.simulation.behaviour import Behaviours, CannotStart, Unschedulable, Waits, choose
from hodei_k8s_core.simulation.container import CREATING, KILLED, Container
from hodei_k8s_core.simulation.owned_objects import OnGone
from hodei_k8s_core.simulation.pod_status import NodeView, pod_status
from hodei_k8s_core.simulation.store import Store
from hodei_k8s_core.simulation.wire import Json, ServerClock

NODE = "lab-node"
SETTLE = 0.5
"""Seconds from the end of the last container to the Pod's final phase (seen: about 1)."""
REMOVAL = 0.2
"""Seconds from the final phase of a deleted Pod until it is gone."""
FIRST_BACK_OFF = 10.0
LONGEST_BACK_OFF = 300.0


class Kubelet:
    """The only node; it writes Pods' status into the store. `on_gone` is told the uid of every Pod that is gone."""

    def __init__(
        self, store: Store, agenda: Agenda, clock: ServerClock, behaviours: Behaviours, on_gone: OnGone
    ) -> None:
        self._store = store
        self._agenda = agenda
        self._clock = clock
        self._behaviours = behaviours
        self._on_gone = on_gone
        self._views: dict[str, NodeView] = {}
        self._runs = 0

    def view(self, pod: Json) -> NodeView:
        """What the node knows of a Pod."""
        return self._views[pod["metadata"]["uid"]]

    def admit(self, pod: Json, now: float) -> None:
        """A Pod was created."""
        meta, spec = pod["metadata"], pod["spec"]
        containers = [
            Container(one["name"], one["image"], choose(self._behaviours, one["image"])) for one in spec["containers"]
        ]
        view = NodeView(meta["namespace"], meta["name"], meta["uid"], containers, spec["restartPolicy"])
        self._views[meta["uid"]] = view
        self.reconsider(pod, now)

    def reconsider(self, pod: Json, now: float) -> None:
        """A Pod is new, or its gates have changed: without one it is scheduled."""
        view = self.view(pod)
        if not pod["spec"].get("schedulingGates"):
            self._agenda.at(now + view.containers[0].behaviour.schedule, partial(self._schedule, view))

    def stop(self, pod: Json, grace: float, now: float) -> None:
        """A Pod was asked to end within `grace` seconds; a later call can only shorten that."""
        self._stop(self.view(pod), grace, now)

    def forget(self, pod: Json, now: float) -> None:
        """A Pod's record is gone: whatever still ran is killed."""
        view = self._views.pop(pod["metadata"]["uid"])
        self._on_gone(view.uid, now)
        for container in view.containers:
            if container.ended is None:
                container.end(now, KILLED, "Error")

    def rotate_logs(self, now: float) -> None:
        """Begin a new log file for every container that runs; a stream that is open goes on."""
        for view in self._views.values():
            for container in view.containers:
                if container.is_running:  # pragma: no branch - tests rotate the logs of what runs
                    container.rotated_at = now

    def _schedule(self, view: NodeView, now: float) -> None:
        if not self._is_known(view):
            return
        first = view.containers[0].behaviour
        if isinstance(first.fail, Unschedulable):
            view.unschedulable = first.fail.message
            self._publish(view, now)
            return
        view.node = NODE
        self._publish(view, now)
        view.started = now
        self._publish(view, now)
        self._agenda.at(now + first.pull / 2, partial(self._make_sandbox, view))
        for one in view.containers:
            self._agenda.at(now + one.behaviour.pull, partial(self._pulled, view, one))
        self._watch_deadline(view, now)

    def _make_sandbox(self, view: NodeView, now: float) -> None:
        if self._is_known(view) and view.asked_to_stop is None:
            view.sandbox = True
            self._publish(view, now)

    def _pulled(self, view: NodeView, one: Container, now: float) -> None:
        if not self._is_known(view) or view.asked_to_stop is not None:
            return
        if isinstance(one.behaviour.fail, Waits):
            self._wait(view, one, one.behaviour.fail, 0, now)
        elif isinstance(one.behaviour.fail, CannotStart):
            one.end(now, 128, "StartError", one.behaviour.fail.message)
            self._after_end(view, one, now)
        else:
            self._agenda.at(now + one.behaviour.start, partial(self._start, view, one))

    def _wait(self, view: NodeView, one: Container, fail: Waits, turn: int, now: float) -> None:
        if not self._is_known(view) or one.ended is not None:
            return
        one.waiting = fail.reasons[turn % len(fail.reasons)]
        self._publish(view, now)
        if len(fail.reasons) > 1:
            self._agenda.at(now + fail.period, partial(self._wait, view, one, fail, turn + 1))

    def _start(self, view: NodeView, one: Container, now: float) -> None:
        if not self._is_known(view) or view.asked_to_stop is not None:
            return
        self._runs += 1
        run = self._runs
        one.begin(now, run)
        view.phase = "Running"
        view.address = view.address or f"10.244.{run // 250}.{run % 250 + 1}"
        self._publish(view, now)
        does = one.behaviour
        if does.ready is not None and not one.ready:
            self._agenda.at(now + does.ready, partial(self._become_ready, view, one, run))
        if does.exit_code is not None:
            code = does.exit_code
            self._agenda.at(now + does.run, partial(self._end, view, one, run, code, does.reason))

    def _become_ready(self, view: NodeView, one: Container, run: int, now: float) -> None:
        if self._is_known(view) and one.is_running and one.number == run:
            one.ready = True
            self._publish(view, now)

    def _end(self, view: NodeView, one: Container, run: int, code: int, reason: str, now: float) -> None:
        if self._is_known(view) and one.is_running and one.number == run:
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

    def _restart(self, view: NodeView, one: Container, now: float) -> None:
        """The first restart comes at once, the others after a back-off that doubles."""
        if not self._is_known(view) or view.asked_to_stop is not None:
            return
        one.reset()
        if one.restarts == 0:
            self._start(view, one, now)
            return
        wait = min(FIRST_BACK_OFF * 2.0 ** (one.restarts - 1), LONGEST_BACK_OFF)
        where = f"{view.name}_{view.namespace}({view.uid})"
        told = f"back-off {wait:.0f}s restarting failed container={one.name} pod={where}"
        one.waiting = ("CrashLoopBackOff", told)
        self._publish(view, now)
        self._agenda.at(now + wait, partial(self._start, view, one))

    def _watch_deadline(self, view: NodeView, now: float) -> None:
        spec = self._pod(view)["spec"]
        if "activeDeadlineSeconds" in spec:
            grace = spec["terminationGracePeriodSeconds"]
            self._agenda.at(now + spec["activeDeadlineSeconds"], partial(self._exceed, view, grace))

    def _exceed(self, view: NodeView, grace: float, now: float) -> None:
        if self._is_known(view) and not view.has_ended and view.asked_to_stop is None:
            view.reason = "DeadlineExceeded"
            view.message = "Pod was active on the node longer than the specified deadline"
            self._stop(view, grace, now)

    def _stop(self, view: NodeView, grace: float, now: float) -> None:
        first = view.asked_to_stop is None
        asked = now if view.asked_to_stop is None else view.asked_to_stop
        view.asked_to_stop = asked
        if not all(one.behaviour.stops for one in view.containers):
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
            one.lines = [(at, text) for at, text in one.lines if at <= now] + [(now, text) for text in does.on_term]
        if does.term is not None and asked + does.term <= killed:
            ends, code = asked + does.term, does.term_exit_code
        else:
            ends, code = killed, KILLED
        self._agenda.at(ends, partial(self._end, view, one, run, code, ""))

    def _finish(self, view: NodeView, now: float) -> None:
        if not self._is_known(view) or not view.all_ended:
            return
        if not view.has_ended:
            view.phase = view.end_phase
            self._publish(view, now)
        if "deletionTimestamp" in self._pod(view)["metadata"]:
            self._agenda.at(now + REMOVAL, partial(self._remove, view))

    def _remove(self, view: NodeView, now: float) -> None:
        """The kubelet deletes the record with grace 0, which the API server does unless a finalizer holds it."""
        if not self._is_known(view):
            return
        pod = self._pod(view)
        if pod["metadata"]["deletionGracePeriodSeconds"] == 0:
            return
        meta = {**pod["metadata"], "deletionTimestamp": self._clock.timestamp(now), "deletionGracePeriodSeconds": 0}
        pod = self._store.put("pods", {**pod, "metadata": meta})
        if not meta.get("finalizers"):
            self._store.remove("pods", pod)
            self.forget(pod, now)

    def _is_known(self, view: NodeView) -> bool:
        return view.uid in self._views

    def _pod(self, view: NodeView) -> Json:
        return self._store.fetch("pods", view.namespace, view.name)

    def _publish(self, view: NodeView, now: float) -> None:
        pod = self._pod(view)
        spec = {**pod["spec"], "nodeName": view.node} if view.node else pod["spec"]
        new = {**pod, "spec": spec, "status": pod_status(pod, view, now, self._clock)}
        if new != pod:
            self._store.put("pods", new)
