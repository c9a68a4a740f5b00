"""Ctrl-C (SIGTERM and SIGHUP too) as a request to end gracefully; the second one ends at once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from hodei_k8s_transport.drivers.sync_stream import SyncStream

# Windows has no SIGHUP.
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def interrupts_stop(stream: SyncStream[Any, Any]) -> Iterator[None]:
    """While the block runs, a signal asks `stream` to stop. Raises: KeyboardInterrupt at the second one."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        if stream.stop_requested:  # a request that hangs would not let the stream end by itself
            raise KeyboardInterrupt
        stream.request_stop()

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
