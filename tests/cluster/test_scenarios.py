"""Every scenario of tests/recordings, met again on this cluster with the recorded manifests: the states in their order.

All Pods live at the same time. How many states in between are seen depends on how fast a node is (a kubelet tells of
several changes at once), so what is checked is their order, how it ends, and the reason.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from hodei_k8s_core.pod import parse_pod
from hodei_k8s_core.worker import WorkerInfo, WorkerState
from hodei_k8s_core.worker_info import worker_info
from tests.cluster.lab import Kubectl
from tests.core.test_recorded_states import ENDS, STATES
from tests.recordings import V1_36, load

LIMIT = 150.0
LABEL = "hodei.test/scenario"
RESTARTS = 2
FIRST = "unschedulable-cpu"


class Told:
    """What the cluster told of one Pod, as it came."""

    def __init__(self) -> None:
        self.infos: list[WorkerInfo] = []
        self.is_gone = False

    @property
    def states(self) -> list[WorkerState]:
        return [state for state, _ in groupby(info.state for info in self.infos)]


class Stage:
    """The Pods of all scenarios, and a watch on them."""

    def __init__(self, kubectl: Kubectl, kubeconfig: str, namespace: str) -> None:
        self.told = {name: Told() for name in V1_36}
        self.before_deletion: dict[str, WorkerInfo] = {}
        self._deleted: set[str] = set()
        self._kubectl = kubectl
        self._changed = threading.Condition()
        command = ["kubectl", "--kubeconfig", kubeconfig, "--namespace", namespace, "get", "pods", "--output", "json"]
        self._watch = subprocess.Popen(
            [*command, "--selector", LABEL, "--watch", "--output-watch-events"], stdout=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def create(self) -> None:
        """The first one stays as it is; when it is seen, the watch is open and nothing of the others is missed."""
        first, *others = sorted(V1_36, key=FIRST.__ne__)
        self._create(first)
        self._wait_for(lambda: bool(self.told[first].infos))
        for name in others:
            self._create(name)

    def play(self) -> None:
        """Delete each Pod as soon as it has come to its end, until all are gone."""
        until = time.monotonic() + LIMIT
        while not self._all_are_gone() and time.monotonic() < until:
            if due := self._due():
                names = [f"pod/{self.told[name].infos[-1].handle.pod_name}" for name in due]
                self._kubectl("delete", *names, "--wait=false", "--grace-period=1")
                self._deleted.update(due)
            if self.told["finalizer-blocks-delete"].states[-1:] == [WorkerState.TERMINATING]:
                self._let_go()
            self._wait_for(lambda: bool(self._due()) or self._all_are_gone(), 1.0)

    def _create(self, name: str) -> None:
        pod: Any = load(f"v1.36/{name}").steps[0].request.body
        pod["metadata"]["labels"][LABEL] = name
        self._kubectl.apply(pod)

    def _due(self) -> list[str]:
        return sorted(set(self.before_deletion) - self._deleted)

    def _wait_for(self, condition: Callable[[], bool], limit: float = 30.0) -> None:
        with self._changed:
            self._changed.wait_for(condition, limit)

    def _all_are_gone(self) -> bool:
        return all(told.is_gone for told in self.told.values())

    def close(self) -> None:
        self._let_go()
        self._watch.kill()
        self._watch.wait()
        self._reader.join(5)
        assert self._watch.stdout is not None
        self._watch.stdout.close()

    def _let_go(self) -> None:
        """Without this the namespace cannot end either."""
        unheld = '{"metadata":{"finalizers":null}}'
        self._kubectl.run("patch", "pod", "hodei-worker-finalizer", "--patch", unheld)

    def _read(self) -> None:
        assert self._watch.stdout is not None
        for line in self._watch.stdout:
            self._take(json.loads(line))

    def _take(self, event: dict[str, Any]) -> None:
        name = event["object"]["metadata"]["labels"][LABEL]
        told, info = self.told[name], worker_info(parse_pod(json.dumps(event["object"]).encode()))
        with self._changed:
            told.infos.append(info)
            if has_come_to_its_end(name, info):
                self.before_deletion.setdefault(name, info)
            told.is_gone = event["type"] == "DELETED"
            self._changed.notify_all()


def has_come_to_its_end(name: str, info: WorkerInfo) -> bool:
    """It is as the recorder last looked at it before it was deleted."""
    before = STATES[name][-2]
    restarts, code, _, reason, _ = ENDS[name]
    if name == "restarts":
        return info.restarts >= RESTARTS and info.reason == reason
    if info.reason != reason or info.state is not before:
        return False
    return before is not WorkerState.TERMINATED or (info.restarts, info.exit_code) == (restarts, code)


@pytest.fixture(scope="module")
def stage(kubectl: Kubectl, kubeconfig: Path, namespace: str) -> Iterator[Stage]:
    """What was told of every Pod before and after its deletion."""
    stage = Stage(kubectl, str(kubeconfig), namespace)
    try:
        stage.create()
        stage.play()
        yield stage
    finally:
        stage.close()


def is_in_order(seen: list[WorkerState], allowed: list[WorkerState]) -> bool:
    """`seen` is `allowed` with some left out."""
    left = iter(allowed)
    return all(state in left for state in seen)


@pytest.mark.parametrize("name", V1_36)
def test_a_scenario_goes_as_it_was_recorded(name: str, stage: Stage) -> None:
    told = stage.told[name]
    assert name in stage.before_deletion, (told.states, told.infos[-1:])
    assert told.states[0] is WorkerState.CREATING
    assert told.states[-1] is WorkerState.TERMINATING
    assert told.is_gone
    if name != "restarts":
        allowed = [one for state in STATES[name] for one in before_it(state, name)]
        assert is_in_order(told.states, allowed), told.states


def before_it(state: WorkerState, name: str) -> list[WorkerState]:
    """What a node may tell of before `state`, or leave out: that the container runs, and that it is ready."""
    on_the_way = {
        WorkerState.READY: [WorkerState.CONNECTING],
        WorkerState.TERMINATED: [] if name == "command-not-found" else [WorkerState.CONNECTING, WorkerState.READY],
    }
    return [*on_the_way.get(state, []), state]


def test_a_container_that_ends_is_started_again_and_counted(stage: Stage) -> None:
    states = stage.told["restarts"].states
    assert states.count(WorkerState.TERMINATED) >= 1
    assert max(info.restarts for info in stage.told["restarts"].infos) >= RESTARTS
    assert {info.exit_code for info in stage.told["restarts"].infos} >= {1}
