"""The operations that make and end workers, for a worker that has a Secret and a claim beside its Pod."""

from __future__ import annotations

from typing import Any

import msgspec

from hodei_k8s_core import operations
from hodei_k8s_core.companions import KIND_OF
from hodei_k8s_core.simulation.behaviour import Behaviour
from hodei_k8s_core.simulation.wire import Json
from hodei_k8s_core.simulation.world import World
from hodei_k8s_core.spec.volume_spec import WorkerClaim
from hodei_k8s_core.worker import WorkerHandle
from tests.core.operation_cases import CONFIG, JOB, NAMESPACE, SPEC, TOKEN, Case, one_or_none, pods

SECRETLY = msgspec.structs.replace(CONFIG, otp_delivery="secret")
CLAIM = WorkerClaim(name="data", size=2**30)
RICH = msgspec.structs.replace(SPEC, volumes=(CLAIM,))
NAME = "hodei-worker-w1"
STEM = f"{NAME}-9f9f5111f7"
"""The hash of the token is a part of the names."""
SECRET, CLAIMED = f"{STEM}-otp", f"{STEM}-data"


def companions(world: World) -> dict[str, Json]:
    """The Secrets and claims that are there, by name."""
    return {name: item for resource in KIND_OF for name, item in world.cluster.objects(resource, NAMESPACE).items()}


def gates(world: World) -> list[Json]:
    found: list[Json] = world.pods(NAMESPACE)[NAME]["spec"].get("schedulingGates", [])
    return found


def create() -> Any:
    return operations.create_worker(SECRETLY, RICH, creation_token=TOKEN)


def adopt() -> Any:
    return operations.adopt_or_create_worker(SECRETLY, RICH, creation_token=TOKEN)


def created(world: World) -> WorkerHandle:
    handle: WorkerHandle = world.run(create()).result
    return handle


def ready(world: World) -> WorkerHandle:
    handle = created(world)
    world.run(operations.wait_for_worker(SECRETLY, handle))
    return handle


def is_whole(world: World) -> bool:
    """The worker is free to start, with all that it has, once."""
    owner = world.pods(NAMESPACE)[NAME]["metadata"]["uid"]
    owners = [one["uid"] for item in companions(world).values() for one in item["metadata"]["ownerReferences"]]
    return not gates(world) and set(companions(world)) == {SECRET, CLAIMED} and set(owners) == {owner}


def is_gone(world: World) -> bool:
    return pods(world) == 0 and not companions(world)


COMPANION_CASES: dict[str, Case] = {
    "adopt_or_create_worker": Case(
        lambda _: adopt(),
        prepare=created,
        expect=lambda world, handle: is_whole(world),
        settled=lambda world: pods(world) == 1,
    ),
    "create_worker": Case(
        lambda _: create(),
        expect=lambda world, handle: is_whole(world),
        settled=one_or_none,
    ),
    "begin_destroy_worker": Case(
        lambda handle: operations.begin_destroy_worker(SECRETLY, handle, grace_period=2),
        prepare=ready,
        expect=lambda world, _: not companions(world),
        settled=one_or_none,
    ),
    "destroy_worker": Case(
        lambda handle: operations.destroy_worker(SECRETLY, handle, grace_period=2),
        prepare=ready,
        expect=lambda world, _: is_gone(world),
        settled=one_or_none,
    ),
    "destroy_worker_by_id": Case(
        lambda _: operations.destroy_worker_by_id(SECRETLY, "w1", grace_period=2),
        prepare=ready,
        expect=lambda world, _: is_gone(world),
        settled=one_or_none,
    ),
    "destroy_worker_with_report": Case(
        lambda handle: operations.destroy_worker_with_report(SECRETLY, handle, grace_period=2),
        prepare=ready,
        behaviour=Behaviour(logs=((0.0, "hello"),), on_term=("stopping",)),
        expect=lambda world, report: report.exit_code == 143 and is_gone(world),
        settled=one_or_none,
    ),
    "force_destroy_worker": Case(
        lambda handle: operations.force_destroy_worker(SECRETLY, handle),
        prepare=ready,
        expect=lambda world, _: is_gone(world),
        settled=one_or_none,
    ),
    "run_worker": Case(
        lambda _: operations.run_worker(SECRETLY, RICH),
        behaviour=JOB,
        expect=lambda world, report: report.exit_code == 3 and is_gone(world),
        settled=one_or_none,
    ),
}
