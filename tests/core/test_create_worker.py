"""Creating a worker: what is asked, in order, whatever happens to it on the way."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.retry_policy import RetryPolicy
from hodei_k8s_core.errors import (
    AuthenticationFailed,
    ConfigurationError,
    ConnectionFailed,
    Delivery,
    Internal,
    OutcomeUnknown,
    PermissionDenied,
    ProviderError,
    ProviderSpecific,
    ProvisioningFailed,
    ProvisioningTimeout,
    ResourceLimitExceeded,
    TransportError,
    TransportFault,
    WorkerAlreadyExists,
)
from hodei_k8s_core.http import Response
from hodei_k8s_core.observations import PodCreated, PodFailed
from hodei_k8s_core.operations import (
    adopt_or_create_worker,
    create_worker,
    destroy_worker_by_id,
    new_creation_token,
    wait_for_worker,
)
from hodei_k8s_core.simulation import (
    Answer,
    LoseReply,
    LoseRequest,
    Outcome,
    ReplyCut,
    Rule,
    Stall,
    World,
    proxy_page,
    server_error,
    throttled,
    unavailable,
)
from hodei_k8s_core.worker import WorkerHandle
from tests.core.operation_cases import CONFIG, NAMESPACE, SPEC, TOKEN
from tests.core.simulation_requests import delete
from tests.core.told import not_found_reply, reply, said, status_reply, tell
from tests.recordings import load

POST, LOOK = "POST pods", "GET pods/hodei-worker-w1"
NAME = "hodei-worker-w1"
LOST = TransportError(TransportFault.CLOSED, Delivery.MAYBE_SENT)
MAYBE_LOST = LoseRequest(Delivery.MAYBE_SENT, TransportFault.CLOSED)


def create(config: KubernetesConfig = CONFIG, token: str = TOKEN) -> Any:
    return create_worker(config, SPEC, creation_token=token)


def run(*faults: Rule, world: World | None = None, config: KubernetesConfig = CONFIG, **options: Any) -> Outcome[Any]:
    return (world or World(faults=faults, **options)).run(create(config))


def lines(outcome: Outcome[Any]) -> list[str]:
    return [said(request) for request in outcome.requests]


def failure(outcome: Outcome[Any], kind: type[ProviderError]) -> Any:
    assert type(outcome.error) is kind, outcome.transcript()
    return outcome.error


def posts(fault: Any, **more: Any) -> Rule:
    return Rule("create", "pods", fault, **more)


def looks(fault: Any, **more: Any) -> Rule:
    return Rule("get", "pods", fault, **more)


def pod(token: str = TOKEN, uid: str = "uid-1", **meta: Any) -> dict[str, Any]:
    metadata = {"name": NAME, "namespace": NAMESPACE, "uid": uid, "annotations": {"hodei.io/creation-token": token}}
    return {"kind": "Pod", "metadata": {**metadata, **meta}}


# --- accepted


def test_an_accepted_pod_is_one_request_and_a_handle_that_finds_it() -> None:
    world = World()
    outcome = run(world=world)
    handle: WorkerHandle = outcome.result
    stored = world.pods(NAMESPACE)[NAME]["metadata"]
    assert lines(outcome) == [POST]
    assert (handle.worker_id, handle.pod_name, handle.namespace) == ("w1", NAME, NAMESPACE)
    assert (handle.pod_uid, handle.provider_id) == (stored["uid"], "tests")
    assert stored["annotations"]["hodei.io/creation-token"] == TOKEN
    assert PodCreated(adopted=False) in outcome.observations


def test_without_a_token_each_creation_makes_its_own() -> None:
    world = World()
    world.run(create_worker(CONFIG, SPEC)).result  # noqa: B018 - raises what it raised
    first = world.pods(NAMESPACE)[NAME]["metadata"]["annotations"]["hodei.io/creation-token"]
    world.run(destroy_worker_by_id(CONFIG, "w1")).result  # noqa: B018
    world.run(create_worker(CONFIG, SPEC)).result  # noqa: B018
    assert world.pods(NAMESPACE)[NAME]["metadata"]["annotations"]["hodei.io/creation-token"] != first


def test_a_token_is_104_random_bits() -> None:
    tokens = {World(seed=seed).run(new_creation_token()).result for seed in range(50)}
    assert len(tokens) == 50
    assert {len(token) for token in tokens} == {26}
    assert all(int(token, 16) >= 0 for token in tokens)


# --- a reply that was lost


@pytest.mark.parametrize("fault", [LoseReply(), ReplyCut(), server_error(acting=True), Stall(acting=True)], ids=repr)
def test_a_lost_reply_is_looked_after_and_our_own_pod_adopted(fault: Any) -> None:
    world = World(faults=[posts(fault)])
    outcome = run(world=world)
    assert lines(outcome) == [POST, LOOK]
    assert list(world.pods(NAMESPACE)) == [NAME]
    assert outcome.result.pod_uid == world.pods(NAMESPACE)[NAME]["metadata"]["uid"]
    assert PodCreated(adopted=True) in outcome.observations


@pytest.mark.parametrize("fault", [MAYBE_LOST, server_error(), proxy_page(), Stall()], ids=repr)
def test_a_request_that_may_have_been_lost_is_looked_after_and_then_sent_again(fault: Any) -> None:
    outcome = run(posts(fault))
    assert lines(outcome) == [POST, LOOK, POST]
    assert PodCreated(adopted=False) in outcome.observations


def test_a_request_that_was_not_sent_is_sent_again_without_a_look() -> None:
    assert lines(run(posts(LoseRequest()))) == [POST, POST]


def test_a_first_attempt_that_arrives_late_is_adopted_after_the_409_of_the_second() -> None:
    told = tell(
        create(),
        [
            (POST, LOST),
            (LOOK, not_found_reply()),
            (POST, status_reply(409, "AlreadyExists", f'pods "{NAME}" already exists', kind="pods")),
            (LOOK, reply(pod())),
        ],
    )
    assert told.result.pod_uid == "uid-1"
    assert PodCreated(adopted=True) in told.observations


def test_the_look_itself_may_fail_and_is_repeated() -> None:
    outcome = run(posts(LoseReply()), looks(LoseReply()))
    assert lines(outcome) == [POST, LOOK, LOOK]
    assert PodCreated(adopted=True) in outcome.observations


def test_an_accepted_pod_whose_reply_makes_no_sense_is_not_known_to_be_ours() -> None:
    error = failure(run(posts(Answer(201, b'{"kind":"Pod"', acting=True))), OutcomeUnknown)
    assert isinstance(error.__cause__, Internal)
    assert error.creation_token == TOKEN


# --- a name that is taken


def test_a_pod_of_another_call_is_left_alone_and_told() -> None:
    world = World()
    first = world.run(create(token="another")).result
    outcome = run(world=world)
    error = failure(outcome, WorkerAlreadyExists)
    assert lines(outcome) == [POST, LOOK]
    assert "another call made it" in str(error)
    assert not error.retryable
    assert world.pods(NAMESPACE)[NAME]["metadata"]["uid"] == first.pod_uid
    assert PodFailed("WorkerAlreadyExists") in outcome.observations


def test_a_pod_that_is_terminating_holds_its_name_and_the_call_can_be_repeated() -> None:
    world = World()
    handle = world.run(create(token="another")).result
    world.run(wait_for_worker(CONFIG, handle)).result  # noqa: B018
    world.exchange(delete(NAME))
    error = failure(run(world=world), WorkerAlreadyExists)
    assert "terminating" in str(error)
    assert error.retryable


def test_the_recorded_409_of_a_terminating_pod_is_understood() -> None:
    recording = load("v1.36/finalizer-blocks-delete")
    refused, terminating = recording.bodies("create while terminating")[0], recording.bodies("delete")[0]
    told = tell(create(), [(POST, reply(refused, 409)), (LOOK, reply(terminating))])
    assert isinstance(told.error, WorkerAlreadyExists)
    assert "terminating" in str(told.error)


def test_a_holder_that_goes_away_between_the_two_requests_leaves_the_name_free() -> None:
    taken = status_reply(409, "AlreadyExists", "taken", kind="pods")
    told = tell(create(), [(POST, taken), (LOOK, not_found_reply()), (POST, reply(pod(), 201))])
    assert told.result.pod_uid == "uid-1"
    assert len(told.sleeps) == 1


def test_a_name_that_is_always_taken_and_never_there_ends_after_the_attempts_of_the_policy() -> None:
    taken = status_reply(409, "AlreadyExists", "taken", kind="pods")
    config = KubernetesConfig(provider_id="tests", retry=RetryPolicy(max_attempts=2))
    told = tell(create(config), [(POST, taken), (LOOK, not_found_reply())] * 2)
    assert isinstance(told.error, WorkerAlreadyExists)
    assert told.error.attempts == 2


# --- adopting


def test_a_token_of_an_earlier_call_adopts_its_pod() -> None:
    world = World()
    first = world.run(create()).result
    outcome = world.run(adopt_or_create_worker(CONFIG, SPEC, creation_token=TOKEN))
    assert outcome.result == first
    assert PodCreated(adopted=True) in outcome.observations


def test_a_token_whose_pod_never_came_to_be_creates_it() -> None:
    world = World()
    outcome = world.run(adopt_or_create_worker(CONFIG, SPEC, creation_token=TOKEN))
    assert lines(outcome) == [POST]
    assert PodCreated(adopted=False) in outcome.observations


def test_adopting_looks_for_the_pod_also_after_a_refusal() -> None:
    """The Pod of the earlier call may be there although this one's is refused: a quota is full because of it."""
    world = World()
    first = world.run(create()).result
    full = status_reply(403, "Forbidden", 'pods "hodei-worker-w1" is forbidden: exceeded quota: q, requested: pods=1')
    world.plan.add(posts(Answer(full.status, full.body)))
    outcome = world.run(adopt_or_create_worker(CONFIG, SPEC, creation_token=TOKEN))
    assert lines(outcome) == [POST, LOOK]
    assert outcome.result == first


