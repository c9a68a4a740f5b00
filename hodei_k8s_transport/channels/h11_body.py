"""An open reply on a socket of its own, for threads. Nothing is read ahead: the server waits for who reads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hodei_k8s_core.effects import SILENCE, Silence
from hodei_k8s_core.errors import TransportError
from hodei_k8s_transport.channels.decoding import decoder_for, without_coding
from hodei_k8s_transport.channels.failures import translate
from hodei_k8s_transport.channels.h11_exchange import Link, pieces
from hodei_k8s_transport.channels.h11_heads import Head
from hodei_k8s_transport.channels.phase import Phase
from hodei_k8s_transport.channels.reply import again, closed_body
from hodei_k8s_transport.channels.waiting import Alarm, await_ready
from hodei_k8s_transport.channels.wire import Wait


class SocketBody:
    """Read by one thread at a time; woken and closed by any. `on_end`: is told once, when it has ended."""

    def __init__(self, head: Head, link: Link, on_end: Callable[[SocketBody], None]) -> None:
        self.status = head.status
        self.headers = without_coding(head.headers)
        self._link = link
        self._steps = pieces(link, decoder_for(head.headers))
        self._on_end = on_end
        self._alarm = Alarm()
        self._guard = threading.Lock()
        self._waits_for: Wait | None = None
        self._failure: TransportError | None = None
        self._ended = False
        self._reading = False
        self._released = False

    def read(self, silence_limit: float) -> bytes | Silence:
        """The next bytes, b"" at the clean end, `SILENCE` after `silence_limit` seconds without any.

        Raises:
            TransportError: the body broke, or was closed.
        """
        until = time.monotonic() + silence_limit
        with self._guard:
            self._reading = True
        try:
            return self._read(until)
        except Exception as error:
            self._failure = self._failure or translate(error, Phase.ANSWERED)
            raise again(self._failure) from error
        except BaseException:
            self._failure = self._failure or closed_body("a read of this body was interrupted")
            raise
        finally:
            with self._guard:
                self._reading = False
                self._release_if_over()

    def wake(self) -> None:
        """A `read` that waits returns `SILENCE` now. For any thread, and for signal handlers."""
        self._alarm.ring()

    def close(self) -> None:
        """Let go of the connection; a `read` that waits raises."""
        self.abandon(closed_body())

    def abandon(self, failure: TransportError) -> None:
        """`close`, and later reads raise `failure`."""
        with self._guard:
            self._failure = failure
            if self._reading:
                self._alarm.ring()
            else:
                self._release_if_over()

    def _read(self, until: float) -> bytes | Silence:
        while self._failure is None and not self._ended:
            if self._waits_for is None:
                step = next(self._steps, b"")
                if not isinstance(step, Wait):
                    self._ended = not step
                    return step
                self._waits_for = step
            if await_ready(self._waits_for, until - time.monotonic(), self._alarm):
                self._waits_for = None
            else:
                self._alarm.hush()
                if self._failure is None:
                    return SILENCE
        if self._failure is not None:
            raise again(self._failure)
        return b""

    def _release_if_over(self) -> None:
        if self._released or (self._failure is None and not self._ended):
            return
        self._released = True
        self._link.is_broken = self._failure is not None
        self._steps.close()
        self._on_end(self)
