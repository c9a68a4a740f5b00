from __future__ import annotations

from collections.abc import Iterator

import pytest

from hodei_k8s_transport.testing.loopback import LoopbackServer
from tests.transport.sides import AsyncSide, SyncSide


@pytest.fixture(params=["sync", "asyncio", "trio"])
def side(request: pytest.FixtureRequest) -> SyncSide | AsyncSide:
    return SyncSide() if request.param == "sync" else AsyncSide(request.param)


@pytest.fixture(params=["asyncio", "trio"])
def async_side(request: pytest.FixtureRequest) -> AsyncSide:
    return AsyncSide(request.param)


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer() as running:
        yield running
