"""Applying a plan: what has changed since it was made is left alone, and the next plan is empty."""

from __future__ import annotations

import msgspec
import pytest

from hodei_k8s_core.config.reconcile_policy import ReconcilePolicy
from hodei_k8s_core.errors import ConfigurationError, Delivery, TransportError, TransportFault
from hodei_k8s_core.observations import ReconcileAction
from hodei_k8s_core.operations import apply_plan, assign_job, create_worker, destroy_worker, plan_fleet
from hodei_k8s_core.reconcile.plan import Action, ActionKind, ActionOutcome, Plan
from hodei_k8s_core.simulation import LoseReply, Rule, World
from hodei_k8s_core.worker import WorkerHandle
from tests.core.operation_cases import CONFIG, NAMESPACE, SERVICE, SPEC, ready
from tests.core.told import reply, status_reply, tell

OLD = CONFIG.reconcile.min_age + 1


def aged(faults: tuple[Rule, ...] = ()) -> tuple[World, WorkerHandle]:
    world = World(behaviours={"job:1": SERVICE}, faults=faults)
    handle = ready(world)
    world.advance(OLD)
    return world, handle


def orphans(world: World) -> Plan:
    return world.run(plan_fleet(CONFIG, wanted=())).result


def outcomes(world: World, plan: Plan) -> list[ActionOutcome]:
    return [result.outcome for result in world.run(apply_plan(CONFIG, plan)).result]


def test_an_orphan_goes_and_the_next_plan_is_empty() -> None:
    world, _ = aged()
    plan = orphans(world)
    assert [action.worker_id for action in plan.removals] == ["w1"]
    done = world.run(apply_plan(CONFIG, plan))
    assert [result.outcome for result in done.result] == [ActionOutcome.DONE]
    assert ReconcileAction("destroy orphan", "done") in done.observations
    world.advance(CONFIG.grace_period + 1)
    assert world.pods(NAMESPACE) == {}
    assert orphans(world).actions == ()


def test_a_young_worker_stays_whatever_the_host_says() -> None:
    world = World(behaviours={"job:1": SERVICE})
    ready(world)
    assert orphans(world).actions == ()


def test_what_has_changed_since_is_left_alone() -> None:
    world, handle = aged()
    plan = orphans(world)
    world.run(assign_job(CONFIG, handle, "job-1")).result  # noqa: B018 - raises
    assert outcomes(world, plan) == [ActionOutcome.CHANGED]
    assert "deletionTimestamp" not in world.pods(NAMESPACE)[handle.pod_name]["metadata"]


def test_what_is_gone_or_replaced_is_gone() -> None:
    world, handle = aged()
    plan = orphans(world)
    world.run(destroy_worker(CONFIG, handle)).result  # noqa: B018 - raises
    assert outcomes(world, plan) == [ActionOutcome.GONE]
    world.run(create_worker(CONFIG, SPEC)).result  # noqa: B018
    assert outcomes(world, plan) == [ActionOutcome.GONE]
    assert len(world.pods(NAMESPACE)) == 1


def test_a_conflict_after_a_lost_reply_is_our_own_success() -> None:
    world, _ = aged((Rule("delete", "pods", LoseReply()),))
    assert outcomes(world, orphans(world)) == [ActionOutcome.DONE]


def action(name: str, kind: ActionKind = ActionKind.DESTROY_ORPHAN) -> Action:
    return Action(kind=kind, worker_id=name, name=name, reason="r", uid=f"uid-{name}", resource_version="1")


def planned(*actions: Action, consent_needed: str = "") -> Plan:
    return Plan(actions=actions, workers=1, living=1, made_at=0, consent_needed=consent_needed)


FORBIDDEN = status_reply(403, "Forbidden", "pods is forbidden")
CONFLICT = status_reply(409, "Conflict", "the object has been modified")


