"""The logs of several workers in one, each followed by a thread of its own; it ends when all of them have ended."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Mapping

from hodei_k8s_core.log_entry import LogItem
from hodei_k8s_transport.drivers.sync_stream import SyncStream

ROOM = 1000
"""Items that wait to be read; the followers wait then."""
JOIN_LIMIT = 5.0


class FollowedLogs:
    """A context manager to iterate over: pairs of a worker's id and an item, or what ended its log."""

    def __init__(self, streams: Mapping[str, SyncStream[LogItem, str]]) -> None:
        self._streams = streams
        self._items: queue.Queue[tuple[str, LogItem | Exception | None]] = queue.Queue(ROOM)
        self._threads = [
            threading.Thread(target=self._follow, args=one, name="hodei-k8s-log", daemon=True)
            for one in streams.items()
        ]

    def __enter__(self) -> FollowedLogs:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc_info: object) -> None:
        self.request_stop()
        if kind is KeyboardInterrupt:  # at once: the process ends, and the threads with it
            return
        until = time.monotonic() + JOIN_LIMIT
        while any(thread.is_alive() for thread in self._threads) and time.monotonic() < until:
            self._make_room()

    def __iter__(self) -> Iterator[tuple[str, LogItem | Exception]]:
        open_logs = len(self._threads)
        while open_logs:
            worker_id, item = self._items.get()
            if item is None:
                open_logs -= 1
            else:
                yield worker_id, item

    @property
    def stop_requested(self) -> bool:
        """A graceful end was asked for."""
        return any(stream.stop_requested for stream in self._streams.values())

    def request_stop(self) -> None:
        """Ask every follower to end."""
        for stream in self._streams.values():
            stream.request_stop()

    def _follow(self, worker_id: str, stream: SyncStream[LogItem, str]) -> None:
        try:
            with stream:
                for item in stream:
                    self._items.put((worker_id, item))
        except Exception as error:  # noqa: BLE001 - whoever reads is told
            self._items.put((worker_id, error))
        finally:
            self._items.put((worker_id, None))

    def _make_room(self) -> None:
        try:
            self._items.get(timeout=0.05)
        except queue.Empty:
            return
