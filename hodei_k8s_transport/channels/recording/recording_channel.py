"""Channels that carry requests by another channel and write every exchange to a file, without tokens and secrets.

What is written is what the caller of the channel sees: requests before the channel adds credentials, replies with their
chunks as they were read, silence, failures, times. `scrub` says what is kept out, `exchange_file` what the file looks
like, `ReplayChannel` answers from it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import Self

from hodei_k8s_core.effects import Silence
from hodei_k8s_core.http import Headers, Request, Response
from hodei_k8s_core.secret import Secret
from hodei_k8s_transport.channels.channel import AsyncBodyStream, AsyncChannel, BodyStream, Channel
from hodei_k8s_transport.channels.recording.recorder import Recorder, Tape


class RecordingChannel:
    """Records a `Channel` to the file `path`, which is made anew. Closing it closes the channel too.

    `secrets`: what must not be written in any form, beside what the scrubber finds by itself. `clock`: monotonic
    seconds.

    Raises:
        OSError: the file cannot be made; from `close`: not all of it could be written (the exchanges went on).
        ConfigurationError: a secret is too short to be scrubbed.
    """

    def __init__(
        self,
        channel: Channel,
        path: str | os.PathLike[str],
        *,
        secrets: Iterable[Secret] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._channel = channel
        self._recorder = Recorder(path, secrets, clock)

    def send(self, request: Request, timeout: float) -> Response:
        """One whole exchange within `timeout` seconds."""
        tape = self._recorder.ask("send", request, timeout)
        with tape.reply():
            response = self._channel.send(request, timeout)
        tape.response(response)
        return response

    def open(self, request: Request, timeout: float) -> BodyStream:
        """The head of a reply within `timeout` seconds; the body stays open."""
        tape = self._recorder.ask("open", request, timeout)
        with tape.reply():
            body = self._channel.open(request, timeout)
        tape.head(body.status, body.headers)
        return _RecordedBody(body, tape)

    def close(self) -> None:
        """Close the channel and end the file."""
        try:
            self._channel.close()
        finally:
            self._recorder.close()


class _RecordedBody:
    def __init__(self, body: BodyStream, tape: Tape) -> None:
        self._body = body
        self._tape = tape

    @property
    def status(self) -> int:
        return self._body.status

    @property
    def headers(self) -> Headers:
        return self._body.headers

    def read(self, silence_limit: float) -> bytes | Silence:
        with self._tape.reading() as note:
            got = self._body.read(silence_limit)
            note(got, silence_limit)
        return got

    def wake(self) -> None:
        self._body.wake()

    def close(self) -> None:
        self._tape.closed()
        self._body.close()


class AsyncRecordingChannel:
    """Records an `AsyncChannel`; see `RecordingChannel`. Lines are written by the event loop's thread, each at once."""

    def __init__(
        self,
        channel: AsyncChannel,
        path: str | os.PathLike[str],
        *,
        secrets: Iterable[Secret] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._channel = channel
        self._recorder = Recorder(path, secrets, clock)

    async def __aenter__(self) -> Self:
        await self._channel.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> bool | None:
        try:
            return await self._channel.__aexit__(*exc_info)
        finally:
            self._recorder.close()

    async def send(self, request: Request, timeout: float) -> Response:
        """One whole exchange within `timeout` seconds."""
        tape = self._recorder.ask("send", request, timeout)
        with tape.reply():
            response = await self._channel.send(request, timeout)
        tape.response(response)
        return response

    async def open(self, request: Request, timeout: float) -> AsyncBodyStream:
        """The head of a reply within `timeout` seconds; the body stays open."""
        tape = self._recorder.ask("open", request, timeout)
        with tape.reply():
            body = await self._channel.open(request, timeout)
        tape.head(body.status, body.headers)
        return _AsyncRecordedBody(body, tape)


class _AsyncRecordedBody:
    def __init__(self, body: AsyncBodyStream, tape: Tape) -> None:
        self._body = body
        self._tape = tape

    @property
    def status(self) -> int:
        return self._body.status

    @property
    def headers(self) -> Headers:
        return self._body.headers

    async def read(self, silence_limit: float) -> bytes | Silence:
        with self._tape.reading() as note:
            got = await self._body.read(silence_limit)
            note(got, silence_limit)
        return got

    async def close(self) -> None:
        self._tape.closed()
        await self._body.close()
