"""Health: two small requests that are never repeated, and what each outcome means."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.operations import health_check
from hodei_k8s_core.simulation import Cluster, Delay, Rule, Stall, World
from hodei_k8s_core.worker import Health, HealthStatus
from tests.core.operation_cases import CONFIG, NAMESPACE
from tests.core.told import Script, not_found_reply, reply, status_reply, tell

LIST, NAMESPACE_READ = "GET pods", f"GET namespaces/{NAMESPACE}"
EMPTY = reply({"kind": "PodList", "items": []})
FOUND = reply({"kind": "Namespace", "metadata": {"name": NAMESPACE}})
FORBIDDEN = status_reply(403, "Forbidden", 'pods is forbidden: User "ci" cannot list resource "pods"', kind="pods")
THROTTLED = status_reply(429, "TooManyRequests", "busy", retry_after="7")
BROKEN = status_reply(500, "InternalError", "etcdserver: no leader")
REFUSED = TransportError(TransportFault.REFUSED, Delivery.NOT_SENT, "connection refused")


def health(script: Script, **options: Any) -> HealthStatus:
    told = tell(health_check(CONFIG), script, **options)
    assert told.sleeps == []
    found: HealthStatus = told.result
    return found


def test_a_cluster_that_answers_is_healthy_with_its_latency() -> None:
    found = health([(LIST, EMPTY), (NAMESPACE_READ, FOUND)], seconds_each=0.25)
    assert found == HealthStatus(Health.HEALTHY, "", 0.25)


def test_it_asks_for_one_pod_of_its_own_provider() -> None:
    told = tell(health_check(CONFIG), [(LIST, EMPTY), (NAMESPACE_READ, FOUND)])
    assert told.requests[0].parameter("limit") == "1"
    assert "hodei.io/provider-id=tests" in (told.requests[0].parameter("labelSelector") or "")


def test_a_slow_server_is_degraded() -> None:
    world = World(faults=[Rule("get", "namespaces", Delay(3.0))])
    found = world.run(health_check(CONFIG)).result
    assert found.health is Health.DEGRADED
    assert "slow: 3.0 s" in found.reason
    assert found.latency == pytest.approx(3.01)


def test_a_permission_that_is_missing_is_degraded_with_its_name() -> None:
    found = health([(LIST, FORBIDDEN), (NAMESPACE_READ, FOUND)])
    assert found.health is Health.DEGRADED
    assert 'cannot list resource "pods"' in found.reason


def test_a_server_that_throttles_is_degraded() -> None:
    assert health([(LIST, THROTTLED), (NAMESPACE_READ, FOUND)]).health is Health.DEGRADED


def test_whoever_may_not_read_namespaces_is_healthy_all_the_same() -> None:
    cluster = Cluster(denied=[("get", "namespaces")])
    assert World(cluster=cluster).run(health_check(CONFIG)).result.is_healthy


def test_a_namespace_that_is_missing_is_unhealthy_and_names_the_mend() -> None:
    found = World().run(health_check(KubernetesConfig(namespace="nowhere", provider_id="tests"))).result
    assert found.health is Health.UNHEALTHY
    assert "nowhere does not exist" in found.reason
    assert "--create-namespace" in found.reason


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (REFUSED, "connection refused"),
        (status_reply(401, "Unauthorized", "Unauthorized"), "does not accept the credentials"),
        (BROKEN, "no leader"),
        (reply(b"<html>gateway</html>", 502), "proxy"),
    ],
)
def test_no_answer_to_the_first_question_is_unhealthy_and_ends_it(answer: Any, words: str) -> None:
    found = health([(LIST, answer)])
    assert found.health is Health.UNHEALTHY
    assert words in found.reason


@pytest.mark.parametrize("answer", [REFUSED, BROKEN, THROTTLED])
def test_no_answer_to_the_second_question_is_degraded(answer: Any) -> None:
    found = health([(LIST, EMPTY), (NAMESPACE_READ, answer)])
    assert found.health is Health.DEGRADED
    assert "read the namespace" in found.reason


def test_the_first_trouble_is_the_one_that_is_told() -> None:
    assert "list the workers" in health([(LIST, FORBIDDEN), (NAMESPACE_READ, BROKEN)]).reason


def test_a_missing_namespace_is_worse_than_a_missing_permission() -> None:
    found = health([(LIST, FORBIDDEN), (NAMESPACE_READ, not_found_reply(NAMESPACE, "namespaces"))])
    assert found.health is Health.UNHEALTHY


def test_a_server_that_never_answers_is_unhealthy_within_ten_seconds() -> None:
    outcome = World(faults=[Rule("", "", Stall(), times=None)]).run(health_check(CONFIG))
    assert outcome.result.health is Health.UNHEALTHY
    assert outcome.seconds == pytest.approx(10, abs=0.1)


def test_a_shorter_request_timeout_counts() -> None:
    config = KubernetesConfig(request_timeout=3.0)
    assert World(faults=[Rule("", "", Stall(), times=None)]).run(health_check(config)).seconds < 4
