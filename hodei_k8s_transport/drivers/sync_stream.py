"""A stream of items for threads: a context manager and an iterator over a `Stream` operation."""

from __future__ import annotations

from collections import deque
from typing import Any, Generic, TypeVar

from hodei_k8s_core.effects import Emit, Sleep, StopRequested, Stream
from hodei_k8s_transport.channels.channel import Channel
from hodei_k8s_transport.drivers.host import Host
from hodei_k8s_transport.drivers.progress import interrupted_error
from hodei_k8s_transport.drivers.stopper import Stopper
from hodei_k8s_transport.drivers.sync_driver import Machine

T = TypeVar("T")
R = TypeVar("R")


class SyncStream(Generic[T, R]):
    """Items one at a time; leaving the context ends the operation and closes its connections.

        with provider.watch_workers() as changes:
            for change in changes: ...

    A `KeyboardInterrupt` inside `next` does not end the stream: the connection in use is dropped, and the next `next`
    goes on from where the operation was. `request_stop` (from any thread or signal handler) ends it gracefully: the
    iteration goes on with what the operation still has to say, and then ends.
    """

    def __init__(self, operation: Stream[T, R], channel: Channel, host: Host) -> None:
        self._stopper = Stopper()
        self._host = host
        self._machine = Machine(operation, channel, host, self._stopper)
        self._batch: deque[T] = deque()
        self._entered = False
        self._interrupted = False

    def __enter__(self) -> SyncStream[T, R]:
        self._entered = True
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __iter__(self) -> SyncStream[T, R]:
        return self

    def __next__(self) -> T:
        # Only a stream that is entered has a batch. Asked first, since it is so for all but one item of a batch.
        if self._batch:
            return self._batch.popleft()
        if not self._entered:
            raise RuntimeError("a stream is iterated inside its `with` block")
        while not self._batch:
            if self._machine.progress.ended:
                raise StopIteration
            self._advance()
        return self._batch.popleft()

    @property
    def result(self) -> R:
        """What the operation returned. Raises: RuntimeError: it did not return (yet)."""
        return self._machine.progress.result

    @property
    def has_result(self) -> bool:
        """The operation has returned."""
        return self._machine.progress.has_result

    @property
    def stop_requested(self) -> bool:
        """A graceful end was asked for."""
        return self._stopper.requests > 0

    def request_stop(self) -> None:
        """Ask for a graceful end; a second time, for an end at once."""
        self._stopper.request_stop()

    def close(self) -> None:
        """End the stream and close its connections."""
        self._entered = False
        self._batch.clear()
        self._machine.close()

    def _advance(self) -> None:
        try:
            self._resume()
        except StopRequested:
            self._machine.close()
        except Exception:
            self._machine.close()
            raise
        except BaseException:
            self._interrupted = not isinstance(self._machine.progress.effect, Sleep)
            self._machine.drop_pending_body()
            raise
        effect: Any = self._machine.progress.effect
        if isinstance(effect, Emit) and not self._machine.progress.ended:
            self._batch.extend(effect.items)

    def _resume(self) -> None:
        progress = self._machine.progress
        self._host.ensure_open()
        if self._interrupted:
            self._interrupted = False
            progress.fail(interrupted_error())
        elif isinstance(progress.effect, Emit) and not progress.owes_stop(self._stopper.requests):
            progress.reply(None)
        else:
            self._machine.advance()
