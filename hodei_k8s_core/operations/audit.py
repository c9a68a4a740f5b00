"""What an audit does at the API server, each as a small operation; and the report where nothing can be asked.

Each step is one question, asked once: an audit tells how it is now. `coordinators.audit` asks many at the same time.
"""

from __future__ import annotations

import msgspec

from hodei_k8s_core.audit_report import AuditReport, AuditStatus, AuditStep
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Operation, Random, WallClock
from hodei_k8s_core.errors import ConfigurationError, TransportError
from hodei_k8s_core.operations.audit_connection import WAY
from hodei_k8s_core.operations.audit_questions import Outcome, Question, configured_questions
from hodei_k8s_core.operations.calls import exchange
from hodei_k8s_core.permissions import configured_features
from hodei_k8s_core.requests import identity_review
from hodei_k8s_core.spec.worker_spec import WorkerSpec

STAND_IN = WorkerSpec(worker_id="audit", image="registry.k8s.io/pause:3.10")
"""The worker that is tried where the host names none."""


class Introduction(msgspec.Struct, frozen=True):
    """What became of a SelfSubjectReview, at `now` (seconds since the epoch, by our clock).

    `worker_id`: of the worker to try; no worker has it.
    """

    outcome: Outcome
    worker_id: str
    now: float


def introduce(timeout: float) -> Operation[Introduction]:
    """Reach the API server and ask who we are; `timeout` in seconds.

    It goes the way of every request, so what becomes of it says how far one gets.
    """
    # A dry run of a name that is taken says nothing.
    worker_id = f"audit-{int((yield from Random()) * 2**40):010x}"
    outcome = yield from exchange(identity_review(), timeout)
    return Introduction(outcome, worker_id, (yield from WallClock()))


def ask(question: Question, timeout: float) -> Operation[tuple[Outcome, ...]]:
    """The outcomes of its requests, `timeout` seconds for each; a connection that fails ends it early."""
    outcomes: list[Outcome] = []
    for request in question.requests:
        outcomes.append((yield from exchange(request, timeout)))
        if isinstance(outcomes[-1], TransportError):
            break
    return tuple(outcomes)


def audit_of_bad_configuration(config: KubernetesConfig | None, error: ConfigurationError) -> AuditReport:
    """The report where the settings make no sense, so that nothing can be asked. `config`: None where that is wrong."""
    faults = "; ".join(map(str, error.faults))
    detail = f"{error.summary}{': ' if faults else ''}{faults}"
    first = AuditStep("configuration", AuditStatus.FAILED, detail, error.mend or "correct what is named here")
    names = list(WAY)
    if config is not None:
        names += [question.name for question in configured_questions(config, STAND_IN, configured_features(config))]
    skipped = (AuditStep(name, AuditStatus.SKIPPED, "there is no usable configuration") for name in names)
    return AuditReport((first, *skipped))
