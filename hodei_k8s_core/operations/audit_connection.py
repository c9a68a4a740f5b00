"""How far the first request of an audit got: name, TCP, TLS, a Kubernetes API server, and who it takes us for."""

from __future__ import annotations

from typing import Final

import msgspec

from hodei_k8s_core.access.certificate import Certificate
from hodei_k8s_core.access.target import Target
from hodei_k8s_core.api_status import Status
from hodei_k8s_core.audit_report import AuditReport, AuditStatus, AuditStep
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Response
from hodei_k8s_core.operations.audit_questions import (
    Finding,
    Outcome,
    decode_reply,
    failed_finding,
    unreadable_finding,
)
from hodei_k8s_core.operations.failures import error_for

WAY: Final = ("name", "tcp", "tls", "api", "authentication")
"""The steps that every request takes, in order."""
_OK: Final = {
    "name": "the name resolves",
    "tcp": "the connection is made",
    "tls": "the server's certificate is trusted",
    "api": "a Kubernetes API server answers",
}
_STEP_OF: Final[dict[TransportFault, str]] = {
    TransportFault.NAME_NOT_FOUND: "name",
    TransportFault.REFUSED: "tcp",
    TransportFault.UNREACHABLE: "tcp",
    TransportFault.PROXY: "tcp",
    TransportFault.NO_CONNECTION_FREE: "tcp",
    TransportFault.TLS_UNTRUSTED: "tls",
    TransportFault.TLS_NAME: "tls",
    TransportFault.TLS_EXPIRED: "tls",
    TransportFault.TLS: "tls",
    TransportFault.NOT_TLS: "tls",
    TransportFault.CREDENTIALS: "authentication",
}
_STEP_OF_UNSENT: Final = {TransportFault.TIMEOUT: "tcp", TransportFault.CLOSED: "tls"}
"""For faults that can come at any time, when nothing was sent; afterwards it is the server that failed."""
_WHAT: Final = "ask the API server who we are"


class _User(msgspec.Struct, frozen=True):
    username: str = ""
    groups: tuple[str, ...] = ()


class _Who(msgspec.Struct, frozen=True, rename="camel"):
    user_info: _User


class _Review(msgspec.Struct, frozen=True):
    status: _Who


def steps_of_first_reply(outcome: Outcome, target: Target | None, now: float) -> list[AuditStep]:
    """The steps of `WAY`, by what became of a SelfSubjectReview at `now`, in seconds since the epoch."""
    steps = _steps(outcome, target)
    ours = target.certificates.own() if target is not None and target.certificates is not None else None
    if ours is None or not ours.ends_soon(now):
        return steps
    failure = None if isinstance(outcome, Response) else outcome
    return [_with_own_certificate(step, ours, now, explained=ours.explains(failure, now)) for step in steps]


def has_bad_dates(outcome: Outcome) -> bool:
    """The server's certificate is not valid at this time; which dates it has, the failed handshake does not tell."""
    return isinstance(outcome, TransportError) and outcome.fault is TransportFault.TLS_EXPIRED


def with_served_certificate(report: AuditReport, served: Certificate | None, now: float) -> AuditReport:
    """The report with the date of the server's certificate at the step that failed for it."""
    if served is None:
        return report
    steps = (
        msgspec.structs.replace(step, detail=f"{step.detail}; {served.told(now)}") if step.name == "tls" else step
        for step in report.steps
    )
    return msgspec.structs.replace(report, steps=tuple(steps))


def _with_own_certificate(step: AuditStep, ours: Certificate, now: float, *, explained: bool) -> AuditStep:
    """A refusal that it explains, with the mend; the step at which we are known, with a warning."""
    if step.status is AuditStatus.FAILED:
        return msgspec.structs.replace(step, mend=ours.mend(now)) if explained else step
    if step.name != "authentication" or step.status is AuditStatus.SKIPPED:
        return step
    detail = f"{step.detail}; {ours.told(now)}"
    return AuditStep(step.name, AuditStatus.WARNING, detail, step.mend or "get a new client certificate")


def _steps(outcome: Outcome, target: Target | None) -> list[AuditStep]:
    failing, finding = _judge(outcome)
    if failing == "authentication" and isinstance(outcome, TransportError):  # no request was made at all
        unknown = [AuditStep(name, AuditStatus.SKIPPED, "nothing is sent without credentials") for name in WAY[:-1]]
        return [*unknown, AuditStep(failing, *finding)]
    position = WAY.index(failing)
    before = [AuditStep(name, *_passed(name, target)) for name in WAY[:position]]
    after = [AuditStep(name, AuditStatus.SKIPPED, "not reached") for name in WAY[position + 1 :]]
    return [*before, AuditStep(failing, *finding), *after]


def _passed(name: str, target: Target | None) -> Finding:
    if name == "tls" and target is not None and not target.is_encrypted:
        mend = "use https: nobody should run workers with a connection that anyone on the way can read and change"
        return AuditStatus.WARNING, "there is none: plain http, over which no credentials are sent", mend
    if name in ("name", "tcp") and target is not None and target.proxy:
        return AuditStatus.OK, f"{_OK[name]} (that of the proxy {target.proxy})", ""
    return AuditStatus.OK, _OK[name], ""


def _judge(outcome: Outcome) -> tuple[str, Finding]:
    """The step that the request ended at, and what was found there."""
    if isinstance(outcome, TransportError):
        return _step_of(outcome), failed_finding(error_for(outcome, what=_WHAT))
    if isinstance(outcome, Status):
        # Every refusal of the API server is a Status with a reason.
        return ("authentication", _refused(outcome)) if outcome.reason else ("api", _failed_status(outcome))
    review = decode_reply(outcome, _Review)
    if review is None:
        return "api", unreadable_finding("SelfSubjectReview")
    return "authentication", _known_as(review.status.user_info)


def _step_of(error: TransportError) -> str:
    if error.fault in _STEP_OF:
        return _STEP_OF[error.fault]
    return _STEP_OF_UNSENT.get(error.fault, "api") if error.delivery is Delivery.NOT_SENT else "api"


def _known_as(user: _User) -> Finding:
    groups = f" (groups: {', '.join(user.groups)})" if user.groups else ""
    if user.username == "system:anonymous":
        return AuditStatus.WARNING, f"the server takes us for nobody: {user.username}", "give the context a user"
    return AuditStatus.OK, f"the server takes us for {user.username}{groups}", ""


def _refused(status: Status) -> Finding:
    if status.is_forbidden and "cannot impersonate" in status.message:
        mend = "permit this user to impersonate, or take `as`, `as-groups` and the like out of the kubeconfig's user"
        return AuditStatus.FAILED, f"the user may not impersonate; the server said: {status}", mend
    if status.is_forbidden and '"system:anonymous"' in status.message:
        return AuditStatus.FAILED, f"no credentials were sent; the server said: {status}", "give the context a user"
    if status.is_unauthorized or status.is_retryable:
        return _failed_status(status)
    return AuditStatus.WARNING, f"the server does not say who we are: {status}", ""


def _failed_status(status: Status) -> Finding:
    return failed_finding(error_for(status, what=_WHAT))
