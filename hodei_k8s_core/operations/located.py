"""Errors that come of the connection say what was connected to, and by whose word."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

from hodei_k8s_core.errors import AuthenticationFailed, ConnectionFailed, ProviderError

R = TypeVar("R")
Y = TypeVar("Y")


def located(operation: Generator[Y, Any, R], target: str) -> Generator[Y, Any, R]:
    """Run `operation`; `target` goes into the errors that are about the way to the server, or who we are to it."""
    try:
        return (yield from operation)
    except ProviderError as error:
        if _is_about_the_way(error):
            error.target = target
        raise


def _is_about_the_way(error: ProviderError) -> bool:
    return (
        error.failure is not None
        or isinstance(error, ConnectionFailed | AuthenticationFailed)
        or (error.status is not None and (error.status.is_namespace_missing or not error.status.reason))
    )
