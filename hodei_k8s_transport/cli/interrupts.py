"""Ctrl-C (SIGTERM and SIGHUP too) as a request to end gracefully; the second one ends at once.

A signal that the caller had ignored (`nohup`, a job in the background of a script) stays ignored.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

# Windows has no SIGHUP.
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Stoppable(Protocol):
    """What a signal handler may ask to end, at any moment."""

    @property
    def stop_requested(self) -> bool: ...
    def request_stop(self) -> None: ...


@contextmanager
def interrupts_stop(stream: Stoppable) -> Iterator[None]:
    """While the block runs, a signal asks `stream` to stop. Raises: KeyboardInterrupt at the second one."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        if stream.stop_requested:  # a request that hangs would not let the stream end by itself
            raise KeyboardInterrupt
        stream.request_stop()

    heard = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
