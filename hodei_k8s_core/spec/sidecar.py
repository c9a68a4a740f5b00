"""`Sidecar`: a program beside the worker, such as a database, that ends when the worker ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from hodei_k8s_core.errors import Fault
from hodei_k8s_core.names import dns_label_problem
from hodei_k8s_core.spec.environment_source import (
    EnvironmentKey,
    environment_faults,
    environment_key_faults,
    twice_faults,
)
from hodei_k8s_core.spec.readiness_probe import ReadinessProbe
from hodei_k8s_core.spec.resource_requirements import ResourceRequirements
from hodei_k8s_core.spec.volume_checks import mount_path_problem
from hodei_k8s_core.validation import (
    MAX_INT32,
    Problem,
    fault_of,
    instance,
    item,
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
from hodei_k8s_core.worker import WORKER_CONTAINER


def _name_problem(text: str) -> str | None:
    return f"{text!r} is the worker's own name" if text == WORKER_CONTAINER else dns_label_problem(text)


_PROBE: Final = optional(instance(ReadinessProbe))
_CHECKS: Final[dict[str, Problem]] = {
    "name": text_that(_name_problem),
    "image": word_problem,
    "resources": optional(instance(ResourceRequirements)),
    "readiness_probe": _PROBE,
    "startup_probe": _PROBE,
    "run_as_user": optional(whole_number(0, MAX_INT32)),
}


class Sidecar(msgspec.Struct, frozen=True, kw_only=True):
    """A container that is started before the worker, restarted when it ends, and ended after the worker.

    Native to Kubernetes: an init container with `restartPolicy: Always`. With a `startup_probe` the worker is started
    when it succeeds; without one, as soon as the program was started. `mounts`: volumes of the worker by name, each
    with its path here ("" for the worker's own path). `resources` None means the configured defaults. `command` and
    `args` replace the image's own. Readiness counts for the Pod, never for the worker's state.

    Raises: ConfigurationError with every fault.
    """

    name: str
    image: str
    command: Sequence[str] = ()
    args: Sequence[str] = ()
    environment: Mapping[str, str] = {}
    environment_from: Mapping[str, EnvironmentKey] = {}
    resources: ResourceRequirements | None = None
    readiness_probe: ReadinessProbe | None = None
    startup_probe: ReadinessProbe | None = None
    mounts: Mapping[str, str] = {}
    run_as_user: int | None = None

    def __post_init__(self) -> None:
        raise_faults("the sidecar is not valid", _faults(self))
        for name in ("command", "args"):
            msgspec.structs.force_setattr(self, name, tuple(getattr(self, name)))
        for name in ("environment", "environment_from", "mounts"):
            msgspec.structs.force_setattr(self, name, dict(getattr(self, name)))

    def __repr__(self) -> str:
        return f"Sidecar({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        shown = {name: getattr(self, name) for name in self.__struct_fields__}
        shown["environment"] = dict.fromkeys(self.environment, "…")
        return list(shown.items())


def sidecars_faults(field: str, sidecars: object, paths: Mapping[str, str]) -> list[Fault]:
    """What is wrong with a worker's sidecars together. `paths`: of the worker's volumes by name."""
    found = sequence_faults(field, sidecars, instance(Sidecar))
    if found or not isinstance(sidecars, Sequence):
        return found
    names = [sidecar.name for sidecar in sidecars]
    for index, sidecar in enumerate(sidecars):
        one = [Fault("name", f"{sidecar.name!r} is taken by another sidecar")] if sidecar.name in names[:index] else []
        found += within(item(field, index), one + _mounted_faults(sidecar.mounts, paths))
    return found


def _mounted_faults(mounts: Mapping[str, str], paths: Mapping[str, str]) -> list[Fault]:
    """Each volume is one of the worker's, and each path is there once (ValidateVolumeMounts)."""
    found = [Fault(item("mounts", name), "there is no such volume") for name in mounts if name not in paths]
    taken: set[str] = set()
    for name, path in ((name, path or paths.get(name, "")) for name, path in mounts.items()):
        if path in taken:
            found.append(Fault(item("mounts", name), f"the path {path!r} is taken by another volume"))
        taken.add(path)
    return found


def _faults(sidecar: Sidecar) -> list[Fault]:
    found = [f for name, check in _CHECKS.items() for f in fault_of(name, check(getattr(sidecar, name)))]
    for name in ("command", "args"):
        found += sequence_faults(name, getattr(sidecar, name), text_problem)
    found += environment_faults("environment", sidecar.environment)
    found += environment_key_faults("environment_from", sidecar.environment_from)
    found += twice_faults(sidecar.environment, sidecar.environment_from)
    found += _mount_faults(sidecar.mounts)
    return found + ([] if found else _rule_faults(sidecar))


def _rule_faults(sidecar: Sidecar) -> list[Fault]:
    found = []
    if sidecar.resources is not None and sidecar.resources.gpu_count:
        found.append(Fault("resources.gpu_count", "must be 0: nodes are chosen by the accelerators of the worker"))
    if sidecar.startup_probe is not None and sidecar.startup_probe.success_threshold != 1:
        found.append(Fault("startup_probe.success_threshold", "must be 1"))  # validateStartupProbe
    return found


def _mount_faults(mounts: object) -> list[Fault]:
    if not isinstance(mounts, Mapping):
        return [Fault("mounts", type_problem(mounts, "a mapping of volumes to paths"))]
    found = []
    for name, path in mounts.items():
        problem = text_that(dns_label_problem)(name) or text_that(mount_path_problem)(path)
        found += fault_of(item("mounts", name), problem)
    return found
