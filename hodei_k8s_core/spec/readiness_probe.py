"""`ReadinessProbe`: how the kubelet finds out that a worker is ready."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.validation import (
    MAX_INT32,
    Problem,
    fault_of,
    instance,
    optional,
    raise_faults,
    sequence_faults,
    text_problem,
    text_that,
    whole_number,
)

SCHEMES: Final = ("HTTP", "HTTPS")
_PORT: Final = whole_number(1, 65535)
_TIMES: Final[dict[str, Problem]] = {
    "initial_delay_seconds": whole_number(0, MAX_INT32),
    "period_seconds": whole_number(1, MAX_INT32),
    "timeout_seconds": whole_number(1, MAX_INT32),
    "failure_threshold": whole_number(1, MAX_INT32),
    "success_threshold": whole_number(1, MAX_INT32),
}


class HttpProbe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """GET `path` at `port` of the worker; a status from 200 to 399 means ready.

    Raises: ConfigurationError with every fault.
    """

    path: str = "/"
    port: int
    scheme: str = "HTTP"

    def __post_init__(self) -> None:
        raise_faults("the HTTP probe is not valid", _http_faults(self))


class ReadinessProbe(msgspec.Struct, frozen=True, kw_only=True):
    """Exactly one of `exec` (a command), `http`, and `tcp` (a port); then when and how often, in whole seconds.

    Raises: ConfigurationError with every fault.
    """

    exec: Sequence[str] | None = None
    http: HttpProbe | None = None
    tcp: int | None = None
    initial_delay_seconds: int = 0
    period_seconds: int = 10
    timeout_seconds: int = 1
    failure_threshold: int = 3
    success_threshold: int = 1

    def __post_init__(self) -> None:
        raise_faults("the readiness probe is not valid", _faults(self))
        if self.exec is not None:
            msgspec.structs.force_setattr(self, "exec", tuple(self.exec))

    def to_manifest(self) -> dict[str, Any]:
        """As a container's `readinessProbe` has it."""
        return _handler(self) | {
            "initialDelaySeconds": self.initial_delay_seconds,
            "periodSeconds": self.period_seconds,
            "timeoutSeconds": self.timeout_seconds,
            "failureThreshold": self.failure_threshold,
            "successThreshold": self.success_threshold,
        }

    @staticmethod
    def from_manifest(manifest: object) -> ReadinessProbe:
        """The probe that a container's `readinessProbe` describes; fields that are not known here are a fault.

        Raises: ConfigurationError.
        """
        try:
            raw = msgspec.convert(manifest, _Manifest)
        except msgspec.ValidationError as error:
            raise ConfigurationError("the readiness probe is not valid", [Fault("manifest", str(error))]) from None
        return ReadinessProbe(
            exec=raw.exec.command if raw.exec else None,
            http=raw.http_get,
            tcp=raw.tcp_socket.port if raw.tcp_socket else None,
            **{name: getattr(raw, name) for name in _TIMES},
        )


class _Command(msgspec.Struct, forbid_unknown_fields=True):
    command: list[str]


class _Port(msgspec.Struct, forbid_unknown_fields=True):
    port: int


class _Manifest(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    exec: _Command | None = None
    http_get: HttpProbe | None = None
    tcp_socket: _Port | None = None
    initial_delay_seconds: int = 0
    period_seconds: int = 10
    timeout_seconds: int = 1
    failure_threshold: int = 3
    success_threshold: int = 1


def _handler(probe: ReadinessProbe) -> dict[str, Any]:
    if probe.exec is not None:
        return {"exec": {"command": list(probe.exec)}}
    if probe.http is not None:
        return {"httpGet": {"path": probe.http.path, "port": probe.http.port, "scheme": probe.http.scheme}}
    return {"tcpSocket": {"port": probe.tcp}}


def _faults(probe: ReadinessProbe) -> list[Fault]:
    found = [f for name, check in _TIMES.items() for f in fault_of(name, check(getattr(probe, name)))]
    if probe.exec is not None:
        found += sequence_faults("exec", probe.exec, text_problem)
        found += [] if probe.exec else [Fault("exec", "must not be empty")]
    found += fault_of("http", optional(instance(HttpProbe, "an HttpProbe"))(probe.http))
    found += fault_of("tcp", optional(_PORT)(probe.tcp))
    given = [name for name in ("exec", "http", "tcp") if getattr(probe, name) is not None]
    if len(given) != 1:
        found.append(Fault("exec, http, tcp", f"exactly one must be given, not {' and '.join(given) or 'none'}"))
    return found


def _http_faults(probe: HttpProbe) -> list[Fault]:
    checks = {"port": _PORT, "path": text_that(_path_problem), "scheme": text_that(_scheme_problem)}
    return [f for name, check in checks.items() for f in fault_of(name, check(getattr(probe, name)))]


def _path_problem(path: str) -> str | None:
    return None if path.startswith("/") else f"must begin with '/', not {path!r}"


def _scheme_problem(scheme: str) -> str | None:
    return None if scheme in SCHEMES else f"must be one of {', '.join(SCHEMES)}, not {scheme!r}"
