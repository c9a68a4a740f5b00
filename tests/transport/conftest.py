from __future__ import annotations

from collections.abc import Iterator

import pytest

from hodei_k8s_transport.testing.loopback import LoopbackServer
from tests.transport.sides import AsyncSide, SyncSide


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`side` is each host in turn, and each kind of channel where the module says `HTTP = ("httpx", "h11")`."""
    both = getattr(metafunc.module, "HTTP", ("h11",))
    everywhere, in_tasks = ("sync", "asyncio", "trio"), ("asyncio", "trio")
    fixtures = (
        ("side", everywhere, both),
        ("async_side", in_tasks, both),
        ("httpx_side", everywhere, ("httpx",)),
        ("h11_side", everywhere, ("h11",)),
    )
    for fixture, hosts, kinds in fixtures:
        if fixture in metafunc.fixturenames:
            names = [(host, kind) for host in hosts for kind in kinds]
            ids = [host if len(kinds) == 1 else f"{host}-{kind}" for host, kind in names]
            sides = [SyncSide(kind) if host == "sync" else AsyncSide(host, kind) for host, kind in names]
            metafunc.parametrize(fixture, sides, ids=ids)


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer() as running:
        yield running
