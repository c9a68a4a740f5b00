"""Everything that can be wrong with a kubeconfig, each named by file, stanza and field."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.access.kubeconfig import ServiceAccountMount, load_kubeconfig
from hodei_k8s_core.access.kubeconfig_document import parse_document
from hodei_k8s_core.errors import ConfigurationError
from tests.core.kubeconfigs import (
    CA_DATA,
    CERTIFICATE_DATA,
    EXEC_V1,
    KEY_DATA,
    PATH,
    config,
    document,
    exec_stanza,
    load,
)

CLUSTER = f'{PATH}: clusters["dev"].cluster'
USER = f'{PATH}: users["dev"].user'
CONTEXT = f'{PATH}: contexts["dev"].context'
POD = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}

CLUSTER_FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"server": None}, "server", "is missing"),
    ({"server": ""}, "server", "is missing"),
    ({"server": "ftp://k8s.example"}, "server", 'has the scheme "ftp"'),
    ({"server": "https://"}, "server", "must be a URL, or a host and port alone"),
    ({"server": "k8s.example/prefix"}, "server", "must be a URL, or a host and port alone"),
    ({"server": "https://k8s.example:port"}, "server", "is not a URL"),
    ({"server": "https://k8s.example:70000"}, "server", "is not a URL"),
    ({"server": "https://[::1"}, "server", "is not a URL"),
    ({"server": "https://:6443"}, "server", "names no host"),
    ({"server": "https://k8s.example\n"}, "server", "holds spaces or control characters"),
    ({"server": "https://me:word@k8s.example"}, "server", "holds a name or password"),
    ({"proxy-url": "ftp://proxy.example"}, "proxy-url", "must have one of http, https, socks5"),
    ({"proxy-url": "proxy.example:3128"}, "proxy-url", "must have one of http, https, socks5"),
    ({"proxy-url": "socks5h://proxy.example"}, "proxy-url", "must have one of http, https, socks5"),
    ({"proxy-url": "http://:3128"}, "proxy-url", "names no host"),
    (
        {"certificate-authority": "ca.crt", "certificate-authority-data": CA_DATA},
        "certificate-authority-data",
        "stands beside certificate-authority",
    ),
    (
        {"certificate-authority": "ca.crt", "insecure-skip-tls-verify": True},
        "insecure-skip-tls-verify",
        "stands beside a certificate authority",
    ),
    (
        {"certificate-authority-data": CA_DATA, "insecure-skip-tls-verify": True},
        "insecure-skip-tls-verify",
        "stands beside a certificate authority",
    ),
    ({"certificate-authority-data": "Q0E"}, "certificate-authority-data", "is not base64"),
    ({"certificate-authority-data": "Q0 E="}, "certificate-authority-data", "is not base64"),
    ({"certificate-authority-data": "é"}, "certificate-authority-data", "is not base64"),
    ({"server": 6443}, "server", "expected `str`, got `int`"),
    ({"insecure-skip-tls-verify": "true"}, "insecure-skip-tls-verify", "expected `bool`, got `str`"),
]

USER_FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"token": "t", "username": "u", "password": "p"}, "token", "stands beside username or password"),
    ({"token": "t", "password": "p"}, "token", "stands beside username or password"),
    ({"tokenFile": "t", "username": "u", "password": "p"}, "tokenFile", "stands beside username or password"),
    ({"username": "u"}, "password", "is missing beside username: use a token"),
    ({"password": "p"}, "username", "is missing beside password: use a token"),
    ({"token": "t\n"}, "token", "holds characters that no header can carry"),
    ({"token": "t\u00e9"}, "token", "holds characters that no header can carry"),
    ({"token": 12345}, "token", "expected `str`, got `int`"),
    ({"token": True}, "token", "expected `str`, got `bool`"),
    ({"as-groups": "g"}, "as-groups", "expected `array`, got `str`"),
    (
        {"client-certificate": "c", "client-certificate-data": CERTIFICATE_DATA, "client-key": "k"},
        "client-certificate-data",
        "stands beside client-certificate",
    ),
    (
        {"client-certificate": "c", "client-key": "k", "client-key-data": KEY_DATA},
        "client-key-data",
        "stands beside client-key",
    ),
    ({"client-certificate": "c"}, "client-key", "is missing"),
    ({"client-certificate-data": CERTIFICATE_DATA}, "client-key", "is missing"),
    ({"client-key-data": "!"}, "client-key-data", "is not base64"),
    ({"as-uid": "1"}, "as-uid", "needs `as`"),
    ({"as-groups": ["g"]}, "as-groups", "needs `as`"),
    ({"as-user-extra": {"k": ["v"]}}, "as-user-extra", "needs `as`"),
    ({"as": "x\r\ny: z"}, "as", "holds characters that no header can carry"),
    ({"auth-provider": {"name": "gcp"}}, "auth-provider", "is not supported: Kubernetes removed"),
    ({**exec_stanza(), "auth-provider": {"name": "oidc"}}, "exec", "stands beside auth-provider"),
    (exec_stanza(command=""), "exec.command", "is missing"),
    (exec_stanza(command=None), "exec.command", "is missing"),
    (exec_stanza(apiVersion=""), "exec.apiVersion", "is missing"),
    (exec_stanza(apiVersion="client.authentication.k8s.io/v1alpha1"), "exec.apiVersion", "must be one of"),
    (exec_stanza(interactiveMode=None), "exec.interactiveMode", "is missing: one of Never, IfAvailable, Always"),
    (exec_stanza(interactiveMode="Sometimes"), "exec.interactiveMode", 'is "Sometimes"'),
    (exec_stanza(env=[{"name": "A"}, {"value": "b"}]), "exec.env[1].name", "is missing"),
    (exec_stanza(args="get-token"), "exec.args", "expected `array`, got `str`"),
    (exec_stanza(env=[{"name": "A", "value": 1}]), "exec.env[0].value", "expected `str`, got `int`"),
]

FILE_FAULTS: list[tuple[str, str, str]] = [
    ("- a", PATH, "expected `object`, got `array`"),
    ("a: [", PATH, "line 2, column 1: did not find expected node content"),
    ("token: *abcdef", PATH, "line 1, column 8: found undefined alias"),
    ("a: &a [*a]", PATH, "an alias stands inside of what it stands for"),
    ("[" * 100_000, PATH, "nested too deeply"),
    ("kind: Pod", f"{PATH}: kind", 'is "Pod"'),
    ("apiVersion: v2", f"{PATH}: apiVersion", 'is "v2"'),
    ("clusters: 3", f"{PATH}: clusters", "expected `array`, got `int`"),
    ("clusters: [3]", f"{PATH}: clusters[0]", "expected `object`, got `int`"),
    ("contexts: [{name: 3}]", f"{PATH}: contexts[0].name", "expected `str`, got `int`"),
    ("users: [{name: a}, {name: a}]", f'{PATH}: users["a"]', "stands twice"),
    ("users: [{name: ''}, {}]", f"{PATH}: users[1]", "stands twice"),
    ("current-context: yes", f"{PATH}: current-context", "expected `str`, got `bool`"),
]


def only_fault(error: ConfigurationError) -> tuple[str, str]:
    assert len(error.faults) == 1, str(error)
    return error.faults[0].field, error.faults[0].problem


@pytest.mark.parametrize(("cluster", "field", "problem"), CLUSTER_FAULTS)
def test_a_cluster(cluster: dict[str, Any], field: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(config(cluster))

    told_field, told_problem = only_fault(caught.value)
    assert told_field == f"{CLUSTER}.{field}"
    assert problem in told_problem
    assert "word" not in told_problem.replace("password", "")


@pytest.mark.parametrize(("user", "field", "problem"), USER_FAULTS)
def test_a_user(user: dict[str, Any], field: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(config(user=user))

    told_field, told_problem = only_fault(caught.value)
    assert told_field == f"{USER}.{field}"
    assert problem in told_problem
    assert "12345" not in str(caught.value)


@pytest.mark.parametrize(("text", "field", "problem"), FILE_FAULTS)
def test_a_file(text: str, field: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(text)

    told_field, told_problem = only_fault(caught.value)
    assert told_field == field
    assert problem in told_problem
    assert "abcdef" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"a: \xff\xfe", "not text in UTF-8 or UTF-16"),
        (b"a: \x00", "not text in UTF-8 or UTF-16, or with control characters"),
    ],
)
def test_bytes_that_are_no_text(data: bytes, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        load(data)


@pytest.mark.parametrize(
    ("context", "field", "problem"),
    [
        ({"cluster": "gone"}, f"{CONTEXT}.cluster", 'there is no cluster "gone"'),
        ({"cluster": None}, f"{CONTEXT}.cluster", "names no cluster"),
        ({"namespace": 3}, f"{CONTEXT}.namespace", "expected `str`, got `int`"),
    ],
)
def test_a_context(context: dict[str, Any], field: str, problem: str) -> None:
    """Also in a Pod: who names a context does not mean the Pod's own service account."""
    with pytest.raises(ConfigurationError) as caught:
        load(config(context=context), environ=POD)

    assert only_fault(caught.value) == (field, problem)


