"""A contestant on the cluster, as seen from the process that leads."""

from __future__ import annotations

import multiprocessing as mp
from contextlib import suppress
from typing import Any

from benchmarks.cluster.play import Done, serve
from benchmarks.runner import CannotRun

_TIMEOUT = 180.0
"""Seconds for one step."""


class Player:
    """The running process of one client."""

    def __init__(self, client: str, namespace: str) -> None:
        context = mp.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, client, namespace), daemon=True)
        self._process.start()
        theirs.close()

    def do(self, step: str, *arguments: Any) -> Done:
        """Raises: CannotRun."""
        self.begin(step, *arguments)
        return self.end()

    def begin(self, step: str, *arguments: Any) -> None:
        """The same in two parts: several players can be at it."""
        with suppress(OSError):
            self._connection.send((step, arguments))

    def wait_until_ready(self) -> None:
        """It says so in the middle of a step. Raises: CannotRun."""
        self._receive()

    def end(self) -> Done:
        """Raises: CannotRun."""
        seconds, result = self._receive()
        return float(seconds), result

    def stop(self) -> None:
        """The process ends, whatever it does."""
        self._connection.close()
        self._process.kill()
        self._process.join()

    def _receive(self) -> Any:
        try:
            if not self._connection.poll(_TIMEOUT):
                raise CannotRun(f"no answer within {_TIMEOUT:.0f} s")
            reply = self._connection.recv()
        except (EOFError, OSError):
            raise CannotRun("its process ended") from None
        if isinstance(reply, CannotRun):
            raise reply
        return reply
