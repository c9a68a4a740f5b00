"""Which proxy leads to a server."""

from __future__ import annotations

import pytest

from hodei_k8s_core.access.cluster_access import ClusterAccess
from hodei_k8s_core.access.proxy import choose_proxy
from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.secret import Secret


def chosen(server: str, environ: dict[str, str], proxy: str | None = None) -> str | None:
    access = ClusterAccess(server=server, server_as_written=server, proxy=Secret(proxy) if proxy else None)
    found = choose_proxy(access, environ)
    return found.reveal() if found else None


@pytest.mark.parametrize(
    ("written", "proxy"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128"),
        ("http://proxy.example", "http://proxy.example:80"),
        ("http://proxy.example:", "http://proxy.example:80"),
        ("HTTPS://u:p@proxy.example/path", "https://u:p@proxy.example:443"),
        ("socks5://[::1]", "socks5://[::1]:1080"),
    ],
)
def test_the_kubeconfigs_proxy_beats_the_environment_and_its_exceptions(written: str, proxy: str) -> None:
    assert chosen("https://127.0.0.1", {"HTTPS_PROXY": "http://other", "NO_PROXY": "*"}, written) == proxy


@pytest.mark.parametrize(
    ("server", "environ", "proxy"),
    [
        ("https://k8s.example", {}, None),
        ("https://k8s.example", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("https://k8s.example", {"https_proxy": "http://p:1"}, "http://p:1"),
        ("https://k8s.example", {"HTTPS_PROXY": "http://p:1", "https_proxy": "http://q:1"}, "http://p:1"),
        ("https://k8s.example", {"HTTPS_PROXY": "", "https_proxy": "http://q:1"}, "http://q:1"),
        ("https://k8s.example", {"HTTPS_PROXY": "p:1"}, "http://p:1"),
        ("https://k8s.example", {"HTTPS_PROXY": "socks5h://p"}, "socks5://p:1080"),
        ("https://k8s.example", {"HTTP_PROXY": "http://p:1", "ALL_PROXY": "http://p:1"}, None),
        ("http://k8s.example", {"HTTP_PROXY": "http://p:1"}, "http://p:1"),
        ("http://k8s.example", {"http_proxy": "http://p:1", "HTTPS_PROXY": "http://q:1"}, "http://p:1"),
        ("http://k8s.example", {"HTTPS_PROXY": "http://p:1"}, None),
        ("https://k8s.example", {"HTTPS_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, "http://p:1"),
        ("https://localhost:6443", {"HTTPS_PROXY": "http://p:1"}, None),
        ("https://127.9.9.9:6443", {"HTTPS_PROXY": "http://p:1"}, None),
        ("https://[::1]:6443", {"HTTPS_PROXY": "http://p:1"}, None),
        ("https://[::ffff:127.0.0.1]:6443", {"HTTPS_PROXY": "http://p:1"}, None),
    ],
)
def test_the_environments_proxy(server: str, environ: dict[str, str], proxy: str | None) -> None:
    assert chosen(server, environ) == proxy


@pytest.mark.parametrize(
    ("server", "exceptions"),
    [
        ("https://k8s.example", "*"),
        ("https://k8s.example", "other, K8S.example ,"),
        ("https://k8s.example", "example"),
        ("https://k8s.example", ".example"),
        ("https://k8s.example", "*.example"),
        ("https://k8s.example", "k8s.example:443"),
        ("https://k8s.example:6443", "k8s.example:6443"),
        ("https://K8S.example", "k8s.example:"),
        ("https://10.1.2.3", "10.1.2.3"),
        ("https://10.1.2.3:6443", "10.1.2.3:6443"),
        ("https://10.1.2.3", "10.0.0.0/8"),
        ("https://10.1.2.3", "10.1.2.3/8"),
        ("https://[::ffff:10.1.2.3]", "10.0.0.0/8"),
        ("https://[2001:db8::1]", "2001:db8::/32"),
        ("https://[2001:db8::1]", "2001:db8::1"),
        ("https://[2001:db8::1]:6443", "[2001:db8::1]:6443"),
        ("https://xn--bcher-kva.example", "bücher.example"),
        ("https://bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_no_proxy(server: str, exceptions: str) -> None:
    assert chosen(server, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": exceptions}) is None
    assert chosen(server, {"HTTPS_PROXY": "http://p:1", "no_proxy": exceptions}) is None


@pytest.mark.parametrize(
    ("server", "exceptions"),
    [
        ("https://k8s.example", ""),
        ("https://k8s.example", ",, ,"),
        ("https://k8s.example", "ample"),
        ("https://k8s.example", "*8s.example"),
        ("https://k8s.example", ".k8s.example"),
        ("https://k8s.example", "*.k8s.example"),
        ("https://k8s.example", "k8s.example:6443"),
        ("https://k8s.example", ":443"),
        ("https://k8s.example", "10.0.0.0/8"),
        ("https://k8s.example", "10.1.2.3"),
        ("https://10.1.2.3", "10.1.2.3:80"),
        ("https://10.1.2.3", "10.1.2.4"),
        ("https://10.1.2.3", "11.0.0.0/8"),
        ("https://10.1.2.3", "10.0.0.0/255.0.0.0"),
        ("https://10.1.2.3", "10.0.0.0/99"),
        ("https://10.1.2.3", "2.3"),
        ("https://10.1.2.3", "::/0"),
        ("https://[2001:db8::1]", "[2001:db8::1]"),
        ("https://k8s.example", "é" * 70),
    ],
)
def test_what_no_proxy_does_not_cover(server: str, exceptions: str) -> None:
    assert chosen(server, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": exceptions}) == "http://p:1"


@pytest.mark.parametrize(
    ("server", "environ", "fault"),
    [
        ("https://k8s.example", {"https_proxy": "ftp://u:hunter@p"}, 'https_proxy: has the scheme "ftp"'),
        ("https://k8s.example", {"HTTPS_PROXY": "http://u:hunter@"}, "HTTPS_PROXY: names no host"),
        ("https://k8s.example", {"HTTPS_PROXY": "http://hunter:x"}, "HTTPS_PROXY: is not a URL"),
        ("http://k8s.example", {"HTTP_PROXY": "http://p", "REQUEST_METHOD": "GET"}, "HTTP_PROXY: is not believed"),
    ],
)
def test_a_proxy_that_cannot_be_used(server: str, environ: dict[str, str], fault: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        chosen(server, environ)

    assert fault in str(caught.value)
    assert "hunter" not in str(caught.value)
    assert chosen(server, {**environ, "NO_PROXY": "k8s.example"}) is None
