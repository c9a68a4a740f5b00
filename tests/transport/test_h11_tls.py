"""The h11 channels over TLS: how a connection and a body end, and which certificate is shown."""

from __future__ import annotations

import contextlib
import ssl

import pytest

from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Request
from hodei_k8s_transport.access.credential import Endpoint
from hodei_k8s_transport.testing.loopback import Afterwards, LiveBody, LoopbackServer, Reply, reply
from tests.transport.certificates import Authority
from tests.transport.sides import Credentials

GET = Request("GET", "/x")
WATCH = Request("GET", "/watch")
SOON = 5.0


def verdict(caught):
    return caught.value.fault, caught.value.delivery


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


def test_an_idle_tls_connection_that_the_server_closed_is_not_used(h11_side, authority):
    async def main():
        with LoopbackServer(authority.server_context()) as server:
            server.route("/x", Reply(reply(200, b"x").wire, Afterwards.CLOSE))
            async with h11_side.channel(Endpoint(server.url, tls=authority.client_context())) as channel:
                for count in range(1, 4):
                    assert (await channel.send(GET, SOON)).body == b"x"
                    assert await h11_side.until(lambda: server.open_connections == 0)
                    assert server.accepted == count

    h11_side.run(main)


@pytest.mark.parametrize("goodbye", [True, False])
def test_only_tls_itself_ends_a_body_that_has_no_end_of_its_own(h11_side, authority, goodbye):
    """Else anybody on the way could cut it."""

    class Ends(LoopbackServer):
        def _serve(self, raw):
            with raw:
                tls = self._tls.wrap_socket(raw, server_side=True)
                tls.recv(1000)
                tls.sendall(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
                if goodbye:
                    with contextlib.suppress(OSError, ssl.SSLError):
                        tls.settimeout(0.2)
                        tls.unwrap()
                tls.close()
            self._connections.clear()

    context = authority.client_context()
    context.options |= getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)  # as Python sets it, by version

    async def main():
        with Ends(authority.server_context()) as server:
            async with h11_side.channel(Endpoint(server.url, tls=context)) as channel:
                if goodbye:
                    assert (await channel.send(GET, SOON)).body == b"half of it"
                else:
                    with pytest.raises(TransportError) as caught:
                        await channel.send(GET, SOON)
                    assert verdict(caught) == (TransportFault.CLOSED, Delivery.ANSWERED)

    h11_side.run(main)


def test_a_client_certificate_is_shown(h11_side, authority):
    context = authority.server_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.certificate)
    client = authority.client_context()
    client.load_cert_chain(authority.certificate.with_name("s.pem"), authority.certificate.with_name("s.key"))

    async def main():
        with LoopbackServer(context) as server:
            server.route("/x", reply(200, b"x"))
            async with h11_side.channel(Endpoint(server.url, tls=client)) as channel:
                assert (await channel.send(GET, SOON)).body == b"x"
            async with h11_side.channel(Endpoint(server.url, tls=authority.client_context())) as channel:
                with pytest.raises(TransportError) as caught:
                    await channel.send(GET, SOON)
                assert caught.value.fault in (TransportFault.TLS, TransportFault.CLOSED)

    h11_side.run(main)


def test_a_stream_that_outlived_its_certificate_gives_no_connection_back(h11_side, authority):
    live = LiveBody()
    first, second = authority.client_context(), authority.client_context()

    async def main():
        with LoopbackServer(authority.server_context()) as server:
            server.route("/watch", live)
            server.route("/x", lambda seen: reply(200 if seen.headers["authorization"].endswith("-1") else 401, b"x"))
            credentials = Credentials(tls={0: first, 1: second})
            async with h11_side.channel(Endpoint(server.url, tls=first), credentials) as channel:
                body = await channel.open(WATCH, SOON)
                assert (await channel.send(GET, SOON)).status == 200
                live.end()
                assert await body.read(SOON) == b""
                assert await h11_side.until(lambda: server.open_connections == 1)
                await (await channel.open(GET, SOON)).read(SOON)
                assert server.accepted == 4

    h11_side.run(main)
