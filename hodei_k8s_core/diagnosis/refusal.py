"""A create that the API server refused -> the same kind of verdict that a worker's Pod would get later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hodei_k8s_core.api_status import Status
from hodei_k8s_core.verdict import Blame, Category, Evidence, Verdict

_ACCOUNT_MISSING: Final = "error looking up service account"
_NAMESPACE_ENDS: Final = "because it is being terminated"
_WEBHOOK_FAILED: Final = "failed calling webhook"
_OWN_LIMITS: Final = ("violates PodSecurity", "maximum cpu usage", "maximum memory usage", "minimum ")


def _image_is_wrong(status: Status) -> bool:
    return status.is_invalid and bool(status.causes) and all(c.field.endswith(".image") for c in status.causes)


_RULES: Final[tuple[tuple[Callable[[Status], bool], Category, Blame, bool, bool, str], ...]] = (
    (
        lambda s: _WEBHOOK_FAILED in s.message,
        *(Category.ADMISSION_DENIED, Blame.PLATFORM, False, True),
        "a webhook that must admit it does not answer",
    ),
    (
        lambda s: s.is_quota_exceeded,
        *(Category.QUOTA_EXCEEDED, Blame.CAPACITY, True, True),
        "a quota of the namespace is used up",
    ),
    (
        lambda s: _ACCOUNT_MISSING in s.message,
        *(Category.CONFIG_INVALID, Blame.CONFIGURATION, True, False),
        "its service account does not exist",
    ),
    (
        lambda s: _NAMESPACE_ENDS in s.message,
        *(Category.ADMISSION_DENIED, Blame.OPERATOR, True, False),
        "the namespace is being deleted",
    ),
    (
        lambda s: s.is_admission_denied and any(mark in s.message for mark in _OWN_LIMITS),
        *(Category.ADMISSION_DENIED, Blame.CONFIGURATION, True, False),
        "it is not what the namespace allows",
    ),
    (
        lambda s: s.is_admission_denied,
        *(Category.ADMISSION_DENIED, Blame.OPERATOR, True, False),
        "a policy of the cluster refuses it",
    ),
    (
        lambda s: s.is_unauthorized or s.is_forbidden,
        *(Category.CONFIG_INVALID, Blame.OPERATOR, True, False),
        "the credentials do not allow to create it",
    ),
    (
        lambda s: s.is_namespace_missing,
        *(Category.CONFIG_INVALID, Blame.CONFIGURATION, True, False),
        "the namespace does not exist",
    ),
    (
        lambda s: s.is_already_exists,
        *(Category.CONFIG_INVALID, Blame.CONFIGURATION, True, False),
        "another Pod has its name",
    ),
    (_image_is_wrong, Category.IMAGE_INVALID, Blame.IMAGE, True, False, "the image's name is not one"),
    (lambda s: s.is_invalid, Category.CONFIG_INVALID, Blame.CONFIGURATION, True, False, "it is not a valid Pod"),
    (lambda s: s.is_retryable, Category.UNKNOWN, Blame.PLATFORM, False, True, "the API server could not answer"),
)
"""What a Status means: category, blame, terminal, retryable, and a clause. The first that fits counts."""


def verdict_of_refusal(status: Status) -> Verdict:
    """What a refused create means for the worker that was to be."""
    for applies, category, blame, terminal, retryable, what in _RULES:
        if applies(status):
            return _verdict(status, category, blame, what, terminal=terminal, retryable=retryable)
    return _verdict(
        status, Category.UNKNOWN, Blame.CONFIGURATION, "the API server refused it", terminal=True, retryable=False
    )


def _verdict(
    status: Status, category: Category, blame: Blame, what: str, *, terminal: bool, retryable: bool
) -> Verdict:
    causes = tuple(Evidence(cause.field or "the request", cause.message) for cause in status.causes)
    return Verdict(
        category=category,
        blame=blame,
        terminal=terminal,
        retryable=retryable,
        summary=f"{what}: {status.message}" if status.message else what,
        evidence=(Evidence(f"reply {status.code} {status.reason}".strip(), status.message), *causes),
        recheck_after=status.retry_after,
    )
