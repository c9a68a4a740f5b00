"""A create that was refused gives the same kind of verdict as a Pod that fails."""

from __future__ import annotations

import pytest

from hodei_k8s_core.api_status import Status, StatusCause
from hodei_k8s_core.diagnosis import verdict_of_refusal
from hodei_k8s_core.verdict import Blame, Category

C, B = Category, Blame
POD = 'pods "hodei-worker-w" is forbidden: '

REFUSALS = {
    "quota": (
        Status(403, "Forbidden", POD + "exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1"),
        *(C.QUOTA_EXCEEDED, B.CAPACITY, True, True, "quota of the namespace"),
    ),
    "service account": (
        Status(403, "Forbidden", POD + 'error looking up service account n/x: serviceaccount "x" not found'),
        *(C.CONFIG_INVALID, B.CONFIGURATION, True, False, "service account"),
    ),
    "namespace ends": (
        Status(403, "Forbidden", POD + "unable to create new content in namespace n because it is being terminated"),
        *(C.ADMISSION_DENIED, B.OPERATOR, True, False, "being deleted"),
    ),
    "pod security": (
        Status(403, "Forbidden", POD + 'violates PodSecurity "restricted:latest": runAsNonRoot != true'),
        *(C.ADMISSION_DENIED, B.CONFIGURATION, True, False, "not what the namespace allows"),
    ),
    "limit range": (
        Status(403, "Forbidden", POD + "maximum cpu usage per Container is 1, but limit is 2"),
        *(C.ADMISSION_DENIED, B.CONFIGURATION, True, False, "maximum cpu usage"),
    ),
    "webhook": (
        Status(400, "BadRequest", 'admission webhook "x.io" denied the request: no'),
        *(C.ADMISSION_DENIED, B.OPERATOR, True, False, "policy of the cluster"),
    ),
    "webhook does not answer": (
        Status(500, "InternalError", 'Internal error: failed calling webhook "x.io": context deadline exceeded'),
        *(C.ADMISSION_DENIED, B.PLATFORM, False, True, "does not answer"),
    ),
    "no permission": (
        Status(403, "Forbidden", 'pods is forbidden: User "x" cannot create resource "pods"'),
        *(C.CONFIG_INVALID, B.OPERATOR, True, False, "credentials"),
    ),
    "no credentials": (Status(401, "Unauthorized"), C.CONFIG_INVALID, B.OPERATOR, True, False, "credentials"),
    "no namespace": (
        Status(404, "NotFound", 'namespaces "n" not found', kind="namespaces"),
        *(C.CONFIG_INVALID, B.CONFIGURATION, True, False, "namespace does not exist"),
    ),
    "name taken": (Status(409, "AlreadyExists", "x"), C.CONFIG_INVALID, B.CONFIGURATION, True, False, "its name"),
    "image": (
        Status(422, "Invalid", "x", causes=(StatusCause("spec.containers[0].image", "Required", "Required value"),)),
        *(C.IMAGE_INVALID, B.IMAGE, True, False, "image's name"),
    ),
    "field": (
        Status(422, "Invalid", "x", causes=(StatusCause("spec.containers[0].image"), StatusCause("spec.tolerations"))),
        *(C.CONFIG_INVALID, B.CONFIGURATION, True, False, "not a valid Pod"),
    ),
    "invalid": (Status(422, "Invalid", "x"), C.CONFIG_INVALID, B.CONFIGURATION, True, False, "valid Pod"),
    "overloaded": (Status(429, "TooManyRequests", "x", retry_after=3), C.UNKNOWN, B.PLATFORM, False, True, "answer"),
    "broken": (Status(503, "ServiceUnavailable", "x"), C.UNKNOWN, B.PLATFORM, False, True, "could not answer"),
    "something else": (Status(418, "Teapot", "short and stout"), C.UNKNOWN, B.CONFIGURATION, True, False, "stout"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_what_a_refusal_means(name: str) -> None:
    status, category, blame, terminal, retryable, words = REFUSALS[name]
    verdict = verdict_of_refusal(status)
    assert (verdict.category, verdict.blame, verdict.terminal, verdict.retryable) == (
        category,
        blame,
        terminal,
        retryable,
    )
    assert words in verdict.summary
    assert verdict.evidence[0].says == status.message
    assert str(status.code) in verdict.evidence[0].source
    assert len(verdict.evidence) == 1 + len(status.causes)
    assert verdict.recheck_after == status.retry_after
    assert str(verdict) == f"{category.value}: {verdict.summary}"
