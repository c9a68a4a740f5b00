"""What a coordinator is told by the runner of its children, and what it tells that runner to do.

A child is a stream under a name. The runner drives each in a task or a thread of its own, calls the coordinator under
one lock, and obeys the actions that it returns. It moves a child beyond a batch only when there is room for the next
one, so a reader that is slow holds the children up, and no memory fills.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

import msgspec

from hodei_k8s_core.effects import Stream

T_co = TypeVar("T_co", covariant=True)


class Start(msgspec.Struct, frozen=True):
    """Run `stream` as the child of that name; no other has it."""

    child: str
    stream: Stream[Any, Any]


class Stop(msgspec.Struct, frozen=True):
    """Close the child; nothing more comes from it."""

    child: str


Action: TypeAlias = Start | Stop


class Coordinator(Protocol[T_co]):
    """A pure state machine over many streams, whose items come in batches."""

    def begin(self) -> Sequence[Action]:
        """Before anything else, once."""
        ...

    def has_room(self, child: str) -> bool:
        """A batch of that child can be taken now."""
        ...

    def emitted(self, child: str, items: Sequence[Any]) -> Sequence[Action]:
        """A child has a batch, and there was room for it."""
        ...

    def ended(self, child: str, result: Any) -> Sequence[Action]:
        """A child has returned."""
        ...

    def failed(self, child: str, error: Exception) -> Sequence[Action]:
        """A child has raised."""
        ...

    def take(self) -> tuple[str, Sequence[T_co]] | None:
        """The next batch for the caller and the child that has room now; None while there is none."""
        ...

    @property
    def is_over(self) -> bool:
        """Nothing comes after what can be taken."""
        ...

    @property
    def error(self) -> Exception | None:
        """What the caller is to be told when all is taken, or None."""
        ...