def test_a_context_that_does_not_exist() -> None:
    with pytest.raises(ConfigurationError) as asked:
        load(config(), context="prod")
    with pytest.raises(ConfigurationError) as current:
        load({**config(), "current-context": "prod"})

    assert only_fault(asked.value) == ("context", 'there is no context "prod"; known: dev')
    assert only_fault(current.value) == (f"{PATH}: current-context", 'there is no context "prod"; known: dev')


def test_no_context_at_all() -> None:
    with pytest.raises(ConfigurationError, match=r"context: none is chosen .* known: dev") as caught:
        load({**config(), "current-context": ""})

    assert "set KUBECONFIG" in caught.value.mend


def test_nothing_at_all_tells_where_it_looked() -> None:
    with pytest.raises(ConfigurationError, match=r"there is none, or it is empty \(/a, /b\), and this is not inside"):
        load_kubeconfig([], {}, searched=["/a", "/b"])


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(config({"server": "", "proxy-url": "ftp://x"}, {"client-certificate": "c", "as-uid": "1"}))

    assert [fault.field for fault in caught.value.faults] == [
        f"{CLUSTER}.server",
        f"{CLUSTER}.proxy-url",
        f"{USER}.client-key",
        f"{USER}.as-uid",
    ]


def test_every_fault_of_every_file_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load("clusters: 1\nusers: 2", config(), "contexts: 3")

    assert [fault.field for fault in caught.value.faults] == ["/0/config: clusters", "/2/config: contexts"]
    assert str(caught.value).startswith("not a usable kubeconfig: /0/config, /2/config")


