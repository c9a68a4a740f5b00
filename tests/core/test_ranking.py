"""Which cluster gets a worker, and why."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from hodei_k8s_core.capabilities import JobRequirements
from hodei_k8s_core.capacity.fulfillment import Fit
from hodei_k8s_core.provisioning.circuit import CircuitState
from hodei_k8s_core.provisioning.ranking import Offer, rank
from hodei_k8s_core.worker import Health, HealthStatus

HEALTHY = HealthStatus(Health.HEALTHY)
SLOW = HealthStatus(Health.DEGRADED, "slow")
WANTED = JobRequirements(preferred_region="eu-1")


def offer(name: str, **known: Any) -> Offer:
    return Offer(provider_id=name, **{"health": HEALTHY, "fit": Fit.NOW, **known})


def order(*offers: Offer) -> list[str]:
    """The same, in whichever order the offers come."""
    orders = {tuple(c.provider_id for c in rank(some, WANTED).choices) for some in permutations(offers)}
    (only,) = orders
    return list(only)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"fit": Fit.NOW, "health": SLOW}, {"fit": Fit.UNKNOWN}),
        ({"fit": Fit.UNKNOWN}, {"fit": Fit.NEW_NODE}),
        ({"fit": Fit.NEW_NODE}, {"fit": Fit.LATER}),
        ({"health": SLOW}, {"circuit": CircuitState.HALF_OPEN}),
        ({"head_room": 0.0}, {"health": SLOW, "head_room": 1.0}),
        ({"regions": ("eu-1",), "head_room": 0.0}, {"regions": ("us-1",), "head_room": 1.0}),
        ({"head_room": 0.61, "startup_time": 60}, {"head_room": 0.59}),
        ({}, {"head_room": 0.4}),
        ({"head_room": 0.69, "startup_time": 5}, {"head_room": 0.61, "startup_time": 6}),
        ({}, {}),
    ],
)
def test_what_decides(better: dict[str, Any], worse: dict[str, Any]) -> None:
    assert order(offer("a", **better), offer("b", **worse)) == ["a", "b"]


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({"circuit": CircuitState.OPEN}, "its circuit is open"),
        ({"problem": "timeout"}, "nothing could be asked: timeout"),
        ({"health": HealthStatus(Health.UNHEALTHY, "no namespace")}, "it is unhealthy: no namespace"),
        ({"fit": Fit.NEVER, "why_not": ("too big", "no GPU")}, "never fits: too big; no GPU"),
        ({"fit": Fit.NEVER}, "never fits: no reason given"),
    ],
)
def test_what_excludes(known: dict[str, Any], reason: str) -> None:
    ranking = rank([offer("a", **known), offer("b")], JobRequirements())
    assert [choice.provider_id for choice in ranking.choices] == ["b"]
    assert ranking.excluded == {"a": reason}


def test_the_choice_is_explained() -> None:
    near = offer("near", regions=("eu-1",), head_room=0.25, startup_time=4.2)
    far = offer("far", health=SLOW, circuit=CircuitState.HALF_OPEN)
    ranking = rank([far, near, offer("full", fit=Fit.NEVER)], WANTED)
    parts = ("fits now", "its circuit is half open", "degraded: slow", "not in the preferred region eu-1")
    parts += ("starts in about 15 s",)
    assert ranking.explain() == [
        "1. near: fits now, in the preferred region eu-1, 25% free, starts in about 4 s",
        "2. far: " + ", ".join(parts),
        "not full: never fits: no reason given",
    ]
    assert rank([near], JobRequirements()).explain() == ["1. near: fits now, 25% free, starts in about 4 s"]