# --- what cannot be known


def unknown(outcome: Any) -> OutcomeUnknown:
    error = outcome.error
    assert isinstance(error, OutcomeUnknown), error
    assert (error.pod_name, error.creation_token) == (NAME, TOKEN)
    assert TOKEN in str(error)
    assert error.retryable
    return error


def test_the_deadline_while_it_is_ambiguous_names_the_token_and_the_step() -> None:
    outcome = run(posts(LoseReply()), looks(Stall(), times=None))
    error = unknown(outcome)
    assert error.step == "look whether the Pod exists"
    assert outcome.seconds == pytest.approx(CONFIG.creation_timeout)
    assert PodFailed("OutcomeUnknown") in outcome.observations


def test_a_look_that_keeps_failing_leaves_it_unknown() -> None:
    outcome = run(posts(LoseReply()), looks(server_error(), times=None))
    error = unknown(outcome)
    assert error.status is not None
    assert error.status.code == 500
    assert error.attempts == CONFIG.retry.max_attempts


def test_a_look_that_is_forbidden_leaves_it_unknown() -> None:
    told = tell(create(), [(POST, LOST), (LOOK, status_reply(403, "Forbidden", 'pods is forbidden: User "x" cannot'))])
    assert unknown(told).status is not None


def test_a_404_of_a_proxy_says_nothing_about_the_pod() -> None:
    page = Response(404, (("content-type", "text/html"),), b"<html>no such backend</html>")
    assert "proxy" in str(unknown(tell(create(), [(POST, LOST), (LOOK, page)])))


