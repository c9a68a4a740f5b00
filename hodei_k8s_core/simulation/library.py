"""Ready-made behaviours by name: what goes wrong in the recordings of real clusters, and what goes well.

Pods choose one by the label `simulation/behaviour`:

    cluster = Cluster(behaviours=by_name())
    spec = WorkerSpec(..., labels={BEHAVIOUR_LABEL: "oom-killed"})
"""

from __future__ import annotations

from collections.abc import Callable

from hodei_k8s_core.simulation.behaviour import (
    RUNS_UNTIL_DELETED,
    Behaviour,
    ByPod,
    CannotStart,
    StuckVolume,
    Unschedulable,
    Waits,
    image_cannot_be_pulled,
)
from hodei_k8s_core.simulation.wire import Json

BEHAVIOUR_LABEL = "simulation/behaviour"
_LOW_ON_MEMORY = (
    "The node was low on resource: memory. Threshold quantity: 100Mi, available: 60Mi. "
    "Container worker was using 1Gi, request is 128Mi, has larger consumption of memory. "
)
_REFUSED = (
    'failed to do request: Head "http://localhost:1/v2/absent/manifests/1": dial tcp 127.0.0.1:1: connect: '
    "connection refused"
)


def _waits(reason: str, message: str) -> Callable[[str], Behaviour]:
    return lambda image: Behaviour(fail=Waits(((reason, message.format(image=image)),)))


def _always(behaviour: Behaviour) -> Callable[[str], Behaviour]:
    return lambda _image: behaviour


LIBRARY: dict[str, Callable[[str], Behaviour]] = {
    "runs": _always(RUNS_UNTIL_DELETED),
    "succeeds": _always(Behaviour(ready=0, exit_code=0)),
    "fails": _always(Behaviour(ready=0, exit_code=3)),
    "crash-loop": _always(Behaviour(ready=0, exit_code=1)),
    "oom-killed": _always(Behaviour(ready=0, exit_code=137, reason="OOMKilled")),
    "slow-to-start": _always(Behaviour(pull=45, start=2, ready=20)),
    "slow-to-be-ready": _always(Behaviour(ready=4, term=None)),
    "never-ready": _always(Behaviour(ready=None)),
    "ignores-sigterm": _always(Behaviour(ready=0, term=None)),
    "image-pull-error": lambda image: Behaviour(fail=image_cannot_be_pulled(image, _REFUSED)),
    "image-never-pull": _waits(
        "ErrImageNeverPull", 'Container image "{image}" is not present with pull policy of Never'
    ),
    "invalid-image-name": _waits(
        "InvalidImageName",
        'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": invalid reference format: '
        "repository name (library/UPPER) must be lowercase",
    ),
    "missing-secret": _waits("CreateContainerConfigError", 'secret "absent" not found'),
    "command-not-found": _always(Behaviour(fail=CannotStart())),
    "stuck-volume": _always(Behaviour(fail=StuckVolume())),
    "unschedulable": _always(Behaviour(fail=Unschedulable())),
    "evicted": _always(Behaviour(ready=0, run=60, evicted=_LOW_ON_MEMORY)),
    "node-lost-in-deletion": _always(Behaviour(stops=False)),
}
"""Name → the behaviour of an image's containers. A lost node is `Cluster.lose_node`; a deadline, a missing claim and a
request that no node has room for come from the Pod itself."""


def by_name(otherwise: Behaviour = RUNS_UNTIL_DELETED) -> ByPod:
    """The behaviour that a Pod's label names; the containers of one Pod all do the same."""

    def chosen(pod: Json) -> Behaviour:
        name = (pod["metadata"].get("labels") or {}).get(BEHAVIOUR_LABEL, "")
        make = LIBRARY.get(name)
        return otherwise if make is None else make(pod["spec"]["containers"][0]["image"])

    return ByPod(chosen)
