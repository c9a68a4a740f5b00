"""A failed request -> `Retry` or `GiveUp`, as values: whoever asks does the waiting, and minds its deadline and budget.

Two questions that must not be mixed up: can the same request succeed later (`retry_idempotent`), and may the first have
been carried out (`may_have_happened`), so that a create must look before it says anything? client-go repeats any verb
on a 5xx that carries `Retry-After`. We do not: the API server sends one also where etcd did not answer in time
(k8s.io/apiserver, storage/errors: InterpretCreateError gives ServerTimeout), and then the object may exist.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from hodei_k8s_core.api_status import Status
from hodei_k8s_core.config.retry_policy import RetryPolicy
from hodei_k8s_core.errors import TransportError, TransportFault


class Retry(msgspec.Struct, frozen=True):
    """Send the request again after `after` seconds."""

    after: float


class GiveUp(msgspec.Struct, frozen=True):
    """Do not send it again. `may_have_happened`: the server may have carried it out, so look before anything else."""

    reason: str
    may_have_happened: bool = False


RetryDecision: TypeAlias = Retry | GiveUp
Failure: TypeAlias = Status | TransportError

HOPELESS: Final = {
    TransportFault.TLS_UNTRUSTED: "the server's certificate is not trusted, and will not be by itself",
    TransportFault.TLS_NAME: "the server's certificate is for another name",
    TransportFault.TLS_EXPIRED: "the server's certificate is not valid at this time",
    TransportFault.NOT_TLS: "the server does not speak TLS on this port",
    TransportFault.TOO_LARGE: "the reply would be too large again",
    TransportFault.CREDENTIALS: "the credentials could not be read; their source has its own retries",
}
"""The faults of a transport that the same request meets again, each with the reason.

The others pass: a resolver that is overloaded says that a name is unknown, an API server that restarts refuses
connections, breaks a handshake, or lets a load balancer answer with what is no HTTP.
"""


def retry_idempotent(failure: Failure, *, attempt: int, policy: RetryPolicy, chance: float) -> RetryDecision:
    """What to do after the `attempt`-th attempt (from 1) failed, for a request that may be carried out twice.

    `chance` is in [0, 1).
    """
    if isinstance(failure, TransportError):
        if failure.fault in HOPELESS:
            return GiveUp(HOPELESS[failure.fault], failure.may_have_happened)
    elif not failure.is_retryable:
        return GiveUp(f"the server refused the request ({failure.code})")
    if attempt >= policy.max_attempts:
        return GiveUp(f"{attempt} attempts failed", may_have_happened(failure))
    if isinstance(failure, Status) and failure.retry_after is not None:
        return Retry(failure.retry_after)
    return Retry(policy_delay(policy, attempt, chance))


def may_have_happened(failure: Failure) -> bool:
    """The server may have carried out the request that failed so.

    A 4xx is a refusal, 429 included (flow control turns away before anything is done); any 5xx may come too late.
    """
    return failure.may_have_happened if isinstance(failure, TransportError) else failure.is_server_fault


def policy_delay(policy: RetryPolicy, attempt: int, chance: float) -> float:
    """Seconds to wait after the `attempt`-th attempt (from 1), by the policy's back-off."""
    return backoff_delay(
        attempt,
        first=policy.first_delay,
        factor=policy.factor,
        maximum=policy.max_delay,
        jitter=policy.jitter,
        chance=chance,
    )


def backoff_delay(attempt: int, *, first: float, factor: float, maximum: float, jitter: float, chance: float) -> float:
    """Seconds to wait after the `attempt`-th attempt (from 1): exponential, never above `maximum`.

    `jitter` is the share that chance can take off: 0 for none, 1 for anything down to no wait at all.
    """
    try:
        delay = min(maximum, first * factor ** (attempt - 1))
    except OverflowError:  # a watch counts its attempts for weeks
        delay = maximum
    return delay * (1 - jitter * chance)