def test_an_attempt_that_may_have_happened_and_was_the_last_leaves_it_unknown() -> None:
    outcome = run(posts(server_error(), times=None))
    unknown(outcome)
    assert lines(outcome) == [POST, LOOK] * CONFIG.retry.max_attempts


def test_the_same_without_a_retry_in_the_budget() -> None:
    outcome = run(posts(server_error(), times=None), retries=0)
    unknown(outcome)
    assert lines(outcome) == [POST, LOOK]


def test_what_is_unknown_is_adopted_by_the_next_call_with_the_token() -> None:
    world = World(faults=[posts(LoseReply()), looks(Stall(), times=None)])
    error = unknown(run(world=world))
    world.plan.rules.clear()
    world.run(adopt_or_create_worker(CONFIG, SPEC, creation_token=error.creation_token)).result  # noqa: B018
    assert len(world.pods(NAMESPACE)) == 1


# --- refusals


def refused(code: int, reason: str, message: str, **more: Any) -> Any:
    told = tell(create(), [(POST, status_reply(code, reason, message, **more))])
    assert isinstance(told.error, ProviderError)
    assert told.error.status is not None
    assert told.error.status.message == message
    return told.error


def test_a_quota_that_is_used_up() -> None:
    error = refused(403, "Forbidden", f'pods "{NAME}" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1')
    assert type(error) is ResourceLimitExceeded
    assert error.retryable


