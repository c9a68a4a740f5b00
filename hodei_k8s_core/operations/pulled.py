"""A stream as something to take batches from, for an operation that does other things in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from hodei_k8s_core.effects import Emit, Operation, Stream

T = TypeVar("T")
R = TypeVar("R")


class Pulled(Generic[T, R]):
    """`batch = yield from pulled.next_batch()`; between two calls the stream stands still. `result`: once it ended."""

    def __init__(self, stream: Stream[T, R]) -> None:
        self._stream = stream
        self.result: R | None = None

    def next_batch(self) -> Operation[Sequence[T] | None]:
        """The next batch, which can be empty; None at the end. What the stream raises is raised here."""
        resume: Any = None
        thrown: BaseException | None = None
        while True:
            try:
                effect = self._stream.send(resume) if thrown is None else self._stream.throw(thrown)
            except StopIteration as end:
                self.result = end.value
                return None
            if isinstance(effect, Emit):
                items: Sequence[T] = effect.items
                return items
            resume, thrown = None, None
            try:
                resume = yield effect
            except GeneratorExit:
                self._stream.close()
                raise
            except Exception as error:  # noqa: BLE001 - whatever is thrown in is for the stream
                thrown = error


def absorbed(stream: Stream[T, R], take: Callable[[Sequence[T]], object]) -> Operation[R]:
    """The stream as an operation: its batches go to `take`."""
    pulled = Pulled(stream)
    while (batch := (yield from pulled.next_batch())) is not None:
        take(batch)
    return pulled.result  # type: ignore[return-value] # it has ended: this is an R, which may be None
