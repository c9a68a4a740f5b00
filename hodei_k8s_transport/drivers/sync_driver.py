"""Runs operations on plain threads."""

from __future__ import annotations

import contextlib
import itertools
import queue
import time
from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

from hodei_k8s_core.effects import SILENCE, Close, Open, Operation, Read, Send, Silence, Sleep
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Body
from hodei_k8s_transport.channels.channel import BodyStream, Channel
from hodei_k8s_transport.drivers.host import Host
from hodei_k8s_transport.drivers.own_time import OwnTime
from hodei_k8s_transport.drivers.progress import Progress, WaitBrokenOff
from hodei_k8s_transport.drivers.stopper import Stopper

R = TypeVar("R")


def run(operation: Operation[R], channel: Channel, host: Host, *, stopper: Stopper | None = None) -> R:
    """Run an operation to its end and return its result.

    `KeyboardInterrupt` closes the operation, and every body that it has open.

    Raises:
        ProviderError: what the operation raises.
        ProviderClosed: the host was closed, before or meanwhile.
        StopRequested: `stopper` was used, and the operation did not return.
    """
    machine = Machine(operation, channel, host, stopper or Stopper())
    try:
        while not machine.progress.ended:
            machine.advance()
    finally:
        machine.close()
    return machine.progress.result


class Machine(Generic[R]):
    """One operation, and the bodies that it has open."""

    def __init__(self, operation: Generator[Any, Any, R], channel: Channel, host: Host, stopper: Stopper) -> None:
        self.progress: Progress[R] = Progress(operation)
        self._channel = channel
        self._host = host
        self._own_time: OwnTime | None = getattr(channel, "own_time", None)
        self._stopper = stopper
        self._keys = itertools.count(1)
        self._bodies: dict[int, BodyStream] = {}
        self._wake_at: float | None = None
        self._reading: BodyStream | None = None
        # The one queue whose `put` is safe in a signal handler that interrupts its own `get`.
        self._alarm: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._table: dict[type, Callable[[Any], Any]] = {
            Send: self._send,
            Open: self._open,
            Read: self._read,
            Close: self._close_body,
            Sleep: self._sleep,
        }
        stopper.when_requested(self._wake)

    def advance(self) -> None:
        """Perform one effect, and run the operation to its next suspension.

        When this is interrupted the operation stays where it was; `advance` again performs the same effect again (and
        what is left of a `Sleep`).
        """
        self._host.ensure_open()
        if not self.progress.started:
            self._host.on_close(self._wake)
            self.progress.start()
            return
        if self.progress.obey(self._stopper.requests):
            self._wake_at = None
            return
        effect = self.progress.effect
        perform: Callable[[Any], Any] = self._table.get(type(effect), self._host.perform)
        try:
            reply = perform(effect)
        except WaitBrokenOff:
            return
        except TransportError as error:
            self._host.ensure_open()
            self.progress.fail(error)
        else:
            self._wake_at = None
            self.progress.reply(reply)

    def drop_pending_body(self) -> None:
        """Let go of the body that the pending effect was about."""
        if isinstance(self.progress.effect, Read):
            self._close_body(Close(self.progress.effect.body))

    def close(self) -> None:
        """Close the operation and every body."""
        self._host.forget(self._wake)
        self._stopper.when_requested(None)
        with contextlib.ExitStack() as stack:
            for body in self._bodies.values():
                stack.callback(_let_go, body)
            self._bodies = {}
            self.progress.close()

    def _send(self, effect: Send) -> Any:
        return self._channel.send(effect.request, effect.timeout)

    def _open(self, effect: Open) -> Body:
        stream = self._channel.open(effect.request, effect.timeout)
        key = next(self._keys)
        self._bodies[key] = stream
        return Body(stream.status, stream.headers, key)

    def _read(self, effect: Read) -> bytes | Silence:
        stream = self._bodies.get(effect.body.key)
        if stream is None:
            raise TransportError(TransportFault.CLOSED, Delivery.ANSWERED, "this body is closed")
        self._reading = stream
        try:
            self._break_off_when_asked()
            reply = stream.read(effect.silence_limit)
        finally:
            self._reading = None
        if reply is SILENCE:  # it may have been woken
            self._break_off_when_asked()
        return reply

    def _close_body(self, effect: Close) -> None:
        stream = self._bodies.pop(effect.body.key, None)
        if stream is not None:
            _let_go(stream)

    def _sleep(self, effect: Sleep) -> None:
        if self._own_time is not None:
            self._sleep_in(self._own_time, effect.seconds)
            return
        if self._wake_at is None:
            self._wake_at = time.monotonic() + effect.seconds
        while (left := self._wake_at - time.monotonic()) > 0:
            self._break_off_when_asked()
            with contextlib.suppress(queue.Empty):
                self._alarm.get(timeout=left)

    def _sleep_in(self, time: OwnTime, seconds: float) -> None:
        if self._wake_at is None:
            self._wake_at = time.monotonic() + seconds
        while time.monotonic() < self._wake_at:
            self._break_off_when_asked()
            time.wait_until(self._wake_at)

    def _wake(self) -> None:
        """Break off what waits, from another thread or a signal handler; the driver then looks why."""
        self._alarm.put(None)
        reading = self._reading
        if reading is not None:
            reading.wake()

    def _break_off_when_asked(self) -> None:
        if self._host.is_closed or self.progress.owes_stop(self._stopper.requests):
            raise WaitBrokenOff


def _let_go(stream: BodyStream) -> None:
    with contextlib.suppress(TransportError):
        stream.close()
