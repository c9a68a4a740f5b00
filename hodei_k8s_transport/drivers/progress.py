"""A generator under way: what it asks for now, and the ways to go on. Both drivers move operations by this alone."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

from hodei_k8s_core.effects import Effect, Emit, StopRequested
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault

R = TypeVar("R")


class WaitBrokenOff(Exception):
    """An effect was not performed to its end since a stop was requested or the provider closed."""


def interrupted_error() -> TransportError:
    """What a stream's operation meets at an effect whose caller broke off the wait."""
    return TransportError(TransportFault.INTERRUPTED, Delivery.MAYBE_SENT, "the caller broke off the wait")


class Progress(Generic[R]):
    """Moves one operation from suspension to suspension.

    `effect`: what it waits for, once started. Whatever leaves the generator (its own error, `StopRequested` that it
    did not handle) leaves the method that moved it.
    """

    def __init__(self, operation: Generator[Any, Any, R]) -> None:
        self._operation = operation
        self._started = False
        self._ended = False
        self._stops_obeyed = 0
        self._result: R | None = None
        self._has_result = False
        self.effect: Effect | Emit[Any] | None = None

    @property
    def ended(self) -> bool:
        return self._ended

    @property
    def started(self) -> bool:
        return self._started

    @property
    def has_result(self) -> bool:
        """It has returned."""
        return self._has_result

    @property
    def result(self) -> R:
        """What the operation returned. Raises: RuntimeError: it did not return (yet)."""
        if not self._has_result:
            raise RuntimeError("the operation has not returned, so there is no result")
        return self._result  # type: ignore[return-value]

    def start(self) -> None:
        """Run to the first suspension."""
        self._started = True
        self._move(self._operation.__next__)

    def reply(self, value: Any) -> None:
        """The effect was performed."""
        self._move(lambda: self._operation.send(value))

    def fail(self, error: TransportError) -> None:
        """The effect failed."""
        self._move(lambda: self._operation.throw(error))

    def obey(self, requests: int) -> bool:
        """Do what `requests` (of a `Stopper`) ask for and was not done yet; False when there is nothing to do.

        Raises:
            StopRequested: the operation does not handle it, or this was the second one; the operation is to be closed.
        """
        if requests <= self._stops_obeyed:
            return False
        self._stops_obeyed += 1
        if self._stops_obeyed == 1:
            self._move(lambda: self._operation.throw(StopRequested()))
            return True
        raise StopRequested

    def owes_stop(self, requests: int) -> bool:
        """Whether `obey` would do something."""
        return requests > self._stops_obeyed

    def close(self) -> None:
        """End it where it is. Raises: RuntimeError: it yielded an effect while it was closing."""
        self._ended = True
        self._operation.close()

    def _move(self, resume: Callable[[], Any]) -> None:
        if self._ended:
            return
        try:
            self.effect = resume()
        except StopIteration as end:
            self._ended = True
            self._result, self._has_result = end.value, True
        except BaseException:
            self._ended = True
            raise
