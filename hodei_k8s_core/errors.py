"""The one tree of errors: each says whose fault it is, what is known, and whether a repetition can help.

`ProviderError` and its subclasses (named by Hodei's domain) are what a provider's methods raise. `TransportError` is
what a channel raises and what operations handle; it reaches a caller only inside `ConnectionFailed`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec

from hodei_k8s_core.api_status import Status
from hodei_k8s_core.verdict import Verdict


class HodeiK8sError(Exception):
    """The root of everything this library raises on purpose."""


class Delivery(enum.Enum):
    """How far a request got before its transport failed: it decides what may be repeated."""

    NOT_SENT = "not sent"
    MAYBE_SENT = "maybe sent"
    ANSWERED = "answered"


class TransportFault(enum.Enum):
    """What failed between us and the API server. The values are metric labels: a bounded set."""

    NAME_NOT_FOUND = "name_not_found"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    PROXY = "proxy"
    TLS_UNTRUSTED = "tls_untrusted"
    TLS_NAME = "tls_name"
    TLS_EXPIRED = "tls_expired"
    TLS = "tls"
    NOT_TLS = "not_tls"
    TIMEOUT = "timeout"
    NO_CONNECTION_FREE = "no_connection_free"
    CLOSED = "closed"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    CREDENTIALS = "credentials"
    INTERRUPTED = "interrupted"


class TransportError(HodeiK8sError):
    """An exchange failed below HTTP. `detail` is for people and holds no secret."""

    def __init__(self, fault: TransportFault, delivery: Delivery, detail: str = "") -> None:
        super().__init__(fault, delivery, detail)
        self.fault = fault
        self.delivery = delivery
        self.detail = detail

    @property
    def may_have_happened(self) -> bool:
        """The server may have acted on the request."""
        return self.delivery is not Delivery.NOT_SENT

    def __str__(self) -> str:
        return f"{self.fault.value.replace('_', ' ')} ({self.delivery.value}){': ' if self.detail else ''}{self.detail}"


class Fault(msgspec.Struct, frozen=True, order=True):
    """One thing that is wrong with an input: `field` (a setting, a variable, a path) and what is wrong with it."""

    field: str
    problem: str

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"


class ProviderError(HodeiK8sError):
    """What a provider's methods raise.

    `step`: where in the operation it happened. `attempts`: how many requests were tried for that step. `status`: what
    the server said last, or None. `failure`: what the transport met last, or None. `retryable`: whether the same call
    can succeed later without a change. `mend`: what to do about it, or "". `verdict`: on the worker, or None. `target`:
    what was connected to and by whose word, or "".
    """

    default_retryable: ClassVar[bool] = False

    def __init__(
        self,
        summary: str,
        *,
        step: str = "",
        attempts: int = 0,
        status: Status | None = None,
        failure: TransportError | None = None,
        retryable: bool | None = None,
        mend: str = "",
        verdict: Verdict | None = None,
        target: str = "",
    ) -> None:
        super().__init__(summary)
        self.summary = summary
        self.step = step
        self.attempts = attempts
        self.status = status
        self.failure = failure
        self.retryable = self.default_retryable if retryable is None else retryable
        self.mend = mend
        self.verdict = verdict
        self.target = target

    def __str__(self) -> str:
        parts = [self.summary]
        if self.step:
            parts.append(f"while: {self.step}")
        if self.attempts > 1:
            parts.append(f"tried {self.attempts} times")
        if self.status is not None and not (self.status.message and self.status.message in self.summary):
            parts.append(f"the server said: {self.status}")
        if self.failure is not None:
            parts.append(f"the last failure: {self.failure}")
        if self.target:
            parts.append(f"connecting to: {self.target}")
        if self.mend:
            parts.append(f"mend: {self.mend}")
        return "; ".join(parts)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, self.__dict__)


def _restore(kind: type[ProviderError], args: tuple[Any, ...], state: dict[str, Any]) -> ProviderError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ConnectionFailed(ProviderError):
    """The API server could not be reached, or the exchange broke; `failure` says how."""

    default_retryable = True


class AuthenticationFailed(ProviderError):
    """The credentials are missing, expired or refused."""


class PermissionDenied(AuthenticationFailed):
    """The server knows who we are and forbids it (RBAC)."""


class ResourceLimitExceeded(ProviderError):
    """A quota of the namespace is used up."""

    default_retryable = True


class WorkerNotFound(ProviderError):
    """No Pod of ours has that name, or the name now belongs to another Pod."""


class WorkerAlreadyExists(ProviderError):
    """The Pod's name is taken by a worker that is not this one (or that is still terminating)."""


class ProvisioningFailed(ProviderError):
    """The API server refused the Pod, or the Pod cannot become a worker."""


class OutcomeUnknown(ProvisioningFailed):
    """It could not be found out whether the Pod exists. A later create with the same `creation_token` adopts it."""

    default_retryable = True

    def __init__(self, summary: str, *, pod_name: str = "", creation_token: str = "", **known: Any) -> None:
        super().__init__(summary, **known)
        self.pod_name = pod_name
        self.creation_token = creation_token


class ProvisioningTimeout(ProviderError):
    """The Pod was not accepted, or did not reach the wanted state, in time; `step` says where the time went."""

    default_retryable = True


class Timeout(ProviderError):
    """An operation's deadline ran out at `step`."""

    default_retryable = True


class NotReady(ProviderError):
    """The worker ended or cannot get to the wanted state."""


class UnsupportedOperation(ProviderError):
    """The settings or the cluster do not allow this."""


class ConfigurationError(ProviderError):
    """The settings or a spec are wrong; `faults` lists everything that is, at once."""

    def __init__(self, summary: str, faults: Iterable[Fault] = (), **known: Any) -> None:
        super().__init__(summary, **known)
        self.faults = tuple(faults)

    def __str__(self) -> str:
        return "\n  - ".join([super().__str__(), *map(str, self.faults)])


class ProviderSpecific(ProviderError):
    """The API server refused the request for a reason that has no name of its own here; `status` has it."""


class Internal(ProviderError):
    """The server's reply or our own state makes no sense: a bug, here or there."""


class ProviderClosed(ProviderError):
    """The provider was closed; open another one."""
