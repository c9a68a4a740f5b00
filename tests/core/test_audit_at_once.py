"""The audit's coordinator: what is asked at the same time, what waits for what, and a report that does not show it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.audit_report import AuditReport
from hodei_k8s_core.coordinators import Audit, Start
from hodei_k8s_core.coordinators.audit import AT_ONCE, INTRODUCTION
from hodei_k8s_core.errors import ConnectionFailed, NotReady, ProviderClosed, TransportError, TransportFault
from hodei_k8s_core.operations.audit import Introduction
from hodei_k8s_core.operations.calls import read_reply
from hodei_k8s_core.permissions import RULES, Feature
from hodei_k8s_core.simulation.world import World
from tests.core.audits import (
    CONFIG,
    FAILED,
    MAYBE_SENT,
    ME,
    NAMESPACE,
    OK,
    SKIPPED,
    VERSION,
    YES,
    audited,
    auditing,
    statuses,
    step,
)
from tests.core.coordinated import Pick
from tests.core.thoroughness import examples
from tests.core.told import not_found_reply

EVERYTHING = tuple(Feature)
LOST = TransportError(TransportFault.CLOSED, MAYBE_SENT, "cut")
DENIED = sorted({(verb, rule.resource) for rule in RULES for verb in rule.verbs})


def begun(*features: Feature) -> tuple[Audit, list[str]]:
    """An audit that has a way to the server, and the questions that it asks first."""
    audit = Audit(CONFIG, features=features)
    (first,) = audit.begin()
    assert first.child == INTRODUCTION
    return audit, started(audit.ended(INTRODUCTION, Introduction(ME, "audit-1", 0.0)))


def started(actions: Sequence[object]) -> list[str]:
    assert all(isinstance(action, Start) for action in actions)
    return [action.child for action in actions if isinstance(action, Start)]


def report_of(audit: Audit) -> AuditReport:
    taken = audit.take()
    assert taken is not None
    assert audit.take() is None
    assert audit.is_over
    (report,) = taken[1]
    return report


def by(choices: list[int], most: list[int]) -> Pick:
    """Goes on with the child that the choices name in turn; notes how many were running."""
    left = list(choices)

    def pick(running: Sequence[str]) -> str:
        most.append(len(running))
        return running[(left.pop() if left else 0) % len(running)]

    return pick


@settings(max_examples=examples(100))
@given(
    choices=st.lists(st.integers(0, AT_ONCE - 1), max_size=200),
    denied=st.frozensets(st.sampled_from(DENIED), max_size=4),
    namespace=st.booleans(),
)
def test_the_report_is_the_same_in_whatever_order_the_answers_come(
    choices: list[int], denied: frozenset[tuple[str, str]], namespace: bool
) -> None:
    def world() -> World:
        made = World()
        made.cluster.denied = denied
        return made

    config = CONFIG if namespace else msgspec.structs.replace(CONFIG, namespace="nowhere")
    most: list[int] = []
    one_by_one = world().run(auditing(config, features=EVERYTHING)).result
    mixed = world().run(auditing(config, features=EVERYTHING, pick=by(choices, most))).result
    assert mixed == one_by_one
    assert max(most) == AT_ONCE


def test_the_way_comes_first_then_as_many_as_there_is_room_for() -> None:
    audit, asked = begun(*EVERYTHING)
    permissions = [f"permission:{rule.feature.value}:{rule.resource}" for rule in RULES]
    assert asked == ["namespace", *permissions[: AT_ONCE - 1]]
    assert audit.take() is None
    assert not audit.is_over
    assert started(audit.ended(asked[-1], (YES,))) == [permissions[AT_ONCE - 1]]


def test_the_pod_is_tried_once_the_namespace_is_in_order() -> None:
    audit, asked = begun()
    assert asked == ["namespace", "version"]
    assert started(audit.ended("version", (VERSION,))) == []
    assert started(audit.ended("namespace", (NAMESPACE,))) == ["pod"]


def test_without_the_namespace_the_pod_is_not_tried() -> None:
    audit, _ = begun()
    assert started(audit.ended("namespace", (read_reply(not_found_reply("ci", "namespaces")),))) == []
    audit.ended("version", (VERSION,))
    found = statuses(report_of(audit))
    assert (found["namespace"], found["pod"], found["version"]) == ("failed", "skipped", "ok")


def test_a_connection_that_is_lost_ends_what_has_not_begun() -> None:
    report = audited(may=(LOST, *(YES,) * 6), version=None, features=EVERYTHING)
    assert step(report, "permission:workers:pods").status is FAILED
    assert step(report, "pod").status is OK
    assert step(report, "version").status is SKIPPED
    assert "the connection failed" in step(report, "version").detail
    assert list(statuses(report).values()).count("skipped") == len(RULES) - 7 + 1
    assert not report.is_sound


@pytest.mark.parametrize(("error", "pod"), [(ConnectionFailed("away"), "skipped"), (NotReady("no"), "ok")])
def test_what_a_question_raises_is_what_was_found(error: Exception, pod: str) -> None:
    audit, _ = begun()
    more = started(audit.failed("version", error))
    assert more == []
    more = started(audit.ended("namespace", (NAMESPACE,)))
    assert more == ([] if pod == "skipped" else ["pod"])
    for child in more:
        audit.ended(child, (YES,))
    report = report_of(audit)
    assert step(report, "version").detail == str(error)
    assert (statuses(report)["version"], statuses(report)["pod"]) == ("failed", pod)


@pytest.mark.parametrize("error", [ProviderClosed("closed"), ValueError("a bug")])
@pytest.mark.parametrize("child", [INTRODUCTION, "namespace"])
def test_a_provider_that_is_closed_and_a_bug_are_no_findings(error: Exception, child: str) -> None:
    audit, _ = begun()
    assert not audit.failed(child, error)
    assert audit.error is error
    assert audit.is_over
    assert audit.take() is None


def test_a_question_gives_no_batches() -> None:
    audit, _ = begun()
    assert audit.has_room("namespace")
    assert not audit.emitted("namespace", ())
