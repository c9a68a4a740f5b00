"""Channels that answer from a recording: the same bytes in the same chunks, no network and no waiting.

    recording = load_recording("create.jsonl")
    replay = ReplayChannel(recording)
    ...                              # run what shall be tested on it
    replay.assert_exhausted()

A request that differs from the recorded one raises `ReplayMismatch`, which says where. Requests are compared as the
recorder writes them, without their secrets, so a replay needs none of those (but one that a host had masked explicitly
must be given again).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Self

import anyio.lowlevel

from hodei_k8s_core.effects import Silence
from hodei_k8s_core.http import Headers, Request, Response
from hodei_k8s_core.secret import Secret
from hodei_k8s_transport.channels.channel import AsyncBodyStream, BodyStream
from hodei_k8s_transport.channels.recording.exchange import Exchange, Recording
from hodei_k8s_transport.channels.recording.replay_body import BodyReplay, whole_reply
from hodei_k8s_transport.channels.recording.replay_match import Matching
from hodei_k8s_transport.channels.recording.replayer import Order, Replayer

DEFAULT_MATCHING: Final = Matching()


class _Replay:
    """What does not depend on how the caller waits."""

    def __init__(
        self,
        recording: Recording,
        *,
        order: Order = Order.RECORDED,
        matching: Matching = DEFAULT_MATCHING,
        secrets: Iterable[Secret] = (),
    ) -> None:
        self._replayer = Replayer(recording, order, matching, tuple(secrets))

    @property
    def remaining(self) -> tuple[Exchange, ...]:
        """What was recorded and not asked yet."""
        return self._replayer.remaining

    def assert_exhausted(self) -> None:
        """Everything that was recorded was asked. Raises `ReplayMismatch` that lists the rest."""
        self._replayer.assert_exhausted()


class ReplayChannel(_Replay):
    """Answers threads from a recording. See `Order` for operations that run at the same time.

    Raises:
        ReplayMismatch: from `send` and `open`: the request is not what was recorded.
        TransportError: where one was recorded; INTERRUPTED where the recording stops in the middle of an exchange.
    """

    def send(self, request: Request, timeout: float) -> Response:  # noqa: ARG002 - nothing waits
        """The recorded reply, whole."""
        return whole_reply(self._replayer.take(request))

    def open(self, request: Request, timeout: float) -> BodyStream:  # noqa: ARG002
        """The recorded reply, chunk by chunk."""
        return BodyReplay(self._replayer.take(request))

    def close(self) -> None:
        """Later calls raise `TransportError`."""
        self._replayer.close()


class AsyncReplayChannel(_Replay):
    """Answers tasks from a recording; see `ReplayChannel`."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> bool | None:
        self._replayer.close()
        return None

    async def send(self, request: Request, timeout: float) -> Response:  # noqa: ARG002
        """The recorded reply, whole."""
        await anyio.lowlevel.checkpoint()
        return whole_reply(self._replayer.take(request))

    async def open(self, request: Request, timeout: float) -> AsyncBodyStream:  # noqa: ARG002
        """The recorded reply, chunk by chunk."""
        await anyio.lowlevel.checkpoint()
        return _AsyncBodyReplay(BodyReplay(self._replayer.take(request)))


class _AsyncBodyReplay:
    def __init__(self, body: BodyReplay) -> None:
        self._body = body

    @property
    def status(self) -> int:
        return self._body.status

    @property
    def headers(self) -> Headers:
        return self._body.headers

    async def read(self, silence_limit: float) -> bytes | Silence:
        await anyio.lowlevel.checkpoint()
        return self._body.read(silence_limit)

    async def close(self) -> None:
        self._body.close()
