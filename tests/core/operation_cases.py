"""Every operation with a world to run it in, and what must hold in that world however the operation ends.

A new operation is covered by the generic tests because it is listed here; a test compares the list with what
`hodei_k8s_core.operations` exports.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import msgspec

from hodei_k8s_core import operations
from hodei_k8s_core.capabilities import JobRequirements
from hodei_k8s_core.capacity.fulfillment import Fit, Fulfillment
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Emit, StopRequested
from hodei_k8s_core.reconcile.plan import Plan
from hodei_k8s_core.simulation.behaviour import Behaviour
from hodei_k8s_core.simulation.world import World
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_core.worker import WorkerHandle, WorkerState
from hodei_k8s_core.worker_change import WorkerChange
from tests.core.audits import auditing

CONFIG = KubernetesConfig(provider_id="tests")
NAMESPACE = CONFIG.namespace
SPEC = WorkerSpec(worker_id="w1", image="job:1", server_address="hodei:9090", otp_token="otp-1")
JOB = Behaviour(logs=((0.0, "hello"), (0.2, "  indented"), (0.4, "bye")), exit_code=3, run=0.5)
SERVICE = Behaviour(on_term=("stopping",))


class Case(msgspec.Struct, frozen=True):
    """`prepare` makes the world and gives what `make` needs; `expect` holds for the result of an undisturbed run.

    `settled` must hold in the world after any end of the operation, and after the same call was then made once more
    undisturbed.
    """

    make: Callable[[Any], Any]
    prepare: Callable[[World], Any] = lambda world: None
    expect: Callable[[World, Any], bool] = lambda world, result: True
    behaviour: Behaviour = SERVICE
    settled: Callable[[World], bool] = lambda world: True
    changes: bool = False

    def world(self, **options: Any) -> World:
        return World(behaviours={"job:1": self.behaviour}, **options)


def created(world: World) -> WorkerHandle:
    return world.run(operations.create_worker(CONFIG, SPEC)).result


def ready(world: World) -> WorkerHandle:
    handle = created(world)
    world.run(operations.wait_for_worker(CONFIG, handle))
    return handle


def aged(world: World) -> None:
    ready(world)
    world.advance(CONFIG.reconcile.min_age + 1)


def orphaned(world: World) -> Plan:
    aged(world)
    return world.run(operations.plan_fleet(CONFIG, wanted=())).result


def ended(world: World) -> WorkerHandle:
    handle = created(world)
    world.run(operations.wait_for_worker(CONFIG, handle, until=WorkerState.TERMINATED))
    return handle


def assigned(world: World) -> WorkerHandle:
    handle = ready(world)
    world.run(operations.assign_job(CONFIG, handle, "job-1"))
    return handle


def pods(world: World) -> int:
    return len(world.pods(NAMESPACE))


def annotation(world: World, key: str) -> str | None:
    pod = world.pods(NAMESPACE)["hodei-worker-w1"]
    annotations: dict[str, str] = pod["metadata"].get("annotations", {})
    return annotations.get(key)


def one_or_none(world: World) -> bool:
    return pods(world) <= 1


def messages(entries: Any) -> list[str]:
    return [entry.message for entry in entries]


def is_ready(item: Any) -> bool:
    return isinstance(item, WorkerChange) and item.info.state is WorkerState.READY


def items_until(enough: Callable[[Any], bool], stream: Generator[Any, Any, Any]) -> Generator[Any, Any, list[Any]]:
    """A stream that does not end by itself, stopped at the item that is enough."""
    items: list[Any] = []
    resume: Callable[[], Any] = partial(next, stream)
    while True:
        try:
            effect = resume()
        except StopIteration:
            return items
        try:
            resume = partial(stream.send, (yield effect))
        except Exception as error:  # noqa: BLE001 - whatever is thrown in is for the stream
            resume = partial(stream.throw, error)
        else:
            if isinstance(effect, Emit):
                items += effect.items
                if any(map(enough, effect.items)):
                    resume = partial(stream.throw, StopRequested())


def watched_until_ready(_: Any) -> Generator[Any, Any, list[Any]]:
    watch = operations.with_deadline(operations.watch_workers(CONFIG), 300.0, what="watch the workers")
    return items_until(is_ready, watch)


def with_node(world: World) -> None:
    allocatable = {"cpu": "4", "memory": "8Gi", "ephemeral-storage": "20Gi", "pods": "10"}
    node = {
        "metadata": {"name": "n1", "labels": {"kubernetes.io/arch": "amd64"}},
        "status": {"allocatable": allocatable},
    }
    world.cluster.add("nodes", node)


LINES = ["hello", "  indented", "bye"]
TOKEN = "0123456789abcdef"

CASES: dict[str, Case] = {
    "adopt_or_create_worker": Case(
        lambda _: operations.adopt_or_create_worker(CONFIG, SPEC, creation_token=TOKEN),
        prepare=lambda world: world.run(operations.create_worker(CONFIG, SPEC, creation_token=TOKEN)).result,
        expect=lambda world, handle: handle.pod_name in world.pods(NAMESPACE),
        settled=lambda world: pods(world) == 1,
        changes=True,
    ),
    "apply_plan": Case(
        lambda plan: operations.apply_plan(CONFIG, plan),
        prepare=orphaned,
        expect=lambda world, results: [result.outcome.value for result in results] == ["done"],
        settled=one_or_none,
        changes=True,
    ),
    "assign_job": Case(
        lambda handle: operations.assign_job(CONFIG, handle, "job-1"),
        prepare=ready,
        expect=lambda world, info: info.state is WorkerState.BUSY and annotation(world, "hodei.io/job-id") == "job-1",
        settled=lambda world: annotation(world, "hodei.io/job-id") in (None, "job-1"),
        changes=True,
    ),
    "audit": Case(
        lambda _: auditing(CONFIG),
        expect=lambda world, report: report.is_sound and pods(world) == 0,
        settled=lambda world: pods(world) == 0,
    ),
    "can_fulfill": Case(
        lambda _: operations.can_fulfill(CONFIG, JobRequirements()),
        prepare=with_node,
        expect=lambda world, fits: fits,
    ),
    "capabilities": Case(
        lambda _: operations.capabilities(CONFIG),
        prepare=with_node,
        expect=lambda world, known: known.max_resources.max_cpu_cores == 4 and known.features == (),
    ),
    "confirm_fulfillment": Case(
        lambda _: operations.confirm_fulfillment(CONFIG, JobRequirements(), Fulfillment(fit=Fit.NOW)),
        expect=lambda world, found: (found.fit, found.confirmed) == (Fit.NOW, True),
        settled=lambda world: pods(world) == 0,
    ),
    "create_worker": Case(
        lambda _: operations.create_worker(CONFIG, SPEC, creation_token=TOKEN),
        expect=lambda world, handle: handle.pod_name in world.pods(NAMESPACE),
        settled=one_or_none,
        changes=True,
    ),
    "describe_capacity": Case(
        lambda _: operations.describe_capacity(CONFIG),
        prepare=with_node,
        expect=lambda world, report: [group.usable for group in report.groups] == [1],
    ),
    "describe_worker": Case(
        lambda handle: operations.describe_worker(CONFIG, handle),
        prepare=ended,
        behaviour=JOB,
        expect=lambda world, info: (info.state, info.exit_code) == (WorkerState.TERMINATED, 3),
    ),
    "destroy_worker": Case(
        lambda handle: operations.destroy_worker(CONFIG, handle, grace_period=2),
        prepare=ready,
        expect=lambda world, pod: pod.metadata.name == "hodei-worker-w1" and pods(world) == 0,
        settled=one_or_none,
        changes=True,
    ),
    "begin_destroy_worker": Case(
        lambda handle: operations.begin_destroy_worker(CONFIG, handle, grace_period=2),
        prepare=ready,
        expect=lambda world, _: all(pod["metadata"].get("deletionTimestamp") for pod in world.pods(NAMESPACE).values()),
        settled=one_or_none,
        changes=True,
    ),
    "destroy_worker_with_report": Case(
        lambda handle: operations.destroy_worker_with_report(CONFIG, handle, grace_period=2),
        prepare=ready,
        behaviour=Behaviour(logs=((0.0, "hello"),), on_term=("stopping",)),
        expect=lambda world, report: report.exit_code == 143 and pods(world) == 0,
        settled=one_or_none,
        changes=True,
    ),
    "destroy_worker_by_id": Case(
        lambda _: operations.destroy_worker_by_id(CONFIG, "w1", grace_period=2),
        prepare=ready,
        expect=lambda world, pod: pod.metadata.name == "hodei-worker-w1" and pods(world) == 0,
        settled=one_or_none,
        changes=True,
    ),
    "drain_worker": Case(
        lambda handle: operations.drain_worker(CONFIG, handle),
        prepare=ready,
        expect=lambda world, info: info.state is WorkerState.DRAINING,
        changes=True,
    ),
    "ensure_namespace": Case(
        lambda _: operations.ensure_namespace(KubernetesConfig(namespace="fresh", provider_id="tests")),
        changes=True,
    ),
    "explain_fulfillment": Case(
        lambda _: operations.explain_fulfillment(CONFIG, JobRequirements()),
        prepare=with_node,
        expect=lambda world, found: (found.fit, found.confirmed) == (Fit.NOW, None),
    ),
    "find_worker": Case(
        lambda handle: operations.find_worker(CONFIG, handle.worker_id),
        prepare=ready,
        expect=lambda world, info: info.state is WorkerState.READY,
    ),
    "follow_worker_logs": Case(
        lambda handle: operations.follow_worker_logs(CONFIG, handle),
        prepare=created,
        behaviour=JOB,
        expect=lambda world, _: messages(world.host.emitted) == LINES,
    ),
    "force_destroy_worker": Case(
        lambda handle: operations.force_destroy_worker(CONFIG, handle),
        prepare=ready,
        expect=lambda world, pod: pods(world) == 0,
        settled=one_or_none,
        changes=True,
    ),
    "get_worker_logs": Case(
        lambda handle: operations.get_worker_logs(CONFIG, handle),
        prepare=ended,
        behaviour=JOB,
        expect=lambda world, entries: messages(entries) == LINES,
    ),
    "get_worker_status": Case(
        lambda handle: operations.get_worker_status(CONFIG, handle),
        prepare=ready,
        expect=lambda world, state: state is WorkerState.READY,
    ),
    "health_check": Case(
        lambda _: operations.health_check(CONFIG),
        expect=lambda world, health: health.is_healthy,
    ),
    "list_workers": Case(
        lambda _: operations.list_workers(CONFIG),
        prepare=ready,
        expect=lambda world, infos: [info.worker_id for info in infos] == ["w1"],
    ),
    "plan_fleet": Case(
        lambda _: operations.plan_fleet(CONFIG, wanted=()),
        prepare=aged,
        expect=lambda world, plan: [action.worker_id for action in plan.removals] == ["w1"],
    ),
    "read_capacity": Case(
        lambda _: operations.read_capacity(CONFIG),
        prepare=with_node,
        expect=lambda world, snapshot: [node.name for node in snapshot.nodes] == ["n1"] and not snapshot.unread,
    ),
    "preview_worker": Case(
        lambda _: operations.preview_worker(CONFIG, SPEC),
        expect=lambda world, pod: pod["metadata"]["uid"] != "" and pods(world) == 0,
        settled=lambda world: pods(world) == 0,
    ),
    "release_job": Case(
        lambda handle: operations.release_job(CONFIG, handle),
        prepare=assigned,
        expect=lambda world, info: info.state is WorkerState.READY and info.idle_since is not None,
        settled=lambda world: annotation(world, "hodei.io/job-id") in (None, "job-1"),
        changes=True,
    ),
    "run_and_keep_worker": Case(
        lambda _: operations.run_and_keep_worker(CONFIG, SPEC),
        behaviour=JOB,
        expect=lambda world, info: info.exit_code == 3 and pods(world) == 1,
        settled=one_or_none,
        changes=True,
    ),
    "run_worker": Case(
        lambda _: operations.run_worker(CONFIG, SPEC),
        behaviour=JOB,
        expect=lambda world, info: info.exit_code == 3 and pods(world) == 0,
        settled=one_or_none,
        changes=True,
    ),
    "wait_for_worker": Case(
        lambda handle: operations.wait_for_worker(CONFIG, handle, timeout=60),
        prepare=created,
        expect=lambda world, info: info.state is WorkerState.READY,
    ),
}

CASES |= {
    "wait_for_workers": Case(
        lambda handle: operations.wait_for_workers(CONFIG, [handle], timeout=60),
        prepare=created,
        expect=lambda world, outcomes: [one.info.state for one in outcomes if one.info] == [WorkerState.READY],
    ),
    "watch_workers": Case(
        watched_until_ready,
        prepare=created,
        expect=lambda world, items: any(map(is_ready, items)),
    ),
}

COORDINATED = {"audit"}
"""What a provider does by a coordinator."""
NOT_OPERATIONS = {"new_creation_token": "asks only for chance", "with_deadline": "a combinator"}
