"""Runs a coordinator on plain threads: one for each child."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from hodei_k8s_core.coordinators.coordinator import Action, Coordinator, Start
from hodei_k8s_core.effects import Emit, StopRequested, Stream
from hodei_k8s_transport.channels.channel import Channel
from hodei_k8s_transport.drivers.host import Host
from hodei_k8s_transport.drivers.stopper import Stopper
from hodei_k8s_transport.drivers.sync_driver import Machine

T = TypeVar("T")
JOIN_LIMIT = 5.0
"""Seconds that leaving the context waits for the threads. One that is within an exchange ends right after that."""


class MergedStream(Generic[T]):
    """The items of many streams, one at a time; leaving the context ends them all and closes their connections.

        with provider.follow_fleet_logs() as lines:
            for line in lines: ...

    Where nobody reads, the streams wait. `request_stop` may be called from any thread; not from a signal handler.
    """

    def __init__(self, coordinator: Coordinator[T], channel: Channel, host: Host) -> None:
        self._coordinator = coordinator
        self._channel = channel
        self._host = host
        self._batch: deque[T] = deque()
        # One lock for the coordinator, and for whoever waits for items or for room.
        self._changed = threading.Condition(threading.RLock())
        self._stoppers: dict[str, Stopper] = {}
        self._threads: list[threading.Thread] = []
        self._is_open = False
        self._is_stopped = False

    def __enter__(self) -> MergedStream[T]:
        self._host.ensure_open()
        self._is_open = True
        self._host.on_close(self._wake)
        with self._changed:
            self._obey(self._coordinator.begin())
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __iter__(self) -> MergedStream[T]:
        return self

    def __next__(self) -> T:
        if not self._is_open:
            raise RuntimeError("a stream is iterated inside its `with` block")
        with self._changed:
            while not self._batch:
                self._host.ensure_open()
                self._fill()
            return self._batch.popleft()

    def request_stop(self) -> None:
        """End the streams; what they gave before can still be read."""
        with self._changed:
            self._is_stopped = True
            for stopper in self._stoppers.values():
                stopper.request_stop()
            self._changed.notify_all()

    def close(self) -> None:
        """End everything, and close the connections."""
        self._is_open = False
        self._host.forget(self._wake)
        self.request_stop()
        self._batch.clear()
        until = time.monotonic() + JOIN_LIMIT
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _fill(self) -> None:
        taken = self._coordinator.take()
        if taken is not None:
            self._batch.extend(taken[1])
            self._changed.notify_all()
        elif self._coordinator.error is not None:
            raise self._coordinator.error
        elif self._is_stopped or self._coordinator.is_over:
            raise StopIteration
        else:
            self._changed.wait()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _obey(self, actions: Iterable[Action]) -> None:
        """With the lock held."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        for action in actions:
            stopper = self._stoppers.get(action.child)
            if isinstance(action, Start):
                self._start(action)
            elif stopper is not None:
                stopper.request_stop()
        self._changed.notify_all()

    def _start(self, action: Start) -> None:
        if self._is_stopped:
            return
        stopper = self._stoppers[action.child] = Stopper()
        thread = threading.Thread(
            target=self._run, args=(action.child, action.stream, stopper), name="hodei-k8s-child", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def _run(self, child: str, stream: Stream[Any, Any], stopper: Stopper) -> None:
        machine: Machine[Any] = Machine(stream, self._channel, self._host, stopper)
        try:
            self._drive(child, machine, stopper)
            with self._changed:
                self._obey(self._coordinator.ended(child, machine.progress.result))
        except StopRequested:
            pass
        except Exception as error:  # noqa: BLE001 - it is told to whoever reads
            with self._changed:
                self._obey(self._coordinator.failed(child, error))
        finally:
            machine.close()
            with self._changed:
                del self._stoppers[child]

    def _drive(self, child: str, machine: Machine[Any], stopper: Stopper) -> None:
        while not machine.progress.ended:
            effect = machine.progress.effect
            if not isinstance(effect, Emit):
                machine.advance()
                continue
            with self._changed:
                while not self._coordinator.has_room(child) and not stopper.requests:
                    self._changed.wait()
                if stopper.requests:
                    raise StopRequested
                self._obey(self._coordinator.emitted(child, effect.items))
            machine.progress.reply(None)
