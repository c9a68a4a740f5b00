"""One REST call: sent, observed, repeated where that is safe, and told in the domain's words when it fails."""

from __future__ import annotations

from hodei_k8s_core.api_status import Status, parse_status
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Monotonic, Observe, Operation, Random, Send, Sleep, SpendRetry
from hodei_k8s_core.errors import TransportError
from hodei_k8s_core.http import Body, Request, Response
from hodei_k8s_core.observations import ApiExchange, RetryPlanned
from hodei_k8s_core.operations.deadline import DeadlineExceeded
from hodei_k8s_core.operations.failures import error_for
from hodei_k8s_core.requests import request_label
from hodei_k8s_core.retry import Failure, GiveUp, retry_idempotent


def call(request: Request, config: KubernetesConfig, what: str) -> Operation[Response]:
    """The reply to a request that may be repeated, once it is a success.

    `what` is for the error, such as "read the Pod x". Raises the error that `failures.error_for` makes of the last
    failure, when it is final or the retries are used up.
    """
    attempt = 0
    last: Failure | None = None
    try:
        while True:
            attempt += 1
            outcome = yield from exchange(request, config.request_timeout)
            if isinstance(outcome, Response):
                return outcome
            last = outcome
            decision = retry_idempotent(outcome, attempt=attempt, policy=config.retry, chance=(yield from Random()))
            if isinstance(decision, GiveUp) or not (yield from SpendRetry()):
                raise error_for(outcome, what=what, attempts=attempt)
            yield from pause(request, outcome, decision.after)
    except DeadlineExceeded as expired:
        expired.learn(attempt, last)
        raise


def exchange(request: Request, timeout: float) -> Operation[Response | Failure]:
    """One attempt: the successful reply, or what stood in the way as a value."""
    began = yield from Monotonic()
    outcome: Response | Failure
    try:
        response = yield from Send(request, timeout)
    except TransportError as error:
        outcome, label = error, error.fault.value
    else:
        outcome, label = read_reply(response), str(response.status)
    verb, resource = request_label(request)
    seconds = (yield from Monotonic()) - began
    yield from Observe(ApiExchange(verb, resource, label, seconds))
    return outcome


def pause(request: Request, cause: Failure, seconds: float) -> Operation[None]:
    """Wait before a repetition, and say so."""
    verb, resource = request_label(request)
    label = str(cause.code) if isinstance(cause, Status) else cause.fault.value
    yield from Observe(RetryPlanned(verb, resource, label, seconds))
    yield from Sleep(seconds)


def read_reply(response: Response) -> Response | Status:
    """A success as it is; anything else as the Status it carries."""
    if response.is_success:
        return response
    return parse_status(response.body, code=response.status, headers=response.headers)


def read_refusal(body: Body, data: bytes) -> Status:
    """The Status of a stream that was refused; `data` is what its body held."""
    return parse_status(data, code=body.status, headers=body.headers)
