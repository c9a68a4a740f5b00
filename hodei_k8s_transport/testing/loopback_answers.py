"""What a loopback server can answer: right replies, broken ones, and bodies that a test writes while they are open."""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable

import msgspec

HEAD_END = b"\r\n\r\n"


class Afterwards(enum.Enum):
    """What a connection does after the bytes of a reply."""

    KEEP = "wait for the next request"
    CLOSE = "close"
    RESET = "close with a reset"
    STALL = "say nothing until the client goes or the server ends"


class Reply(msgspec.Struct, frozen=True):
    """Bytes on the wire, and what comes after them. `pause`: seconds before each byte, for a slow server."""

    wire: bytes
    afterwards: Afterwards = Afterwards.KEEP
    pause: float = 0.0


class ReceivedRequest(msgspec.Struct, frozen=True):
    """A request as it arrived; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


class LiveBody:
    """A chunked reply that a test writes while it is open; every connection gets it from its beginning."""

    def __init__(self, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self._changed = threading.Condition()
        self._pieces: list[bytes] = [_head(200, (("transfer-encoding", "chunked"), *headers))]
        self._afterwards: Afterwards | None = None

    def send(self, data: bytes) -> None:
        self._add(f"{len(data):x}\r\n".encode() + data + b"\r\n", None)

    def end(self) -> None:
        """Complete the body; the connection is kept."""
        self._add(b"0\r\n\r\n", Afterwards.KEEP)

    def cut(self, afterwards: Afterwards = Afterwards.CLOSE) -> None:
        """Close the connection with the body incomplete."""
        self._add(b"", afterwards)

    def _add(self, piece: bytes, afterwards: Afterwards | None) -> None:
        with self._changed:
            self._pieces.append(piece)
            self._afterwards = self._afterwards or afterwards
            self._changed.notify_all()

    def piece(self, index: int, limit: float) -> bytes | Afterwards | None:
        """For the server: the piece `index`, what comes after the last, or None when there is none yet."""
        with self._changed:
            self._changed.wait_for(lambda: index < len(self._pieces) or self._afterwards is not None, limit)
            return self._pieces[index] if index < len(self._pieces) else self._afterwards


Answer = Reply | LiveBody
Route = Answer | Callable[[ReceivedRequest], Answer]


def reply(status: int = 200, body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """A reply that is right."""
    return Reply(_head(status, (("content-length", str(len(body))), *headers)) + body)


def chunked_reply(pieces: tuple[bytes, ...], headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """A complete reply with its body in chunks."""
    body = b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces)
    return Reply(_head(200, (("transfer-encoding", "chunked"), *headers)) + body + b"0\r\n\r\n")


def cut_after(whole: Reply, size: int) -> Reply:
    """The first `size` bytes of a reply, then the connection closes."""
    return Reply(whole.wire[:size], Afterwards.CLOSE)


def stalled_after(whole: Reply, size: int) -> Reply:
    """The first `size` bytes of a reply, then nothing."""
    return Reply(whole.wire[:size], Afterwards.STALL)


def then_closed(whole: Reply) -> Reply:
    """A whole reply that promises keep-alive; then the connection closes."""
    return Reply(whole.wire, Afterwards.CLOSE)


NEVER = Reply(b"", Afterwards.STALL)
"""Takes the request and says nothing."""
HANG_UP = Reply(b"", Afterwards.CLOSE)
"""Takes the request and closes."""


def _head(status: int, headers: tuple[tuple[str, str], ...]) -> bytes:
    lines = [f"HTTP/1.1 {status} Reason", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(lines).encode() + HEAD_END
