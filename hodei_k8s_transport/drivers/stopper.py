"""Asking a running operation to end gracefully: the same for plain operations and for streams, sync and async.

The first request throws `StopRequested` into the operation, which may still yield effects (destroy the worker, read
the last lines) and returns. The second closes it. No information is lost: a request that may change something on the
server is let finish and its reply delivered before; only waiting is broken off. A second request breaks everything off.
"""

from __future__ import annotations

from collections.abc import Callable

from hodei_k8s_core.effects import Open, Read, Send, Sleep

_SAFE_METHODS = frozenset({"GET", "HEAD"})


class Stopper:
    """The way to stop one operation.

    For a sync operation `request_stop` may be called from any thread and from a signal handler. For an async one it
    must be called in the event loop's thread.
    """

    def __init__(self) -> None:
        self._requests = 0
        self._wake: Callable[[], None] | None = None

    @property
    def requests(self) -> int:
        """How often a stop was asked for."""
        return self._requests

    def request_stop(self) -> None:
        """Ask for a graceful end; a second time, for an end at once."""
        self._requests += 1
        if self._wake is not None:
            self._wake()

    def when_requested(self, wake: Callable[[], None] | None) -> None:
        """For drivers: call `wake` at every request."""
        self._wake = wake


def is_wait(effect: object) -> bool:
    """Breaking this effect off changes nothing on the server and loses nothing that the operation needs."""
    if isinstance(effect, Send | Open):
        return effect.request.method in _SAFE_METHODS
    return isinstance(effect, Read | Sleep)
