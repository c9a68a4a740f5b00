"""A contestant in a process of its own: its imports, its heap and its garbage are no burden of another's."""

from __future__ import annotations

import gc
import hashlib
import math
import multiprocessing as mp
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.case import Case, Contestant

SHORTEST_SAMPLE = 0.1
"""Seconds of CPU: a contestant that needs less for a run makes several runs a sample."""


class CannotRun(Exception):
    """The contestant is not installed, or failed; the text says which."""


class Runner:
    """The running process of one contestant. `proof` is a digest of what its work gave."""

    def __init__(self, case: Case, contestant: Contestant) -> None:
        context = mp.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, case, contestant), daemon=True)
        self._process.start()
        theirs.close()

    def prove(self) -> str:
        """Waits until it is ready. Raises: CannotRun."""
        return str(self._receive())

    def sample(self) -> float:
        """Seconds of CPU that one run took. Raises: CannotRun."""
        with suppress(OSError):
            self._connection.send("sample")
        return float(self._receive())

    def stop(self) -> None:
        """The process ends, whatever it does."""
        self._connection.close()
        self._process.kill()
        self._process.join()

    def _receive(self) -> Any:
        try:
            reply = self._connection.recv()
        except (EOFError, OSError):
            raise CannotRun("its process ended") from None
        if isinstance(reply, CannotRun):
            raise reply
        return reply


def _serve(connection: Connection, case: Case, contestant: Contestant) -> None:
    try:
        work, result = _ready(case, contestant)
        digest = _digest(case.proof(result))
        del result
        runs = max(1, math.ceil(SHORTEST_SAMPLE / _timed(work, 1)))
        connection.send(digest)
        while connection.recv():
            connection.send(_timed(work, runs) / runs)
    except (EOFError, KeyboardInterrupt):
        pass
    except ModuleNotFoundError as error:
        connection.send(CannotRun(f"not installed ({error.name})"))
    except Exception as error:
        connection.send(CannotRun(f"failed: {type(error).__name__}: {error}"))


def _ready(case: Case, contestant: Contestant) -> tuple[Callable[[], Any], Any]:
    """The work with its data, and what it gives; done once, so that what is made on first use has been made."""
    peer = import_module(f"benchmarks.peers.{contestant.peer}")
    function = getattr(peer, contestant.function)
    data = case.data()
    if contestant.prepare:
        data = getattr(peer, contestant.prepare)(data)
    return lambda: function(data), function(data)


def _timed(work: Callable[[], Any], runs: int) -> float:
    """CPU seconds of `runs` runs; the freeing of results is in it, and the collector works as in production."""
    gc.collect()
    start = time.process_time()
    for _ in range(runs):
        work()
    return time.process_time() - start


def _digest(proof: object) -> str:
    return hashlib.sha256(repr(proof).encode()).hexdigest()
