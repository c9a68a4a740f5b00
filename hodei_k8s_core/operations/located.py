"""Errors that come of the connection say what was connected to, by whose word, and which certificate has expired."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

from hodei_k8s_core.access.target import Target
from hodei_k8s_core.effects import WallClock
from hodei_k8s_core.errors import AuthenticationFailed, ConnectionFailed, ProviderError

R = TypeVar("R")
Y = TypeVar("Y")


def located(operation: Generator[Y, Any, R], target: Target) -> Generator[Y | WallClock, Any, R]:
    """Run `operation`; `target` goes into the errors that are about the way to the server, or who we are to it."""
    try:
        return (yield from operation)
    except ProviderError as error:
        if _is_about_the_way(error):
            error.target = str(target)
            yield from _look_at_certificate(error, target)
        raise


def _look_at_certificate(error: ProviderError, target: Target) -> Generator[WallClock, Any, None]:
    """Say so where the server refused us and our certificate has expired: neither a 401 nor an alert tells why."""
    ours = target.certificates.own() if target.certificates is not None else None
    if ours is None:
        return
    now = yield from WallClock()
    if ours.explains(error.failure or error.status, now):
        error.mend = ours.mend(now)


def _is_about_the_way(error: ProviderError) -> bool:
    return (
        error.failure is not None
        or isinstance(error, ConnectionFailed | AuthenticationFailed)
        or (error.status is not None and (error.status.is_namespace_missing or not error.status.reason))
    )
