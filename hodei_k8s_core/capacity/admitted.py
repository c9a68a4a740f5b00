"""A Pod as admission makes it before it is scheduled, by what the snapshot knows: LimitRange, RuntimeClass, priority.

Source: the admission plugins limitranger, runtimeclass, priority and defaulttolerationseconds of kubernetes.
"""

from __future__ import annotations

from typing import Final

import msgspec

from hodei_k8s_core.capacity.candidate import NEVER_PREEMPT, CandidateSpec
from hodei_k8s_core.capacity.classes import PriorityClass, RuntimeClass
from hodei_k8s_core.capacity.fulfillment import Reason, Rule
from hodei_k8s_core.capacity.limit_range import with_limit_defaults
from hodei_k8s_core.capacity.node_match import PodToleration
from hodei_k8s_core.capacity.snapshot import PRIORITY_CLASSES, RUNTIME_CLASSES, Snapshot

_BUILT_IN: Final = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
_FOR_A_WHILE: Final = tuple(
    PodToleration(f"node.kubernetes.io/{condition}", "Exists", effect="NoExecute")
    for condition in ("not-ready", "unreachable")
)
"""Every Pod puts up with them for 300 seconds, once it is there."""


class Admitted(msgspec.Struct, frozen=True):
    """The Pod with what admission adds, its priority, and what it refuses already."""

    spec: CandidateSpec
    priority: int = 0
    may_preempt: bool = True
    refusals: tuple[Reason, ...] = ()


def admitted(spec: CandidateSpec, snapshot: Snapshot) -> Admitted:
    """Raises: Internal for an amount that is none."""
    limited = with_limit_defaults(spec, snapshot.limit_ranges)
    changed = msgspec.structs.replace(
        spec,
        containers=limited.containers,
        init_containers=limited.init_containers,
        tolerations=(*spec.tolerations, *_FOR_A_WHILE),
    )
    with_runtime, runtime_refusals = _with_runtime(changed, snapshot)
    priority, policy, priority_refusals = _priority(spec, snapshot)
    may_preempt = (spec.preemption_policy or policy) != NEVER_PREEMPT
    return Admitted(with_runtime, priority, may_preempt, (*runtime_refusals, *priority_refusals))


def _with_runtime(spec: CandidateSpec, snapshot: Snapshot) -> tuple[CandidateSpec, tuple[Reason, ...]]:
    name = spec.runtime_class_name
    if not name or not snapshot.knows(RUNTIME_CLASSES):
        return spec, ()
    runtime = next((runtime for runtime in snapshot.runtime_classes if runtime.name == name), None)
    if runtime is None:
        return spec, (Reason(Rule.RUNTIME, name, f"there is no RuntimeClass {name}"),)
    return _merged(spec, runtime), ()


def _merged(spec: CandidateSpec, runtime: RuntimeClass) -> CandidateSpec:
    return msgspec.structs.replace(
        spec,
        overhead=runtime.overhead.pod_fixed or spec.overhead,
        node_selector={**spec.node_selector, **runtime.scheduling.node_selector},
        tolerations=(*spec.tolerations, *runtime.scheduling.tolerations),
    )


def _priority(spec: CandidateSpec, snapshot: Snapshot) -> tuple[int, str, tuple[Reason, ...]]:
    """The Pod's priority, its preemption policy, and what is wrong with its class."""
    name = spec.priority_class_name
    if name in _BUILT_IN:
        return _BUILT_IN[name], "", ()
    if not snapshot.knows(PRIORITY_CLASSES):
        return 0, "", ()
    if not name:
        default = min(
            (known for known in snapshot.priority_classes if known.global_default),
            key=lambda known: known.value,  # the lowest one, where there is more than one
            default=PriorityClass(),
        )
        return default.value, default.preemption_policy, ()
    found = next((known for known in snapshot.priority_classes if known.name == name), None)
    if found is None:
        return 0, "", (Reason(Rule.PRIORITY, name, f"there is no PriorityClass {name}"),)
    return found.value, found.preemption_policy, ()
