"""The pure driver: runs any operation or stream in virtual time, to its end or to an interruption.

Every yield is a *suspension point*, numbered from 0. At any of them the operation can be closed, or an exception be
thrown in, before or after its effect was performed: that is how the generic tests meet every point of every operation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from hodei_k8s_core.effects import Effect, Emit, Open, Operation, Read, Send, StopRequested, Stream
from hodei_k8s_core.errors import HodeiK8sError, TransportError
from hodei_k8s_core.http import Body, Request
from hodei_k8s_core.observations import Observation
from hodei_k8s_core.simulation.host import SimulatedHost
from hodei_k8s_core.simulation.virtual import SimulationError

R = TypeVar("R")

MAX_EFFECTS = 10_000
_SHOWN = 20


class Close(msgspec.Struct, frozen=True):
    """Close the operation at the suspension point, as a cancelled call does; the effect is not performed."""


class Throw(msgspec.Struct, frozen=True):
    """Throw `error` in, the effect not performed."""

    error: BaseException


class ThrowAfterActing(msgspec.Struct, frozen=True):
    """Perform the effect, forget its reply, throw `error` in."""

    error: BaseException


Interruption: TypeAlias = Close | Throw | ThrowAfterActing


class DidNotEnd(SimulationError):
    """An operation that hangs in a loop."""


class YieldedWhileClosing(SimulationError):
    """An operation that wants something of the world when it is closed."""


class Performed(msgspec.Struct, frozen=True):
    """The effect at one suspension point. `reply` is what was sent in, or the exception that was thrown in."""

    number: int
    at: float
    effect: Any
    reply: Any

    @property
    def request(self) -> Request | None:
        return self.effect.request if isinstance(self.effect, Send | Open) else None

    @property
    def can_fail(self) -> bool:
        """Whether a transport failure can come here."""
        return isinstance(self.effect, Send | Open | Read)

    def __str__(self) -> str:
        return f"#{self.number} at {self.at:.3f} s: {self.effect!r} -> {self.reply!r}"


class Outcome(msgspec.Struct, Generic[R]):
    """What became of an operation.

    `error`: what it raised (this library's errors, and what was thrown in), else None. `closed_at`: where it was
    closed, else None. `bodies_left`: how many bodies the driver had to close for it.
    """

    effects: list[Performed] = []
    emitted: list[Any] = []
    observations: list[Observation] = []
    started: float = 0.0
    ended: float = 0.0
    error: BaseException | None = None
    closed_at: int | None = None
    bodies_left: int = 0
    returned: R | None = None

    @property
    def result(self) -> R:
        """What it returned. Raises: what it raised; SimulationError when it was closed."""
        if self.error is not None:
            raise self.error
        if self.closed_at is not None:
            raise SimulationError(f"the operation was closed at suspension point {self.closed_at}")
        return self.returned  # type: ignore[return-value] # it returned: this is an R, which may be None

    @property
    def seconds(self) -> float:
        return self.ended - self.started

    @property
    def requests(self) -> list[Request]:
        """Every request that it sent, in order."""
        return [step.request for step in self.effects if step.request is not None]

    def transcript(self, last: int | None = None) -> str:
        """The effects as text, the last `last` of them."""
        return "\n".join(map(str, self.effects if last is None else self.effects[-last:]))


def run(
    operation: Operation[R] | Stream[Any, R],
    host: SimulatedHost,
    *,
    interrupt: Mapping[int, Interruption] | None = None,
    on_emit: Callable[[Sequence[Any]], Interruption | None] | None = None,
    max_effects: int = MAX_EFFECTS,
) -> Outcome[R]:
    """Run an operation to its end.

    `interrupt`: what happens at which suspension point. `on_emit` sees every batch, and may interrupt the stream.

    Raises: DidNotEnd after `max_effects` effects; YieldedWhileClosing; and what no operation may raise, which is a bug.
    """
    interruptions = dict(interrupt or {})
    outcome: Outcome[R] = Outcome(started=host.clock.now)
    seen = len(host.observations), len(host.emitted)
    expected: list[type[BaseException]] = [HodeiK8sError, StopRequested]
    expected += [type(one.error) for one in interruptions.values() if not isinstance(one, Close)]
    try:
        _drive(operation, host, outcome, interruptions, on_emit, max_effects)
    except StopIteration as end:
        outcome.returned = end.value
    except tuple(expected) as error:
        outcome.error = error
    outcome.bodies_left = host.close_bodies()
    outcome.ended = host.clock.now
    outcome.observations, outcome.emitted = host.observations[seen[0] :], host.emitted[seen[1] :]
    return outcome


def _drive(
    operation: Operation[R] | Stream[Any, R],
    host: SimulatedHost,
    outcome: Outcome[R],
    interruptions: Mapping[int, Interruption],
    on_emit: Callable[[Sequence[Any]], Interruption | None] | None,
    max_effects: int,
) -> None:
    """Until the operation is closed. Raises: StopIteration when it returns, and what it raises."""
    effect = next(operation)
    while True:
        number, at = len(outcome.effects), host.clock.now
        if number >= max_effects:
            _close(operation, number)
            raise DidNotEnd(f"did not end within {max_effects} effects; the last:\n{outcome.transcript(_SHOWN)}")
        reply = _reply(host, effect, interruptions.get(number))
        if on_emit is not None and isinstance(effect, Emit):
            reply = _reply_to(on_emit(effect.items), reply)
        outcome.effects.append(Performed(number, at, effect, reply))
        if isinstance(reply, Close):
            _close(operation, number)
            outcome.closed_at = number
            return
        effect = operation.throw(reply) if isinstance(reply, BaseException) else operation.send(reply)


def _reply_to(interruption: Interruption | None, reply: Any) -> Any:
    """What the receiver of a batch wants instead of the reply."""
    if interruption is None or isinstance(interruption, Close):
        return reply if interruption is None else interruption
    return interruption.error


def _reply(host: SimulatedHost, effect: Effect | Emit[Any], interruption: Interruption | None) -> Any:
    """What goes into the operation: a reply, or an exception to throw; `Close` for neither."""
    if isinstance(interruption, Close):
        return interruption
    if isinstance(interruption, Throw):
        _break(host, effect, None, interruption.error)
        return interruption.error
    try:
        reply = host.perform(effect)
    except TransportError as error:
        return error
    if interruption is None:
        return reply
    _break(host, effect, reply, interruption.error)
    return interruption.error


def _break(host: SimulatedHost, effect: object, reply: object, error: BaseException) -> None:
    """A transport failure at a Read is the end of that body; a body whose head never arrived is nobody's."""
    if isinstance(effect, Read) and isinstance(error, TransportError):
        host.break_body(effect.body, error)
    if isinstance(reply, Body):
        host.discard_body(reply)


def _close(operation: Operation[Any] | Stream[Any, Any], number: int) -> None:
    try:
        operation.close()
    except RuntimeError as error:
        if "ignored GeneratorExit" not in str(error):
            raise
        raise YieldedWhileClosing(f"closed at suspension point {number}, it yielded another effect") from error
