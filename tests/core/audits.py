"""Audits of a server that answers as a test says."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from hodei_k8s_core.access.certificate import Certificate
from hodei_k8s_core.access.target import Target
from hodei_k8s_core.audit_report import AuditReport, AuditStatus
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.coordinators import Audit
from hodei_k8s_core.errors import Delivery
from hodei_k8s_core.permissions import Feature
from tests.core.coordinated import Pick, coordinated, first
from tests.core.told import reply, tell

CONFIG = KubernetesConfig(namespace="ci")
TARGET = Target("https://k8s.example:6443", 'context "x" (/kube/config)')
WHO = "POST /apis/authentication.k8s.io/v1/selfsubjectreviews"
MAY = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
OK, WARNING, FAILED, SKIPPED = AuditStatus.OK, AuditStatus.WARNING, AuditStatus.FAILED, AuditStatus.SKIPPED
NOT_SENT, MAYBE_SENT = Delivery.NOT_SENT, Delivery.MAYBE_SENT

ME = reply({"kind": "SelfSubjectReview", "status": {"userInfo": {"username": "me", "groups": ["a", "b"]}}}, 201)
NAMESPACE = reply({"kind": "Namespace", "status": {"phase": "Active"}})
POD = reply({"kind": "Pod"}, 201)
YES = reply({"status": {"allowed": True}}, 201)
VERSION = reply({"major": "1", "minor": "36", "gitVersion": "v1.36.3"})
FORBIDDEN = 'is forbidden: User "me" cannot'


class Known:
    """Certificates that are as a test says."""

    def __init__(self, own: Certificate | None = None, served: Certificate | None = None) -> None:
        self._own, self._served = own, served

    def own(self) -> Certificate | None:
        return self._own

    def served(self, timeout: float) -> Certificate | None:
        return self._served


def auditing(config: KubernetesConfig, *, pick: Pick = first, **options: Any) -> Generator[Any, Any, AuditReport]:
    """An audit as one generator of effects; by default what stands first is asked to its end first."""
    (report,) = yield from coordinated(Audit(config, **options), pick)
    return report


def audited(
    who: Any = ME,
    namespace: Any = NAMESPACE,
    pod: Any = POD,
    may: tuple[Any, ...] = (YES,),
    version: Any = VERSION,
    features: tuple[Feature, ...] = (Feature.LOGS,),
    target: Target | None = TARGET,
    **options: Any,
) -> AuditReport:
    """The report on a server that answers so; an answer that is None is not asked for."""
    # The Pod comes last: the others began while the namespace was looked at.
    script = [(WHO, who), ("GET namespaces/ci", namespace), *((MAY, one) for one in may)]
    script += [("GET /version", version), ("POST pods", pod)]
    asked = [(line, answer) for line, answer in script if answer is not None]
    told = tell(auditing(CONFIG, target=target, features=features, **options), asked)
    report: AuditReport = told.result
    return report


def only_first(who: Any, **options: Any) -> AuditReport:
    return audited(who, None, None, (), None, **options)


def step(report: AuditReport, name: str) -> Any:
    return next(one for one in report.steps if one.name == name)


def statuses(report: AuditReport) -> dict[str, str]:
    return {one.name: one.status.value for one in report.steps}
