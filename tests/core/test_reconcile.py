"""Planning what is to be taken away: never what is wanted, young, another's, changed or on its way out."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hodei_k8s_core.config.reconcile_policy import ReconcilePolicy
from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.pod import ObjectMeta, OwnerReference, Pod, parse_pod
from hodei_k8s_core.reconcile.plan import ActionKind, Plan
from hodei_k8s_core.reconcile.plan_reconcile import Belonging, Existing, Wanted, plan_reconcile
from tests.core.made_pods import T0, at, container, running, terminated

POLICY = ReconcilePolicy(min_age=60, overdue=10, max_share=0.5, free_removals=2)
NOW = 1000.0
"""Seconds after T0."""


def labels(ident: str, provider: str = "mine") -> dict[str, str]:
    return {"hodei.io/managed": "true", "hodei.io/provider-id": provider, "hodei.io/worker-id": ident}


def pod(
    ident: str,
    *,
    provider: str = "mine",
    created: float | None = 0,
    deleted: bool = False,
    phase: str = "Running",
    ended_at: float | None = None,
    started: float | None = None,
    deadline: int | None = None,
    gate: str | None = None,
    conditions: tuple[dict[str, Any], ...] = (),
    **annotations: str,
) -> Pod:
    metadata: dict[str, Any] = {
        "name": f"hodei-worker-{ident}",
        "uid": f"uid-{ident}",
        "resourceVersion": "7",
        "labels": labels(ident, provider),
        "annotations": {f"hodei.io/{key.replace('_', '-')}": value for key, value in annotations.items()},
        "creationTimestamp": None if created is None else at(created),
    }
    if deleted:
        metadata["deletionTimestamp"] = at(NOW)
    state = running() if ended_at is None else terminated(0, "Completed", end=ended_at)
    told = {
        "phase": phase if ended_at is None else "Succeeded",
        "startTime": None if started is None else at(started),
        "containerStatuses": [container(state, ready=ended_at is None)] if phase == "Running" else [],
        "conditions": list(conditions),
    }
    spec = {"activeDeadlineSeconds": deadline, "schedulingGates": [{"name": gate}] if gate else []}
    return parse_pod(msgspec.json.encode({"kind": "Pod", "metadata": metadata, "spec": spec, "status": told}))


def secret(ident: str, owner: str | None, *, created: float = 0, provider: str = "mine", deleted: bool = False) -> Any:
    return Belonging(
        "secrets",
        ObjectMeta(
            name=f"hodei-worker-{ident}",
            uid=f"secret-{ident}",
            resource_version="3",
            labels=labels(ident, provider),
            creation_timestamp=at(created),
            deletion_timestamp=at(NOW) if deleted else None,
            owner_references=() if owner is None else (OwnerReference("Pod", f"hodei-worker-{ident}", owner),),
        ),
    )


def plan(*pods: Pod, wanted: Wanted | None = None, belongings: Any = (), policy: ReconcilePolicy = POLICY) -> Plan:
    existing = Existing(provider_id="mine", pods=pods, belongings=belongings, notes=("a note",))
    return plan_reconcile(existing, wanted, now=T0 + NOW, policy=policy)


def told(made: Plan) -> list[tuple[str, str]]:
    return [(action.kind.value, action.worker_id) for action in made.actions]


def test_what_nobody_wants_is_an_orphan() -> None:
    made = plan(pod("a"), pod("b"), wanted={"a"})
    (action,) = made.actions
    assert (action.kind, action.worker_id, action.resource) == (ActionKind.DESTROY_ORPHAN, "b", "pods")
    assert (action.name, action.uid, action.resource_version) == ("hodei-worker-b", "uid-b", "7")
    assert (made.workers, made.living, made.made_at, made.notes) == (2, 2, T0 + NOW, ("a note",))


@pytest.mark.parametrize(
    "left_alone",
    [
        pod("x", created=NOW - 59),
        pod("x", created=None),
        pod("x", provider="other"),
        pod("x", deleted=True),
        pod("x", ended_at=NOW - 5, ttl_after_completion="300"),
        pod("wanted", deadline=5),
        pod("wanted", ended_at=1, ttl_after_completion="0"),
    ],
    ids=["young", "of unknown age", "another's", "on its way out", "kept to look at", "wanted", "wanted, ended"],
)
def test_what_is_never_touched(left_alone: Pod) -> None:
    assert plan(left_alone, wanted=["wanted"]).actions == ()


def test_who_says_nothing_has_no_orphans() -> None:
    assert plan(pod("a")).actions == ()


@pytest.mark.parametrize(
    ("expired", "not_yet"),
    [
        (pod("x", ended_at=700, ttl_after_completion="300"), pod("x", ended_at=701, ttl_after_completion="300")),
        (pod("x", deadline=90, started=900), pod("x", deadline=91, started=900)),
        (pod("x", deadline=990, phase="Pending"), pod("x", deadline=991, phase="Pending")),
        (
            pod("x", idle_timeout="300", idle_since=at(700)),
            pod("x", idle_timeout="300", idle_since=at(701)),
        ),
        (
            pod("x", phase="Pending", gate="hodei.io/companions"),
            pod("x", phase="Pending", gate="hodei.io/companions", created=NOW - 59),
        ),
        (
            pod("x", phase="Pending", gate="hodei.io/companions"),
            pod("x", phase="Pending", gate="kueue.x-k8s.io/admission"),
        ),
    ],
    ids=["kept long enough", "outlived", "never started", "idle", "never completed", "held back by another"],
)
def test_what_has_had_its_time(expired: Pod, not_yet: Pod) -> None:
    assert told(plan(expired)) == [("destroy expired", "x")]
    assert told(plan(expired, wanted=["y"])) == [("destroy expired", "x")]
    assert plan(not_yet).actions == ()


@pytest.mark.parametrize(
    "unlimited",
    [
        pod("x", ended_at=1, ttl_after_completion="soon"),
        pod("x", ended_at=1),
        pod("x", ended_at=900, deadline=1, ttl_after_completion="300"),
        pod("x", idle_timeout="1"),
        pod("x", idle_timeout="1", idle_since="yesterday"),
        pod("x", idle_timeout="1", idle_since=at(1), job_id="job"),
        pod("x", ended_at=900, idle_timeout="1", idle_since=at(1), ttl_after_completion="300"),
    ],
)
def test_no_limit_no_end(unlimited: Pod) -> None:
    assert plan(unlimited).actions == ()


def test_what_never_ran_ended_when_the_last_thing_happened_to_it() -> None:
    happened = ({"type": "DisruptionTarget", "status": "True", "lastTransitionTime": at(500)},)
    gone = pod("x", phase="Failed", conditions=happened, ttl_after_completion="400")
    assert "ended 500 s ago" in plan(gone).actions[0].reason
    assert "ended 1000 s ago" in plan(pod("x", phase="Failed", ttl_after_completion="400")).actions[0].reason


def test_a_host_that_knows_pods_adopts_and_loses() -> None:
    wanted = {"new": "", "known": "uid-known", "gone": "uid-gone", "replaced": "uid-before", "coming": ""}
    made = plan(pod("new"), pod("known"), pod("replaced"), wanted=wanted)
    assert told(made) == [("adopt", "new"), ("report lost", "gone"), ("report lost", "replaced")]
    assert made.removals == ()
    assert [action.reason for action in made.actions[1:]] == ["its Pod is gone", "another Pod has its name by now"]


def test_a_stray_is_what_no_pod_owns() -> None:
    belongings = [
        secret("a", "uid-a"),
        secret("b", "uid-b"),
        secret("c", None),
        secret("young", "uid-x", created=NOW - 1),
        secret("theirs", "uid-y", provider="other"),
        secret("leaving", "uid-z", deleted=True),
    ]
    made = plan(pod("a"), pod("b2"), belongings=belongings)
    assert told(made) == [("remove stray", "b"), ("remove stray", "c")]
    assert (made.actions[0].resource, made.actions[0].uid) == ("secrets", "secret-b")


@pytest.mark.parametrize(
    ("orphans", "others", "asks"),
    [(2, 0, False), (3, 3, False), (3, 2, True), (3, 0, True)],
    ids=["few", "half", "most", "all"],
)
def test_a_plan_that_ends_too_many_asks(orphans: int, others: int, asks: bool) -> None:
    pods = [pod(f"o{n}") for n in range(orphans)] + [pod(f"w{n}") for n in range(others)]
    made = plan(*pods, wanted={f"w{n}" for n in range(others)})
    assert bool(made.consent_needed) is asks
    assert len(made.removals) == orphans


def test_what_has_ended_may_go_in_any_number() -> None:
    made = plan(*(pod(f"e{n}", ended_at=1, ttl_after_completion="5") for n in range(50)))
    assert (len(made.removals), made.living, made.consent_needed) == (50, 0, "")


def test_the_default_provider_id_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="provider_id"):
        plan_reconcile(Existing(provider_id="kubernetes", pods=()), None, now=T0)


IDS = st.sampled_from("abcdef")
PODS = st.builds(
    pod,
    IDS,
    provider=st.sampled_from(["mine", "mine", "other"]),
    created=st.sampled_from([None, 0.0, NOW - 61, NOW - 59, NOW]),
    deleted=st.booleans(),
    ended_at=st.sampled_from([None, 1.0, NOW]),
    deadline=st.sampled_from([None, 1, 5000]),
    idle_timeout=st.sampled_from(["", "0", "1", "x"]),
    idle_since=st.sampled_from(["", at(1), at(NOW)]),
    ttl_after_completion=st.sampled_from(["", "0", "5000"]),
)


@given(st.lists(PODS, unique_by=lambda one: one.metadata.name), st.none() | st.sets(IDS))
def test_never_what_is_wanted_young_or_anothers(pods: list[Pod], wanted: set[str] | None) -> None:
    for action in plan(*pods, wanted=wanted).removals:
        (meant,) = (one for one in pods if one.metadata.uid == action.uid)
        assert action.worker_id not in (wanted or ())
        assert meant.metadata.labels["hodei.io/provider-id"] == "mine"
        assert meant.metadata.created_at is not None
        assert meant.metadata.created_at <= T0 + NOW - POLICY.min_age
        assert not meant.is_deleting
        assert action.resource_version == meta_version(meant)


def meta_version(one: Pod) -> str:
    return one.metadata.resource_version


@pytest.mark.parametrize(
    ("one", "wanted", "due"),
    [
        (pod("w1", ended_at=990, ttl_after_completion="30"), None, 1020.0),
        (pod("w1", created=950, ended_at=960, ttl_after_completion="45"), None, 1010.0),
        (pod("w1", started=900, deadline=200), None, 1110.0),
        (pod("w1", idle_since=at(980), idle_timeout="50"), None, 1030.0),
        (pod("w1", created=970), [], 1030.0),
        (pod("w1", created=970), None, None),
        (pod("w1", created=970, ended_at=980), [], None),
        (pod("w1", created=970), ["w1"], None),
        (pod("w1", created=None, ended_at=990, ttl_after_completion="30"), None, None),
        (pod("w1", deleted=True, ended_at=990, ttl_after_completion="30"), None, None),
        (pod("w1", ended_at=900, ttl_after_completion="30"), None, None),
    ],
)
def test_a_plan_says_when_time_alone_calls_for_another(one: Pod, wanted: Wanted | None, due: float | None) -> None:
    told = plan(one, wanted=wanted).next_due
    assert told == (None if due is None else T0 + due)


def test_what_is_due_next_is_removed_then_and_not_a_moment_before() -> None:
    ending = pod("w1", ended_at=990, ttl_after_completion="30")
    due = plan(ending).next_due
    assert due is not None
    existing = Existing(provider_id="mine", pods=[ending])
    assert plan_reconcile(existing, None, now=due - 0.01, policy=POLICY).actions == ()
    assert [a.kind for a in plan_reconcile(existing, None, now=due, policy=POLICY).actions] == [
        ActionKind.DESTROY_EXPIRED
    ]
