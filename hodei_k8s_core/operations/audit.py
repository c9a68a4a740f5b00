"""The whole way from settings to permissions, step by step: what an operator asks when nothing works.

Each step is one question, asked once: an audit tells how it is now. The first one goes the way of every request, so
what becomes of it says how far one gets: name, TCP, TLS, a Kubernetes API server, and who it takes us for.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from hodei_k8s_core.access.target import Target
from hodei_k8s_core.audit_report import AuditReport, AuditStatus, AuditStep
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Operation, Random
from hodei_k8s_core.errors import ConfigurationError, TransportError
from hodei_k8s_core.operations.audit_connection import WAY, steps_of_first_reply
from hodei_k8s_core.operations.audit_questions import Outcome, Question, configured_questions
from hodei_k8s_core.operations.calls import exchange
from hodei_k8s_core.permissions import Feature, configured_features
from hodei_k8s_core.requests import identity_review
from hodei_k8s_core.spec.worker_spec import WorkerSpec

AUDIT_TIMEOUT = 10.0
"""Seconds for each request."""
_STAND_IN = "registry.k8s.io/pause:3.10"


def audit(
    config: KubernetesConfig,
    *,
    target: Target | None = None,
    spec: WorkerSpec | None = None,
    features: Collection[Feature] | None = None,
) -> Operation[AuditReport]:
    """Look at every step from the configuration to the permissions; never raises for what it finds.

    `spec`: a worker that must be accepted (nothing is stored); None for a small one. `features`: whose permissions are
    asked for; None for those that the settings turn on. `target`: what the connection was made from, for the report.
    """
    timeout = min(AUDIT_TIMEOUT, config.request_timeout)
    wanted = configured_features(config) if features is None else features
    questions = configured_questions(config, (yield from _fresh(spec)), wanted)
    configuration = AuditStep("configuration", AuditStatus.OK, str(target or "a channel that the host made"))
    steps = [configuration, *steps_of_first_reply((yield from exchange(identity_review(), timeout)), target)]
    if any(step.status is AuditStatus.FAILED for step in steps):
        why = "there is no way to the API server"
        return _report([*steps, *(question.skipped(why) for question in questions)], target)
    broken = ""
    namespace_fails = False
    for question in questions:
        if broken or (namespace_fails and question.needs_namespace):
            steps.append(question.skipped(broken or "the namespace must be in order first"))
            continue
        outcomes = yield from _ask(question, timeout)
        steps.append(question.judge(outcomes))
        is_cut = any(isinstance(outcome, TransportError) for outcome in outcomes)
        broken = "the connection failed at a step before" if is_cut else ""
        namespace_fails = namespace_fails or (question.name == "namespace" and steps[-1].status is AuditStatus.FAILED)
    return _report(steps, target)


def audit_of_bad_configuration(config: KubernetesConfig | None, error: ConfigurationError) -> AuditReport:
    """The report where the settings make no sense, so that nothing can be asked. `config`: None where that is wrong."""
    faults = "; ".join(map(str, error.faults))
    detail = f"{error.summary}{': ' if faults else ''}{faults}"
    first = AuditStep("configuration", AuditStatus.FAILED, detail, error.mend or "correct what is named here")
    names = list(WAY)
    if config is not None:
        spec = WorkerSpec(worker_id="audit", image=_STAND_IN)
        names += [question.name for question in configured_questions(config, spec, configured_features(config))]
    skipped = (AuditStep(name, AuditStatus.SKIPPED, "there is no usable configuration") for name in names)
    return AuditReport((first, *skipped))


def _ask(question: Question, timeout: float) -> Operation[tuple[Outcome, ...]]:
    """The outcomes of its requests; a connection that fails ends it early."""
    outcomes: list[Outcome] = []
    for request in question.requests:
        outcomes.append((yield from exchange(request, timeout)))
        if isinstance(outcomes[-1], TransportError):
            break
    return tuple(outcomes)


def _fresh(spec: WorkerSpec | None) -> Operation[WorkerSpec]:
    """Under an id that no worker has: a dry run of a name that is taken says nothing."""
    worker_id = f"audit-{int((yield from Random()) * 2**40):010x}"
    if spec is None:
        return WorkerSpec(worker_id=worker_id, image=_STAND_IN)
    return msgspec.structs.replace(spec, worker_id=worker_id)


def _report(steps: list[AuditStep], target: Target | None) -> AuditReport:
    return AuditReport(tuple(steps), str(target or ""))
