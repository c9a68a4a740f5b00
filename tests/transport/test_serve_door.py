"""The small HTTP server of `serve`: what it answers, and what it does not let a client do."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable

import anyio
import pytest

from hodei_k8s_transport.service.serve import door
from hodei_k8s_transport.service.serve.door import Door, Page
from tests.transport.serving import ask, get
from tests.transport.sides import AsyncSide

BIG = b"x" * 20_000_000


PAGES: dict[str, Callable[[], Page]] = {
    "/ok": lambda: Page(200, b"fine\n"),
    "/big": lambda: Page(200, BIG, "application/json"),
    "/broken": lambda: Page(200, BIG[1 // 0 :]),
}


@contextlib.asynccontextmanager
async def opened(made: Door | None = None) -> AsyncIterator[int]:
    async with anyio.create_task_group() as tasks:
        yield await tasks.start((made or Door(PAGES, host="127.0.0.1", port=0)).run)
        tasks.cancel_scope.cancel()


def test_a_page_and_what_is_none(async_side: AsyncSide) -> None:
    async def main() -> None:
        async with opened() as port:
            assert await get(port, "/ok") == (200, b"fine\n")
            assert await get(port, "/ok?verbose=1") == (200, b"fine\n")
            assert await get(port, "/") == (404, b"there is: /ok /big /broken\n")
            status, body = await get(port, "/big")
            assert (status, len(body)) == (200, len(BIG))
            assert (await get(port, "/ok"))[0] == 200

    async_side.run(main)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"POST /ok HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody", 405),
        (b"HEAD /ok HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (b"GET /ok HTTP/1.0\r\n\r\n", 200),
        (b"GET /ok HTTP/1.1\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"GET /ok HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 60_000, 431),
        (b"GET /ok HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
    ],
    ids=["post", "head", "old", "no host", "nonsense", "tls", "too long", "coding"],
)
def test_what_is_not_a_plain_get(async_side: AsyncSide, request_: bytes, status: int) -> None:
    async def main() -> None:
        async with opened() as port:
            assert (await ask(port, request_))[0] == status
            assert await get(port, "/ok") == (200, b"fine\n")

    async_side.run(main)


def test_who_says_nothing_is_let_go(async_side: AsyncSide, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "REQUEST_LIMIT", 0.1)

    async def main() -> None:
        async with opened() as port:
            assert (await ask(port, b"GET /ok HT"))[0] == 408

    async_side.run(main)


def test_who_does_not_read_is_let_go(async_side: AsyncSide, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "REPLY_LIMIT", 0.1)
    monkeypatch.setattr(door, "LINGER", 0.1)

    async def main() -> None:
        made = Door(PAGES, host="127.0.0.1", port=0)
        async with opened(made) as port, await anyio.connect_tcp("127.0.0.1", port) as stream:
            await stream.send(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
            assert await async_side.until(lambda: made.connections == 1)
            assert await async_side.until(lambda: made.connections == 0)
            received = 0
            with contextlib.suppress(anyio.EndOfStream, anyio.BrokenResourceError):
                while True:
                    received += len(await stream.receive())
            assert received < len(BIG)

    async_side.run(main)


def test_too_many_at_once_are_refused(async_side: AsyncSide, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "MOST_CONNECTIONS", 2)

    async def main() -> None:
        async with opened() as port:
            async with contextlib.AsyncExitStack() as stack:
                for _ in range(2):
                    idle = await stack.enter_async_context(await anyio.connect_tcp("127.0.0.1", port))
                    await idle.send(b"GET ")
                assert (await get(port, "/ok"))[0] == 503
            with anyio.fail_after(5):
                while (await get(port, "/ok"))[0] != 200:
                    await anyio.sleep(0.01)

    async_side.run(main)


def test_a_page_that_cannot_be_made_ends_nothing(async_side: AsyncSide) -> None:
    async def main() -> None:
        async with opened() as port:
            assert (await get(port, "/broken"))[0] == 500
            assert (await get(port, "/ok"))[0] == 200

    async_side.run(main)


def test_who_leaves_early_spoils_nothing(async_side: AsyncSide) -> None:
    async def main() -> None:
        async with opened() as port:
            for said in (b"", b"GET /big"):
                async with await anyio.connect_tcp("127.0.0.1", port) as stream:
                    await stream.send(said)
            assert (await get(port, "/ok"))[0] == 200

    async_side.run(main)
