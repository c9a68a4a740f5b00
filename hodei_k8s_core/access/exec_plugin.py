"""Exec credential plugins: what to run, with what environment, and whether the answer is good.

Source: k8s.io/client-go, plugin/pkg/client/auth/exec/exec.go; pkg/apis/clientauthentication/v1/types.go.
"""

from __future__ import annotations

import base64
import datetime as dt
import enum
import re
import unicodedata
from collections.abc import Mapping
from typing import Final

import msgspec

from hodei_k8s_core.access.cluster_access import ClusterAccess, ExecPlugin
from hodei_k8s_core.access.credentials import is_header_text
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.secret import Secret
from hodei_k8s_core.yaml_text import YamlFault, parse_yaml

CLUSTER_EXTENSION: Final = "client.authentication.k8s.io/exec"
API_VERSIONS: Final = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
INTERACTIVE_MODES: Final = ("Never", "IfAvailable", "Always")
DEFAULT_INTERACTIVE: Final = {"client.authentication.k8s.io/v1beta1": "IfAvailable"}
"""Version v1 has no default: the field is required."""


class PluginRun(msgspec.Struct, frozen=True):
    """What to run. `interactive`: whether it gets our standard input.

    `environment`: all of it (not shown). `search_path`: where a bare name is looked up: our own PATH, as in Go, and not
    one that the kubeconfig sets.
    """

    command: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    search_path: str
    interactive: bool

    def __repr__(self) -> str:
        return f"<PluginRun {self.command}>"


class RunEnd(enum.Enum):
    """How a run of the plugin ended."""

    EXITED = "exited"
    MISSING = "missing"
    NOT_STARTED = "not started"
    TIMED_OUT = "timed out"
    TOO_LONG = "too long"


class PluginOutcome(msgspec.Struct, frozen=True):
    """What came of a run. `output`: what it wrote to its standard output (not shown)."""

    end: RunEnd
    exit_code: int = 0
    output: bytes = b""

    def __repr__(self) -> str:
        return f"<PluginOutcome {self.end.value} {self.exit_code}>"


class PluginReply(msgspec.Struct, frozen=True):
    """A good answer: a token, or a certificate with its key (PEM), or both. `expires_at`: seconds since the epoch."""

    token: Secret | None = None
    certificate: Secret | None = None
    key: Secret | None = None
    expires_at: float | None = None


def plan_run(
    plugin: ExecPlugin,
    access: ClusterAccess,
    environ: Mapping[str, str],
    *,
    ca: bytes | None,
    stdin_is_terminal: bool,
) -> PluginRun:
    """What to run to get a credential. `ca`: the content of the trusted bundle, or None.

    Raises: `TransportError` when the plugin insists on a terminal and there is none.
    """
    if plugin.interactive_mode == "Always" and not stdin_is_terminal:
        raise plugin_failure(plugin, "interactiveMode is Always, and standard input is not a terminal")
    interactive = plugin.interactive_mode != "Never" and stdin_is_terminal
    spec: dict[str, object] = {"interactive": interactive}
    if plugin.provides_cluster_info:
        spec = {"cluster": _cluster_info(plugin, access, ca), **spec}
    info = {"kind": "ExecCredential", "apiVersion": plugin.api_version, "spec": spec}
    return PluginRun(
        command=plugin.command,
        arguments=plugin.arguments,
        environment={
            **environ,
            **{name: value.reveal() for name, value in plugin.environment},
            "KUBERNETES_EXEC_INFO": msgspec.json.encode(info).decode(),
        },
        search_path=environ.get("PATH", ""),
        interactive=interactive,
    )


def _cluster_info(plugin: ExecPlugin, access: ClusterAccess, ca: bytes | None) -> dict[str, object]:
    optional: dict[str, object] = {
        "tls-server-name": access.trust.server_name,
        "insecure-skip-tls-verify": access.trust.insecure,
        "certificate-authority-data": base64.b64encode(ca or b"").decode(),
        "proxy-url": access.proxy.reveal() if access.proxy else "",
        "disable-compression": not access.compression,
    }
    return {
        "server": access.server_as_written,
        **{name: value for name, value in optional.items() if value},
        "config": plugin.cluster_config or msgspec.Raw(b"null"),
    }


