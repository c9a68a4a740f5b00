"""A function in a process of its own, so that its memory is its own too."""

from __future__ import annotations

import multiprocessing as mp
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TypeVar

from benchmarks.runner import CannotRun

R = TypeVar("R")
_TIMEOUT = 300.0


def run_apart(function: Callable[..., R], *arguments: object) -> R:
    """What it returns. Raises: CannotRun."""
    context = mp.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(theirs, function, arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(_TIMEOUT):
            raise CannotRun(f"no answer within {_TIMEOUT:.0f} s")
        reply = ours.recv()
    except (EOFError, OSError):
        raise CannotRun("its process ended") from None
    finally:
        process.kill()
        process.join()
    if isinstance(reply, CannotRun):
        raise reply
    return reply  # type: ignore[no-any-return]


def _run(connection: Connection, function: Callable[..., object], arguments: tuple[object, ...]) -> None:
    try:
        connection.send(function(*arguments))
    except Exception as error:
        connection.send(CannotRun(f"failed: {type(error).__name__}: {error}"))
