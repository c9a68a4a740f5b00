"""Listing the workers: in pages, at one version, only our own."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hodei_k8s_core.errors import Internal, PermissionDenied, ProviderSpecific, Timeout
from hodei_k8s_core.http import Response
from hodei_k8s_core.operations import create_worker, list_workers
from hodei_k8s_core.simulation import LoseReply, Rule, Stall, World
from hodei_k8s_core.worker import WorkerState
from tests.core.operation_cases import CONFIG, JOB, SPEC, ended
from tests.core.simulation_requests import create
from tests.core.told import reply, status_reply, tell

LIST = "GET pods"
EXPIRED = status_reply(410, "Expired", "The provided continue parameter is too old")


def page(*ids: str, version: str = "7", token: str = "") -> Response:
    items = [{"metadata": {"name": f"hodei-worker-{one}", "labels": {"hodei.io/worker-id": one}}} for one in ids]
    return reply({"kind": "PodList", "metadata": {"resourceVersion": version, "continue": token}, "items": items})


def ids(told: Any) -> list[str]:
    return [info.worker_id for info in told.result]


def test_every_worker_of_this_provider_ended_ones_too() -> None:
    world = World(behaviours={"job:1": JOB})
    ended(world)
    world.run(create_worker(CONFIG, msgspec.structs.replace(SPEC, worker_id="w2"))).result  # noqa: B018 - raises
    other = msgspec.structs.replace(CONFIG, provider_id="other")
    world.run(create_worker(other, msgspec.structs.replace(SPEC, worker_id="w3"))).result  # noqa: B018
    world.exchange(create("no-worker"))
    found = world.run(list_workers(CONFIG)).result
    assert [(info.worker_id, info.state) for info in found] == [
        ("w1", WorkerState.TERMINATED),
        ("w2", WorkerState.CREATING),
    ]


def test_no_workers_is_an_empty_list() -> None:
    assert World().run(list_workers(CONFIG)).result == []


def test_pages_are_joined_and_an_empty_one_is_not_the_end() -> None:
    told = tell(list_workers(CONFIG), [(LIST, page("a", token="t1")), (LIST, page(token="t2")), (LIST, page("b"))])
    assert ids(told) == ["a", "b"]
    assert [request.parameter("continue") for request in told.requests] == [None, "t1", "t2"]
    assert [request.parameter("limit") for request in told.requests] == ["500", "500", "500"]


def test_a_token_that_expires_begins_the_list_again_all_in_one() -> None:
    told = tell(list_workers(CONFIG), [(LIST, page("a", token="t1")), (LIST, EXPIRED), (LIST, page("b", version="9"))])
    assert ids(told) == ["b"]
    assert told.requests[2].parameter("continue") is None
    assert told.requests[2].parameter("limit") is None


def test_a_page_of_another_version_begins_the_list_again() -> None:
    script = [(LIST, page("a", token="t1")), (LIST, page("b", version="8")), (LIST, page("a", "b", version="8"))]
    assert ids(tell(list_workers(CONFIG), script)) == ["a", "b"]


def test_the_first_page_cannot_have_expired() -> None:
    assert isinstance(tell(list_workers(CONFIG), [(LIST, EXPIRED)]).error, ProviderSpecific)


def test_a_later_page_that_is_refused_is_told() -> None:
    no = status_reply(403, "Forbidden", 'pods is forbidden: User "x" cannot list', kind="pods")
    told = tell(list_workers(CONFIG), [(LIST, page("a", token="t1")), (LIST, no)])
    assert isinstance(told.error, PermissionDenied)


def test_a_lost_reply_is_asked_for_again() -> None:
    world = World(faults=[Rule("list", "pods", LoseReply())])
    outcome = world.run(list_workers(CONFIG))
    assert outcome.error is None
    assert len(outcome.requests) == 2


def test_what_is_no_list_of_pods_is_told() -> None:
    assert isinstance(tell(list_workers(CONFIG), [(LIST, reply(b'{"items": 3}'))]).error, Internal)


def test_its_deadline_says_what_it_was() -> None:
    outcome = World(faults=[Rule("list", "pods", Stall(), times=None)]).run(list_workers(CONFIG))
    assert isinstance(outcome.error, Timeout)
    assert "list the workers" in str(outcome.error)
    assert outcome.seconds == pytest.approx(CONFIG.operation_timeout)


def test_only_those_with_some_labels() -> None:
    world = World()
    for worker_id, team in (("w1", "a"), ("w2", "b")):
        spec = msgspec.structs.replace(SPEC, worker_id=worker_id, labels={"team": team})
        world.run(create_worker(CONFIG, spec)).result  # noqa: B018 - raises
    assert ids(world.run(list_workers(CONFIG, selector="team=b"))) == ["w2"]
