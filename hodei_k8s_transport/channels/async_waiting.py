"""Performs steps in tasks: waits by anyio, so that cancellation ends a wait and loses nothing."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import anyio

from hodei_k8s_transport.channels.async_watch import watch
from hodei_k8s_transport.channels.h11_dial import Address, literal_address
from hodei_k8s_transport.channels.h11_route import Route
from hodei_k8s_transport.channels.wire import Steps, T, Wait


async def until_ready(wait: Wait) -> None:
    """Return when a connection is ready, or its own limit is over."""
    if wait.repeats:
        if wait.watch is None:
            wait.watch = watch(wait.connections[0])
        await wait.watch.readable()
        return
    if len(wait.connections) == 1 and wait.limit is None:
        await (anyio.wait_writable if wait.writing else anyio.wait_readable)(wait.connections[0])
        return
    with anyio.move_on_after(wait.limit):
        async with anyio.create_task_group() as tasks:
            for connection in wait.connections:
                tasks.start_soon(_first, connection, wait, tasks.cancel_scope)


async def _first(connection: socket.socket, wait: Wait, others: anyio.CancelScope) -> None:
    await until_ready(Wait((connection,), wait.writing))
    others.cancel()


async def perform(steps: Steps[T]) -> T:
    """Do all steps. Cancellation closes them."""
    try:
        while True:
            await until_ready(next(steps))
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        steps.close()


async def resolve(route: Route) -> Sequence[Address]:
    """The addresses of a host. Raises: OSError: there are none."""
    literal = literal_address(route)
    if literal:
        return literal
    found = await anyio.getaddrinfo(route.host, route.port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]
