"""Waiting with a verdict: it ends as soon as there is no hope, at the time that a stage may take, and not before."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hodei_k8s_core import operations
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.startup_policy import StartupPolicy
from hodei_k8s_core.errors import (
    ConfigurationError,
    NotReady,
    ProviderError,
    ProvisioningFailed,
    ProvisioningTimeout,
    ResourceLimitExceeded,
)
from hodei_k8s_core.manifest import encode_worker_pod
from hodei_k8s_core.observations import PodStarted
from hodei_k8s_core.operations.examiner import Examiner
from hodei_k8s_core.operations.observed_start import observe_start
from hodei_k8s_core.operations.worker_watch import WorkerWatch, goal_of
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.requests import create_pod, delete_pod
from hodei_k8s_core.simulation.behaviour import Behaviour, CannotStart, Unschedulable, Waits, image_cannot_be_pulled
from hodei_k8s_core.simulation.cluster import Cluster
from hodei_k8s_core.simulation.faults import Answer, LoseRequest, Rule
from hodei_k8s_core.simulation.world import World
from hodei_k8s_core.timeline import Timeline
from hodei_k8s_core.verdict import Category, Stage, Verdict
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo, WorkerState
from tests.core.made_pods import T0, unscheduled
from tests.core.operation_cases import NAMESPACE, SPEC

POLICY = StartupPolicy(schedule=60, scale_up=200, pull=90, start=30, ready=45)
CONFIG = KubernetesConfig(provider_id="tests", startup=POLICY)
ABSENT = Waits((("ErrImagePull", "failed to resolve reference: job:1: not found"),))
NO_SECRET = Waits((("CreateContainerConfigError", 'secret "s" not found'),))
STARTING = Waits((("ContainerCreating", ""),))
READY, ENDED = WorkerState.READY, WorkerState.TERMINATED


def world_of(fail: Any = None, **behaviour: Any) -> World:
    return World(behaviours={"job:1": Behaviour(fail=fail, **behaviour)})


def create(world: World, config: KubernetesConfig = CONFIG) -> WorkerHandle:
    return world.run(operations.create_worker(config, SPEC)).result


def wait(world: World, until: Any = READY, timeout: float = 600, config: KubernetesConfig = CONFIG) -> Any:
    return world.run(operations.wait_for_worker(config, create(world, config), until=until, timeout=timeout))


def add_event(world: World, reason: str, message: str, number: int = 0) -> None:
    pod = world.pods(NAMESPACE)["hodei-worker-w1"]
    now = world.cluster.clock.timestamp(world.now)
    about = {"kind": "Pod", "name": "hodei-worker-w1", "uid": pod["metadata"]["uid"]}
    meta = {"name": f"e{number}", "namespace": NAMESPACE}
    times = {"firstTimestamp": now, "lastTimestamp": now}
    world.cluster.add_event({"metadata": meta, "involvedObject": about, "reason": reason, "message": message, **times})


def paths(outcome: Any, ending: str) -> list[str]:
    return [request.path for request in outcome.requests if request.path.endswith(ending)]


def failure(outcome: Any, kind: type[ProviderError], category: Category) -> Verdict:
    assert isinstance(outcome.error, kind), outcome.error
    assert outcome.error.verdict is not None
    assert outcome.error.verdict.category is category
    assert outcome.bodies_left <= 1
    return outcome.error.verdict


@pytest.mark.parametrize(
    ("fail", "category", "seconds", "words"),
    [
        (ABSENT, Category.IMAGE_UNAVAILABLE, 2, "has no such image"),
        (Waits((("InvalidImageName", "bad"),)), Category.IMAGE_INVALID, 2, "bad"),
        (CannotStart(), Category.START_FAILED, 2, "/no/such/program"),
        (NO_SECRET, Category.CONFIG_INVALID, 12, '"s" not found'),
        (image_cannot_be_pulled("job:1"), Category.IMAGE_UNAVAILABLE, 75, "could not be pulled"),
    ],
)
def test_a_worker_that_can_never_start_is_not_waited_for(
    fail: Any, category: Category, seconds: float, words: str
) -> None:
    outcome = wait(world_of(fail))
    verdict = failure(outcome, NotReady, category)
    assert outcome.seconds < seconds
    assert words in str(outcome.error)
    assert "will not be READY" in str(outcome.error)
    assert outcome.error.retryable is verdict.retryable


@pytest.mark.parametrize(
    ("fail", "behaviour", "stage", "limit"),
    [
        (Unschedulable(), {}, Stage.SCHEDULE, POLICY.schedule),
        (STARTING, {}, Stage.PULL, POLICY.pull + POLICY.start),
        (None, {"ready": None}, Stage.READY, POLICY.ready),
    ],
)
def test_a_stage_has_its_time_and_no_event_is_needed_to_end_it(
    fail: Any, behaviour: dict[str, Any], stage: Stage, limit: float
) -> None:
    world = world_of(fail, **behaviour)
    world.cluster.denied = frozenset({("list", "events")})
    outcome = wait(world)
    verdict = failure(outcome, ProvisioningTimeout, Category.STARTUP_TIMEOUT)
    assert verdict.stage is stage
    assert limit - 1 <= outcome.seconds <= limit + 3
    assert f"within {limit:g} s" in str(outcome.error)


def test_the_callers_own_patience_ends_it_too_and_names_the_stage() -> None:
    outcome = wait(world_of(STARTING), timeout=20)
    verdict = failure(outcome, ProvisioningTimeout, Category.STARTUP_TIMEOUT)
    assert (verdict.stage, outcome.seconds) == (Stage.PULL, pytest.approx(20, abs=0.5))
    assert "was not READY within 20 s" in str(outcome.error)
    assert "within 20 s" in verdict.summary


def test_when_time_runs_out_what_stood_in_the_way_is_the_verdict() -> None:
    verdict = failure(wait(world_of(Unschedulable()), timeout=20), ProvisioningTimeout, Category.UNSCHEDULABLE)
    assert [str(cause) for cause in verdict.causes] == ["1 Insufficient cpu"]


def test_a_worker_that_never_comes_to_be_has_no_verdict() -> None:
    world = World(faults=[Rule("get", "pods", LoseRequest(), times=None)])
    outcome = world.run(operations.wait_for_worker(CONFIG, create(world), timeout=5))
    assert isinstance(outcome.error, ProviderError)
    assert outcome.error.verdict is None


def test_a_healthy_start_asks_for_no_events() -> None:
    outcome = wait(world_of())
    assert outcome.result.state is READY
    assert outcome.result.verdict is None
    assert paths(outcome, "/events") == []
    assert list(outcome.result.timeline.reached) == ["created", "scheduled", "started", "ready"]
    assert [type(told) for told in outcome.observations if isinstance(told, PodStarted)] == [PodStarted]


def test_events_are_asked_for_by_uid_and_at_most_once_per_recheck() -> None:
    world = world_of(Unschedulable())
    outcome = wait(world)
    asked = [step for step in outcome.effects if step.request is not None and step.request.path.endswith("/events")]
    uid = world.pods(NAMESPACE)["hodei-worker-w1"]["metadata"]["uid"]
    assert {step.request.query for step in asked} == {(("fieldSelector", f"involvedObject.uid={uid}"),)}
    # At 5 s, then ever rarer, and before it is given up.
    assert 4 <= len(asked) <= 7


def test_a_node_that_is_being_added_is_waited_for() -> None:
    world = world_of(Unschedulable())
    world.at(20, lambda _: add_event(world, "TriggeredScaleUp", "1->2"))
    outcome = wait(world)
    verdict = failure(outcome, ProvisioningTimeout, Category.STARTUP_TIMEOUT)
    assert outcome.seconds == pytest.approx(POLICY.scale_up, abs=3)
    assert "event TriggeredScaleUp: 1->2" in [str(item) for item in verdict.evidence]


def test_events_that_may_not_be_read_are_missed_and_that_is_told() -> None:
    world = world_of(Unschedulable())
    world.cluster.denied = frozenset({("list", "events")})
    verdict = failure(wait(world), ProvisioningTimeout, Category.STARTUP_TIMEOUT)
    assert verdict.evidence[-1].source == "events"
    assert "could not be read: 403 Forbidden" in verdict.evidence[-1].says


def test_events_that_make_no_sense_are_missed_too() -> None:
    world = world_of(Unschedulable())
    world.plan.add(Rule("list", "events", Answer(200, b'{"kind":"PodList"}'), times=None))
    verdict = failure(wait(world), ProvisioningTimeout, Category.STARTUP_TIMEOUT)
    assert "not an EventList but a PodList" in verdict.evidence[-1].says


def test_a_volume_that_never_comes_is_told_by_events_alone() -> None:
    world = world_of(STARTING, pull=1000)
    message = 'MountVolume.SetUp failed for volume "v" : secret "s" not found'
    world.at(2, lambda _: add_event(world, "FailedMount", message))
    outcome = wait(world)
    verdict = failure(outcome, NotReady, Category.VOLUME_UNAVAILABLE)
    assert verdict.terminal
    assert 10 <= outcome.seconds < 16


@pytest.mark.parametrize("offset", [-3600.0, 7200.0])
def test_a_host_whose_clock_is_wrong_gives_the_same_verdict(offset: float) -> None:
    cluster = Cluster(behaviours={"job:1": Behaviour(fail=Unschedulable())}, clock_offset=offset)
    outcome = wait(World(cluster=cluster))
    failure(outcome, ProvisioningTimeout, Category.STARTUP_TIMEOUT)
    assert outcome.seconds == pytest.approx(POLICY.schedule, abs=3)


@pytest.mark.parametrize("until", [ENDED, (ENDED, WorkerState.TERMINATING)])
def test_whoever_waits_for_the_end_gets_it_with_the_verdict(until: Any) -> None:
    outcome = wait(world_of(CannotStart()), until=until)
    assert outcome.result.state is ENDED
    assert outcome.result.verdict.category is Category.START_FAILED
    ended = wait(world_of(exit_code=3), until=until).result
    assert (ended.verdict.category, ended.verdict.exit_code) == (Category.EXITED, 3)


def test_the_end_of_what_never_starts_is_not_waited_for() -> None:
    failure(wait(world_of(ABSENT), until=ENDED), NotReady, Category.IMAGE_UNAVAILABLE)


@pytest.mark.parametrize("until", [ENDED, (ENDED, WorkerState.TERMINATING)])
def test_a_worker_that_runs_may_be_waited_for_to_end_although_it_never_gets_ready(until: Any) -> None:
    outcome = wait(world_of(ready=None, exit_code=0, run=200.0), until=until)
    assert outcome.result.state is ENDED
    assert outcome.seconds > 200


def test_a_worker_that_has_ended_says_how_it_cannot_be_ready() -> None:
    outcome = wait(world_of(ready=None, exit_code=3))
    assert failure(outcome, NotReady, Category.EXITED).exit_code == 3
    assert "it is TERMINATED, exit code 3" in str(outcome.error)


def test_what_was_seen_last_counts_for_a_pod_that_is_gone() -> None:
    world = world_of(Unschedulable())
    handle = create(world)
    kill = delete_pod(NAMESPACE, handle.pod_name, grace_period=0)
    world.at(7, lambda cluster: cluster.handle(kill, world.now))
    outcome = world.run(operations.wait_for_worker(CONFIG, handle, until=ENDED))
    assert outcome.seconds == pytest.approx(7, abs=0.5)
    assert (outcome.result.state, outcome.result.reason) == (ENDED, "Unschedulable")
    assert outcome.result.verdict is None  # that it was told to end is no trouble


def test_whichever_pod_was_seen_first_is_the_one_that_is_waited_for() -> None:
    world = world_of(Unschedulable())
    handle = create(world)
    nameless = msgspec.structs.replace(handle, metadata={"namespace": NAMESPACE})

    def replace(cluster: Cluster) -> None:
        cluster.handle(delete_pod(NAMESPACE, handle.pod_name, grace_period=0), world.now)
        cluster.handle(create_pod(NAMESPACE, encode_worker_pod(SPEC, CONFIG)), world.now)

    world.at(7, replace)
    outcome = world.run(operations.wait_for_worker(CONFIG, nameless, until=ENDED))
    assert (outcome.result.state, outcome.result.handle.pod_uid) == (ENDED, handle.pod_uid)
    assert outcome.seconds == pytest.approx(7, abs=0.5)


def test_a_pod_that_is_gone_and_was_not_seen_has_no_verdict() -> None:
    world = world_of()
    handle = create(world)
    gone = msgspec.structs.replace(handle, metadata={**handle.metadata, "pod_uid": "another"})
    outcome = world.run(operations.wait_for_worker(CONFIG, gone))
    assert isinstance(outcome.error, NotReady)
    assert outcome.error.verdict is None


# The other operations.


def test_run_fails_fast_and_destroys_what_it_made() -> None:
    world = world_of(ABSENT)
    outcome = world.run(operations.run_worker(CONFIG, SPEC))
    failure(outcome, NotReady, Category.IMAGE_UNAVAILABLE)
    assert outcome.seconds < 5
    assert world.pods(NAMESPACE) == {}


def test_run_tells_the_phases_as_they_pass() -> None:
    outcome = world_of(exit_code=3, run=5.0, pull=4.0).run(operations.run_worker(CONFIG, SPEC))
    infos = [item for item in outcome.emitted if isinstance(item, WorkerInfo)]
    reached = [list(info.timeline.reached) for info in infos if info.timeline is not None]
    assert reached[0] == ["created"]
    assert ["created", "scheduled"] in reached
    assert reached[-1][-1] == "finished"
    assert outcome.result.verdict.category is Category.EXITED


def test_run_names_the_stage_when_its_own_time_is_over() -> None:
    outcome = world_of(STARTING).run(operations.run_worker(CONFIG, SPEC, startup_timeout=9))
    verdict = failure(outcome, ProvisioningTimeout, Category.STARTUP_TIMEOUT)
    assert verdict.stage is Stage.PULL
    assert "did not start within 9 s" in str(outcome.error)


def test_run_gives_the_verdict_of_a_worker_whose_program_is_missing() -> None:
    outcome = world_of(CannotStart()).run(operations.run_worker(CONFIG, SPEC))
    assert outcome.result.verdict.category is Category.START_FAILED
    assert outcome.result.exit_code == 128


@pytest.mark.parametrize(("behaviour", "category"), [({}, None), ({"exit_code": 3}, Category.EXITED)])
def test_a_description_has_verdict_and_timeline(behaviour: dict[str, Any], category: Category | None) -> None:
    world = world_of(**behaviour)
    handle = create(world)
    world.advance(10)
    outcome = world.run(operations.describe_worker(CONFIG, handle))
    verdict = outcome.result.verdict
    assert (verdict and verdict.category) == category
    assert "started" in outcome.result.timeline.reached
    # The events of what is well need not be read.
    assert len(paths(outcome, "/events")) == (0 if category is None else 1)


def test_nothing_is_known_of_a_pod_that_is_gone() -> None:
    world = world_of()
    handle = create(world)
    world.run(operations.force_destroy_worker(CONFIG, handle))
    info = world.run(operations.describe_worker(CONFIG, handle)).result
    assert (info.state, info.verdict, info.timeline) == (ENDED, None, None)


def test_a_list_has_verdicts_and_asks_for_no_events() -> None:
    world = world_of(Unschedulable())
    create(world)
    world.advance(10)
    outcome = world.run(operations.list_workers(CONFIG))
    assert [info.verdict.category for info in outcome.result] == [Category.UNSCHEDULABLE]
    assert len(outcome.requests) == 1


def refusal(code: int, reason: str, message: str) -> Answer:
    body = {"kind": "Status", "code": code, "reason": reason, "message": message}
    return Answer(code, msgspec.json.encode(body))


@pytest.mark.parametrize(
    ("answer", "kind", "category"),
    [
        (
            refusal(403, "Forbidden", "pods x is forbidden: exceeded quota: q, requested: pods=1"),
            *(ResourceLimitExceeded, Category.QUOTA_EXCEEDED),
        ),
        (
            refusal(403, "Forbidden", 'pods "x" is forbidden: violates PodSecurity "restricted"'),
            *(ProvisioningFailed, Category.ADMISSION_DENIED),
        ),
        (refusal(422, "Invalid", "x"), ProvisioningFailed, Category.CONFIG_INVALID),
    ],
)
def test_a_create_that_is_refused_has_a_verdict(answer: Answer, kind: type[ProviderError], category: Category) -> None:
    world = World(faults=[Rule("create", "pods", answer, times=None)])
    failure(world.run(operations.create_worker(CONFIG, SPEC)), kind, category)


def test_a_status_is_one_request() -> None:
    world = world_of(Unschedulable())
    handle = create(world)
    assert len(world.run(operations.get_worker_status(CONFIG, handle)).requests) == 1


def test_a_watch_that_has_not_looked_yet_has_nothing_to_let_go_of() -> None:
    world = world_of()
    assert world.run(WorkerWatch(CONFIG, create(world), what="x").let_go()).effects == []


@pytest.mark.parametrize(
    ("until", "timeout", "field"), [((), 5, "until"), (READY, 0, "timeout"), (READY, float("nan"), "timeout")]
)
def test_a_wait_that_makes_no_sense_is_refused(until: Any, timeout: float, field: str) -> None:
    world = world_of()
    outcome = world.run(operations.wait_for_worker(CONFIG, create(world), until=until, timeout=timeout))
    assert isinstance(outcome.error, ConfigurationError)
    assert [fault.field for fault in outcome.error.faults] == [field]
    assert outcome.requests == []


def test_a_start_whose_time_is_not_known_is_not_observed() -> None:
    info = wait(world_of()).result
    nowhere = msgspec.structs.replace(info, timeline=Timeline(created=info.timeline.created))
    assert list(observe_start(nowhere)) == []
    assert list(observe_start(msgspec.structs.replace(info, created_at=None))) == []


def test_the_time_to_find_a_node_begins_when_the_gate_is_lifted() -> None:
    world = World()
    world.cluster.denied = frozenset({("list", "events")})
    examiner = Examiner(CONFIG, T0)

    def study(of: Pod) -> Category | None:
        verdict = world.run(examiner.study(of)).result.verdict
        return verdict and verdict.category

    lifted = unscheduled("Unschedulable", "0/1 nodes are available: 1 Insufficient cpu.")
    assert study(unscheduled("SchedulingGated", gates=("kueue",))) is Category.SCHEDULING_GATED
    world.advance(4000)
    assert study(unscheduled("SchedulingGated", gates=("kueue",))) is Category.SCHEDULING_GATED
    world.advance(1)
    assert study(unscheduled("SchedulingGated")) is None
    assert study(lifted) is Category.UNSCHEDULABLE
    world.advance(POLICY.schedule - 2)
    assert world.run(examiner.study_past(lifted)).result.verdict.category is Category.UNSCHEDULABLE
    late = world.run(examiner.study_lateness(lifted, 5)).result
    assert late.stage is Stage.SCHEDULE
    world.advance(3)
    assert study(lifted) is Category.STARTUP_TIMEOUT


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({WorkerState.READY}, "be READY"),
        ({WorkerState.READY, WorkerState.BUSY}, "be BUSY or READY"),
        (set(WorkerState) - {WorkerState.CREATING}, "start"),
        ({WorkerState.TERMINATED}, "end"),
        ({WorkerState.TERMINATING, WorkerState.TERMINATED}, "end"),
    ],
)
def test_what_is_hoped_for_is_said_in_as_few_words_as_there_are(wanted: set[WorkerState], words: str) -> None:
    assert goal_of(wanted) == words
