"""TLS: what is wrong with a certificate is told apart, and new credentials get new connections."""

from __future__ import annotations

import ssl

import anyio
import pytest

from hodei_k8s_core.effects import SILENCE
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Request
from hodei_k8s_transport.access.credential import Endpoint
from hodei_k8s_transport.testing.loopback import NEVER, LiveBody, LoopbackServer, Reply, reply
from tests.transport.certificates import Authority
from tests.transport.sides import Credentials

HTTP = ("httpx", "h11")
GET = Request("GET", "/x")
SOON = 5.0


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def contexts(authority):
    return {
        "good": authority.server_context(),
        "name": authority.server_context("DNS:api.example"),
        "expired": authority.server_context(days=0),
    }


@pytest.fixture
def secure(contexts):
    with LoopbackServer(contexts["good"]) as server:
        server.route("/x", reply(200, b"secret"))
        yield server


def test_calls_and_streams_over_tls(side, secure, authority):
    live = LiveBody()
    secure.route("/watch", live)

    async def main():
        async with side.channel(Endpoint(secure.url, tls=authority.client_context())) as channel:
            for _ in range(3):
                assert (await channel.send(GET, SOON)).body == b"secret"
            assert secure.accepted == 1
            body = await channel.open(Request("GET", "/watch"), SOON)
            assert await body.read(0.05) is SILENCE
            live.send(b"x" * 100_000)
            received = b""
            while len(received) < 100_000:
                received += await body.read(SOON)
            await body.close()
            assert await side.until(lambda: secure.open_connections == 1)
        assert await side.until(lambda: secure.open_connections == 0)

    side.run(main)


@pytest.mark.parametrize(
    ("certificate", "trusted", "fault"),
    [
        ("good", False, TransportFault.TLS_UNTRUSTED),
        ("name", True, TransportFault.TLS_NAME),
        ("expired", True, TransportFault.TLS_EXPIRED),
    ],
)
def test_a_bad_certificate_is_told_apart(side, contexts, authority, certificate, trusted, fault):
    tls = authority.client_context() if trusted else ssl.create_default_context()

    async def main():
        with LoopbackServer(contexts[certificate]) as server:
            async with side.channel(Endpoint(server.url, tls=tls)) as channel:
                for call in (channel.send, channel.open):
                    with pytest.raises(TransportError) as caught:
                        await call(GET, SOON)
                    assert (caught.value.fault, caught.value.delivery) == (fault, Delivery.NOT_SENT)
                assert await side.until(lambda: server.open_connections == 0)

    side.run(main)


def test_another_server_name_can_be_asked_for(side, contexts, authority):
    async def main():
        with LoopbackServer(contexts["name"]) as server:
            server.route("/x", reply(200, b"named"))
            endpoint = Endpoint(server.url, tls=authority.client_context(), server_name="api.example")
            async with side.channel(endpoint) as channel:
                assert (await channel.send(GET, SOON)).body == b"named"

    side.run(main)


class SpeaksPlainly(LoopbackServer):
    """Answers a TLS hello as a plain HTTP server does."""

    def _serve(self, raw):
        with raw:
            raw.recv(10)
            raw.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            raw.recv(10_000)


def test_https_to_a_plain_port(side, authority):
    async def main():
        with SpeaksPlainly() as plain:
            endpoint = Endpoint(plain.url.replace("http:", "https:"), tls=authority.client_context())
            async with side.channel(endpoint) as channel:
                with pytest.raises(TransportError) as caught:
                    await channel.send(GET, SOON)
                assert (caught.value.fault, caught.value.delivery) == (TransportFault.NOT_TLS, Delivery.NOT_SENT)

    side.run(main)


def test_a_handshake_that_stalls_is_a_timeout_and_closed(side, server, authority):
    async def main():
        endpoint = Endpoint(server.url.replace("http:", "https:"), tls=authority.client_context())
        async with side.channel(endpoint) as channel:
            with pytest.raises(TransportError) as caught:
                await channel.send(GET, 0.2)
            assert (caught.value.fault, caught.value.delivery) == (TransportFault.TIMEOUT, Delivery.NOT_SENT)
            assert await side.until(lambda: server.open_connections == 0)

    side.run(main)


def test_a_cancelled_handshake_leaves_no_connection(async_side, server, authority):
    async def main():
        endpoint = Endpoint(server.url.replace("http:", "https:"), tls=authority.client_context())
        async with async_side.channel(endpoint) as channel:
            for call in (channel.send, channel.open):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(call, GET, 30)
                    assert await async_side.until(lambda: server.open_connections == 1)
                    await anyio.sleep(0.05)
                    tasks.cancel_scope.cancel()
                assert await async_side.until(lambda: server.open_connections == 0)

    async_side.run(main)


def test_plain_http_to_a_tls_port(side, secure):
    async def main():
        async with side.channel(secure.url.replace("https:", "http:")) as channel:
            with pytest.raises(TransportError) as caught:
                await channel.send(GET, SOON)
            assert caught.value.fault in (TransportFault.NOT_TLS, TransportFault.CLOSED)

    side.run(main)


def test_a_renewed_client_certificate_gets_new_connections(side, secure, authority):
    live = LiveBody()
    secure.route("/watch", live)
    secure.route(
        "/x", lambda request: reply(200, b"yes") if request.headers["authorization"].endswith("-1") else reply(401)
    )
    first, second = authority.client_context(), authority.client_context()
    credentials = Credentials(tls={0: first, 1: second})

    async def main():
        async with side.channel(Endpoint(secure.url, tls=authority.client_context()), credentials) as channel:
            body = await channel.open(Request("GET", "/watch"), SOON)
            live.send(b"1")
            assert await body.read(SOON) == b"1"
            assert (await channel.send(GET, SOON)).body == b"yes"
            # The stream, the call that was refused (its pool is retired while the stream lives), and its repetition.
            assert secure.accepted == 3
            assert (await channel.send(GET, SOON)).body == b"yes"
            assert secure.accepted == 3
            live.send(b"2")
            assert await body.read(SOON) == b"2"
            await body.close()
            assert await side.until(lambda: secure.open_connections == 1)

    side.run(main)
    assert secure.wait_until(lambda: secure.open_connections == 0)


def test_a_proxy_that_refuses(side, server):
    async def main():
        endpoint = Endpoint("https://api.example", tls=ssl.create_default_context(), proxy=server.url)
        server.route(
            "api.example:443", Reply(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
        )
        async with side.channel(endpoint) as channel:
            with pytest.raises(TransportError, match="status 407") as caught:
                await channel.send(GET, SOON)
            assert (caught.value.fault, caught.value.delivery) == (TransportFault.PROXY, Delivery.NOT_SENT)
            server.route("api.example:443", NEVER)
            with pytest.raises(TransportError) as caught:
                await channel.send(GET, 0.2)
            assert (caught.value.fault, caught.value.delivery) == (TransportFault.TIMEOUT, Delivery.NOT_SENT)

    side.run(main)
    assert server.requests[0].method == "CONNECT"


def test_a_proxy_that_is_not_there(side):
    with LoopbackServer() as gone:
        url = gone.url

    async def main():
        endpoint = Endpoint(
            "https://api.example", tls=ssl.create_default_context(), proxy=f"{url.replace('//', '//u:pw@')}"
        )
        async with side.channel(endpoint) as channel:
            with pytest.raises(TransportError) as caught:
                await channel.send(GET, SOON)
            assert (caught.value.fault, caught.value.delivery) == (TransportFault.PROXY, Delivery.NOT_SENT)
            assert "pw" not in str(caught.value)

    side.run(main)