def test_one_that_fails_does_not_keep_the_others_from_being_tried() -> None:
    plan = planned(action("a"), action("b"), action("c", ActionKind.REPORT_LOST))
    told = tell(apply_plan(CONFIG, plan), [("DELETE pods/a", FORBIDDEN), ("DELETE pods/b", reply({"kind": "Pod"}))])
    first, second, third = told.result
    assert (first.outcome, second.outcome, third.outcome) == (
        ActionOutcome.FAILED,
        ActionOutcome.DONE,
        ActionOutcome.DONE,
    )
    assert "pods is forbidden" in first.error
    options = msgspec.json.decode(told.requests[0].body)
    assert options["preconditions"] == {"uid": "uid-a", "resourceVersion": "1"}


def test_where_the_server_does_not_answer_the_rest_is_not_tried() -> None:
    hopeless = TransportError(TransportFault.TLS_UNTRUSTED, Delivery.NOT_SENT, "injected")
    plan = planned(action("a"), action("b", ActionKind.ADOPT), action("c"))
    told = tell(apply_plan(CONFIG, plan), [("DELETE pods/a", hopeless)])
    failed, adopted, skipped = told.result
    assert (failed.outcome, adopted.outcome) == (ActionOutcome.FAILED, ActionOutcome.DONE)
    assert (skipped.outcome, skipped.error) == (ActionOutcome.SKIPPED, failed.error)


def test_who_does_not_lead_any_more_removes_nothing() -> None:
    plan = planned(action("a"), action("b"), action("c", ActionKind.ADOPT))
    lasts = iter([True, False])
    told = tell(apply_plan(CONFIG, plan, may_act=lambda _: next(lasts)), [("DELETE pods/a", reply({"kind": "Pod"}))])
    assert [result.outcome for result in told.result] == [
        ActionOutcome.DONE,
        ActionOutcome.SKIPPED,
        ActionOutcome.DONE,
    ]


def test_a_conflict_is_looked_at() -> None:
    gone = status_reply(404, "NotFound", "not found")
    told = tell(apply_plan(CONFIG, planned(action("a"))), [("DELETE pods/a", CONFLICT), ("GET pods/a", gone)])
    assert [result.outcome for result in told.result] == [ActionOutcome.GONE]
    told = tell(apply_plan(CONFIG, planned(action("a"))), [("DELETE pods/a", CONFLICT), ("GET pods/a", FORBIDDEN)])
    assert [result.outcome for result in told.result] == [ActionOutcome.FAILED]


def test_consent_is_asked_for_before_anything_is_sent() -> None:
    plan = planned(action("a"), consent_needed="it would end 1 of 1 workers")
    with pytest.raises(ConfigurationError, match="1 of 1"):
        tell(apply_plan(CONFIG, plan), []).result  # noqa: B018
    told = tell(apply_plan(CONFIG, plan, consent=True), [("DELETE pods/a", reply({"kind": "Pod"}))])
    assert [result.outcome for result in told.result] == [ActionOutcome.DONE]


def test_ages_are_by_the_servers_clock_where_it_tells() -> None:
    """Without a Date the host's own clock has to do."""
    item = {
        "metadata": {
            "name": "hodei-worker-a",
            "uid": "u",
            "creationTimestamp": "1970-01-01T00:00:00Z",
            "labels": {"hodei.io/managed": "true", "hodei.io/provider-id": "tests", "hodei.io/worker-id": "a"},
        }
    }
    page = reply({"kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": [item]})
    no_clock = tell(plan_fleet(CONFIG, wanted=()), [("GET pods", page)]).result
    dated = msgspec.structs.replace(page, headers=(("date", "Tue, 24 Nov 2026 12:00:00 GMT"),))
    assert tell(plan_fleet(CONFIG, wanted=()), [("GET pods", dated)]).result.made_at == 1_795_521_600.0
    assert no_clock.made_at != 1_795_521_600.0


def test_reconcile_refuses_the_default_provider_id() -> None:
    config = msgspec.structs.replace(CONFIG, provider_id="kubernetes", reconcile=ReconcilePolicy())
    for operation in (plan_fleet(config), apply_plan(config, planned())):
        with pytest.raises(ConfigurationError, match="provider_id"):
            tell(operation, []).result  # noqa: B018
