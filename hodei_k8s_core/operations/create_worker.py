"""Create a worker so that repeating is safe: the client chooses the name, and the Pod carries a token.

A POST that was lost, timed out or met a 5xx may have happened, and the server does not deduplicate. So after each such
attempt the Pod is read by its name and its token compared: ours → adopted; absent → sent again; another's → the name is
taken. If that cannot be found out, `OutcomeUnknown` names the token with which a later call adopts the Pod.

A Pod that has something beside it is created with a scheduling gate (see `companions`): what it needs is made next, and
then the gate is lifted. A Pod that is adopted behind its gate goes on from there; one that cannot get what it needs is
taken away again.
"""

from __future__ import annotations

from typing import Final

from hodei_k8s_core.api_status import Status
from hodei_k8s_core.companions import is_gated
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.diagnosis import verdict_of_refusal
from hodei_k8s_core.effects import Observe, Operation, Random, SpendRetry
from hodei_k8s_core.errors import Internal, OutcomeUnknown, ProviderError, ProvisioningTimeout, WorkerAlreadyExists
from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.manifest import companion_manifests, encode_worker_pod
from hodei_k8s_core.names import pod_name
from hodei_k8s_core.observations import PodCreated, PodFailed
from hodei_k8s_core.operations.calls import call, exchange, pause
from hodei_k8s_core.operations.companions import make_companion, release_pod
from hodei_k8s_core.operations.deadline import DeadlineExceeded, step, with_deadline
from hodei_k8s_core.operations.destroy_worker import checked_grace, delete_alone
from hodei_k8s_core.operations.failures import error_of_create
from hodei_k8s_core.pod import Pod, parse_pod
from hodei_k8s_core.requests import create_pod, get_pod
from hodei_k8s_core.retry import Failure, GiveUp, Retry, may_have_happened, policy_delay, retry_idempotent
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_core.worker import WorkerHandle
from hodei_k8s_core.worker_info import worker_handle

TAKE_AWAY_LIMIT: Final = 10.0
"""Seconds, after the time to create it is over, to take away a Pod that would wait behind its gate for ever."""


def create_worker(
    config: KubernetesConfig, spec: WorkerSpec, *, creation_token: str | None = None
) -> Operation[WorkerHandle]:
    """Get a worker's Pod accepted, within `config.creation_timeout` seconds; it still has to be scheduled and started.

    `creation_token`: what tells this creation's Pod from others', fresh for every call; None makes one.

    Raises: WorkerAlreadyExists, ResourceLimitExceeded, ProvisioningFailed (admission, invalid), AuthenticationFailed,
    ConfigurationError (no such namespace), ConnectionFailed, ProvisioningTimeout; all of these only when no Pod of this
    call is known to be there. OutcomeUnknown otherwise.

    A call that is broken off may leave its Pod, gated or not, with what it owns: `adopt_or_create_worker` goes on with
    it, destroying the worker by its id removes all of it.
    """
    token = (yield from new_creation_token()) if creation_token is None else creation_token
    return (yield from _within_time(_Creation(config, spec, token)))


def adopt_or_create_worker(
    config: KubernetesConfig, spec: WorkerSpec, *, creation_token: str
) -> Operation[WorkerHandle]:
    """`create_worker` again, after a call with this token that was cancelled or whose outcome is unknown.

    The Pod of that call is adopted if it exists. Raises: as `create_worker`.
    """
    creation = _Creation(config, spec, creation_token)
    creation.may_exist = True
    return (yield from _within_time(creation))


def new_creation_token() -> Operation[str]:
    """104 random bits as hexadecimal digits: no two creations share one."""
    high, low = (yield from Random()), (yield from Random())
    return f"{int(high * 2**52):013x}{int(low * 2**52):013x}"


class _Creation:
    """What one creation knows so far."""

    def __init__(self, config: KubernetesConfig, spec: WorkerSpec, token: str) -> None:
        self.config = config
        self.spec = spec
        self.name = pod_name(spec.worker_id)
        self.token = token
        self.post: Request = create_pod(config.namespace, encode_worker_pod(spec, config, creation_token=token))
        self.may_exist = False
        self.waiting: Pod | None = None
        """Our Pod, once it was seen behind its gate."""
        self.may_start = False
        self.attempts = 0

    @property
    def what(self) -> str:
        return f"create the Pod {self.name}"

    def unknown(
        self, cause: ProviderError, doubt: str = "it could not be found out whether it exists"
    ) -> OutcomeUnknown:
        """The error for when our Pod may or may not be there."""
        return OutcomeUnknown(
            f"{self.what}: {doubt}",
            pod_name=self.name,
            creation_token=self.token,
            step=cause.step,
            attempts=max(self.attempts, cause.attempts),
            status=cause.status,
            failure=cause.failure,
            verdict=cause.verdict,
            mend=f"call again with creation_token={self.token!r} to adopt it, or destroy the worker by its id",
        )


