"""What a plugin is told, and what its answers are worth."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from hodei_k8s_core.access.cluster_access import ClusterAccess, ExecPlugin
from hodei_k8s_core.access.exec_plugin import PluginOutcome, PluginReply, RunEnd, plan_run, read_outcome
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.secret import Secret
from tests.core.kubeconfigs import EXEC_V1, EXEC_V1BETA1, config, exec_stanza, load

FIELD = '/home/dev/.kube/config: users["dev"].user.exec'


def access_with(cluster: dict[str, Any] | None = None, **plugin: Any) -> tuple[ClusterAccess, ExecPlugin]:
    access = load(config(cluster, exec_stanza(**plugin)))
    assert access.identity.plugin is not None
    return access, access.identity.plugin


def information(
    cluster: dict[str, Any] | None = None, *, ca: bytes | None = None, terminal: bool = False, **plugin: Any
) -> Any:
    access, parsed = access_with(cluster, **plugin)
    run = plan_run(parsed, access, {}, ca=ca, stdin_is_terminal=terminal)
    return json.loads(run.environment["KUBERNETES_EXEC_INFO"])


def test_what_is_run() -> None:
    access, plugin = access_with(args=["a"], env=[{"name": "B", "value": "theirs"}])

    run = plan_run(plugin, access, {"A": "1", "B": "ours", "PATH": "/bin"}, ca=None, stdin_is_terminal=True)

    assert (run.command, run.arguments, run.search_path, run.interactive) == ("plugin", ("a",), "/bin", False)
    assert {**run.environment, "KUBERNETES_EXEC_INFO": ""} == {
        "A": "1",
        "B": "theirs",
        "PATH": "/bin",
        "KUBERNETES_EXEC_INFO": "",
    }
    assert "theirs" not in repr(run)


@pytest.mark.parametrize("version", [EXEC_V1, EXEC_V1BETA1])
def test_the_least_information(version: str) -> None:
    assert information(apiVersion=version) == {
        "kind": "ExecCredential",
        "apiVersion": version,
        "spec": {"interactive": False},
    }


@pytest.mark.parametrize(
    ("mode", "terminal", "interactive"),
    [
        ("Never", True, False),
        ("Never", False, False),
        ("IfAvailable", True, True),
        ("IfAvailable", False, False),
        ("Always", True, True),
    ],
)
def test_interactive_modes(mode: str, terminal: bool, interactive: bool) -> None:
    assert information(interactiveMode=mode, terminal=terminal)["spec"]["interactive"] is interactive


def test_a_plugin_that_insists_on_a_terminal() -> None:
    with pytest.raises(TransportError, match=r"exec: interactiveMode is Always, and standard input is not a terminal"):
        information(interactiveMode="Always", terminal=False)


def test_information_about_the_cluster() -> None:
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"x": None}}
    cluster = {
        "server": "https://k8s.example/prefix/?q=1",
        "tls-server-name": "k",
        "certificate-authority": "ca",
        "proxy-url": "http://p",
        "disable-compression": True,
        "extensions": [extension],
    }

    assert information(cluster, ca=b"CA", provideClusterInfo=True)["spec"]["cluster"] == {
        "server": "https://k8s.example/prefix/",
        "tls-server-name": "k",
        "certificate-authority-data": "Q0E=",
        "proxy-url": "http://p",
        "disable-compression": True,
        "config": {"x": None},
    }


def test_the_least_information_about_the_cluster() -> None:
    assert information({"insecure-skip-tls-verify": True}, provideClusterInfo=True)["spec"]["cluster"] == {
        "server": "https://k8s.example:6443",
        "insecure-skip-tls-verify": True,
        "config": None,
    }


def answer(status: Any, **more: Any) -> bytes:
    return json.dumps({"kind": "ExecCredential", "apiVersion": EXEC_V1, "status": status, **more}).encode()


def reply_to(output: bytes) -> PluginReply:
    return read_outcome(access_with()[1], PluginOutcome(RunEnd.EXITED, 0, output))


@pytest.mark.parametrize(
    ("status", "reply"),
    [
        ({"token": "t"}, PluginReply(Secret("t"))),
        ({"token": "t", "expirationTimestamp": None, "clientKeyData": ""}, PluginReply(Secret("t"))),
        (
            {"token": "t", "expirationTimestamp": "2026-11-24T10:00:00Z"},
            PluginReply(Secret("t"), expires_at=1795514400.0),
        ),
        (
            {"token": "t", "expirationTimestamp": "2026-11-24T11:00:00.5+01:00"},
            PluginReply(Secret("t"), expires_at=1795514400.5),
        ),
        (
            {"clientCertificateData": "c", "clientKeyData": "k"},
            PluginReply(certificate=Secret("c"), key=Secret("k")),
        ),
        (
            {"token": "t", "clientCertificateData": "c", "clientKeyData": "k"},
            PluginReply(Secret("t"), Secret("c"), Secret("k")),
        ),
    ],
)
def test_good_answers(status: Any, reply: PluginReply) -> None:
    assert reply_to(answer(status, unknown=1)) == reply


def test_an_answer_in_yaml() -> None:
    text = (
        f"kind: ExecCredential\napiVersion: {EXEC_V1}\nstatus:\n  token: t\n  expirationTimestamp: 2026-11-24T10:00:00Z"
    )

    assert reply_to(text.encode()) == PluginReply(Secret("t"), expires_at=1795514400.0)


@pytest.mark.parametrize(
    ("output", "problem"),
    [
        (b"\n", "is empty"),
        (b"{}", "is a ? of ?, and client.authentication.k8s.io/v1 was asked for"),
        (b"hunter: [", "is not JSON"),
        (b"hunter", "is not an ExecCredential: Expected `object`, got `str`"),
        (answer({"token": "t"}, kind="Status"), "is a Status of client.authentication.k8s.io/v1,"),
        (
            answer({"token": "t"}, apiVersion=EXEC_V1BETA1),
            "is a ExecCredential of client.authentication.k8s.io/v1beta1",
        ),
        (answer({"token": "t"}, kind="hunter hunter"), "is a ? of client.authentication.k8s.io/v1,"),
        (answer(None), "has no status"),
        (answer({}), "has neither a token nor a certificate"),
        (answer({"token": 1}), "is not an ExecCredential: Expected `str | null`, got `int` - at `$.status.token`"),
        (answer({"clientKeyData": "hunter"}), "has only one of certificate and key"),
        (answer({"token": "hunter", "clientCertificateData": "hunter"}), "has only one of certificate and key"),
        (answer({"token": "hunter\n"}), "has a token that no header can carry"),
        (answer({"token": "t", "expirationTimestamp": "hunter"}), "has an expirationTimestamp that is no time"),
        (answer({"token": "t", "expirationTimestamp": "2026-11-24T10:00:00"}), "has an expirationTimestamp that is no"),
    ],
)
def test_bad_answers_are_not_quoted(output: bytes, problem: str) -> None:
    with pytest.raises(TransportError) as caught:
        reply_to(output)

    assert caught.value.fault is TransportFault.CREDENTIALS
    assert caught.value.delivery is Delivery.NOT_SENT
    assert caught.value.detail.startswith(f"{FIELD}: the program's answer {problem}")
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize(
    ("outcome", "problem"),
    [
        (PluginOutcome(RunEnd.EXITED, 3, b"hunter"), "the program plugin failed with exit code 3"),
        (PluginOutcome(RunEnd.MISSING), "the program plugin does not exist, is not on PATH, or may not be executed"),
        (PluginOutcome(RunEnd.NOT_STARTED), "the program cannot be started"),
        (PluginOutcome(RunEnd.TIMED_OUT), "the program did not end in time, and was stopped"),
        (PluginOutcome(RunEnd.TOO_LONG, 0, b"hunter"), "the program's answer is too long to be a credential"),
    ],
)
def test_runs_that_give_nothing(outcome: PluginOutcome, problem: str) -> None:
    with pytest.raises(TransportError) as caught:
        read_outcome(access_with()[1], outcome)

    assert caught.value.detail == f"{FIELD}: {problem}"
    assert "hunter" not in repr(outcome)


def test_the_install_hint_is_shown_without_control_codes() -> None:
    _, plugin = access_with(installHint="get it:\n\thttps://é.example \x1b[31mred\u202e\x07\r")

    with pytest.raises(TransportError) as caught:
        read_outcome(plugin, PluginOutcome(RunEnd.MISSING))

    assert caught.value.detail.endswith("may not be executed\nget it:\n\thttps://é.example [31mred")


def test_a_plugin_is_frozen() -> None:
    _, plugin = access_with()

    with pytest.raises(AttributeError):
        plugin.command = "other"  # type: ignore[misc]
    assert msgspec.structs.replace(plugin, command="other") != plugin
