"""What a Pod requests: the scheduler's sum, against one made by walking through the Pod's life."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.capacity.amounts import (
    added,
    amounts,
    counted,
    exact,
    larger,
    left,
    nanos_of,
    rounded,
    shown,
    smaller,
)
from hodei_k8s_core.capacity.pod_demand import (
    NOTHING_GRANTED,
    PodDemand,
    PodGrant,
    has_pod_level,
    limits_of,
    requests_of,
    with_api_defaults,
)
from hodei_k8s_core.errors import Internal
from tests.core.thoroughness import examples

NANO = 10**9


def demand(**spec):
    return msgspec.convert(spec, PodDemand)


def container(cpu=None, memory=None, **fields):
    requests = {name: amount for name, amount in (("cpu", cpu), ("memory", memory)) if amount is not None}
    return {"name": fields.pop("name", "c"), "resources": {"requests": requests}, **fields}


def sidecar(cpu=None, memory=None):
    return container(cpu, memory, restartPolicy="Always")


def cores(spec: PodDemand, granted: PodGrant = NOTHING_GRANTED) -> int:
    return counted(requests_of(spec, granted))["cpu"]


@pytest.mark.parametrize(
    ("spec", "millicores"),
    [
        ({"containers": [container("1"), container("500m")]}, 1500),
        ({"containers": [container("1")], "initContainers": [container("3"), container("2")]}, 3000),
        ({"containers": [container("1")], "initContainers": [container("500m")]}, 1000),
        ({"containers": [container("1")], "initContainers": [sidecar("1"), container("3")]}, 4000),
        ({"containers": [container("1")], "initContainers": [container("3"), sidecar("1")]}, 3000),
        ({"containers": [container("4")], "initContainers": [sidecar("1"), sidecar("1"), container("2")]}, 6000),
        ({"containers": [container("1")], "overhead": {"cpu": "250m", "memory": "1"}}, 1250),
        ({"containers": [container("3")], "resources": {"requests": {"cpu": "2"}}}, 2000),
        ({"containers": [container("3")], "resources": {"requests": {"cpu": "2"}}, "overhead": {"cpu": "1"}}, 3000),
        ({"containers": [container("3")], "resources": {"requests": {"memory": "2"}}}, 3000),
        ({"containers": [container("3")], "resources": {"requests": {"nvidia.com/gpu": "2"}}}, 3000),
        ({"containers": [container("0.1m"), container("0.1m")]}, 1),
        ({"containers": [container(1), container(0.5)]}, 1500),
    ],
)
def test_the_sum_of_a_pod(spec, millicores: int) -> None:
    assert cores(demand(**spec)) == millicores


def test_a_pod_without_containers_requests_nothing() -> None:
    assert requests_of(demand()) == {}


AMOUNT = st.sampled_from(["0", "100m", "333m", "1", "2500m", "7"])
CONTAINER = st.builds(lambda cpu, memory: (cpu, memory), AMOUNT, st.none() | st.sampled_from(["1Gi", "3G", "1500m"]))
INIT = st.lists(st.tuples(st.booleans(), CONTAINER), max_size=5)


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(CONTAINER, min_size=1, max_size=3), INIT)
def test_it_is_the_most_that_runs_at_one_time(main, first) -> None:
    """While each init container runs, the sidecars before it do; then the containers with all sidecars."""
    moments = []
    started: list = []
    for is_sidecar, one in first:
        moments.append([*started, one])
        started += [one] if is_sidecar else []
    moments.append([*started, *main])

    def most(index: int) -> int:
        return max(sum(nanos_of(one[index]) for one in moment if one[index] is not None) for moment in moments)

    spec = demand(
        containers=[container(*one) for one in main],
        initContainers=[sidecar(*one) if is_sidecar else container(*one) for is_sidecar, one in first],
    )
    found = requests_of(spec)
    assert (found.get("cpu", 0), found.get("memory", 0)) == (most(0), most(1))


def granted(**status):
    return msgspec.convert(status, PodGrant)


def status_of(name: str, actuated: str, allocated: str | None = None):
    allocation = {} if allocated is None else {"allocatedResources": {"cpu": allocated}}
    return {"name": name, "resources": {"requests": {"cpu": actuated}}, **allocation}


@pytest.mark.parametrize(
    ("status", "millicores"),
    [
        ({"containerStatuses": [status_of("c", "1")]}, 1000),
        ({"containerStatuses": [status_of("c", "1", "1")]}, 1000),
        ({"containerStatuses": [status_of("c", "2", "1")]}, 2000),
        ({"containerStatuses": [status_of("c", "500m", "500m")]}, 1000),
        ({"containerStatuses": [status_of("c", "1", "3")]}, 3000),
        ({"containerStatuses": [{"name": "c"}]}, 1000),
        ({"containerStatuses": [status_of("other", "9")]}, 1000),
    ],
)
def test_while_a_container_is_resized_the_most_counts(status, millicores: int) -> None:
    assert cores(demand(containers=[container("1")]), granted(**status)) == millicores


def test_what_cannot_be_granted_does_not_count() -> None:
    spec = demand(containers=[container("8")])
    status = {"containerStatuses": [status_of("c", "1", "2")]}
    assert cores(spec, granted(**status)) == 8000
    conditions = [{"type": "PodResizePending", "reason": "Infeasible"}]
    assert cores(spec, granted(**status, conditions=conditions)) == 2000
    assert cores(spec, granted(**status, conditions=[{"type": "Ready"}])) == 8000


def test_of_init_containers_only_sidecars_are_resized() -> None:
    spec = demand(containers=[container("0")], initContainers=[sidecar("1") | {"name": "s"}])
    assert cores(spec, granted(initContainerStatuses=[status_of("s", "3")])) == 3000
    spec = demand(containers=[container("0")], initContainers=[container("1", name="s")])
    assert cores(spec, granted(initContainerStatuses=[status_of("s", "3")])) == 1000


def test_a_pod_can_be_resized_as_a_whole() -> None:
    spec = demand(containers=[container("1")], resources={"requests": {"cpu": "2", "example.com/x": "1"}})
    assert cores(spec) == 2000
    assert cores(spec, granted(resources={"requests": {"cpu": "3"}})) == 3000
    assert cores(spec, granted(resources={"requests": {"cpu": "1"}}, allocatedResources={"cpu": "1"})) == 2000


def test_limits_add_up_as_requests_do() -> None:
    def limited(cpu: str, **fields):
        return {"resources": {"limits": {"cpu": cpu}}, **fields}

    spec = demand(containers=[limited("1")], initContainers=[limited("3"), limited("1", restartPolicy="Always")])
    assert limits_of(spec) == {"cpu": 3 * NANO}
    assert limits_of(msgspec.structs.replace(spec, overhead={"cpu": "1", "memory": "1"})) == {"cpu": 4 * NANO}
    whole = demand(containers=[limited("1")], resources={"limits": {"cpu": "5", "nvidia.com/gpu": "1"}})
    assert limits_of(whole) == {"cpu": 5 * NANO}


def test_what_has_a_limit_and_no_request_requests_its_limit() -> None:
    resources = {"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "1"}}
    spec = with_api_defaults(demand(containers=[{"resources": resources}], initContainers=[container("1")]))
    assert spec.containers[0].resources.requests == {"cpu": "1", "memory": "1Gi"}
    assert spec.init_containers[0].resources.limits == {}


def test_a_pod_with_a_limit_requests_what_its_containers_do_or_else_the_limit() -> None:
    spec = demand(containers=[container("500m")], resources={"limits": {"cpu": "2", "memory": "1Gi", "x/y": "1"}})
    assert requests_of(with_api_defaults(spec)) == {"cpu": NANO // 2, "memory": 2**30 * NANO}
    own = demand(containers=[container("500m")], resources={"limits": {"cpu": "2"}, "requests": {"cpu": "1"}})
    assert requests_of(with_api_defaults(own)) == {"cpu": NANO}
    none = demand(containers=[container("500m")], resources={"requests": {"cpu": "1"}})
    assert with_api_defaults(none) == none


def test_whether_a_pod_has_resources_as_a_whole() -> None:
    assert not has_pod_level(demand())
    assert not has_pod_level(demand(resources={"requests": {"nvidia.com/gpu": "1"}}))
    assert has_pod_level(demand(resources={"limits": {"hugepages-2Mi": "4Mi"}}))


def test_amounts_in_the_units_of_the_scheduler() -> None:
    assert amounts({"cpu": "1.5", "memory": "1Ki", "nvidia.com/gpu": "2"}) == {
        "cpu": 1500,
        "memory": 1024,
        "nvidia.com/gpu": 2,
    }
    assert (rounded("cpu", 1), rounded("memory", 1), rounded("cpu", 0)) == (1, 1, 0)
    with pytest.raises(Internal, match="cannot be read"):
        exact({"cpu": "lots"})


def test_amounts_put_together() -> None:
    first, second = {"a": 1, "b": 5}, {"b": 2, "c": 3}
    assert added(first, second) == {"a": 1, "b": 7, "c": 3}
    assert larger(first, second) == {"a": 1, "b": 5, "c": 3}
    assert smaller(first, second) == {"a": 1, "b": 2, "c": 3}
    assert left(first, second) == {"a": 1, "b": 3}
    assert (first, second) == ({"a": 1, "b": 5}, {"b": 2, "c": 3})


@pytest.mark.parametrize(
    ("name", "amount", "text"),
    [
        ("cpu", 1500, "1.5"),
        ("cpu", 2000, "2"),
        ("cpu", -250, "-0.25"),
        ("memory", 8 * 2**30, "8Gi"),
        ("memory", 8 * 2**30 + 1, "8Gi"),
        ("memory", 1500, "1500"),
        ("ephemeral-storage", -(2**30), "-1Gi"),
        ("hugepages-2Mi", 2**21, "2Mi"),
        ("nvidia.com/gpu", 3, "3"),
    ],
)
def test_amounts_for_people(name: str, amount: int, text: str) -> None:
    assert shown(name, amount) == text
