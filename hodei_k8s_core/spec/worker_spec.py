"""What a worker is asked to be: `WorkerSpec`, validated when it is made.

Every fault is reported at once, each with its field (`spec.labels["team"]`), as `ConfigurationError`. Neither an error
nor a repr shows a value of the environment or the OTP.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from hodei_k8s_core.errors import Fault
from hodei_k8s_core.labels import annotation_faults, capability_key, label_faults
from hodei_k8s_core.names import environment_name_problem, label_key_problem, worker_id_problem
from hodei_k8s_core.secret import Secret
from hodei_k8s_core.spec.readiness_probe import ReadinessProbe
from hodei_k8s_core.spec.resource_requirements import ResourceRequirements as ResourceRequirements
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.spec.server_address import server_address_problem
from hodei_k8s_core.spec.volume_spec import EphemeralVolume as EphemeralVolume
from hodei_k8s_core.spec.volume_spec import HostPathVolume as HostPathVolume
from hodei_k8s_core.spec.volume_spec import PersistentVolume as PersistentVolume
from hodei_k8s_core.spec.volume_spec import VolumeSpec as VolumeSpec
from hodei_k8s_core.spec.volume_spec import mounted_at
from hodei_k8s_core.validation import (
    MAX_INT32,
    Problem,
    fault_of,
    instance,
    item,
    number,
    optional,
    raise_faults,
    sequence_faults,
    text_problem,
    text_that,
    type_problem,
    whole_number,
    within,
    word_problem,
)

PROVIDED_ENVIRONMENT: Final = ("HODEI_WORKER_ID", "HODEI_SERVER_ADDRESS", "HODEI_OTP_TOKEN", "HODEI_WORKER_MODE")
"""The names that the provider itself sets in every worker."""
IMAGE_PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
_SEQUENCES: Final = ("required_capabilities", "volumes", "command", "args")
_MAPPINGS: Final = ("labels", "annotations", "environment")


class Architecture(enum.Enum):
    """A node's processor, by the label `kubernetes.io/arch`."""

    AMD64 = "amd64"
    ARM64 = "arm64"
    ARM = "arm"


class WorkerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is asked to be. Times in seconds.

    `otp_token` may be given as a str and is kept as a `Secret`. `resources` None means the configured defaults.
    `max_lifetime` is rounded up to whole seconds. `command` and `args` replace the image's own (as in a Pod).
    `security_profile`, `run_as_user`, `fs_group`, `readiness_probe`, `ttl_after_completion`: None means the configured
    one. `image_pull_policy`: `Always`, `IfNotPresent`, `Never`, or None for what Kubernetes does by default.

    Raises: ConfigurationError with every fault.
    """

    worker_id: str
    image: str
    server_address: str = ""
    resources: ResourceRequirements | None = None
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    environment: Mapping[str, str] = {}
    otp_token: Secret | str | None = None
    max_lifetime: float = 3600.0
    idle_timeout: float = 300.0
    architecture: Architecture | None = None
    required_capabilities: Sequence[str] = ()
    volumes: Sequence[VolumeSpec] = ()
    ttl_after_completion: float | None = None
    command: Sequence[str] = ()
    args: Sequence[str] = ()
    image_pull_policy: str | None = None
    readiness_probe: ReadinessProbe | None = None
    security_profile: SecurityProfile | None = None
    run_as_user: int | None = None
    fs_group: int | None = None

    def __post_init__(self) -> None:
        raise_faults("the worker spec is not valid", within("spec", _faults(self)))
        for name in _SEQUENCES:
            msgspec.structs.force_setattr(self, name, tuple(getattr(self, name)))
        for name in _MAPPINGS:
            msgspec.structs.force_setattr(self, name, dict(getattr(self, name)))
        if isinstance(self.otp_token, str):
            msgspec.structs.force_setattr(self, "otp_token", Secret(self.otp_token))

    def __repr__(self) -> str:
        return f"WorkerSpec({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        shown = {name: getattr(self, name) for name in self.__struct_fields__}
        shown["environment"] = dict.fromkeys(self.environment, "…")
        return list(shown.items())


def _otp_problem(value: object) -> str | None:
    text = value.reveal() if isinstance(value, Secret) else value
    return text_problem(text) or (None if text else "must not be empty; None means that there is none")


def _capability_problem(text: str) -> str | None:
    if not text or "/" in text:
        return f"must be a name without '/', not {text!r}"
    return label_key_problem(capability_key(text))


def _pull_policy_problem(text: str) -> str | None:
    return None if text in IMAGE_PULL_POLICIES else f"must be one of {', '.join(IMAGE_PULL_POLICIES)}, not {text!r}"


_ID: Final = optional(whole_number(0, MAX_INT32))
_CHECKS: Final[dict[str, Problem]] = {
    "worker_id": text_that(worker_id_problem),
    "image": word_problem,
    "server_address": text_that(server_address_problem),
    "resources": optional(instance(ResourceRequirements)),
    "otp_token": optional(_otp_problem),
    # The API's limits of activeDeadlineSeconds.
    "max_lifetime": number(1, MAX_INT32),
    "idle_timeout": number(0),
    "architecture": optional(instance(Architecture, "an Architecture")),
    "ttl_after_completion": optional(number(0)),
    "image_pull_policy": optional(text_that(_pull_policy_problem)),
    "readiness_probe": optional(instance(ReadinessProbe)),
    "security_profile": optional(instance(SecurityProfile)),
    "run_as_user": _ID,
    "fs_group": _ID,
}


def _faults(spec: WorkerSpec) -> list[Fault]:
    found = [f for name, check in _CHECKS.items() for f in fault_of(name, check(getattr(spec, name)))]
    for name, faults in _COLLECTIONS.items():
        found += faults(name, getattr(spec, name))
    if spec.security_profile is SecurityProfile.RESTRICTED and spec.run_as_user == 0:
        found.append(Fault("run_as_user", "must not be 0 (root) under the security profile restricted"))
    return found


def _environment_faults(field: str, environment: object) -> list[Fault]:
    if not isinstance(environment, Mapping):
        return [Fault(field, type_problem(environment, "a mapping of text to text"))]
    found = []
    for name, value in environment.items():
        problem = text_problem(name) or environment_name_problem(name)
        if name in PROVIDED_ENVIRONMENT:
            problem = "this name is set by the provider itself"
        found += fault_of(item(field, name), problem or text_problem(value))
    return found


def _volume_faults(field: str, volumes: object) -> list[Fault]:
    found = sequence_faults(field, volumes, instance(VolumeSpec, "a volume"))  # type: ignore[arg-type]
    if found or not isinstance(volumes, Sequence):
        return found
    return _repeated(field, "name", [v.name for v in volumes]) + _repeated(
        field, "mount_path", list(map(mounted_at, volumes))
    )


def _repeated(field: str, part: str, values: list[str]) -> list[Fault]:
    repeated = (index for index, value in enumerate(values) if value in values[:index])
    return [
        Fault(f"{item(field, index)}.{part}", f"{values[index]!r} is taken by another volume") for index in repeated
    ]


def _sequence_of(check: Problem) -> Callable[[str, object], list[Fault]]:
    return lambda field, value: sequence_faults(field, value, check)


_COLLECTIONS: Final[dict[str, Callable[[str, object], list[Fault]]]] = {
    "labels": label_faults,
    "annotations": annotation_faults,
    "environment": _environment_faults,
    "required_capabilities": _sequence_of(text_that(_capability_problem)),
    "volumes": _volume_faults,
    "command": _sequence_of(text_problem),
    "args": _sequence_of(text_problem),
}