def _within_time(creation: _Creation) -> Operation[WorkerHandle]:
    limit = creation.config.creation_timeout
    try:
        pod, adopted = yield from with_deadline(_create(creation), limit, what=creation.what)
    except ProviderError as error:
        told = yield from _told_of(creation, error)
        yield from Observe(PodFailed(type(told).__name__))
        if told is error:
            raise
        raise told from error
    yield from Observe(PodCreated(adopted))
    return worker_handle(pod)


def _create(creation: _Creation) -> Operation[tuple[Pod, bool]]:
    try:
        pod, adopted = yield from _create_or_adopt(creation)
        return (yield from _completed(creation, pod)), adopted
    except DeadlineExceeded as expired:
        limit = creation.config.creation_timeout
        error = expired.to_error(ProvisioningTimeout, f"{creation.what}: not accepted within {limit:g} s")
        in_doubt = creation.may_exist and creation.waiting is None
        raise (creation.unknown(error) if in_doubt else error) from None


def _completed(creation: _Creation, pod: Pod) -> Operation[Pod]:
    """The Pod with everything that it needs, free to start."""
    if not is_gated(pod):
        return pod
    manifests = companion_manifests(creation.spec, pod)
    creation.waiting = pod
    for companion, manifest in manifests:
        yield from make_companion(creation.config, pod, companion, manifest)
    creation.may_start = True
    return (yield from release_pod(creation.config, pod))


def _told_of(creation: _Creation, error: ProviderError) -> Operation[ProviderError]:
    """What a failed creation raises: the error itself, once a Pod that would wait for ever is taken away."""
    pod, config = creation.waiting, creation.config
    if pod is None:
        return error
    if creation.may_start and not _is_refusal(error):
        return creation.unknown(error, "it is there, and it could not be found out whether it may start")
    try:
        removal = delete_alone(config, pod, checked_grace(config, None))
        yield from with_deadline(removal, TAKE_AWAY_LIMIT, what=f"take the Pod {creation.name} away")
    except ProviderError:
        return creation.unknown(error, "it waits behind its gate, and could not be taken away")
    status = error.status
    if status is not None and not (status.is_not_found or status.is_conflict):  # then it was taken away by another
        error.verdict = verdict_of_refusal(status)
    return error


def _is_refusal(error: ProviderError) -> bool:
    """The one request that was sent was surely not carried out."""
    return error.status is not None and not error.status.is_server_fault and error.attempts <= 1


def _create_or_adopt(creation: _Creation) -> Operation[tuple[Pod, bool]]:
    while True:
        creation.attempts += 1
        yield from step("create_worker", "send the Pod")
        outcome = yield from exchange(creation.post, creation.config.request_timeout)
        if isinstance(outcome, Response):
            return _accepted(creation, outcome), False
        creation.may_exist = creation.may_exist or may_have_happened(outcome)
        taken = isinstance(outcome, Status) and outcome.is_already_exists
        if taken or creation.may_exist:
            found = yield from _find_ours(creation)
            if found is not None:
                return found, True
        yield from _wait_or_fail(creation, outcome, taken=taken)


def _accepted(creation: _Creation, reply: Response) -> Pod:
    try:
        return parse_pod(reply.body)
    except Internal as error:  # accepted, but by what it says we cannot tell which Pod
        raise creation.unknown(error) from error


def _find_ours(creation: _Creation) -> Operation[Pod | None]:
    """The Pod of that name if it carries our token, None if there is none. Raises for another's, and when in doubt."""
    yield from step("create_worker", "look whether the Pod exists")
    try:
        reply = yield from call(
            get_pod(creation.config.namespace, creation.name), creation.config, f"look for the Pod {creation.name}"
        )
    except ProviderError as error:
        if error.status is not None and error.status.is_not_found:
            return None
        raise (creation.unknown(error) if creation.may_exist else error) from None
    pod = parse_pod(reply.body)
    if pod.is_deleting:
        raise WorkerAlreadyExists(
            f"{creation.what}: a Pod of that name is terminating, and holds the name until it is gone",
            retryable=True,
            mend="wait until it is gone, or create the worker under another id",
        )
    if pod.creation_token != creation.token:
        raise WorkerAlreadyExists(
            f"{creation.what}: a Pod of that name exists, and another call made it",
            mend="use its worker, destroy it by its id, or create the worker under another id",
        )
    return pod


def _wait_or_fail(creation: _Creation, outcome: Failure, *, taken: bool) -> Operation[None]:
    """After an attempt that left no Pod to be seen: wait for the next one, or raise.

    Looking found nothing, so sending again is safe: if an earlier attempt is still on its way, the token tells.
    """
    retry = creation.config.retry
    chance = yield from Random()
    if taken and creation.attempts < retry.max_attempts:  # its holder went away between the two requests
        decision: Retry | GiveUp = Retry(policy_delay(retry, creation.attempts, chance))
    else:
        decision = retry_idempotent(outcome, attempt=creation.attempts, policy=retry, chance=chance)
    if isinstance(decision, GiveUp) or not (yield from SpendRetry()):
        error = error_of_create(outcome, what=creation.what, step="send the Pod", attempts=creation.attempts)
        raise creation.unknown(error) if may_have_happened(outcome) else error
    yield from pause(creation.post, outcome, decision.after)
