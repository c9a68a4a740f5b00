"""One text for sync and async: what is sync is called inside coroutines that never suspend.

async def scenario(channel): ...          # written once, against an async channel

await scenario(async_channel)
drive(scenario(NeverSuspending(sync_channel)))
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

R = TypeVar("R")


class NeverSuspending:
    """The methods of a sync channel, and of the bodies that it opens, as coroutine functions."""

    def __init__(self, wrapped: Any) -> None:
        self.wrapped = wrapped

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.wrapped, name)
        if not callable(value):
            return value

        async def call(*args: Any, **kwargs: Any) -> Any:
            result = value(*args, **kwargs)
            return NeverSuspending(result) if name == "open" else result

        return call


def drive(coroutine: Coroutine[Any, Any, R]) -> R:
    """Run a coroutine that never suspends. Raises: RuntimeError: it did."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: R = end.value
        return result
    coroutine.close()
    raise RuntimeError("a coroutine suspended, and there is no event loop")
