"""A bound on the time of a whole operation, as a combinator: it asks the clock before every effect that can take time.

What takes time is capped to what is left, and when nothing is left `DeadlineExceeded` is thrown in at that effect, so
that the operation can say what it knows (and `with_deadline` says at which step it was).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

import msgspec

from hodei_k8s_core.api_status import Status
from hodei_k8s_core.effects import Monotonic, Observe, Open, Read, Send, Sleep
from hodei_k8s_core.errors import HodeiK8sError, ProviderError, Timeout, TransportError
from hodei_k8s_core.observations import StepStarted

R = TypeVar("R")
Y = TypeVar("Y")

_TIME_OF: dict[Any, str] = {Send: "timeout", Open: "timeout", Read: "silence_limit", Sleep: "seconds"}


class DeadlineExceeded(HodeiK8sError):
    """Thrown into an operation whose time is over. What it learns on its way out goes into the error."""

    def __init__(self, owner: object, step: str) -> None:
        super().__init__(step)
        self.owner = owner
        self.step = step
        self.attempts = 0
        self.status: Status | None = None
        self.failure: TransportError | None = None

    def learn(self, attempts: int, failure: Status | TransportError | None) -> None:
        """Keep what the interrupted call met last."""
        self.attempts = attempts
        if isinstance(failure, Status):
            self.status = failure
        else:
            self.failure = failure

    def to_error(self, kind: type[ProviderError], summary: str, **known: Any) -> ProviderError:
        """The error for the caller, with everything that is known."""
        return kind(summary, step=self.step, attempts=self.attempts, status=self.status, failure=self.failure, **known)


def with_deadline(operation: Generator[Y, Any, R], seconds: float, *, what: str) -> Generator[Y | Monotonic, Any, R]:
    """Run `operation` for at most `seconds`.

    Raises: Timeout, unless the operation itself turns `DeadlineExceeded` into an error that says more.
    """
    owner = object()
    end = (yield from Monotonic()) + seconds
    step = what
    resume: Any = None
    thrown: BaseException | None = None
    while True:
        try:
            effect = operation.send(resume) if thrown is None else operation.throw(thrown)
        except StopIteration as stop:
            result: R = stop.value
            return result
        except DeadlineExceeded as expired:
            if expired.owner is not owner:
                raise
            raise expired.to_error(Timeout, f"{what} did not end within {seconds:g} s") from None
        resume, thrown = None, None
        if isinstance(effect, Observe) and isinstance(effect.observation, StepStarted):
            step = effect.observation.step
        elif type(effect) in _TIME_OF:
            left = end - (yield from Monotonic())
            if left <= 0:
                thrown = DeadlineExceeded(owner, step)
                continue
            effect = _capped(effect, left)
        try:
            resume = yield effect
        except GeneratorExit:
            operation.close()
            raise
        except Exception as error:  # noqa: BLE001 - whatever is thrown in is for the operation
            thrown = error


def _capped(effect: Any, left: float) -> Any:
    name = _TIME_OF[type(effect)]
    return effect if getattr(effect, name) <= left else msgspec.structs.replace(effect, **{name: left})


def step(operation: str, name: str) -> Generator[Observe, None, None]:
    """Say that `operation` enters the step `name`."""
    yield from Observe(StepStarted(operation, name))
