"""What a kubeconfig without faults comes down to."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.access.cluster_access import BasicAuth, ClusterAccess, Identity, Material, TlsTrust, TokenFile
from hodei_k8s_core.secret import Secret
from tests.core.kubeconfigs import CA_DATA, CERTIFICATE_DATA, EXEC_V1BETA1, KEY_DATA, PATH, config, exec_stanza, load

CLUSTER = f'{PATH}: clusters["dev"].cluster'
USER = f'{PATH}: users["dev"].user'


def test_the_least_kubeconfig() -> None:
    access = load(config())

    assert access == ClusterAccess(
        server="https://k8s.example:6443",
        server_as_written="https://k8s.example:6443",
        origin=access.origin,
    )
    assert str(access.origin) == f'context "dev" ({PATH})'


@pytest.mark.parametrize(
    ("written", "server"),
    [
        ("https://k8s.example", "https://k8s.example"),
        ("HTTPS://k8s.example", "https://k8s.example"),
        ("https://k8s.example/", "https://k8s.example"),
        ("https://k8s.example:6443/k8s/clusters/c-1/", "https://k8s.example:6443/k8s/clusters/c-1"),
        ("https://k8s.example//a//b", "https://k8s.example/a/b"),
        ("https://k8s.example/a?b=c#d", "https://k8s.example/a"),
        ("https://[2001:db8::1]:6443", "https://[2001:db8::1]:6443"),
        ("http://127.0.0.1:8001", "http://127.0.0.1:8001"),
        ("10.0.0.1:8080", "http://10.0.0.1:8080"),
        ("localhost:8080", "http://localhost:8080"),
        ("localhost", "http://localhost"),
    ],
)
def test_server(written: str, server: str) -> None:
    assert load(config({"server": written})).server == server


@pytest.mark.parametrize(
    ("cluster", "trust"),
    [
        ({}, TlsTrust()),
        ({"insecure-skip-tls-verify": True}, TlsTrust(insecure=True)),
        ({"insecure-skip-tls-verify": False}, TlsTrust()),
        ({"tls-server-name": "kubernetes"}, TlsTrust(server_name="kubernetes")),
        (
            {"certificate-authority": "ca.crt"},
            TlsTrust(ca=Material(f"{CLUSTER}.certificate-authority", path="/home/dev/.kube/ca.crt")),
        ),
        (
            {"certificate-authority": "/etc/ca.crt"},
            TlsTrust(ca=Material(f"{CLUSTER}.certificate-authority", path="/etc/ca.crt")),
        ),
        (
            {"certificate-authority-data": CA_DATA},
            TlsTrust(ca=Material(f"{CLUSTER}.certificate-authority-data", data=Secret("CA"))),
        ),
        (
            {"certificate-authority-data": "Q0\r\nE="},
            TlsTrust(ca=Material(f"{CLUSTER}.certificate-authority-data", data=Secret("CA"))),
        ),
    ],
)
def test_trust(cluster: dict[str, Any], trust: TlsTrust) -> None:
    assert load(config(cluster)).trust == trust


def material(field: str, path: str = "", data: str | None = None) -> Material:
    return Material(f"{USER}.{field}", path=path, data=Secret(data) if data else None)


@pytest.mark.parametrize(
    ("user", "identity"),
    [
        ({}, Identity()),
        ({"token": "t"}, Identity(token=Secret("t"))),
        ({"tokenFile": "t"}, Identity(token=TokenFile(material("tokenFile", "/home/dev/.kube/t")))),
        (
            {"tokenFile": "/t", "token": "u"},
            Identity(token=TokenFile(material("tokenFile", "/t"), fallback=Secret("u"))),
        ),
        ({"username": "u", "password": "p"}, Identity(basic=BasicAuth("u", Secret("p")))),
        ({"client-key": "/k"}, Identity()),
        ({"token": "t", **exec_stanza()}, Identity(token=Secret("t"))),
        ({"username": "u", "password": "p", **exec_stanza()}, Identity(basic=BasicAuth("u", Secret("p")))),
    ],
)
def test_identity(user: dict[str, Any], identity: Identity) -> None:
    assert load(config(user=user)).identity == identity


@pytest.mark.parametrize(
    ("user", "certificate", "key"),
    [
        (
            {"client-certificate": "c", "client-key": "../k"},
            material("client-certificate", "/home/dev/.kube/c"),
            material("client-key", "/home/dev/k"),
        ),
        (
            {"client-certificate-data": CERTIFICATE_DATA, "client-key-data": KEY_DATA},
            material("client-certificate-data", data="CERT"),
            material("client-key-data", data="KEY"),
        ),
        (
            {"client-certificate": "/c", "client-key-data": KEY_DATA},
            material("client-certificate", "/c"),
            material("client-key-data", data="KEY"),
        ),
    ],
)
def test_client_certificate(user: dict[str, Any], certificate: Material, key: Material) -> None:
    """It may come with a token, and where it is, no plugin runs."""
    identity = load(config(user={**user, "token": "t", **exec_stanza()})).identity

    assert identity.certificate is not None
    assert (identity.certificate.certificate, identity.certificate.key) == (certificate, key)
    assert (identity.token, identity.plugin) == (Secret("t"), None)


@pytest.mark.parametrize(
    ("written", "command"),
    [
        ("aws", "aws"),
        ("./aws", "/home/dev/.kube/aws"),
        ("../bin/./aws", "/home/dev/bin/aws"),
        ("bin/../../aws", "/home/dev/aws"),
        ("../../../../aws", "/aws"),
        ("/usr/bin/aws", "/usr/bin/aws"),
    ],
)
def test_the_command_of_a_plugin(written: str, command: str) -> None:
    plugin = load(config(user=exec_stanza(command=written))).identity.plugin

    assert plugin is not None
    assert plugin.command == command


def test_a_plugin() -> None:
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "a", "n": 1}}
    stanza = exec_stanza(
        args=["get-token", "-x"],
        env=[{"name": "PROFILE", "value": "secret"}, {"name": "EMPTY"}],
        provideClusterInfo=True,
        installHint="install it",
        interactiveMode="Always",
    )

    plugin = load(config({"extensions": [{"name": "other"}, extension]}, stanza)).identity.plugin

    assert plugin is not None
    assert plugin.arguments == ("get-token", "-x")
    assert plugin.environment == (("PROFILE", Secret("secret")), ("EMPTY", Secret("")))
    assert plugin.provides_cluster_info
    assert plugin.install_hint == "install it"
    assert plugin.interactive_mode == "Always"
    assert plugin.field == f"{USER}.exec"
    assert plugin.cluster_config is not None
    assert bytes(plugin.cluster_config) == b'{"audience":"a","n":1}'


def test_the_older_version_of_plugins_has_a_default_mode() -> None:
    plugin = load(config(user=exec_stanza(apiVersion=EXEC_V1BETA1, interactiveMode=None))).identity.plugin

    assert plugin is not None
    assert plugin.interactive_mode == "IfAvailable"
    assert plugin.cluster_config is None


def test_other_settings() -> None:
    access = load(
        config(
            {"disable-compression": True, "proxy-url": "http://u:p@proxy.example:3128"},
            {"as": "x", "as-uid": "7", "as-groups": ["g", "h"], "as-user-extra": {"a/B": ["1", "2"], "none": None}},
            {"namespace": "ours"},
        )
    )

    assert not access.compression
    assert access.proxy == Secret("http://u:p@proxy.example:3128")
    assert access.namespace == "ours"
    assert access.impersonation == (
        ("impersonate-user", "x"),
        ("impersonate-uid", "7"),
        ("impersonate-group", "g"),
        ("impersonate-group", "h"),
        ("impersonate-extra-a%2fb", "1"),
        ("impersonate-extra-a%2fb", "2"),
    )


def test_credentials_and_trust_are_nothing_to_plain_http() -> None:
    """Impersonation is; and what only concerns encrypted servers is no fault."""
    access = load(
        config(
            {"server": "http://127.0.0.1:8001", "insecure-skip-tls-verify": True, "certificate-authority": "ca.crt"},
            {"username": "u", "password": "p", "as": "x"},
        )
    )

    assert (access.identity, access.trust) == (Identity(), TlsTrust())
    assert access.impersonation == (("impersonate-user", "x"),)
    assert access.credentials_withheld
    assert not load(config({"server": "http://127.0.0.1:8001"})).credentials_withheld


def test_a_missing_user_is_anonymous() -> None:
    assert load(config(context={"user": "nobody"})).identity == Identity()
    assert load(config(context={"user": None})).identity == Identity()


def test_a_context_that_is_asked_for_beats_the_current_one() -> None:
    both = config()
    both["contexts"].append({"name": "other", "context": {"cluster": "dev", "user": "dev", "namespace": "o"}})

    assert load(both, context="other").namespace == "o"
    assert load(both, context="").namespace == "default"
