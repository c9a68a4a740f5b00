"""A worker in the best of several clusters; never in two."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from hodei_k8s_core.capabilities import JobRequirements, ProviderCapabilities, ResourceLimits
from hodei_k8s_core.capacity.fulfillment import Fit, Fulfillment
from hodei_k8s_core.capacity.overview import CapacityReport, NodeGroup, WorkerSize
from hodei_k8s_core.effects import Monotonic
from hodei_k8s_core.errors import (
    ConfigurationError,
    ConnectionFailed,
    OutcomeUnknown,
    ProviderError,
    ProvisioningFailed,
    ResourceLimitExceeded,
    WorkerAlreadyExists,
)
from hodei_k8s_core.provisioning.circuit import CircuitPolicy, CircuitState
from hodei_k8s_core.provisioning.fleets import (
    FleetListing,
    find_everywhere,
    list_everywhere,
    terminate,
    terminate_everywhere,
)
from hodei_k8s_core.provisioning.provision import (
    Call,
    Calls,
    Provisioned,
    ProvisioningDesk,
    free_share,
    provision,
    requirements_of,
)
from hodei_k8s_core.spec import WorkerSpec
from hodei_k8s_core.worker import Health, HealthStatus, WorkerHandle, WorkerInfo, WorkerState

SPEC = WorkerSpec(worker_id="w1", image="job:1")
NOTHING = JobRequirements()
GIB = 1024**3


def report(*, cores: float = 4, free: float = 2, usable: int = 1, is_pool: bool = False, known: bool = True) -> Any:
    size = WorkerSize(cpu_cores=cores, memory_bytes=8 * GIB)
    group = NodeGroup(
        name="g",
        nodes=1,
        usable=usable,
        blocked_by=(),
        architecture="amd64",
        zones=(),
        total=size,
        free=size,
        largest=size,
        is_pool=is_pool,
    )
    able = ProviderCapabilities(
        max_resources=ResourceLimits(),
        gpu_support=False,
        gpu_types=(),
        architectures=(),
        runtimes=(),
        regions=("eu-1",),
        max_execution_time=1,
        persistent_storage=None,
        custom_networking=False,
        features=(),
    )
    return CapacityReport(
        capabilities=able,
        largest_ever=None,
        largest_now=None,
        head_room=WorkerSize(cpu_cores=free, memory_bytes=8 * GIB) if known else None,
        groups=(group,),
        accelerators=(),
        quotas=(),
        priority_classes=(),
        storage_classes=(),
        unread=(),
        read_at=0,
    )


class Cluster:
    """A provider by script: `create` is what a create gives, in turn; an error is raised."""

    def __init__(self, name: str, *create: Any, fit: Fit = Fit.NOW, exists: bool = False, **answers: Any) -> None:
        self.name = name
        self.creates = list(create)
        found = WorkerInfo(handle=self.handle(), state=WorkerState.READY) if exists else None
        self.answers = {
            "health_check": HealthStatus(Health.HEALTHY),
            "explain_fulfillment": Fulfillment(fit=fit),
            "describe_capacity": report(),
            "estimated_startup_time": 15.0,
            "find_worker": found,
            **answers,
        }

    def handle(self) -> WorkerHandle:
        return WorkerHandle(worker_id="w1", provider_resource_id="p", provider_id=self.name, created_at=0)

    def tell(self, call: Call) -> Any:
        if call.method != "create_worker":
            return self.answers[call.method]
        return self.creates.pop(0) if self.creates else self.handle()


class Desk:
    def __init__(self, *clusters: Cluster, policy: CircuitPolicy | None = None) -> None:
        self.clusters = {cluster.name: cluster for cluster in clusters}
        self.desk = ProvisioningDesk(self.clusters, policy)
        self.now = 0.0
        self.asked: list[str] = []

    def provision(self, *, cancel: Callable[[Call], bool] = lambda _: False) -> Provisioned:
        made: Provisioned = self.run(provision(self.desk, SPEC, NOTHING), cancel=cancel)
        return made

    def run(self, going: Any, *, cancel: Callable[[Call], bool] = lambda _: False) -> Any:
        resume: Callable[[], Any] = lambda: next(going)  # noqa: E731
        while True:
            try:
                effect = resume()
            except StopIteration as end:
                return end.value
            if isinstance(effect, Monotonic):
                reply: Any = self.now
            elif isinstance(effect, Calls):
                reply = [self._ask(call) for call in effect.calls]
            else:
                if cancel(effect):
                    going.close()
                    raise KeyboardInterrupt
                reply = self._ask(effect)
            resume = partial(going.throw if isinstance(reply, ProviderError) else going.send, reply)

    def _ask(self, call: Call) -> Any:
        self.asked.append(f"{call.provider_id}.{call.method}")
        return self.clusters[call.provider_id].tell(call)

    def created(self) -> list[str]:
        return [asked.split(".")[0] for asked in self.asked if asked.endswith("create_worker")]


def test_the_best_one_makes_it_and_says_why() -> None:
    desk = Desk(Cluster("a", fit=Fit.LATER), Cluster("b"))
    made = desk.provision()
    assert (made.provider_id, made.handle.provider_id, desk.created()) == ("b", "b", ["b"])
    assert made.ranking is not None
    assert made.ranking.explain()[0].startswith("1. b: fits now, 50% free")


def test_the_next_one_where_it_fails_for_a_reason_of_its_own() -> None:
    desk = Desk(Cluster("a", ResourceLimitExceeded("quota")), Cluster("b"))
    made = desk.provision()
    assert (made.provider_id, desk.created()) == ("b", ["a", "b"])
    assert [(attempt.provider_id, attempt.error) for attempt in made.failed] == [("a", "quota")]
    assert desk.desk.pins == {}


def test_what_would_be_refused_everywhere_is_not_tried_again() -> None:
    desk = Desk(Cluster("a", ProvisioningFailed("invalid")), Cluster("b"))
    with pytest.raises(ProvisioningFailed, match="invalid"):
        desk.provision()
    assert desk.created() == ["a"]


def test_an_unknown_outcome_pins_the_worker_until_it_is_known() -> None:
    desk = Desk(
        Cluster("a", OutcomeUnknown("lost"), OutcomeUnknown("lost"), ConnectionFailed("not sent")), Cluster("b")
    )
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            desk.provision()
    assert desk.created() == ["a", "a"]
    assert desk.provision().provider_id == "b"  # the third create said that it is not there
    assert desk.created() == ["a", "a", "a", "b"]


def test_a_pinned_worker_that_is_adopted_is_not_looked_for_elsewhere() -> None:
    desk = Desk(Cluster("a", OutcomeUnknown("lost")), Cluster("b"))
    with pytest.raises(OutcomeUnknown):
        desk.provision()
    made = desk.provision()
    assert (made.provider_id, made.ranking, desk.created()) == ("a", None, ["a", "a"])


def test_a_cancelled_create_pins_it_too() -> None:
    desk = Desk(Cluster("a"), Cluster("b"))
    with pytest.raises(KeyboardInterrupt):
        desk.provision(cancel=lambda call: call.method == "create_worker")
    assert desk.desk.pins == {"w1": "a"}
    assert desk.desk.under_way == set()
    assert desk.provision().provider_id == "a"


def test_one_that_exists_somewhere_is_not_made_again() -> None:
    desk = Desk(Cluster("a"), Cluster("b", fit=Fit.NEVER, exists=True))
    with pytest.raises(WorkerAlreadyExists, match="exists in b, and is READY"):
        desk.provision()
    assert desk.created() == []


def test_one_that_another_call_makes_is_not_made_again() -> None:
    desk = Desk(Cluster("a"))
    desk.desk.under_way.add("w1")
    with pytest.raises(WorkerAlreadyExists, match="another call"):
        desk.provision()


def test_nobody_left() -> None:
    slow = HealthStatus(Health.UNHEALTHY, "no namespace")
    desk = Desk(
        Cluster("a", ConnectionFailed("down")),
        Cluster("b", health_check=slow),
        Cluster("c", fit=Fit.NEVER),
        Cluster("d", describe_capacity=ConnectionFailed("timeout")),
    )
    with pytest.raises(ProvisioningFailed) as caught:
        desk.provision()
    told = str(caught.value)
    for part in ("a: down", "b: it is unhealthy: no namespace", "c: never fits", "d: nothing could be asked: timeout"):
        assert part in told
    assert caught.value.retryable
    with pytest.raises(ProvisioningFailed, match="there is none"):
        Desk().provision()


def test_a_cluster_that_keeps_failing_is_left_alone_for_a_while() -> None:
    policy = CircuitPolicy(failures=2, open_for=15)
    desk = Desk(Cluster("a", *[ConnectionFailed("down")] * 3), Cluster("b", fit=Fit.LATER), policy=policy)
    for _ in range(2):
        assert desk.provision().provider_id == "b"
    assert desk.desk.states(0) == {"a": CircuitState.OPEN, "b": CircuitState.CLOSED}
    desk.asked.clear()
    assert desk.provision().provider_id == "b"
    assert [asked for asked in desk.asked if asked.startswith("a.")] == []
    desk.now = 15
    assert desk.provision().provider_id == "b"  # the probe failed
    desk.now = 46
    assert desk.provision().provider_id == "a"
    assert desk.desk.states(46)["a"] is CircuitState.CLOSED


def test_while_another_call_probes_it_the_next_one_is_taken() -> None:
    desk = Desk(Cluster("a"), Cluster("b", fit=Fit.LATER), policy=CircuitPolicy(failures=1))
    desk.desk.note_failure("a", ConnectionFailed("down"), 0)
    desk.now = 20
    desk.desk.circuits["a"] = desk.desk.circuits["a"].entered(20)
    made = desk.provision()
    assert (made.provider_id, made.failed[0].error) == ("b", "its circuit is probed by another call")


def test_a_failure_that_is_not_the_clusters_fault_does_not_open_it() -> None:
    policy = CircuitPolicy(failures=1)
    desk = Desk(Cluster("a", ResourceLimitExceeded("quota")), Cluster("b", fit=Fit.LATER), policy=policy)
    assert desk.provision().provider_id == "b"
    assert desk.desk.states(0)["a"] is CircuitState.CLOSED


@pytest.mark.parametrize(
    ("made", "share"),
    [
        (report(cores=4, free=1), 0.25),
        (report(cores=4, free=9), 1.0),
        (report(known=False), None),
        (report(usable=0), 0.0),
        (report(is_pool=True), 0.0),
    ],
)
def test_the_free_share(made: CapacityReport, share: float | None) -> None:
    assert free_share(made) == share


def test_a_worker_is_found_wherever_it_is() -> None:
    desk = Desk(Cluster("a"), Cluster("b", exists=True), Cluster("c", find_worker=ConnectionFailed("down")))
    assert desk.run(find_everywhere(desk.desk, "w1")).handle.provider_id == "b"
    nowhere = Desk(Cluster("a"))
    assert nowhere.run(find_everywhere(nowhere.desk, "w1")) is None
    broken = Desk(Cluster("a"), Cluster("c", find_worker=ConnectionFailed("down")))
    with pytest.raises(ConnectionFailed):
        broken.run(find_everywhere(broken.desk, "w1"))


def test_workers_are_listed_and_who_could_not_be_asked_is_told() -> None:
    info = WorkerInfo(handle=Cluster("a").handle(), state=WorkerState.READY)
    desk = Desk(Cluster("a", list_workers=[info]), Cluster("b", list_workers=ConnectionFailed("down")))
    listing = desk.run(list_everywhere(desk.desk))
    assert listing == FleetListing((info,), {"b": "down"})


def test_a_worker_is_ended_where_it_is_and_its_id_is_free_again() -> None:
    desk = Desk(Cluster("a", destroy_worker=None), Cluster("b"))
    desk.desk.pins["w1"] = "a"
    desk.run(terminate(desk.desk, desk.clusters["a"].handle(), 5))
    assert (desk.asked, desk.desk.pins) == (["a.destroy_worker"], {})
    desk.desk.pins["w1"] = "b"
    desk.run(terminate(desk.desk, desk.clusters["a"].handle(), None))
    assert desk.desk.pins == {"w1": "b"}
    with pytest.raises(ConfigurationError, match="the providers are a, b"):
        desk.run(terminate(desk.desk, Cluster("x").handle(), None))


def test_a_worker_is_ended_everywhere() -> None:
    desk = Desk(Cluster("a", destroy_worker_by_id=None), Cluster("b", destroy_worker_by_id=None))
    desk.desk.pins["w1"] = "b"
    desk.run(terminate_everywhere(desk.desk, "w1", 5))
    assert (desk.asked, desk.desk.pins) == (["a.destroy_worker_by_id", "b.destroy_worker_by_id"], {})
    broken = Desk(Cluster("a", destroy_worker_by_id=ConnectionFailed("down")), Cluster("b", destroy_worker_by_id=None))
    broken.desk.pins["w1"] = "a"
    with pytest.raises(ConnectionFailed):
        broken.run(terminate_everywhere(broken.desk, "w1", None))
    assert broken.desk.pins == {"w1": "a"}


def test_what_a_spec_asks_of_a_node() -> None:
    spec = WorkerSpec(worker_id="w1", image="job:1", required_capabilities=("kvm",), max_lifetime=60)
    assert requirements_of(spec) == JobRequirements(required_capabilities=("kvm",), timeout=60)
