"""Who may use a connection, and which: decisions only. They close and wait for nothing; who calls does."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

W = TypeVar("W")
L = TypeVar("L")


class Turns(Generic[W]):
    """At most `limit` at once; those who have to wait come in the order in which they came."""

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._line: deque[W] = deque()

    def take(self) -> bool:
        """Whether it is the caller's turn at once; otherwise they line up."""
        if self._free == 0:
            return False
        self._free -= 1
        return True

    def line_up(self, waiter: W) -> None:
        """It gets its turn from a `give_back`."""
        self._line.append(waiter)

    def leave(self, waiter: W) -> bool:
        """A waiter gives up. False: it has its turn already, and has to give that back."""
        try:
            self._line.remove(waiter)
        except ValueError:
            return False
        return True

    def give_back(self) -> W | None:
        """A turn is over; whose turn it is now (tell them), or None."""
        if self._line:
            return self._line.popleft()
        self._free += 1
        return None

    def everyone(self) -> list[W]:
        """Who waits."""
        return list(self._line)


class IdlePool(Generic[L]):
    """Connections that wait for a request: at most `keep`, each for at most `expiry` seconds.

    What a method returns or yields is no longer in the pool.
    """

    def __init__(self, keep: int, expiry: float) -> None:
        self._keep = keep
        self._expiry = expiry
        self._idle: deque[tuple[float, L]] = deque()

    def take(self) -> L | None:
        """The one that was used last: the others may expire."""
        return self._idle.pop()[1] if self._idle else None

    def put(self, link: L, now: float) -> L | None:
        """Keep a connection; what there is no room for is to be closed."""
        self._idle.append((now, link))
        return self._idle.popleft()[1] if len(self._idle) > self._keep else None

    def expired(self, now: float) -> Iterator[L]:
        """Those whose time is over, to be closed."""
        while self._idle and now - self._idle[0][0] >= self._expiry:
            yield self._idle.popleft()[1]

    def drain(self) -> Iterator[L]:
        """All, to be closed."""
        while self._idle:
            yield self._idle.popleft()[1]
