"""Reading what a cluster offers: page by page, and what may not be read is said."""

from __future__ import annotations

import msgspec
import pytest

from hodei_k8s_core import operations
from hodei_k8s_core.capacity.cache import CapacityCache
from hodei_k8s_core.capacity.fulfillment import Fit, Rule
from hodei_k8s_core.capacity.placed_pods import UsageFold, parse_placed_pods
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import AuthenticationFailed, Internal, ProviderSpecific
from hodei_k8s_core.observations import ApiExchange
from hodei_k8s_core.operations import capacity_requests
from hodei_k8s_core.simulation.faults import Answer, ExpireVersions
from hodei_k8s_core.simulation.faults import Rule as FaultRule
from hodei_k8s_core.simulation.world import World
from tests.core.capacity_cases import needs

CONFIG = KubernetesConfig(provider_id="tests")
NAMESPACE = CONFIG.namespace
EVERYTHING = ("nodes", "pods", "resourcequotas", "limitranges", "priorityclasses", "runtimeclasses", "storageclasses")


def world(nodes: int = 1, **options) -> World:
    made = World(**options)
    for number in range(nodes):
        status = {"allocatable": {"cpu": "4", "memory": "8Gi", "ephemeral-storage": "20Gi", "pods": "10"}}
        made.cluster.add("nodes", {"metadata": {"name": f"n{number:03}"}, "status": status})
    return made


def placed(name: str, node: str, cpu: str = "1", **status) -> dict:
    containers = [{"name": "c", "resources": {"requests": {"cpu": cpu}}}]
    spec = {"nodeName": node, "containers": containers}
    return {"metadata": {"name": name, "namespace": "other"}, "spec": spec, "status": status}


def requests_of(outcome) -> list[str]:
    return [request.path.rpartition("/")[2] for request in outcome.requests]


def test_everything_is_read_once() -> None:
    made = world()
    made.cluster.add("pods", placed("a", "n000"))
    made.cluster.add("pods", placed("b", "n000", phase="Succeeded"))
    made.cluster.add("pods", placed("c", ""))
    quota = {
        "metadata": {"name": "q", "namespace": NAMESPACE},
        "status": {"hard": {"pods": "1"}, "used": {"pods": "0"}},
    }
    made.cluster.add("resourcequotas", quota)
    made.cluster.add("resourcequotas", {"metadata": {"name": "q", "namespace": "other"}})
    made.cluster.add("limitranges", {"metadata": {"name": "l", "namespace": NAMESPACE}})
    for kind in ("priorityclasses", "runtimeclasses", "storageclasses"):
        made.cluster.add(kind, {"metadata": {"name": kind}})
    outcome = made.run(operations.read_capacity(CONFIG))
    found = outcome.result
    assert requests_of(outcome) == list(EVERYTHING)
    assert {name: usage.taken for name, usage in found.usage.items()} == {"n000": {"cpu": 1000, "pods": 1}}
    assert [known.name for known in found.quotas] == ["q"]
    assert [known.name for known in found.limit_ranges] == ["l"]
    assert found.storage_classes[0].name == "storageclasses"
    assert not found.unread
    assert found.read_at == pytest.approx(1_790_000_000, abs=10)


def test_long_lists_come_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity_requests, "_PAGED", (("limit", "10"),))
    made = world(25)
    for number in range(35):
        made.cluster.add("pods", placed(f"p{number:02}", f"n{number % 25:03}"))
    outcome = made.run(operations.read_capacity(CONFIG))
    assert requests_of(outcome)[:7] == ["nodes"] * 3 + ["pods"] * 4
    assert len(outcome.result.nodes) == 25
    assert sum(usage.taken["pods"] for usage in outcome.result.usage.values()) == 35


def test_a_list_whose_version_expires_goes_on_at_a_newer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity_requests, "_PAGED", (("limit", "10"),))
    made = world()
    for number in range(25):
        made.cluster.add("pods", placed(f"p{number:02}", "n000"))
    made.plan.add(FaultRule("list", "pods", ExpireVersions(), nth=2))
    outcome = made.run(operations.read_capacity(CONFIG))
    exchanges = [told for told in outcome.observations if isinstance(told, ApiExchange) and told.resource == "pods"]
    assert [told.outcome for told in exchanges] == ["200", "410", "200", "200"]
    assert outcome.result.usage["n000"].taken["pods"] == 25
    assert not outcome.result.unread


@pytest.mark.parametrize("resource", EVERYTHING)
def test_what_is_not_permitted_is_said(resource: str) -> None:
    made = world()
    made.cluster.denied = frozenset({("list", resource)})
    found = made.run(operations.read_capacity(CONFIG)).result
    missing = {"nodes": ["nodes", "pods"]}.get(resource, [resource])
    assert [one.resource for one in found.unread] == missing
    assert found.unread[0].why.startswith("not permitted: ")
    assert not found.knows(resource)
    assert bool(found.nodes) is (resource != "nodes")


def answering(status: int, reason: str = "", **body) -> Answer:
    data = {"kind": "Status", "code": status, "reason": reason, "message": "told", **body}
    return Answer(status, msgspec.json.encode(data))


