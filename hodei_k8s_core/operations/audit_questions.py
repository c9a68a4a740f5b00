"""What an audit asks once it is connected: requests, and what their outcomes mean, as values."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import partial
from typing import Final, TypeAlias, TypeVar

import msgspec

from hodei_k8s_core.audit_report import AuditStatus, AuditStep
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import ConfigurationError, ProviderError
from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.manifest import encode_worker_pod
from hodei_k8s_core.operations.failures import error_for
from hodei_k8s_core.permissions import Feature, Rule, rules_for
from hodei_k8s_core.requests import access_review, dry_run_pod, get_namespace, server_version
from hodei_k8s_core.retry import Failure
from hodei_k8s_core.spec.worker_spec import WorkerSpec

T = TypeVar("T")
Outcome: TypeAlias = Response | Failure
Finding: TypeAlias = tuple[AuditStatus, str, str]
"""Status, detail and mend of a step."""

OLDEST_SERVER: Final = (1, 34)
NEWEST_SERVER: Final = (1, 37)
"""The releases that this library is tested against."""
_RELEASE: Final = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})\+?")  # providers write 34+
_HOW_TO_GRANT: Final = "`hodei-k8s rbac` prints what to grant"


class Question(msgspec.Struct, frozen=True):
    """One step: what is sent (in turn), and what to make of the outcomes (as many as were asked)."""

    name: str
    requests: tuple[Request, ...]
    find: Callable[[tuple[Outcome, ...]], Finding]
    needs_namespace: bool = False

    def judge(self, outcomes: tuple[Outcome, ...]) -> AuditStep:
        """The step that these outcomes make."""
        return AuditStep(self.name, *self.find(outcomes))

    def skipped(self, why: str) -> AuditStep:
        """The step that was not taken."""
        return AuditStep(self.name, AuditStatus.SKIPPED, why)


class _Phase(msgspec.Struct, frozen=True):
    phase: str = ""


class _Namespace(msgspec.Struct, frozen=True):
    kind: str
    status: _Phase = _Phase()


class _Answer(msgspec.Struct, frozen=True):
    allowed: bool
    reason: str = ""


class _AccessReview(msgspec.Struct, frozen=True):
    status: _Answer


class _Version(msgspec.Struct, frozen=True, rename="camel"):
    major: str
    minor: str
    git_version: str = ""


def configured_questions(
    config: KubernetesConfig, spec: WorkerSpec, features: Collection[Feature]
) -> tuple[Question, ...]:
    """Namespace, Pod, permissions, version."""
    return (
        Question("namespace", (get_namespace(config.namespace),), partial(_find_namespace, config.namespace)),
        _pod_question(config, spec),
        *(_permission_question(rule, config.namespace) for rule in rules_for(features)),
        Question("version", (server_version(),), _find_version),
    )


def _find_namespace(namespace: str, outcomes: tuple[Outcome, ...]) -> Finding:
    outcome = outcomes[0]
    if not isinstance(outcome, Response):
        error = error_for(outcome, what=f"read the namespace {namespace}")
        if error.status is not None and error.status.is_forbidden:
            detail = f"{namespace} may not be read, so a missing one would look like an empty one"
            return AuditStatus.WARNING, detail, _HOW_TO_GRANT
        if error.status is not None and error.status.is_not_found:
            mend = f"kubectl create namespace {namespace} (or --create-namespace), or set another one"
            return AuditStatus.FAILED, f"{namespace} does not exist", mend
        return failed_finding(error)
    phase = decode_reply(outcome, _Namespace)
    if phase is None:
        return unreadable_finding("Namespace")
    if phase.status.phase == "Terminating":
        return AuditStatus.FAILED, f"{namespace} is being deleted", "wait until it is gone, and create it again"
    return AuditStatus.OK, f"{namespace} exists", ""


def _pod_question(config: KubernetesConfig, spec: WorkerSpec) -> Question:
    try:
        body = encode_worker_pod(spec, config)
    except ConfigurationError as error:
        refused: Finding = (AuditStatus.FAILED, "; ".join(map(str, error.faults)), "correct what is named here")
        return Question("pod", (), lambda _: refused)
    return Question("pod", (dry_run_pod(config.namespace, body),), _find_pod, needs_namespace=True)


def _find_pod(outcomes: tuple[Outcome, ...]) -> Finding:
    outcome = outcomes[0]
    if not isinstance(outcome, Response):
        return failed_finding(error_for(outcome, what="create a worker's Pod (as a dry run)"))
    warnings = [value.partition('"')[2].rstrip('"') for name, value in outcome.headers if name == "warning"]
    if warnings:
        return AuditStatus.WARNING, f"a worker's Pod is accepted, with a warning: {'; '.join(warnings)}", ""
    return AuditStatus.OK, "a worker's Pod is accepted (server-side dry run)", ""


def _permission_question(rule: Rule, namespace: str) -> Question:
    resource, _, subresource = rule.resource.partition("/")
    where = "" if rule.is_cluster_scoped else namespace
    reviews = tuple(
        access_review(verb, resource, namespace=where, subresource=subresource, group=rule.group) for verb in rule.verbs
    )
    return Question(f"permission:{rule.feature.value}:{rule.resource}", reviews, partial(_find_permission, rule, where))


def _find_permission(rule: Rule, namespace: str, outcomes: tuple[Outcome, ...]) -> Finding:
    unknown = AuditStatus.FAILED if rule.is_required else AuditStatus.WARNING
    what = f"{rule.full_resource} {f'in {namespace}' if namespace else 'in the whole cluster'}"
    refused = []
    for verb, outcome in zip(rule.verbs, outcomes, strict=False):
        if not isinstance(outcome, Response):
            _, detail, mend = failed_finding(error_for(outcome, what=f"ask whether we may {verb} {what}"))
            return unknown, detail, mend
        answer = decode_reply(outcome, _AccessReview)
        if answer is None:
            return unreadable_finding("SelfSubjectAccessReview")
        refused += [] if answer.status.allowed else [verb]
    if refused:
        return unknown, f"may not {', '.join(refused)} {what}; it is for this: {rule.reason}", _HOW_TO_GRANT
    return AuditStatus.OK, f"may {', '.join(rule.verbs)} {what}", ""


def _find_version(outcomes: tuple[Outcome, ...]) -> Finding:
    outcome = outcomes[0]
    if not isinstance(outcome, Response):
        _, detail, mend = failed_finding(error_for(outcome, what="read the server's version"))
        return AuditStatus.WARNING, detail, mend
    told = decode_reply(outcome, _Version)
    parts = _RELEASE.fullmatch(f"{told.major}.{told.minor}") if told is not None else None
    if told is None or parts is None:
        return AuditStatus.WARNING, "the server's version cannot be read from its reply", ""
    numbers = int(parts[1]), int(parts[2])
    version = told.git_version or parts[0]
    supported = f"{_dotted(OLDEST_SERVER)} to {_dotted(NEWEST_SERVER)}"
    if not OLDEST_SERVER <= numbers <= NEWEST_SERVER:
        return AuditStatus.WARNING, f"{version} is not among what is tested: {supported}", ""
    return AuditStatus.OK, f"{version} (supported: {supported})", ""


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def failed_finding(error: ProviderError) -> Finding:
    """What an error says, with the mend apart."""
    detail = error.summary
    if error.status is not None:
        detail = f"{detail}; the server said: {error.status}"
    if error.failure is not None:
        detail = f"{detail}; {error.failure}"
    return AuditStatus.FAILED, detail, error.mend


def unreadable_finding(kind: str) -> Finding:
    return AuditStatus.FAILED, f"the reply is not a {kind}: a Kubernetes API server would send one", ""


def decode_reply(reply: Response, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(reply.body, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
