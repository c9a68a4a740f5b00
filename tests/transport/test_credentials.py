"""A 401 refreshes once, however many callers met it; what is refused after that is a reply."""

from __future__ import annotations

import httpx
import pytest

from hodei_k8s_core.errors import ConfigurationError, Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Request
from hodei_k8s_transport.access.credential import Endpoint
from hodei_k8s_transport.channels.async_httpx_channel import AsyncHttpxChannel
from hodei_k8s_transport.channels.httpx_channel import HttpxChannel
from hodei_k8s_transport.testing.loopback import NEVER, LiveBody, reply
from tests.transport.sides import Credentials

HTTP = ("httpx", "h11")
GET = Request("GET", "/x")
SOON = 5.0


def accept_only(token, answer):
    return lambda request: answer if request.headers["authorization"] == f"Bearer {token}" else reply(401, b"no")


def test_a_refused_credential_is_renewed_and_the_request_repeated(side, server):
    server.route("/x", accept_only("token-1", reply(200, b"yes")))
    credentials = Credentials()

    async def main():
        async with side.channel(server.url, credentials) as channel:
            assert (await channel.send(Request("POST", "/x", body=b"{}"), SOON)).body == b"yes"

    side.run(main)
    assert [request.body for request in server.requests] == [b"{}", b"{}"]
    assert credentials.renewals == 1


def test_fifty_callers_renew_once(side, server):
    server.route("/x", accept_only("token-1", reply(200, b"yes")))
    credentials = Credentials()

    async def main():
        async with side.channel(server.url, credentials, max_connections=50) as channel:

            async def call():
                return (await channel.send(GET, SOON)).status

            assert await side.gather(*[call] * 50) == [200] * 50

    side.run(main)
    assert credentials.renewals == 1


def test_what_is_refused_twice_is_a_reply(side, server):
    server.route("/x", reply(401, b"no"))
    credentials = Credentials()

    async def main():
        async with side.channel(server.url, credentials) as channel:
            response = await channel.send(GET, SOON)
            assert (response.status, response.body) == (401, b"no")

    side.run(main)
    assert (len(server.requests), credentials.renewals) == (2, 1)


def test_what_cannot_be_renewed_is_not_repeated(side, server):
    server.route("/x", reply(401, b"no"))

    async def main():
        async with side.channel(server.url, Credentials(last_generation=0)) as channel:
            assert (await channel.send(GET, SOON)).status == 401
            body = await channel.open(GET, SOON)
            assert (body.status, await body.read(SOON)) == (401, b"no")

    side.run(main)
    assert len(server.requests) == 2


def test_opening_renews_too(side, server):
    live = LiveBody()
    server.route("/x", accept_only("token-1", live))

    async def main():
        async with side.channel(server.url) as channel:
            body = await channel.open(GET, SOON)
            assert body.status == 200
            live.send(b"x")
            assert await body.read(SOON) == b"x"

    side.run(main)


def test_a_source_that_fails_tells_its_own_error(side, server):
    class Failing(Credentials):
        def current(self):
            raise TransportError(TransportFault.CREDENTIALS, Delivery.NOT_SENT, "the plugin is not installed")

    async def main():
        async with side.channel(server.url, Failing()) as channel:
            for call in (channel.send, channel.open):
                with pytest.raises(TransportError, match="the plugin is not installed") as caught:
                    await call(GET, SOON)
                assert caught.value.fault is TransportFault.CREDENTIALS

    side.run(main)
    assert server.accepted == 0


def test_a_host_may_bring_its_own_client(httpx_side, server):
    server.route("/x", reply(200, b"mine"))
    client = (httpx.Client if httpx_side.name == "sync" else httpx.AsyncClient)(headers={"x-mine": "1"})

    async def main():
        async with httpx_side.channel(server.url, client=client) as channel:
            assert (await channel.send(GET, SOON)).body == b"mine"
            body = await channel.open(GET, SOON)
            assert await body.read(SOON) == b"mine"
        assert not client.is_closed
        client.close() if httpx_side.name == "sync" else await client.aclose()

    httpx_side.run(main)
    assert {request.headers["x-mine"] for request in server.requests} == {"1"}


def test_a_clients_own_time_limits_do_not_matter(httpx_side, server):
    server.route("/x", NEVER)
    client = (httpx.Client if httpx_side.name == "sync" else httpx.AsyncClient)(timeout=0.001)

    async def main():
        async with httpx_side.channel(server.url, client=client) as channel:
            with pytest.raises(TransportError) as caught:
                await channel.send(GET, 0.2)
            assert (caught.value.fault, caught.value.delivery) == (TransportFault.TIMEOUT, Delivery.MAYBE_SENT)
        client.close() if httpx_side.name == "sync" else await client.aclose()

    httpx_side.run(main)


def test_a_client_of_the_hosts_own_is_refused_where_it_cannot_be_checked():
    endpoint = Endpoint("https://h", tls=httpx.create_ssl_context(), proxy="http://user:pw@p", server_name="n")
    for channel, client in ((HttpxChannel, httpx.Client()), (AsyncHttpxChannel, httpx.AsyncClient())):
        with pytest.raises(ConfigurationError) as caught:
            channel(endpoint, Credentials(), client=client)
        assert [fault.field for fault in caught.value.faults] == ["tls", "proxy", "server_name"]
        assert "pw" not in str(caught.value)