def test_a_resource_that_the_server_does_not_have_is_said() -> None:
    made = world(faults=[FaultRule("list", "runtimeclasses", answering(404, "NotFound"))])
    (missing,) = made.run(operations.read_capacity(CONFIG)).result.unread
    assert str(missing) == "runtimeclasses: the API server does not have this resource"


@pytest.mark.parametrize(
    ("status", "reason", "error"),
    [(401, "Unauthorized", AuthenticationFailed), (400, "BadRequest", ProviderSpecific)],
)
@pytest.mark.parametrize("resource", ["nodes", "storageclasses"])
def test_what_else_goes_wrong_is_an_error(resource: str, status: int, reason: str, error: type) -> None:
    made = world(faults=[FaultRule("list", resource, answering(status, reason))])
    assert isinstance(made.run(operations.read_capacity(CONFIG)).error, error)


def test_a_reply_that_is_no_list_is_an_error() -> None:
    with pytest.raises(Internal, match="not a PodList but a NodeList"):
        parse_placed_pods(b'{"kind": "NodeList"}')
    assert parse_placed_pods(b'{"kind": "PodList", "items": null}').items == ()


def test_what_pods_take_is_added_up() -> None:
    owned = placed("d", "a", "2")
    owned["metadata"]["ownerReferences"] = [{"kind": "DaemonSet", "name": "d"}]
    important = placed("e", "a", "4")
    important["spec"]["priority"] = 7
    items = [placed("a", "a"), owned, important, placed("f", "b", phase="Failed"), placed("g", "")]
    page = parse_placed_pods(msgspec.json.encode({"kind": "PodList", "metadata": {"continue": "x"}, "items": items}))
    assert page.continue_token == "x"
    fold = UsageFold()
    fold.add(page.items)
    fold.add(page.items[:1])
    assert list(fold.by_node()) == ["a"]
    usage = fold.by_node()["a"]
    assert usage.taken == {"cpu": 8000, "pods": 4}
    assert usage.staying == {"cpu": 2000, "pods": 1}
    assert usage.at_least(1) == {"cpu": 4000, "pods": 1}


def test_a_snapshot_that_is_good_is_not_read_again() -> None:
    made, cache = world(), CapacityCache(30)
    first = made.run(operations.capabilities(CONFIG, cache=cache))
    assert len(first.requests) == 7
    for operation in (
        operations.capabilities(CONFIG, cache=cache),
        operations.can_fulfill(CONFIG, needs(1), cache=cache),
        operations.explain_fulfillment(CONFIG, needs(1), cache=cache),
    ):
        assert not made.run(operation).requests
    cache.note_change()
    assert made.run(operations.can_fulfill(CONFIG, needs(1), cache=cache)).requests == []
    assert len(made.run(operations.explain_fulfillment(CONFIG, needs(1), cache=cache)).requests) == 7
    made.advance(31)
    assert len(made.run(operations.can_fulfill(CONFIG, needs(1), cache=cache)).requests) == 7


def test_whether_it_can_be_done() -> None:
    made = world()
    assert made.run(operations.can_fulfill(CONFIG, needs(4))).result is True
    assert made.run(operations.can_fulfill(CONFIG, needs(5))).result is False


def confirmed(made: World):
    found = made.run(operations.explain_fulfillment(CONFIG, needs(1))).result
    return made.run(operations.confirm_fulfillment(CONFIG, needs(1), found))


def test_the_server_is_asked_and_nothing_is_stored() -> None:
    made = world()
    outcome = confirmed(made)
    assert (outcome.result.fit, outcome.result.confirmed) == (Fit.NOW, True)
    assert outcome.requests[-1].parameter("dryRun") == "All"
    assert not made.pods(NAMESPACE)
    first, second = (msgspec.json.decode(confirmed(made).requests[-1].body)["metadata"]["name"] for _ in range(2))
    assert first != second


ADMISSION = 'admission webhook "policy" denied the request: no'


@pytest.mark.parametrize(
    ("answer", "fit", "rule"),
    [
        (answering(403, "Forbidden", message="x is forbidden: exceeded quota: q"), Fit.LATER, Rule.QUOTA),
        (answering(400, "BadRequest", message=ADMISSION), Fit.NEVER, Rule.ADMISSION),
        (answering(422, "Invalid"), Fit.NEVER, Rule.ADMISSION),
        (answering(403, "Forbidden", message='pods is forbidden: User "u" cannot create'), Fit.NEVER, Rule.PERMISSION),
        (
            answering(404, "NotFound", details={"kind": "namespaces", "name": NAMESPACE}),
            Fit.NEVER,
            Rule.ADMISSION,
        ),
    ],
)
def test_the_server_says_no(answer: Answer, fit: Fit, rule: Rule) -> None:
    found = confirmed(world(faults=[FaultRule("create", "pods", answer)])).result
    assert (found.fit, found.confirmed, [reason.rule for reason in found.reasons]) == (fit, False, [rule])


def test_no_answer_is_no_answer() -> None:
    made = world(faults=[FaultRule("create", "pods", answering(409, "AlreadyExists"))])
    assert confirmed(made).error is not None
