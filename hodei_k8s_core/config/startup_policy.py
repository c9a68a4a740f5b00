"""How long each stage of a worker's start may take: data only, the decisions are in `diagnosis`."""

from __future__ import annotations

from typing import Final

import msgspec

from hodei_k8s_core.errors import Fault
from hodei_k8s_core.validation import Problem, fault_of, number, number_above, raise_faults, whole_number

STARTUP_CHECKS: Final[dict[str, Problem]] = {
    "schedule": number_above(0),
    "scale_up": number_above(0),
    "pull": number_above(0),
    "start": number_above(0),
    "ready": number_above(0),
    "image_retries": whole_number(0),
    "restarts": whole_number(0),
    "settle": number(0),
    "end": number(0),
}


class StartupPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds, from the acceptance of a worker on (`creation_timeout` ends there).

    `schedule`: until there is a node; `scale_up`: until then, where an autoscaler says that it adds one. `pull`: until
    the node has the volumes and the image. `start`: until the program runs, after that. `ready`: until it is ready,
    after that. `image_retries`: repeated pulls that may fail before an image that could not be fetched is given up (one
    that the registry refuses is at once). `restarts`: of a container before it counts as a crash loop for good.
    `settle`: so long a Secret, ConfigMap or claim that is missing may still be about to be made. `end`: so long a
    deletion may be overdue before it is stuck.

    The defaults suit a cloud whose autoscaler adds nodes. Raises: ConfigurationError with every fault.
    """

    schedule: float = 300.0
    scale_up: float = 900.0
    pull: float = 600.0
    start: float = 120.0
    ready: float = 300.0
    image_retries: int = 3
    restarts: int = 3
    settle: float = 10.0
    end: float = 30.0

    def __post_init__(self) -> None:
        raise_faults("the startup policy is not valid", _faults(self))


def _faults(policy: StartupPolicy) -> list[Fault]:
    return [f for name, check in STARTUP_CHECKS.items() for f in fault_of(name, check(getattr(policy, name)))]


DEFAULT_POLICY: Final = StartupPolicy()
