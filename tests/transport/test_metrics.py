"""Observations, fleets and circuits as metrics: the right series, each thing once, and never more series than words."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from hodei_k8s_core import observations as seen
from hodei_k8s_core.provisioning.circuit import CircuitState
from hodei_k8s_core.verdict import Blame, Category, Verdict
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo, WorkerState
from hodei_k8s_core.worker_change import ChangeKind, Freshness, WatchHealth, WorkerChange
from hodei_k8s_transport.service.metrics import METRICS, Metrics
from hodei_k8s_transport.service.watched import WatchEnded

HODEI = {
    "hodei_k8s_pods_created_total",
    "hodei_k8s_pods_failed_total",
    "hodei_k8s_pod_startup_duration_seconds",
    "hodei_k8s_api_requests_total",
    "hodei_k8s_api_errors_total",
}
SYNCED = WatchHealth(freshness=Freshness.SYNCED, since=1.0)


class Scene:
    """Metrics on a registry of their own, with clocks that a test sets."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.now = 100.0
        self.metrics = Metrics(self.registry, monotonic=lambda: self.now, wall_clock=lambda: 1_700_000_000.0 + self.now)
        self.observe = self.metrics.observer_for("ci")

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"hodei_k8s_{name}", {"provider_id": "ci", **labels})

    def series(self) -> int:
        return sum(len(family.samples) for family in self.registry.collect())


@pytest.fixture
def scene() -> Scene:
    return Scene()


def info(ident: str, state: WorkerState = WorkerState.READY, *, category: Category | None = None) -> WorkerInfo:
    handle = WorkerHandle(
        worker_id=ident,
        provider_resource_id=f"hodei-worker-{ident}",
        provider_id="ci",
        created_at=1.0,
        metadata={"namespace": "hodei-workers", "pod_uid": f"uid-{ident}"},
    )
    verdict = None
    if category is not None:
        verdict = Verdict(category=category, blame=Blame.WORKER, terminal=True, retryable=False, summary="it ended")
    return WorkerInfo(handle=handle, state=state, verdict=verdict)


def change(told: WorkerInfo, kind: ChangeKind = ChangeKind.CHANGED) -> WorkerChange:
    return WorkerChange(kind=kind, info=told)


def test_the_names_that_dashboards_know_are_there() -> None:
    assert {metric.name for metric in METRICS} >= HODEI
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_every_metric_is_registered_under_its_name(scene: Scene) -> None:
    names = {family.name for family in scene.registry.collect()}
    assert names == {metric.name.removesuffix("_total") for metric in METRICS}


CREATED: list[tuple[Any, str, dict[str, str], float]] = [
    (seen.PodCreated(adopted=False), "pods_created_total", {}, 1),
    (seen.PodFailed("OutcomeUnknown"), "pods_failed_total", {"stage": "create", "reason": "OutcomeUnknown"}, 1),
    (seen.PodStarted(12.5, "job:1"), "pod_startup_duration_seconds_sum", {}, 12.5),
    (seen.PodStarted(12.5, "job:1"), "pod_startup_duration_seconds_bucket", {"le": "10.0"}, 0),
    (seen.PodStarted(12.5, "job:1"), "pod_startup_duration_seconds_bucket", {"le": "15.0"}, 1),
    (seen.PodStarted(3, phases={"pull": 2.5}), "pod_phase_duration_seconds_sum", {"phase": "pull"}, 2.5),
    (seen.PodDestroyed(1.5), "pod_destroy_duration_seconds_sum", {}, 1.5),
    (
        seen.ApiExchange("get", "pods", "200", 0.2),
        "api_requests_total",
        {"verb": "get", "resource": "pods", "outcome": "200"},
        1,
    ),
    (seen.ApiExchange("get", "pods", "200", 0.2), "api_request_duration_seconds_sum", {"verb": "get"}, 0.2),
    (
        seen.RetryPlanned("get", "pods", "503", 1.0),
        "api_retries_total",
        {"verb": "get", "resource": "pods", "cause": "503"},
        1,
    ),
    (seen.WatchReconnected("expired"), "watch_reconnects_total", {"cause": "expired"}, 1),
    (seen.LogReconnected("silent"), "log_reconnects_total", {"cause": "silent"}, 1),
    (seen.LogReceived(4096), "log_received_bytes_total", {}, 4096),
    (seen.LogGapMet("rotated"), "log_gaps_total", {"reason": "rotated"}, 1),
    (
        seen.CredentialRefreshed("plugin", True, 2e9),
        "credential_refreshes_total",
        {"source": "plugin", "outcome": "succeeded"},
        1,
    ),
    (seen.CredentialRefreshed("plugin", True, 2e9), "credential_expiry_timestamp_seconds", {}, 2e9),
    (
        seen.CredentialRefreshed("files", False),
        "credential_refreshes_total",
        {"source": "files", "outcome": "failed"},
        1,
    ),
    (seen.ReconcilePlanned({"adopt": 2}, True), "reconcile_planned_actions", {"kind": "adopt"}, 2),
    (seen.ReconcilePlanned({"adopt": 2}, True), "reconcile_planned_actions", {"kind": "destroy orphan"}, 0),
    (seen.ReconcilePlanned({}, True), "reconcile_consent_needed", {}, 1),
    (seen.ReconcileAction("adopt", "done"), "reconcile_actions_total", {"kind": "adopt", "outcome": "done"}, 1),
]


