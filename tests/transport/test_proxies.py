"""Through proxies: forwarding of plain http, tunnels for https, over http and over https, and what goes wrong there."""

from __future__ import annotations

import base64

import pytest

from hodei_k8s_core.errors import ConfigurationError, Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Request
from hodei_k8s_transport.access.credential import Endpoint
from hodei_k8s_transport.channels.async_h11_channel import AsyncH11Channel
from hodei_k8s_transport.channels.h11_channel import H11Channel
from hodei_k8s_transport.channels.h11_route import plan_route
from hodei_k8s_transport.testing.loopback import HANG_UP, LiveBody, LoopbackServer, Reply, reply
from tests.transport.certificates import Authority
from tests.transport.proxy import TunnelProxy
from tests.transport.sides import Credentials

HTTP = ("httpx", "h11")
GET = Request("GET", "/x")
SOON = 5.0
PASSWORD = "Basic " + base64.b64encode(b"user:p@ss w:rd").decode()
USER = "user:p%40ss%20w%3Ard"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def for_api(authority):
    return authority.server_context("DNS:api.example")


@pytest.fixture(scope="module")
def for_loopback(authority):
    return authority.server_context()


@pytest.fixture
def secure(for_api):
    with LoopbackServer(for_api) as server:
        server.route("/x", reply(200, b"secret"))
        yield server


def fields(head: str) -> dict[str, str]:
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in head.split("\r\n")[1:])}


def test_plain_http_is_forwarded(side, server):
    server.route("http://api.example:8080/pre/x", reply(200, b"forwarded"))
    proxy = server.url.replace("//", f"//{USER}@")

    async def main():
        async with side.channel(Endpoint("http://api.example:8080/pre", proxy=proxy)) as channel:
            for _ in range(2):
                assert (await channel.send(GET, SOON)).body == b"forwarded"
            body = await channel.open(GET, SOON)
            assert await body.read(SOON) == b"forwarded"

    side.run(main)
    assert server.accepted == 2
    for request in server.requests:
        assert request.headers["host"] == "api.example:8080"
        assert request.headers["proxy-authorization"] == PASSWORD


@pytest.mark.parametrize("proxy_speaks", ["http", "https"])
def test_https_goes_through_a_tunnel(side, secure, authority, for_loopback, proxy_speaks, monkeypatch):
    # A proxy's own certificate is judged by what this host trusts.
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    live = LiveBody()
    secure.route("/watch", live)

    async def main():
        with TunnelProxy(secure.port, for_loopback if proxy_speaks == "https" else None) as proxy:
            endpoint = Endpoint("https://api.example", tls=authority.client_context(), proxy=proxy.url(USER))
            async with side.channel(endpoint) as channel:
                for _ in range(2):
                    assert (await channel.send(GET, SOON)).body == b"secret"
                assert len(proxy.heads) == 1
                body = await channel.open(Request("GET", "/watch"), SOON)
                live.send(b"x" * 200_000)
                received = 0
                while received < 200_000:
                    received += len(await body.read(SOON))
                await body.close()
            assert await side.until(lambda: proxy.open_tunnels == 0)
            assert proxy.heads[0].startswith("CONNECT api.example:443 HTTP/1.1\r\n")
            assert fields(proxy.heads[0])["proxy-authorization"] == PASSWORD

    side.run(main)
    assert all("proxy-authorization" not in request.headers for request in secure.requests)


def test_the_name_of_the_server_is_checked_through_a_tunnel(side, secure, authority):
    async def main():
        with TunnelProxy(secure.port) as proxy:
            endpoint = Endpoint("https://other.example", tls=authority.client_context(), proxy=proxy.url())
            async with side.channel(endpoint) as channel:
                with pytest.raises(TransportError) as caught:
                    await channel.send(GET, SOON)
                assert (caught.value.fault, caught.value.delivery) == (TransportFault.TLS_NAME, Delivery.NOT_SENT)
            assert await side.until(lambda: proxy.open_tunnels == 0)

    side.run(main)


