"""The kubelet: what happens to a Pod as time goes, by the behaviour of its containers.

created -schedule-> scheduled, ContainerCreating -pull-> -start-> Running -ready-> ready -run-> terminated
                                                                         -stop (SIGTERM, term or grace)-> gone
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hodei_k8s_core.simulation.agenda import Agenda
from hodei_k8s_core.simulation.behaviour import Behaviours, CannotStart, StuckVolume, Unschedulable, Waits, choose
from hodei_k8s_core.simulation.container import Container
from hodei_k8s_core.simulation.ending import Endings
from hodei_k8s_core.simulation.events import Recorder
from hodei_k8s_core.simulation.pod_status import NodeView
from hodei_k8s_core.simulation.scheduler import Placement, Scheduler
from hodei_k8s_core.simulation.store import Store
from hodei_k8s_core.simulation.waiting import REAL_PULL, creation_events, failure_events, pulled_event
from hodei_k8s_core.simulation.wire import Json, ServerClock

FIRST_BACK_OFF = 10.0
LONGEST_BACK_OFF = 300.0
MOUNT_RETRY = 120.0
"""Seconds between two events that tell of the same volume."""


class Kubelet(Endings):
    """Those of `nodes`; they write Pods' status into the store. What is placed on another node stays Pending.

    `on_release` hears which Pod is over or gone, and in which namespace.
    """

    def __init__(
        self,
        store: Store,
        agenda: Agenda,
        clock: ServerClock,
        recorder: Recorder,
        behaviours: Behaviours,
        on_release: Callable[[str, str, float], None],
        nodes: frozenset[str],
    ) -> None:
        super().__init__(store, agenda, clock, recorder)
        self._behaviours = behaviours
        self._scheduler = Scheduler(store)
        self._on_release = on_release
        self._nodes = nodes
        self._unplaced: dict[str, NodeView] = {}
        self._runs = 0

    def admit(self, pod: Json, now: float) -> None:
        """A Pod was created."""
        meta, spec = pod["metadata"], pod["spec"]
        containers = [
            Container(one["name"], one["image"], choose(self._behaviours, pod, one["image"]))
            for one in spec["containers"]
        ]
        view = NodeView(meta["namespace"], meta["name"], meta["uid"], containers, spec["restartPolicy"])
        self._views[meta["uid"]] = view
        if not spec.get("schedulingGates"):
            self.ungate(pod, now)

    def ungate(self, pod: Json, now: float) -> None:
        """Nothing holds a Pod back any more."""
        view = self.view(pod)
        self._agenda.at(now + view.containers[0].behaviour.schedule, partial(self._schedule, view))

    def rotate_logs(self, now: float) -> None:
        """Begin a new log file for every container that runs; a stream that is open goes on."""
        for view in self._views.values():
            for container in view.containers:
                if container.is_running:  # pragma: no branch - tests rotate the logs of what runs
                    container.rotated_at = now

    def reschedule(self, now: float) -> None:
        """Something has changed: try again what had no place."""
        waiting, self._unplaced = self._unplaced, {}
        for view in waiting.values():
            self._schedule(view, now)

    def poll(self, now: float) -> None:
        """Hear of the processes of this machine that run as containers."""
        for view in list(self._views.values()):
            for one in view.containers:
                if one.process is not None and one.is_running:
                    lines, code = one.process.poll()
                    one.lines += [(now, text) for text in lines]
                    if code is not None:
                        self._end(view, one, one.number, code, "", now)

    def pods_on(self, node: str) -> list[Json]:
        """The Pods there that are not over."""
        return [self._pod(view) for view in self._views.values() if view.node == node and not view.has_ended]

    def lose(self, node: str) -> None:
        """A node does nothing any more, and tells nothing."""
        for view in self._views.values():
            view.lost = view.lost or view.node == node

    def cut_off(self, node: str, now: float) -> list[Json]:
        """It is known that a node is lost: its Pods are not Ready."""
        for pod in (cut := self.pods_on(node)):
            view = self.view(pod)
            view.unreachable = True
            self._publish(view, now)
        return cut

    def restore(self, node: str, now: float) -> None:
        """A node is back: it does what it was told meanwhile."""
        for view in [view for view in self._views.values() if view.node == node]:
            view.lost = view.unreachable = False
            self._publish(view, now)
            if view.asked_to_stop is not None:
                self._stop(view, 0, now)

    def kill_programs(self) -> None:
        """End what runs outside of the simulation."""
        for view in self._views.values():
            for one in view.containers:
                if one.process is not None:
                    one.process.kill()

    def _released(self, view: NodeView, now: float) -> None:
        self._unplaced.pop(view.uid, None)
        if self._scheduler.release(view.uid) and self._unplaced:
            self._agenda.at(now, self.reschedule)
        self._on_release(view.uid, view.namespace, now)

    def _schedule(self, view: NodeView, now: float) -> None:
        if not self._is_known(view):
            return
        pod, first = self._pod(view), view.containers[0].behaviour
        held = first.fail if isinstance(first.fail, Unschedulable) else None
        placed = self._scheduler.place(pod) if held is None else Placement(message=held.message)
        if not placed.node:
            view.unschedulable = placed.message
            self._unplaced[view.uid] = view
            self._publish(view, now)
            self._recorder.scheduler(self._pod(view), "Warning", "FailedScheduling", placed.message, now)
            return
        view.node, view.unschedulable = placed.node, ""
        self._publish(view, now)
        if "nodeName" not in pod["spec"]:
            told = f"Successfully assigned {view.namespace}/{view.name} to {view.node}"
            self._recorder.scheduler(self._pod(view), "Normal", "Scheduled", told, now)
        if placed.node not in self._nodes:
            view.lost = True
            return
        view.started = now
        self._publish(view, now)
        self._watch_deadline(view, now)
        if isinstance(first.fail, StuckVolume):
            self._fail_to_mount(view, first.fail.message, now)
            return
        self._agenda.at(now + first.pull / 2, partial(self._make_sandbox, view))
        for one in view.containers:
            if one.behaviour.pull > REAL_PULL:
                self._tell(view, "Normal", "Pulling", f'Pulling image "{one.image}"', now, one.name)
            self._agenda.at(now + one.behaviour.pull, partial(self._pulled, view, one))

    def _fail_to_mount(self, view: NodeView, message: str, now: float) -> None:
        if self._acts(view) and view.asked_to_stop is None:
            self._tell(view, "Warning", "FailedMount", message, now)
            self._agenda.at(now + MOUNT_RETRY, partial(self._fail_to_mount, view, message))

    def _make_sandbox(self, view: NodeView, now: float) -> None:
        if self._acts(view) and view.asked_to_stop is None:
            view.sandbox = True
            self._publish(view, now)

    def _pulled(self, view: NodeView, one: Container, now: float) -> None:
        if not self._acts(view) or view.asked_to_stop is not None:
            return
        if isinstance(one.behaviour.fail, Waits):
            self._wait(view, one, one.behaviour.fail, 0, now)
            return
        self._tell(view, "Normal", "Pulled", pulled_event(one.image, one.behaviour.pull), now, one.name)
        if isinstance(one.behaviour.fail, CannotStart):
            for event in creation_events(one.behaviour.fail.message):
                self._tell(view, *event, now, one.name)
            one.end(now, 128, "StartError", one.behaviour.fail.message)
            self._after_end(view, one, now)
        else:
            self._agenda.at(now + one.behaviour.start, partial(self._start, view, one))

    def _wait(self, view: NodeView, one: Container, fail: Waits, turn: int, now: float) -> None:
        if not self._acts(view) or one.ended is not None:
            return
        one.waiting = fail.reasons[turn % len(fail.reasons)]
        self._publish(view, now)
        for event in failure_events(one.image, *one.waiting):
            self._tell(view, *event, now, one.name)
        if len(fail.reasons) > 1:
            self._agenda.at(now + fail.period, partial(self._wait, view, one, fail, turn + 1))

    def _start(self, view: NodeView, one: Container, now: float) -> None:
        if not self._acts(view) or view.asked_to_stop is not None:
            return
        self._runs += 1
        run = self._runs
        one.begin(now, run)
        view.phase = "Running"
        view.address = view.address or f"10.244.{run // 250 % 250}.{run % 250 + 1}"
        self._publish(view, now)
        for event in creation_events(""):
            self._tell(view, *event, now, one.name)
        does = one.behaviour
        if does.program is not None:
            one.process = does.program.start(self._pod(view), one.name)
        if does.ready is not None and not one.ready:
            self._agenda.at(now + does.ready, partial(self._become_ready, view, one, run))
        if does.exit_code is not None:
            code = does.exit_code
            self._agenda.at(now + does.run, partial(self._end, view, one, run, code, does.reason))
        if does.evicted:
            self._agenda.at(now + does.run, partial(self._evict, view, one, run, does.evicted))

    def _become_ready(self, view: NodeView, one: Container, run: int, now: float) -> None:
        if self._acts(view) and one.is_running and one.number == run:
            one.ready = True
            self._publish(view, now)

    def _restart(self, view: NodeView, one: Container, now: float) -> None:
        """The first restart comes at once, the others after a back-off that doubles."""
        if not self._acts(view) or view.asked_to_stop is not None:
            return
        one.reset()
        if one.restarts == 0:
            self._start(view, one, now)
            return
        wait = min(FIRST_BACK_OFF * 2.0 ** (one.restarts - 1), LONGEST_BACK_OFF)
        where = f"{view.name}_{view.namespace}({view.uid})"
        one.waiting = ("CrashLoopBackOff", f"back-off {wait:.0f}s restarting failed container={one.name} pod={where}")
        self._publish(view, now)
        told = f"Back-off restarting failed container {one.name} in pod {where}"
        self._tell(view, "Warning", "BackOff", told, now, one.name)
        self._agenda.at(now + wait, partial(self._start, view, one))
