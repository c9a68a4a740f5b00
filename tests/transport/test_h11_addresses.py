"""The h11 channels and a name with several addresses: one that refuses or is silent costs little."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest

from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Request
from hodei_k8s_transport.channels import h11_dial
from hodei_k8s_transport.channels.h11_dial import interleaved
from hodei_k8s_transport.testing.loopback import reply

GET = Request("GET", "/x")
SOON = 5.0


def verdict(caught):
    return caught.value.fault, caught.value.delivery


def is_numeric(args, named):
    """Whether a call of `getaddrinfo` (host, port, family, type, proto, flags) asks for no look-up."""
    return bool(named.get("flags", args[5] if len(args) > 5 else 0) & socket.AI_NUMERICHOST)


def resolves_to(monkeypatch, addresses):
    """Whatever is looked up has these addresses."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]

    def look_up(*args, **named):
        if is_numeric(args, named):
            raise socket.gaierror(socket.EAI_NONAME, "not a number")
        return found

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@contextlib.contextmanager
def silent_address():
    """An address that does not answer: the queue of its listener is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.settimeout(0)
            filler.connect_ex(listener.getsockname())
        time.sleep(0.05)
        yield listener.getsockname()


def refused_address():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()


def test_an_address_that_refuses_costs_nothing(h11_side, server, monkeypatch):
    server.route("/x", reply(200, b"x"))
    resolves_to(monkeypatch, [refused_address(), ("127.0.0.1", server.port)])

    async def main():
        async with h11_side.channel("http://api.example") as channel:
            started = time.monotonic()
            assert (await channel.send(GET, SOON)).body == b"x"
            assert time.monotonic() - started < h11_dial.NEXT_ADDRESS_AFTER

    h11_side.run(main)


def test_an_address_that_is_silent_costs_little(h11_side, server, monkeypatch):
    server.route("/x", reply(200, b"x"))

    async def main():
        with silent_address() as silent:
            resolves_to(monkeypatch, [silent, ("127.0.0.1", server.port)])
            async with h11_side.channel("http://api.example") as channel:
                started = time.monotonic()
                assert (await channel.send(GET, SOON)).body == b"x"
                assert time.monotonic() - started < 2

    h11_side.run(main)


def test_addresses_that_are_all_silent_are_a_timeout(h11_side, monkeypatch):
    async def main():
        with silent_address() as one, silent_address() as other:
            resolves_to(monkeypatch, [one, other])
            async with h11_side.channel("http://api.example") as channel:
                started = time.monotonic()
                with pytest.raises(TransportError) as caught:
                    await channel.send(GET, 0.4)
                assert verdict(caught) == (TransportFault.TIMEOUT, Delivery.NOT_SENT)
                assert time.monotonic() - started < 2

    h11_side.run(main)


def test_addresses_that_all_refuse(h11_side, monkeypatch):
    resolves_to(monkeypatch, [refused_address(), refused_address()])

    async def main():
        async with h11_side.channel("http://api.example") as channel:
            with pytest.raises(TransportError) as caught:
                await channel.send(GET, SOON)
            assert verdict(caught) == (TransportFault.REFUSED, Delivery.NOT_SENT)

    h11_side.run(main)


def test_families_take_turns():
    four = [(socket.AF_INET, ("a", 1)), (socket.AF_INET, ("b", 1)), (socket.AF_INET, ("c", 1))]
    six = [(socket.AF_INET6, ("d", 1, 0, 0))]
    assert interleaved([*six, *four]) == [six[0], four[0], four[1], four[2]]
    assert interleaved([*four, *six]) == [four[0], six[0], four[1], four[2]]


def test_a_look_up_that_hangs_does_not_outlast_the_time_limit(h11_side, monkeypatch):
    over = threading.Event()

    def hang(*args, **named):
        if not is_numeric(args, named):
            over.wait(5)
        raise socket.gaierror(socket.EAI_NONAME, "nothing")

    monkeypatch.setattr(socket, "getaddrinfo", hang)

    async def main():
        async with h11_side.channel("http://api.example") as channel:
            started = time.monotonic()
            with pytest.raises(TransportError) as caught:
                await channel.send(GET, 0.2)
            assert verdict(caught) == (TransportFault.TIMEOUT, Delivery.NOT_SENT)
            assert time.monotonic() - started < 2
            over.set()

    h11_side.run(main)
