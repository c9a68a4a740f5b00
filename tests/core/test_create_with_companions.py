"""Creating a worker with a Secret and a claim: what is asked, in order, and what is told when it cannot be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hodei_k8s_core.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    OutcomeUnknown,
    PermissionDenied,
    ProviderError,
    ProvisioningFailed,
    ProvisioningTimeout,
    ResourceLimitExceeded,
    WorkerAlreadyExists,
)
from hodei_k8s_core.observations import PodCreated, PodFailed
from hodei_k8s_core.operations import create_worker, destroy_worker, list_workers, wait_for_worker
from hodei_k8s_core.operations.create_worker import TAKE_AWAY_LIMIT
from hodei_k8s_core.simulation import (
    Answer,
    Close,
    LoseReply,
    LoseRequest,
    Outcome,
    Rule,
    Stall,
    World,
    server_error,
    throttled,
)
from hodei_k8s_core.simulation.garbage import COLLECTION_DELAY
from hodei_k8s_core.verdict import Category
from hodei_k8s_core.worker import WorkerState
from tests.core.audits import auditing
from tests.core.companion_cases import (
    CLAIMED,
    NAME,
    RICH,
    SECRET,
    SECRETLY,
    adopt,
    companions,
    create,
    gates,
    is_gone,
    is_whole,
    ready,
)
from tests.core.operation_cases import NAMESPACE, TOKEN
from tests.core.simulation_requests import delete
from tests.core.told import said, status_reply

POD, LOOK, SECRETS, CLAIMS, LIFT = (
    "POST pods",
    f"GET pods/{NAME}",
    "POST secrets",
    "POST persistentvolumeclaims",
    (f"PATCH pods/{NAME}"),
)
NO_SECRET, NO_CLAIM, NO_POD = (
    f"DELETE secrets/{SECRET}",
    f"DELETE persistentvolumeclaims/{CLAIMED}",
    (f"DELETE pods/{NAME}"),
)


def lines(outcome: Outcome[Any]) -> list[str]:
    return [said(request) for request in outcome.requests]


def run(*faults: Rule, world: World | None = None) -> tuple[World, Outcome[Any]]:
    made = world or World(faults=faults)
    return made, made.run(create())


def nothing_is_left(world: World) -> bool:
    """The Pod is gone, and so what it owned."""
    assert not world.pods(NAMESPACE)
    world.advance(2 * COLLECTION_DELAY)
    return is_gone(world)


def refusal(code: int, reason: str, message: str) -> Answer:
    reply = status_reply(code, reason, message)
    return Answer(reply.status, reply.body)


QUOTA = refusal(403, "Forbidden", 'secrets "x" is forbidden: exceeded quota: q, requested: secrets=1, used: secrets=1')
INVALID = refusal(422, "Invalid", "PersistentVolumeClaim is invalid: spec.resources: too small")


# --- made


def test_the_pod_comes_first_and_its_gate_is_lifted_last() -> None:
    world, outcome = run()
    assert lines(outcome) == [POD, SECRETS, CLAIMS, LIFT]
    assert is_whole(world)
    assert outcome.result.pod_uid == world.pods(NAMESPACE)[NAME]["metadata"]["uid"]
    assert [one for one in outcome.observations if isinstance(one, PodCreated)] == [PodCreated(adopted=False)]


def test_the_worker_starts_only_then() -> None:
    world = World()
    slow = Rule("create", "secrets", throttled(20))
    world.plan.add(slow)
    started: list[str] = []
    world.at(15, lambda cluster: started.append(cluster.pods(NAMESPACE)[NAME]["status"]["conditions"][0]["reason"]))
    handle = world.run(create()).result
    assert started == ["SchedulingGated"]
    assert world.run(wait_for_worker(SECRETLY, handle)).result.state is WorkerState.READY


def test_the_gate_alone_is_lifted_from_the_pod_with_that_uid() -> None:
    _, outcome = run()
    patch = outcome.requests[-1]
    assert ("content-type", "application/strategic-merge-patch+json") in patch.headers
    assert msgspec.json.decode(patch.body) == {
        "metadata": {"uid": outcome.result.pod_uid},
        "spec": {"schedulingGates": [{"$patch": "delete", "name": "hodei.io/companions"}]},
    }


def test_no_secret_is_read() -> None:
    """So the permission to read Secrets is not needed."""
    world = World()
    world.cluster.denied = frozenset({(verb, "secrets") for verb in ("get", "list", "watch", "patch", "update")})
    world.run(destroy_worker(SECRETLY, ready(world))).result  # noqa: B018 - raises what it raised
    assert is_gone(world)


# --- lost replies, and names that are taken


@pytest.mark.parametrize("fault", [LoseReply(), server_error(acting=True), Stall(acting=True)], ids=repr)
@pytest.mark.parametrize(("resource", "sent"), [("secrets", SECRETS), ("persistentvolumeclaims", CLAIMS)])
def test_a_companion_whose_reply_was_lost_is_made_anew(resource: str, sent: str, fault: Any) -> None:
    world, outcome = run(Rule("create", resource, fault))
    removed = NO_SECRET if resource == "secrets" else NO_CLAIM
    assert [line for line in lines(outcome) if resource in line] == [sent, sent, removed, sent]
    assert is_whole(world)


def test_a_lifted_gate_whose_reply_was_lost_is_lifted_again() -> None:
    world, outcome = run(Rule("patch", "pods", LoseReply()))
    assert lines(outcome)[-2:] == [LIFT, LIFT]
    assert is_whole(world)


def test_what_an_older_pod_of_the_same_creation_left_is_not_taken_over() -> None:
    """The garbage collector would take it away under the new Pod."""
    world = World()
    world.run(create(), interrupt={22: Close()})
    assert set(companions(world)) == {SECRET, CLAIMED}
    world.exchange(delete(NAME, gracePeriodSeconds=0))
    outcome = world.run(adopt())
    assert lines(outcome) == [POD, SECRETS, NO_SECRET, SECRETS, CLAIMS, NO_CLAIM, CLAIMS, LIFT]
    world.advance(2 * COLLECTION_DELAY)
    assert is_whole(world)


def test_a_name_that_stays_taken_ends_with_the_time_and_the_pod_is_taken_away() -> None:
    """As that of a claim which a finalizer holds."""
    taken = refusal(409, "AlreadyExists", 'object is being deleted: secrets "x" already exists')
    world, outcome = run(Rule("create", "secrets", taken, times=None))
    assert type(outcome.error) is ProvisioningTimeout
    assert outcome.error.step == "create the Secret"
    assert outcome.seconds == pytest.approx(SECRETLY.creation_timeout, abs=1)
    assert nothing_is_left(world)


# --- adopted


def test_a_pod_that_waits_behind_its_gate_is_completed_by_the_next_call() -> None:
    world = World(faults=[Rule("create", "secrets", Stall(), times=None)])
    world.run(create(), interrupt={10: Close()})
    assert gates(world)
    world.plan.rules.clear()
    outcome = world.run(adopt())
    assert lines(outcome) == [POD, LOOK, SECRETS, CLAIMS, LIFT]
    assert is_whole(world)
    assert PodCreated(adopted=True) in outcome.observations


def test_a_pod_whose_gate_was_lifted_is_adopted_as_it_is() -> None:
    world, _ = run()
    outcome = world.run(adopt())
    assert lines(outcome) == [POD, LOOK]
    assert is_whole(world)


def test_a_pod_of_another_spec_is_left_alone() -> None:
    world = World()
    world.run(create(), interrupt={10: Close()})
    other = msgspec.structs.replace(RICH, otp_token=None)
    outcome = world.run(create_worker(SECRETLY, other, creation_token=TOKEN))
    assert type(outcome.error) is WorkerAlreadyExists
    assert gates(world)


# --- not to be made


@pytest.mark.parametrize(
    ("resource", "fault", "kind", "category"),
    [
        ("secrets", QUOTA, ResourceLimitExceeded, Category.QUOTA_EXCEEDED),
        ("persistentvolumeclaims", INVALID, ProvisioningFailed, Category.CONFIG_INVALID),
    ],
)
def test_a_companion_that_is_refused_takes_the_pod_with_it(
    resource: str, fault: Any, kind: type[ProviderError], category: Category
) -> None:
    world, outcome = run(Rule("create", resource, fault, times=None))
    error = outcome.error
    assert type(error) is kind
    assert f"of the Pod {NAME}" in str(error)
    assert error.verdict is not None
    assert error.verdict.category is category
    assert lines(outcome)[-1] == NO_POD
    assert nothing_is_left(world)
    assert [one for one in outcome.observations if isinstance(one, PodFailed)] == [PodFailed(kind.__name__)]


@pytest.mark.parametrize("what", [("create", "secrets"), ("create", "persistentvolumeclaims"), ("patch", "pods")])
def test_a_permission_that_is_missing_is_named_and_the_pod_taken_away(what: tuple[str, str]) -> None:
    world = World()
    world.cluster.denied = frozenset({what})
    _, outcome = run(world=world)
    assert type(outcome.error) is PermissionDenied
    assert f'cannot {what[0]} resource "{what[1]}"' in str(outcome.error)
    assert nothing_is_left(world)


def test_an_api_that_stays_away_is_told_and_the_pod_taken_away_where_that_can_be_done() -> None:
    world, outcome = run(Rule("create", "secrets", LoseRequest(), times=None))
    assert type(outcome.error) is ConnectionFailed
    assert nothing_is_left(world)


def test_a_pod_that_cannot_be_taken_away_is_told_with_what_adopts_it() -> None:
    world = World(faults=[Rule("create", "secrets", QUOTA, times=None)])
    world.cluster.denied = frozenset({("delete", "pods")})
    _, outcome = run(world=world)
    error = outcome.error
    assert type(error) is OutcomeUnknown
    assert "waits behind its gate, and could not be taken away" in str(error)
    assert TOKEN in error.mend
    assert isinstance(error.__cause__, ResourceLimitExceeded)
    assert error.status is not None
    assert "exceeded quota" in error.status.message
    assert gates(world)
    world.cluster.denied = frozenset()
    world.plan.rules.clear()
    world.run(adopt()).result  # noqa: B018 - raises what it raised
    assert is_whole(world)


def test_taking_it_away_has_its_own_limit() -> None:
    world, outcome = run(Rule("", "secrets", Stall(), times=None), Rule("delete", "", Stall(), times=None))
    assert type(outcome.error) is OutcomeUnknown
    assert outcome.seconds == pytest.approx(SECRETLY.creation_timeout + TAKE_AWAY_LIMIT)
    assert gates(world)


@pytest.mark.parametrize("fault", [LoseReply(), Stall(acting=True), server_error(acting=True), Stall()], ids=repr)
def test_a_gate_of_which_nothing_is_known_leaves_the_worker_and_says_so(fault: Any) -> None:
    world, outcome = run(Rule("patch", "pods", fault, times=None))
    assert type(outcome.error) is OutcomeUnknown
    assert "whether it may start" in str(outcome.error)
    assert set(companions(world)) == {SECRET, CLAIMED}
    world.plan.rules.clear()
    world.run(adopt()).result  # noqa: B018
    assert is_whole(world)


def test_a_refusal_after_an_attempt_of_which_nothing_is_known_is_no_certainty() -> None:
    denied = refusal(403, "Forbidden", 'pods is forbidden: User "x" cannot patch resource "pods"')
    world, outcome = run(Rule("patch", "pods", LoseReply()), Rule("patch", "pods", denied, nth=2, times=None))
    assert type(outcome.error) is OutcomeUnknown
    assert not gates(world)


def test_credentials_that_expire_in_between_leave_the_truth_to_be_told() -> None:
    expired = refusal(401, "Unauthorized", "Unauthorized")
    world, outcome = run(Rule("", "secrets", expired, times=None), Rule("delete", "pods", expired, times=None))
    assert type(outcome.error) is OutcomeUnknown
    assert isinstance(outcome.error.__cause__, AuthenticationFailed)
    assert gates(world)


def test_a_pod_that_is_destroyed_meanwhile_is_told_and_leaves_nothing() -> None:
    world = World(faults=[Rule("create", "persistentvolumeclaims", throttled(5))])
    world.at(2, lambda cluster: world.exchange(delete(NAME, gracePeriodSeconds=0)))
    outcome = world.run(create())
    assert type(outcome.error) is ProvisioningFailed
    assert "removed before it could start" in str(outcome.error)
    assert outcome.error.retryable
    assert outcome.error.verdict is None
    assert nothing_is_left(world)


# --- around it


def test_a_worker_that_waits_is_being_created() -> None:
    world = World()
    world.run(create(), interrupt={10: Close()})
    (info,) = world.run(list_workers(SECRETLY)).result
    assert (info.state, info.reason, info.verdict) == (WorkerState.CREATING, "SchedulingGated", None)


def test_the_audit_tries_a_pod_of_this_kind_and_asks_for_what_it_needs() -> None:
    world = World()
    report = world.run(auditing(SECRETLY, spec=RICH)).result
    assert report.is_sound
    assert {"permission:otp-secrets:secrets", "permission:otp-secrets:pods"} <= {step.name for step in report.steps}
    assert is_gone(world)


def test_no_transcript_shows_the_otp() -> None:
    for faults in ([], [Rule("create", "secrets", QUOTA, times=None)]):
        _, outcome = run(*faults)
        assert "b3RwLTE" in str([request.body for request in outcome.requests])
        assert "otp-1" not in outcome.transcript() + repr(outcome.error)
        assert "b3RwLTE" not in outcome.transcript() + repr(outcome.error)
