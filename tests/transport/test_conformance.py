"""Our own channels conform; and the suite finds out a channel that does not."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hodei_k8s_core.effects import SILENCE
from hodei_k8s_core.errors import TransportError
from hodei_k8s_core.http import Response
from hodei_k8s_transport.channels.async_h11_channel import AsyncH11Channel
from hodei_k8s_transport.channels.async_httpx_channel import AsyncHttpxChannel
from hodei_k8s_transport.channels.h11_channel import H11Channel
from hodei_k8s_transport.channels.httpx_channel import HttpxChannel
from hodei_k8s_transport.testing.channel_conformance import AsyncChannelConformance, ChannelConformance
from tests.transport.sides import AsyncCredentials, Credentials


class TestH11Channel(ChannelConformance):
    def make_channel(self, endpoint):
        return H11Channel(endpoint, Credentials())


class TestAsyncH11Channel(AsyncChannelConformance):
    def make_channel(self, endpoint):
        return AsyncH11Channel(endpoint, AsyncCredentials(Credentials()))


class TestHttpxChannel(ChannelConformance):
    def make_channel(self, endpoint):
        return HttpxChannel(endpoint, Credentials())


class TestAsyncHttpxChannel(AsyncChannelConformance):
    def make_channel(self, endpoint):
        return AsyncHttpxChannel(endpoint, AsyncCredentials(Credentials()))


class Wrong:
    """A channel with one fault."""

    def __init__(self, inner):
        self._inner = inner

    def send(self, request, timeout):
        return self._inner.send(request, timeout)

    def open(self, request, timeout):
        return self._inner.open(request, timeout)

    def close(self):
        self._inner.close()


class RetriesAndHides(Wrong):
    def send(self, request, timeout):
        try:
            return self._inner.send(request, timeout)
        except TransportError:
            return Response(200, (), b"")


class TakesSilenceForTheEnd(Wrong):
    def open(self, request, timeout):
        body = self._inner.open(request, timeout)
        read = body.read
        body.read = lambda limit: b"" if (data := read(limit)) is SILENCE else data
        return body


class ClosesNothing(Wrong):
    def open(self, request, timeout):
        body = self._inner.open(request, timeout)
        body.close = lambda: None
        return body


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        (RetriesAndHides, "test_a_cut_reply_is_never_a_reply"),
        (RetriesAndHides, "test_nothing_listens"),
        (RetriesAndHides, "test_no_answer_is_a_timeout"),
        (TakesSilenceForTheEnd, "test_silence_is_not_the_end"),
        (ClosesNothing, "test_closing_ends_this_connection_only"),
    ],
)
def test_a_channel_with_a_fault_is_found_out(fault, check, monkeypatch):
    class Suite(ChannelConformance):
        def make_channel(self, endpoint):
            return fault(HttpxChannel(endpoint, Credentials()))

    with pytest.raises(AssertionError):
        getattr(Suite(), check)()


def test_the_suite_needs_no_pytest():
    check = "import sys, hodei_k8s_transport.testing.channel_conformance; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