@pytest.mark.parametrize(("observation", "name", "labels", "value"), CREATED, ids=lambda case: str(case)[:40])
def test_an_observation_counts(scene: Scene, observation: Any, name: str, labels: dict[str, str], value: float) -> None:
    scene.observe(observation)
    assert scene.value(name, **labels) == value


@pytest.mark.parametrize(
    ("outcome", "is_error"),
    [
        *((code, True) for code in ("401", "403", "408", "429", "500", "503", "timeout", "closed")),
        *((code, False) for code in ("200", "201", "404", "409", "410", "422", "interrupted")),
    ],
)
def test_what_counts_as_an_error_of_the_api(scene: Scene, outcome: str, is_error: bool) -> None:
    scene.observe(seen.ApiExchange("get", "pods", outcome, 0.1))
    labels = {"verb": "get", "resource": "pods", "outcome": outcome}
    assert scene.value("api_errors_total", **labels) == (1 if is_error else None)


def test_what_is_of_no_interest_counts_nowhere(scene: Scene) -> None:
    before = scene.series()
    scene.observe(seen.StepStarted("create_worker", "x"))
    assert scene.series() == before


def test_a_trouble_counts_once_however_many_see_it(scene: Scene) -> None:
    ended = info("w1", WorkerState.TERMINATED, category=Category.OUT_OF_MEMORY)
    for _ in range(2):
        scene.metrics.watched("ci", change(ended))
        scene.observe(seen.VerdictMet(Category.OUT_OF_MEMORY, Blame.WORKER, True, "uid-w1"))
    scene.observe(seen.VerdictMet(Category.UNSCHEDULABLE, Blame.CAPACITY, False, "uid-w1"))
    assert scene.value("verdicts_total", category="out_of_memory", blame="worker") == 1
    assert scene.value("verdicts_total", category="unschedulable", blame="capacity") == 1
    assert scene.value("pods_failed_total", stage="run", reason="out_of_memory") == 1
    assert scene.value("pods_failed_total", stage="run", reason="unschedulable") is None
    assert scene.value("workers_in_trouble", category="out_of_memory") == 1


def test_workers_by_state_follow_the_watch(scene: Scene) -> None:
    for ident in ("w1", "w2"):
        scene.metrics.watched("ci", change(info(ident), ChangeKind.ADDED))
    scene.metrics.watched("ci", SYNCED)
    scene.metrics.watched("ci", change(info("w2", WorkerState.BUSY)))
    assert scene.value("workers", state="ready") == 1
    assert scene.value("workers", state="busy") == 1
    assert scene.value("watch_synced") == 1
    scene.metrics.watched("ci", change(info("w2", WorkerState.BUSY), ChangeKind.REMOVED))
    assert scene.value("workers", state="busy") == 0
    scene.metrics.watched("ci", WatchEnded("it is over"))
    assert scene.value("workers", state="ready") == 0
    assert scene.value("watch_synced") == 0


def test_the_age_of_the_last_event_grows_until_the_next(scene: Scene) -> None:
    assert scene.value("watch_last_event_age_seconds") is None
    scene.observe(seen.WatchHeard("fleet"))
    scene.now += 42.0
    assert scene.value("watch_last_event_age_seconds") == 42.0
    scene.observe(seen.WatchHeard("fleet"))
    assert scene.value("watch_last_event_age_seconds") == 0.0


def test_circuits_are_read_when_somebody_asks(scene: Scene) -> None:
    states = {"ci": CircuitState.CLOSED}
    scene.metrics.read_circuits(lambda: states)
    assert scene.value("circuit_state", state="closed") == 1
    states["ci"] = CircuitState.OPEN
    assert [scene.value("circuit_state", state=s) for s in ("closed", "half_open", "open")] == [0, 0, 1]


def test_leadership_and_the_last_reconcile(scene: Scene) -> None:
    scene.metrics.note_leadership("ci", is_ours=True)
    scene.metrics.note_reconciled("ci")
    assert scene.value("leader") == 1
    assert scene.value("reconcile_last_success_timestamp_seconds") == 1_700_000_100.0


def live(scene: Scene, number: int) -> None:
    """The life of one worker, with whatever can be told of it."""
    ident, category = f"w{number}", list(Category)[number % len(Category)]
    scene.observe(seen.PodCreated(adopted=False))
    scene.observe(CREATED[number % len(CREATED)][0])
    scene.observe(seen.VerdictMet(category, Blame.WORKER, True, f"uid-{ident}"))
    state = list(WorkerState)[number % len(WorkerState)]
    scene.metrics.watched("ci", change(info(ident, state, category=category)))
    scene.metrics.watched("ci", change(info(ident), ChangeKind.REMOVED))


def test_ten_thousand_workers_make_no_more_series_than_a_few(scene: Scene) -> None:
    few = 4 * len(Category)
    for number in range(few):
        live(scene, number)
    series = scene.series()
    for number in range(few, 10_000):
        live(scene, number)
    assert scene.series() == series < 500
    assert scene.value("workers", state="ready") == 0


def test_two_on_one_registry_are_refused(scene: Scene) -> None:
    with pytest.raises(ValueError, match="Duplicated"):
        Metrics(scene.registry)


def test_importing_registers_nothing() -> None:
    code = (
        "import prometheus_client as p; before = [f.name for f in p.REGISTRY.collect()]\n"
        "import hodei_k8s_transport.service.metrics\n"
        "assert before == [f.name for f in p.REGISTRY.collect()]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
