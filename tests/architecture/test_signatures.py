"""The sync and the async provider are twins: the same methods, parameters, defaults, annotations and documentation.

They differ in what asks them to: a coroutine for a call, `Async` in the name of a type, `await` in an example.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

from hodei_k8s_transport.async_provider import AsyncKubernetesProvider
from hodei_k8s_transport.provider import KubernetesProvider

# `connect` and `fleet` give a context manager; `close` ends what runs, and waits for nothing.
NOT_A_COROUTINE = {"connect", "close", "fleet"}
OTHER_WORDS = {"close": "threads have their connections closed at once; of tasks that is the block of `connect`"}


def public(provider: type) -> dict[str, Any]:
    """Every public attribute as it stands in a class, its bases included."""
    return {name: inspect.getattr_static(provider, name) for name in dir(provider) if not name.startswith("_")}


def function(attribute: Any) -> Callable[..., Any]:
    """The function that was written, under `classmethod`, `property` and context managers."""
    inner: Any = attribute.fget if isinstance(attribute, property) else getattr(attribute, "__func__", attribute)
    unwrapped: Callable[..., Any] = inspect.unwrap(inner)
    return unwrapped


def without_async(text: str) -> str:
    return re.sub(r"\bAsync(?=[A-Z])|\bSync(?=Stream)", "", text.replace("AsyncKubernetes", "Kubernetes"))


def parameters(attribute: Any) -> list[tuple[str, str, Any, str]]:
    """Name, kind, default and annotation of each; annotations as they are written."""
    return [
        (p.name, p.kind.name, p.default, without_async(str(p.annotation)))
        for p in inspect.signature(function(attribute)).parameters.values()
    ]


def returned(attribute: Any) -> str:
    return without_async(str(inspect.signature(function(attribute)).return_annotation))


def documentation(attribute: Any) -> str:
    return " ".join(without_async(function(attribute).__doc__ or "").replace("await ", "").split())


def differences(sync: Any, other: Any, name: str) -> list[str]:
    """In what the two methods of that name are not twins."""
    streams = "Stream" in returned(sync)
    is_call = inspect.isfunction(sync) and not streams and name not in NOT_A_COROUTINE
    told = {
        "kind of attribute": (type(sync), type(other)),
        "parameters": (parameters(sync), parameters(other)),
        "return annotation": (returned(sync), returned(other)),
        "documentation": (documentation(sync), documentation(other)) if name not in OTHER_WORDS else (1, 1),
        "coroutine": (
            is_call and sync is not other,
            inspect.iscoroutinefunction(function(other)) and name != "connect",
        ),
        "coroutine of the sync one": (False, inspect.iscoroutinefunction(function(sync))),
    }
    return [f"{what}: {a!r} and {b!r}" for what, (a, b) in told.items() if a != b]


def test_the_two_have_the_same_public_names() -> None:
    assert set(public(KubernetesProvider)) == set(public(AsyncKubernetesProvider))
    assert {"connect", "create_worker", "destroy_worker", "follow_worker_logs"} <= set(public(KubernetesProvider))


@pytest.mark.parametrize("name", sorted(public(KubernetesProvider).keys() & public(AsyncKubernetesProvider).keys()))
def test_the_two_methods_are_twins(name: str) -> None:
    assert not differences(public(KubernetesProvider)[name], public(AsyncKubernetesProvider)[name], name)


@pytest.mark.parametrize("name", sorted(public(KubernetesProvider)))
def test_every_method_says_what_it_is_for(name: str) -> None:
    assert documentation(public(KubernetesProvider)[name])


class Sync:
    def call(self, handle: str, *, timeout: float = 1.0) -> int:
        """Call."""
        return 1

    def stream(self) -> SyncStream[int]:  # type: ignore[name-defined] # noqa: F821 - never evaluated
        """Stream."""


class Async:
    async def call(self, handle: str, *, timeout: float = 1.0) -> int:
        """Call."""
        return 1

    def stream(self) -> AsyncStream[int]:  # type: ignore[name-defined] # noqa: F821 - never evaluated
        """Stream."""


class Drifted:
    async def other_default(self, handle: str, *, timeout: float = 2.0) -> int:
        """Call."""
        return 1

    async def other_kind(self, handle: str, timeout: float = 1.0) -> int:
        """Call."""
        return 1

    async def other_annotation(self, handle: str | None, *, timeout: float = 1.0) -> int:
        """Call."""
        return 1

    async def other_return(self, handle: str, *, timeout: float = 1.0) -> str:
        """Call."""
        return ""

    async def other_words(self, handle: str, *, timeout: float = 1.0) -> int:
        """Calls."""
        return 1

    def no_coroutine(self, handle: str, *, timeout: float = 1.0) -> int:
        """Call."""
        return 1


@pytest.mark.parametrize("name", sorted(public(Drifted)))
def test_a_method_that_drifted_is_found(name: str) -> None:
    assert differences(Sync.call, public(Drifted)[name], "call")


def test_twins_are_not() -> None:
    assert not differences(Sync.call, Async.call, "call")
    assert not differences(Sync.stream, Async.stream, "stream")
