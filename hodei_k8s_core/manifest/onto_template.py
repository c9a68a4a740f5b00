"""A worker's Pod on the operator's base Pod: the strategic merge of both, ours the patch.

Who wins, where both say something:

- What the protocol needs (`config.pod_template.PROTECTED`), and what the security profile forbids: nobody, the template
  must not say it. Two volumes, mount paths or containers of one name: nobody, that is a conflict.
- Labels and annotations: the worker's, then the configured, then the template's.
- What we set by default alone yields to the template: the annotations of `protect_from_disruption`,
  `automountServiceAccountToken`, `enableServiceLinks`, the fields of `securityContext` (a user or group that is asked
  for does not), and the default CPU or memory (request and limit) of a resource that the template's worker names.
- A setting that is as by default asks for nothing; one that is not, wins over the template.
- Environment: the worker's, by name and whole. A readiness probe and a `command`: the worker's, whole; with its
  `command` go the template's `args`, which were for another program.
- Tolerations, affinity and `envFrom`: those of both.
- All else: ours, merged as `kubectl patch` does it.

The template's other containers get what the security profile demands of each container, where they do not say it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.pod_template import item_named
from hodei_k8s_core.errors import Fault
from hodei_k8s_core.labels import DO_NOT_DISRUPT, SAFE_TO_EVICT
from hodei_k8s_core.manifest.given import given
from hodei_k8s_core.manifest.joined_affinity import joined_affinity
from hodei_k8s_core.manifest.security import pod_security
from hodei_k8s_core.manifest.template_security import confined, security_faults
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_core.strategic_merge import strategic_merge
from hodei_k8s_core.validation import copied_json, item, raise_faults
from hodei_k8s_core.worker import WORKER_CONTAINER

Json: TypeAlias = dict[str, Any]

_SUMMARY: Final = "the worker does not fit onto the template"
_DEFAULT: Final = KubernetesConfig()
_UNSHARED: Final = {"volumes": "name", "containers": "name", "initContainers": "name"}
_UNSHARED_OF_WORKER: Final = {"volumeMounts": "mountPath", "volumeDevices": "devicePath"}


class _Asked(msgspec.Struct, frozen=True):
    """What the worker and the configuration ask for themselves; a setting that is as by default asks for nothing."""

    spec: WorkerSpec
    config: KubernetesConfig

    @property
    def profile(self) -> SecurityProfile:
        return self.spec.security_profile or self.config.security_profile

    @property
    def annotations(self) -> Mapping[str, str]:
        return {**self.config.annotations, **self.spec.annotations}

    @property
    def ids(self) -> set[str]:
        """Which of `runAsUser` and `fsGroup`. The configured ones are for the restricted profile alone."""
        names = {"runAsUser": "run_as_user", "fsGroup": "fs_group"}
        is_restricted = self.profile is SecurityProfile.RESTRICTED
        return {
            field
            for field, name in names.items()
            if getattr(self.spec, name) is not None or (is_restricted and self.is_configured(name))
        }

    def has_resource(self, name: str) -> bool:
        settings = (f"default_{name}_{kind}" for kind in ("request", "limit"))
        return self.spec.resources is not None or any(map(self.is_configured, settings))

    def is_configured(self, setting: str) -> bool:
        return bool(getattr(self.config, setting) != getattr(_DEFAULT, setting))


_Settle: TypeAlias = Callable[[Any, Any, _Asked], Any]
"""(ours, the template's, what is asked for) -> what the Pod has."""


def onto_template(pod: Json, template: Mapping[str, Any], spec: WorkerSpec, config: KubernetesConfig) -> Json:
    """`pod`, a worker's whole own Pod, merged onto `template`, which the configuration accepted.

    Raises: ConfigurationError for what both cannot have, with the path in the template.
    """
    asked = _Asked(spec, config)
    raise_faults(_SUMMARY, security_faults(template, asked.profile) + _clashes(template, pod))
    base: Json = {name: copied_json(template.get(name, {})) for name in ("metadata", "spec")}
    ours = {**pod, "metadata": dict(pod["metadata"]), "spec": dict(pod["spec"])}
    _settle(base["metadata"], ours["metadata"], _METADATA, asked)
    _settle(base["spec"], ours["spec"], _SPEC, asked)
    demanded = pod_security(spec, config).container
    for name in ("containers", "initContainers"):
        for index, theirs in enumerate(base["spec"].get(name, ())):
            if theirs["name"] == WORKER_CONTAINER:
                ours["spec"][name] = _settled_worker(ours["spec"][name], theirs, asked)
            else:
                base["spec"][name][index] = confined(theirs, demanded)
    return strategic_merge(base, ours)


def _clashes(template: Mapping[str, Any], pod: Mapping[str, Any]) -> list[Fault]:
    theirs, ours = template.get("spec", {}), pod["spec"]
    found = _of_both("pod_template.spec", theirs, ours, _UNSHARED)
    base, worker = (item_named(of.get("containers"), WORKER_CONTAINER) for of in (theirs, ours))
    place = item("pod_template.spec.containers", WORKER_CONTAINER)
    return found + _of_both(place, base, worker, _UNSHARED_OF_WORKER)


def _of_both(place: str, theirs: Mapping[str, Any], ours: Mapping[str, Any], keys: Mapping[str, str]) -> list[Fault]:
    return [
        Fault(item(f"{place}.{name}", one[key]), "the worker itself has one of that name")
        for name, key in keys.items()
        for one in theirs.get(name, ())
        if one[key] != WORKER_CONTAINER and any(other[key] == one[key] for other in ours.get(name, ()))
    ]


def _settle(base: Json, ours: Json, rules: Mapping[str, _Settle], asked: _Asked) -> None:
    """Fields that both have, where the merge alone would not say what is right: `ours` has it then, `base` has not."""
    for name, rule in rules.items():
        if name in base and name in ours:
            ours[name] = rule(ours[name], base.pop(name), asked)


def _settled_worker(containers: list[Json], theirs: Json, asked: _Asked) -> list[Json]:
    worker = dict(item_named(containers, WORKER_CONTAINER))
    if "command" in worker:  # the template's args are for another program
        theirs.pop("args", None)
    if "runAsUser" in asked.ids:  # it is the whole Pod's, and the container's own would hide it
        theirs.get("securityContext", {}).pop("runAsUser", None)
    _settle(theirs, worker, _WORKER, asked)
    return [worker if one["name"] == WORKER_CONTAINER else one for one in containers]


def _ours(ours: Any, theirs: Any, _: _Asked) -> Any:  # noqa: ARG001 - as the others
    return ours


def _theirs(ours: Any, theirs: Any, _: _Asked) -> Any:  # noqa: ARG001 - as the others
    return theirs


def _tolerations(ours: list[Json], theirs: list[Json], _: _Asked) -> list[Json]:
    return theirs + [one for one in ours if one not in theirs]


def _affinity(ours: Json, theirs: Json, _: _Asked) -> Json:
    return joined_affinity(theirs, ours)


def _sources(ours: list[Json], theirs: list[Json], _: _Asked) -> list[Json]:
    return theirs + ours  # of two with one variable the later wins


def _annotations(ours: Json, theirs: Json, asked: _Asked) -> Json:
    by_default = {SAFE_TO_EVICT, DO_NOT_DISRUPT} - asked.annotations.keys()
    return {**theirs, **ours, **{key: value for key, value in theirs.items() if key in by_default}}


def _pod_security_context(ours: Json, theirs: Json, asked: _Asked) -> Json:
    return strategic_merge(ours, theirs, {}) | {name: ours[name] for name in asked.ids if name in ours}


def _security_context(ours: Json, theirs: Json, _: _Asked) -> Json:
    return strategic_merge(ours, theirs, {})


def _environment(ours: list[Json], theirs: list[Json], _: _Asked) -> list[Json]:
    names = {variable["name"] for variable in ours}
    return ours + [variable for variable in theirs if variable["name"] not in names]


def _resources(ours: Json, theirs: Json, asked: _Asked) -> Json:
    named = {**theirs.get("requests", {}), **theirs.get("limits", {})}
    yielded = {name for name in ("cpu", "memory") if name in named and not asked.has_resource(name)}
    own = {kind: {n: amount for n, amount in amounts.items() if n not in yielded} for kind, amounts in ours.items()}
    merged = strategic_merge(theirs, own, {})
    if not asked.config.cpu_limit:
        merged["limits"].pop("cpu", None)
    return given(merged)


_METADATA: Final[Mapping[str, _Settle]] = {"annotations": _annotations}
_SPEC: Final[Mapping[str, _Settle]] = {
    "affinity": _affinity,
    "automountServiceAccountToken": _theirs,
    "enableServiceLinks": _theirs,
    "securityContext": _pod_security_context,
    "tolerations": _tolerations,
}
_WORKER: Final[Mapping[str, _Settle]] = {
    "env": _environment,
    "envFrom": _sources,
    "readinessProbe": _ours,
    "resources": _resources,
    "securityContext": _security_context,
}