def test_another_server_name_can_be_asked_for_through_a_tunnel(h11_side, secure, authority):
    async def main():
        with TunnelProxy(secure.port) as proxy:
            endpoint = Endpoint(
                "https://10.0.0.1", tls=authority.client_context(), proxy=proxy.url(), server_name="api.example"
            )
            async with h11_side.channel(endpoint) as channel:
                assert (await channel.send(GET, SOON)).body == b"secret"
            assert proxy.heads[0].startswith("CONNECT 10.0.0.1:443 ")

    h11_side.run(main)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (HANG_UP, "closed the connection"),
        (Reply(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 5\r\n\r\nsorry"), "with status 502"),
        (Reply(b"nonsense\r\n\r\n"), "not valid HTTP"),
        (Reply(b"HTTP/1.1 200 OK\r\n\r\nI speak first"), "by speaking first"),
    ],
    ids=["hangs up", "502", "nonsense", "speaks first"],
)
def test_a_proxy_that_opens_no_tunnel(h11_side, server, authority, answer, told):
    server.route("api.example:443", answer)

    async def main():
        endpoint = Endpoint("https://api.example", tls=authority.client_context(), proxy=server.url)
        async with h11_side.channel(endpoint) as channel:
            with pytest.raises(TransportError, match=told) as caught:
                await channel.send(GET, SOON)
            assert (caught.value.fault, caught.value.delivery) == (TransportFault.PROXY, Delivery.NOT_SENT)
            assert await h11_side.until(lambda: server.open_connections == 0)

    h11_side.run(main)


def test_a_proxy_whose_certificate_is_not_trusted(side, authority, for_loopback):
    async def main():
        with TunnelProxy(1, for_loopback) as proxy:
            endpoint = Endpoint("https://api.example", tls=authority.client_context(), proxy=proxy.url())
            async with side.channel(endpoint) as channel:
                with pytest.raises(TransportError) as caught:
                    await channel.send(GET, SOON)
                assert (caught.value.fault, caught.value.delivery) == (TransportFault.TLS_UNTRUSTED, Delivery.NOT_SENT)

    side.run(main)


@pytest.mark.parametrize("channel", [H11Channel, AsyncH11Channel])
def test_socks_is_left_to_httpx(channel):
    with pytest.raises(ConfigurationError) as caught:
        channel(Endpoint("https://h", proxy="socks5://user:hunter2@p:1080"), Credentials())
    assert [fault.field for fault in caught.value.faults] == ["proxy"]
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("endpoint", "host", "port", "authority", "prefix", "server_name"),
    [
        (Endpoint("https://h"), "h", 443, "h", "", "h"),
        (Endpoint("https://h:6443/a/b"), "h", 6443, "h:6443", "/a/b", "h"),
        (Endpoint("http://[::1]:80"), "::1", 80, "[::1]", "", None),
        (Endpoint("https://[::1]:8443"), "::1", 8443, "[::1]:8443", "", "::1"),
        (Endpoint("https://h", server_name="n"), "h", 443, "h", "", "n"),
        (Endpoint("https://bücher.example"), "xn--bcher-kva.example", 443, "xn--bcher-kva.example", "", None),
        (Endpoint("http://h/p", proxy="http://q"), "q", 80, "h", "http://h/p", None),
        (Endpoint("https://h", proxy="https://q"), "q", 443, "h", "", "h"),
    ],
)
def test_the_route_to_an_endpoint(endpoint, host, port, authority, prefix, server_name):
    route = plan_route(endpoint)
    assert (route.host, route.port, route.authority, route.prefix) == (host, port, authority, prefix)
    assert route.server_name == (server_name or ("xn--bcher-kva.example" if "xn--" in host else None))
    assert "pw" not in repr(plan_route(Endpoint("https://h", proxy="http://u:pw@q")))
