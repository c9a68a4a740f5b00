"""The simulator gives the answers that a real API server gave (see tests/conformance)."""

from __future__ import annotations

import pytest

from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.simulation import Cluster, make_node
from tests.conformance import recorded
from tests.conformance.asking import ask_all
from tests.conformance.scenarios import SCENARIOS

NAMESPACE = "hodei-test-sim"
LATENCY = 0.01


class Asked:
    """The simulated cluster of a scenario, and its time."""

    def __init__(self) -> None:
        self.now = 1.0
        self._cluster = Cluster(namespaces=["default", NAMESPACE], nodes=[make_node(cpu="2")])

    def exchange(self, request: Request) -> Response:
        self.now += LATENCY
        reply = self._cluster.handle(request, self.now)
        if isinstance(reply, Response):
            return reply
        chunks = []
        while (chunk := reply.read(self.now)) != b"":
            chunks.append(chunk or b"")
            self.now += 1.0
        return Response(reply.status, reply.headers, b"".join(chunks))

    def pause(self, seconds: float) -> None:
        self.now += seconds


def test_every_scenario_was_recorded() -> None:
    assert {name: len(steps) for name, steps in SCENARIOS.items()} == {
        name: len(told) for name, told in recorded().items()
    }


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_same_answers(name: str) -> None:
    asked = Asked()
    told = ask_all(SCENARIOS[name], NAMESPACE, asked.exchange, asked.pause)
    for number, (step, ours, theirs) in enumerate(zip(SCENARIOS[name], told, recorded()[name], strict=True)):
        assert ours == theirs, f"#{number}: {step.method} {step.path} {step.query}"