def plugin_failure(plugin: ExecPlugin, problem: str) -> TransportError:
    """The plugin gave no credential. `problem` must hold nothing that the plugin wrote."""
    return TransportError(TransportFault.CREDENTIALS, Delivery.NOT_SENT, f"{plugin.field}: {problem}")


def read_outcome(plugin: ExecPlugin, outcome: PluginOutcome) -> PluginReply:
    """The credential that the plugin gave. Raises: `TransportError` that says why there is none."""
    if outcome.end is RunEnd.MISSING:
        hint = f"\n{printable(plugin.install_hint)}" if plugin.install_hint else ""
        raise plugin_failure(
            plugin, f"the program {plugin.command} does not exist, is not on PATH, or may not be executed{hint}"
        )
    if outcome.end is not RunEnd.EXITED:
        raise plugin_failure(plugin, _PROBLEMS[outcome.end])
    if outcome.exit_code != 0:
        raise plugin_failure(plugin, f"the program {plugin.command} failed with exit code {outcome.exit_code}")
    try:
        return _parse_reply(plugin, outcome.output)
    except ValueError as error:
        raise plugin_failure(plugin, f"the program's answer {error}") from None


_PROBLEMS = {
    RunEnd.NOT_STARTED: "the program cannot be started",
    RunEnd.TIMED_OUT: "the program did not end in time, and was stopped",
    RunEnd.TOO_LONG: "the program's answer is too long to be a credential",
}


class _Status(msgspec.Struct):
    token: str | None = None
    clientCertificateData: str | None = None  # noqa: N815 - the wire's name
    clientKeyData: str | None = None  # noqa: N815
    expirationTimestamp: str | None = None  # noqa: N815


class _Answer(msgspec.Struct):
    kind: str = ""
    apiVersion: str = ""  # noqa: N815
    status: _Status | None = None


def _parse_reply(plugin: ExecPlugin, output: bytes) -> PluginReply:
    """Raises: `ValueError` that quotes nothing of the answer but its kind and version."""
    if not output.strip():
        raise ValueError("is empty")
    try:
        answer = msgspec.convert(parse_yaml(output), _Answer)  # client-go accepts YAML too, and JSON is YAML
    except YamlFault:
        raise ValueError("is not JSON") from None
    except msgspec.ValidationError as error:
        raise ValueError(f"is not an ExecCredential: {error}") from None
    if answer.kind != "ExecCredential" or answer.apiVersion != plugin.api_version:
        raise ValueError(
            f"is a {_label(answer.kind)} of {_label(answer.apiVersion)}, and {plugin.api_version} was asked for"
        )
    status = answer.status
    if status is None:
        raise ValueError("has no status")
    if bool(status.clientCertificateData) != bool(status.clientKeyData):
        raise ValueError("has only one of certificate and key")
    if not status.token and not status.clientKeyData:
        raise ValueError("has neither a token nor a certificate")
    if status.token and not is_header_text(status.token):
        raise ValueError("has a token that no header can carry")
    return PluginReply(
        token=Secret(status.token) if status.token else None,
        certificate=Secret(status.clientCertificateData) if status.clientCertificateData else None,
        key=Secret(status.clientKeyData) if status.clientKeyData else None,
        expires_at=_seconds(status.expirationTimestamp) if status.expirationTimestamp else None,
    )


def _seconds(text: str) -> float:
    try:
        moment: dt.datetime | None = msgspec.convert(text, dt.datetime)
    except msgspec.ValidationError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError("has an expirationTimestamp that is no time of RFC 3339")
    return moment.timestamp()


def _label(text: str) -> str:
    """A kind or version, if it looks like one: what a plugin writes is not quoted."""
    return text if re.fullmatch(r"[A-Za-z0-9./-]{1,60}", text) else "?"


def printable(text: str) -> str:
    """Without control codes, which could take over a terminal; line ends and tabs stay."""
    return "".join(char for char in text if char in "\n\t" or unicodedata.category(char)[0] != "C")