def test_an_admission_that_says_no() -> None:
    told = f'pods "{NAME}" is forbidden: violates PodSecurity "restricted:latest": privileged'
    error = refused(403, "Forbidden", told)
    assert type(error) is ProvisioningFailed
    assert "privileged" in str(error)


def test_a_permission_that_is_missing() -> None:
    error = refused(403, "Forbidden", 'pods is forbidden: User "ci" cannot create resource "pods"', kind="pods")
    assert type(error) is PermissionDenied
    assert "Role" in error.mend


def test_credentials_that_are_not_accepted() -> None:
    assert type(refused(401, "Unauthorized", "Unauthorized")) is AuthenticationFailed


def test_a_pod_that_is_invalid() -> None:
    error = refused(422, "Invalid", "Pod is invalid: spec.x: wrong", field="spec.x")
    assert type(error) is ProvisioningFailed
    assert error.status is not None
    assert error.status.causes[0].field == "spec.x"


def test_a_namespace_that_is_missing_names_the_mend() -> None:
    outcome = World().run(create(KubernetesConfig(namespace="nowhere", provider_id="tests")))
    error = failure(outcome, ConfigurationError)
    assert "--create-namespace" in error.mend
    assert "the namespace does not exist" in str(error)
    assert lines(outcome) == [POST]


def test_a_certificate_that_is_not_trusted_is_not_tried_again() -> None:
    told = tell(create(), [(POST, TransportError(TransportFault.TLS_UNTRUSTED, Delivery.NOT_SENT, "self-signed"))])
    assert type(told.error) is ConnectionFailed
    assert "self-signed" in str(told.error)


# --- waiting


def test_throttling_waits_what_the_server_says_and_looks_for_nothing() -> None:
    told = tell(
        create(), [(POST, status_reply(429, "TooManyRequests", "busy", retry_after="7")), (POST, reply(pod(), 201))]
    )
    assert told.sleeps == [7.0]


def test_a_server_that_shuts_down_is_waited_for_and_the_pod_looked_for() -> None:
    script = [(POST, status_reply(503, "ServiceUnavailable", "down", retry_after="3")), (LOOK, not_found_reply())]
    told = tell(create(), [*script, (POST, reply(pod(), 201))])
    assert told.sleeps == [3.0]


def test_delays_of_our_own_grow() -> None:
    refusal = TransportError(TransportFault.REFUSED, Delivery.NOT_SENT)
    told = tell(create(), [(POST, refusal)] * 3 + [(POST, reply(pod(), 201))])
    policy = CONFIG.retry
    assert told.sleeps == [policy.first_delay, policy.first_delay * 2, policy.first_delay * 4]


def test_a_server_that_cannot_be_reached_is_given_up_after_the_attempts_of_the_policy() -> None:
    outcome = run(posts(LoseRequest(), times=None))
    error = failure(outcome, ConnectionFailed)
    assert error.attempts == len(outcome.requests) == CONFIG.retry.max_attempts
    assert error.retryable
    assert f"tried {error.attempts} times" in str(error)


def test_a_retry_budget_that_is_used_up_ends_it() -> None:
    outcome = run(posts(throttled(), times=None), retries=0)
    assert failure(outcome, ProviderSpecific).retryable
    assert len(outcome.requests) == 1


def test_the_deadline_without_any_doubt_says_where_the_time_went() -> None:
    outcome = run(posts(throttled(1000)))
    error = failure(outcome, ProvisioningTimeout)
    assert error.step == "send the Pod"
    assert outcome.seconds == pytest.approx(CONFIG.creation_timeout)


def test_a_request_is_never_given_more_time_than_is_left() -> None:
    config = KubernetesConfig(provider_id="tests", creation_timeout=5.0)
    outcome = run(posts(Stall(), times=None), config=config)
    unknown(outcome)
    assert outcome.seconds == pytest.approx(5.0)


# --- the error


def test_an_error_carries_no_secret() -> None:
    outcome = run(posts(unavailable(), times=None), looks(unavailable(), times=None))
    assert outcome.error is not None
    assert b"otp-1" in outcome.requests[0].body
    assert "otp-1" not in repr(outcome.error) + str(outcome.error) + outcome.transcript()