def test_a_stanza_that_nothing_uses_must_be_readable_too() -> None:
    broken = config()
    broken["users"].append({"name": "unused", "user": {"client-key-data": "!"}})

    with pytest.raises(ConfigurationError) as caught:
        load(broken)

    assert only_fault(caught.value)[0] == f'{PATH}: users["unused"].user.client-key-data'


def test_a_stanza_that_nothing_uses_may_make_no_sense() -> None:
    other = config()
    other["users"].append({"name": "unused", "user": {"token": "t", "username": "u"}})

    assert load(other).server == "https://k8s.example:6443"


def test_an_unusable_address_in_a_pod() -> None:
    environ = {"KUBERNETES_SERVICE_HOST": "a b", "KUBERNETES_SERVICE_PORT": "443"}

    with pytest.raises(ConfigurationError, match="the address of the API server holds spaces"):
        load_kubeconfig([], environ, service_account=ServiceAccountMount("/sa"))


def test_no_secret_is_shown() -> None:
    inline = {"client-certificate-data": CERTIFICATE_DATA, "client-key-data": "aHVudGVy"}
    user = {"token": "hunter", "tokenFile": "t", **inline}
    access = load(config({"proxy-url": "http://u:hunter@p", "certificate-authority-data": "aHVudGVy"}, user))
    plugin = load(config(user=exec_stanza(env=[{"name": "A", "value": "hunter"}], apiVersion=EXEC_V1)))
    basic = load(config(user={"username": "u", "password": "hunter"}))
    read = parse_document(document(config(user=user)))

    for value in (access, access.identity, plugin, plugin.identity, basic, read, read.users["dev"], document("hunter")):
        assert "hunter" not in repr(value)
