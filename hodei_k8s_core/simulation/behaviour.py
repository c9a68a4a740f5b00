"""What a container does, as data, and how a cluster chooses it: by image, by label, or by a function of the Pod.

cluster = Cluster(behaviours={"job:1": Behaviour(logs=((0.0, "hello"),), exit_code=0, run=2.0)})
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

import msgspec

from hodei_k8s_core.simulation.wire import Json


class Unschedulable(msgspec.Struct, frozen=True):
    """No node fits; the scheduler says why."""

    message: str = (
        "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, "
        "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    )


class Waits(msgspec.Struct, frozen=True):
    """The container never starts; it waits with `reason`, alternating with the others every `period` seconds."""

    reasons: tuple[tuple[str, str], ...]
    period: float = 10.0


class CannotStart(msgspec.Struct, frozen=True):
    """The runtime cannot start the program: terminated with `StartError`, exit code 128."""

    message: str = (
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
        'unable to start container process: exec: "/no/such/program": stat /no/such/program: '
        "no such file or directory: unknown"
    )


class StuckVolume(msgspec.Struct, frozen=True):
    """A volume that is never there: the Pod stays `ContainerCreating`, and only events tell why."""

    message: str = 'MountVolume.SetUp failed for volume "data" : secret "absent" not found'


Failure: TypeAlias = Unschedulable | Waits | CannotStart | StuckVolume


class Process(Protocol):
    """A program outside of the simulation that runs as a container."""

    def poll(self) -> tuple[list[str], int | None]:
        """The lines since the last call, and the exit code once it has ended and all its lines were given."""
        ...

    def stop(self) -> None:
        """SIGTERM."""
        ...

    def kill(self) -> None:
        """SIGKILL; nothing when it has ended."""
        ...


class Program(Protocol):
    """Starts such programs; the cluster asks how they are whenever time goes on."""

    def start(self, pod: Json, container: str) -> Process: ...


def image_cannot_be_pulled(image: str, why: str = "") -> Waits:
    """`ErrImagePull` and `ImagePullBackOff` in turn, for ever. `why`: what the registry said."""
    fault = f'failed to pull and unpack image "{image}": failed to resolve reference "{image}"'
    fault += f": {why}" if why else ""
    return Waits(
        (("ErrImagePull", fault), ("ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {fault}'))
    )


class Behaviour(msgspec.Struct, frozen=True):
    """The life of one container; all times in seconds, each from the end of the one before.

    `logs`: (seconds after the start, text). `exit_code`: None runs until it is stopped, else it ends by itself after
    `run`. `reason`: of the end ("" by the exit code; `OOMKilled` …). `evicted`: the message with which its node evicts
    it after `run`. `program`: what really runs, in place of `logs` and `exit_code`. `ready` None never gets ready. When
    it is stopped it writes `on_term`, and ends after `term` with `term_exit_code`; with `term` None it ignores SIGTERM
    and is killed (137) when the grace period is over. `stops` False is a node that died: the Pod stays terminating for
    ever.
    """

    schedule: float = 0.1
    pull: float = 0.2
    start: float = 0.1
    ready: float | None = 0.1
    logs: tuple[tuple[float, str], ...] = ()
    exit_code: int | None = None
    run: float = 1.0
    reason: str = ""
    on_term: tuple[str, ...] = ()
    term: float | None = 0.2
    term_exit_code: int = 143
    stops: bool = True
    fail: Failure | None = None
    evicted: str = ""
    program: Program | None = None


RUNS_UNTIL_DELETED = Behaviour()


class ByPod(msgspec.Struct, frozen=True):
    """The behaviour of a Pod's containers as a function of the Pod (as JSON)."""

    chosen: Callable[[Json], Behaviour]


Behaviours: TypeAlias = Mapping[str, Behaviour] | Callable[[str], Behaviour] | ByPod
"""By image, a function of the image, or a function of the Pod."""


def by_label(label: str, behaviours: Mapping[str, Behaviour], otherwise: Behaviour = RUNS_UNTIL_DELETED) -> ByPod:
    """The behaviour that the Pod's `label` names."""

    def chosen(pod: Json) -> Behaviour:
        return behaviours.get((pod["metadata"].get("labels") or {}).get(label, ""), otherwise)

    return ByPod(chosen)


def choose(behaviours: Behaviours, pod: Json, image: str) -> Behaviour:
    """The behaviour of a container; what a mapping does not name runs until it is deleted."""
    if isinstance(behaviours, ByPod):
        return behaviours.chosen(pod)
    if isinstance(behaviours, Mapping):
        return behaviours.get(image, RUNS_UNTIL_DELETED)
    return behaviours(image)
