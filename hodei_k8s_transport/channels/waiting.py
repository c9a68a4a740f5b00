"""Performs steps on threads: waits by `poll`, within a deadline, and can be woken."""

from __future__ import annotations

import contextlib
import math
import queue
import select
import socket
import threading
import time
from collections.abc import Sequence

from hodei_k8s_transport.channels.h11_dial import Address, literal_address
from hodei_k8s_transport.channels.h11_route import Route
from hodei_k8s_transport.channels.wire import Steps, T, Wait


class Alarm:
    """Ends waits, from any thread and from signal handlers: it takes no lock."""

    def __init__(self) -> None:
        self.rung = False
        self._receiver, self._sender = socket.socketpair()
        self._receiver.settimeout(0)
        self._sender.settimeout(0)

    def ring(self) -> None:
        """Waits end at once, from now on."""
        self.rung = True
        with contextlib.suppress(OSError):
            self._sender.send(b"\0")

    def hush(self) -> None:
        """Until the next `ring`, waits last again."""
        self.rung = False
        with contextlib.suppress(BlockingIOError):
            self._receiver.recv(4096)

    def fileno(self) -> int:
        return self._receiver.fileno()

    def __del__(self) -> None:
        # Not earlier: a `ring` that is under way in another thread must not find another file under the same number.
        self._receiver.close()
        self._sender.close()


def await_ready(wait: Wait, seconds: float, alarm: Alarm) -> bool:
    """Whether a connection is ready, as soon as one is; False when the time is over, or the alarm rings."""
    seconds = max(0.0, seconds)
    if not hasattr(select, "poll"):
        readers: list[Alarm | socket.socket] = [alarm, *(() if wait.writing else wait.connections)]
        writers = wait.connections if wait.writing else ()
        read, write, failed = select.select(readers, writers, wait.connections, seconds)
        return bool(write or failed or any(each is not alarm for each in read))
    poller = select.poll()
    poller.register(alarm, select.POLLIN)
    for connection in wait.connections:
        poller.register(connection, select.POLLOUT if wait.writing else select.POLLIN)
    return any(number != alarm.fileno() for number, _ in poller.poll(math.ceil(seconds * 1000)))


def perform(steps: Steps[T], deadline: float, alarm: Alarm) -> T:
    """Do all steps; `deadline` on `time.monotonic`. Raises: TimeoutError: it is over, or the alarm was rung."""
    try:
        while True:
            wait = next(steps)
            left = deadline - time.monotonic()
            if left <= 0 or alarm.rung:
                raise TimeoutError
            await_ready(wait, left if wait.limit is None else min(left, wait.limit), alarm)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        steps.close()


def resolve(route: Route, deadline: float) -> Sequence[Address]:
    """The addresses of a host. Raises: TimeoutError: the look-up took too long; OSError: there are none."""
    literal = literal_address(route)
    if literal:
        return literal
    # A look-up cannot be broken off. The thread goes on alone then, and ends when the resolver gives up.
    answers: queue.SimpleQueue[Sequence[Address] | OSError] = queue.SimpleQueue()
    threading.Thread(target=_look_up, args=(route, answers), name="hodei-k8s-resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=max(0.0, deadline - time.monotonic()))
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def _look_up(route: Route, answers: queue.SimpleQueue[Sequence[Address] | OSError]) -> None:
    try:
        found = socket.getaddrinfo(route.host, route.port, type=socket.SOCK_STREAM)
        answers.put([(family, address) for family, _, _, _, address in found])
    except (OSError, UnicodeError) as error:
        answers.put(error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, "not a host name"))
