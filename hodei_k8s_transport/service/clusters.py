"""The providers of a service by their ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from hodei_k8s_core.errors import ConfigurationError, Fault


class _Named(Protocol):
    @property
    def provider_id(self) -> str: ...


P = TypeVar("P", bound=_Named)


def by_id(providers: Iterable[P]) -> dict[str, P]:
    """Raises: ConfigurationError for two of one id: a handle says by it where its worker is."""
    found: dict[str, P] = {}
    for provider in providers:
        if provider.provider_id in found:
            problem = f"{provider.provider_id!r} is the id of two providers; give each its own"
            raise ConfigurationError("the providers cannot be told apart", [Fault("provider_id", problem)])
        found[provider.provider_id] = provider
    return found
