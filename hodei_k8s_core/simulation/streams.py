"""Replies whose body is still arriving: what a cluster gives for a watch or a followed log."""

from __future__ import annotations

from typing import Protocol

from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Headers, Response


class OpenReply(Protocol):
    """The head of a reply, and its bytes as time brings them."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Headers: ...
    def read(self, now: float) -> bytes | None:
        """What has come since the last read: None is nothing yet, b"" is the clean end.

        Raises: TransportError when the connection was cut.
        """
        ...

    def next_event_at(self, now: float) -> float | None:
        """When, after `now`, there may be more to read for reasons of its own (a time limit, a line of a log)."""
        ...

    def close(self) -> None: ...


class Connection:
    """The state that every open reply shares: open, cut by the server, or let go by the client."""

    def __init__(self, headers: Headers) -> None:
        self.status = 200
        self.headers = headers
        self.is_open = True
        self._is_cut = False

    def cut(self) -> None:
        """The server went away: the next read fails."""
        self._is_cut = True
        self.is_open = False

    def close(self) -> None:
        self.is_open = False

    def raise_if_cut(self) -> None:
        if self._is_cut:
            raise TransportError(TransportFault.CLOSED, Delivery.ANSWERED, "the server closed the connection")


class WholeReply:
    """A reply that is there at once, read like a stream."""

    def __init__(self, response: Response) -> None:
        self.status = response.status
        self.headers = response.headers
        self._left = response.body

    def read(self, now: float) -> bytes | None:  # noqa: ARG002 - the time does not matter
        chunk, self._left = self._left, b""
        return chunk

    def next_event_at(self, now: float) -> float | None:  # noqa: ARG002 - everything is there
        return None

    def close(self) -> None:
        self._left = b""
