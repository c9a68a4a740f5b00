"""What a cluster offers to workers: sizes, head-room, groups, accelerators, and `ProviderCapabilities`."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.capabilities import ResourceLimits
from hodei_k8s_core.capacity.candidate import read_candidate
from hodei_k8s_core.capacity.classes import ClassMeta, PriorityClass, RuntimeClass, StorageClass
from hodei_k8s_core.capacity.explain import explain_pod
from hodei_k8s_core.capacity.fulfillment import Fit
from hodei_k8s_core.capacity.limit_range import Limit, LimitRange
from hodei_k8s_core.capacity.overview import CapacityReport, QuotaLine, WorkerSize
from hodei_k8s_core.capacity.pod_demand import DemandContainer
from hodei_k8s_core.capacity.quota import Quota
from hodei_k8s_core.capacity.requirements_pod import pod_for
from hodei_k8s_core.capacity.snapshot import NODES, PLACED_PODS, STORAGE_CLASSES, Unread
from hodei_k8s_core.capacity.summarize import beside_the_worker, capacity_report
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.node_pool import NodePool
from tests.core.capacity_cases import CONFIG, REGION, ZONE, Gi, needs, node, snapshot, used
from tests.core.thoroughness import examples

NANO = 10**9
BLIND = (Unread(NODES, "not permitted"), Unread(PLACED_PODS, "not asked for"))
POOL = NodePool(name="big", cpu="16", memory="64Gi", devices={"nvidia.com/gpu": "8"}, architecture="arm64")


def report(*nodes, config: KubernetesConfig = CONFIG, **fields) -> CapacityReport:
    return capacity_report(config, snapshot(*nodes, **fields))


def size(cpu: float, memory: int, disk: int = 20 * Gi, **devices: int) -> WorkerSize:
    return WorkerSize(cpu_cores=cpu, memory_bytes=memory, disk_bytes=disk, devices=devices)


def test_the_largest_worker_ever_and_now() -> None:
    found = report(node("a", "4", "8Gi"), node("b", "8", "4Gi"), usage={"a": used("1"), "b": used("7500m")})
    # Of each resource by itself, while a worker has one node.
    assert found.capabilities.max_resources == ResourceLimits(
        max_cpu_cores=8, max_memory_bytes=8 * Gi, max_disk_bytes=20 * Gi, max_gpu_count=0
    )
    assert found.largest_now == size(3, 8 * Gi)
    assert found.largest_ever in (size(4, 8 * Gi), size(8, 4 * Gi))
    assert found.head_room == size(3.5, 12 * Gi, 40 * Gi)


def test_what_stays_on_a_node_is_never_free() -> None:
    found = report(node(), usage={"n1": used("500m", "1Gi", stays=True)})
    assert found.largest_ever == size(3.5, 7 * Gi)
    assert found.capabilities.max_resources.max_cpu_cores == 3.5


def test_nodes_that_take_no_worker_do_not_count() -> None:
    found = report(
        node("a", "2"),
        node("b", "8", taints=["x:NoSchedule"]),
        node("c", "4", is_cordoned=True),
        node("d", "16", devices={"pods": "0"}),
    )
    assert found.largest_now == size(2, 8 * Gi)
    assert found.largest_ever == size(4, 8 * Gi)
    assert found.head_room == size(2, 8 * Gi)


def test_a_node_that_is_full_of_pods_has_no_head_room() -> None:
    found = report(node(), usage={"n1": used("1", pods=10)})
    assert (found.largest_now, found.head_room) == (WorkerSize(), WorkerSize())
    assert found.largest_ever == size(4, 8 * Gi)


def test_more_is_taken_than_there_is() -> None:
    found = report(node(), usage={"n1": used("9")})
    assert found.largest_now == size(0, 8 * Gi)
    assert found.head_room == size(0, 8 * Gi)


def quota(hard: dict[str, int], taken: dict[str, int]) -> Quota:
    return Quota("q", {k: v * NANO for k, v in hard.items()}, {k: v * NANO for k, v in taken.items()})


def test_the_namespace_bounds_what_a_worker_can_have() -> None:
    bounds = (LimitRange("l", (Limit("Container", max={"memory": "2Gi"}),)),)
    limits = quota({"requests.cpu": 3, "limits.cpu": 9, "pods": 5}, {"requests.cpu": 1, "pods": 2})
    found = report(node(), limit_ranges=bounds, quotas=(limits,))
    assert found.largest_ever == size(3, 2 * Gi)
    assert found.largest_now == size(2, 2 * Gi)
    assert found.head_room == size(2, 2 * Gi)
    assert (found.capabilities.max_resources.max_cpu_cores, found.capabilities.max_resources.max_memory_bytes) == (
        3,
        2 * Gi,
    )
    assert found.quotas[0] == QuotaLine("q", "requests.cpu", "1", "3")


def test_a_quota_without_pods_leaves_no_room() -> None:
    found = report(node(), quotas=(quota({"pods": 2}, {"pods": 2}),))
    assert found.largest_now == WorkerSize()
    assert found.largest_ever == size(4, 8 * Gi)


def test_a_quota_of_other_pods_bounds_nothing() -> None:
    other = quota({"services": 0}, {})
    assert report(node(), quotas=(other,)).largest_now == size(4, 8 * Gi)
    assert report(node(), quotas=(quota({"memory": Gi}, {}),)).quotas[0].hard == "1Gi"


def test_what_runs_beside_a_worker_is_not_for_it() -> None:
    spec = read_candidate(pod_for(needs(1), CONFIG))
    assert beside_the_worker(spec) == {}
    database = {"name": "db", "restartPolicy": "Always", "resources": {"requests": {"cpu": "2"}}}
    beside = msgspec.convert([database], tuple[DemandContainer, ...])
    assert beside_the_worker(msgspec.structs.replace(spec, init_containers=beside)) == {"cpu": 2000}


def test_groups() -> None:
    pool = {"cloud.google.com/gke-nodepool": "ci"}
    found = report(
        node("a", labels={**pool, ZONE: "z1"}),
        node("b", labels={**pool, ZONE: "z2"}, is_ready=False),
        node("c", "8", labels={"node.kubernetes.io/instance-type": "m5.large"}, taints=["team=a:NoSchedule"]),
        node("d", devices={"nvidia.com/gpu": "2"}),
        usage={"a": used("1")},
        config=KubernetesConfig(node_pools=[POOL]),
    )
    plain, ci, machine, declared = found.groups
    assert plain.name == "4 cpu 8Gi 2 nvidia.com/gpu amd64"
    assert (ci.name, ci.nodes, ci.usable, ci.blocked_by, ci.zones) == ("ci amd64", 2, 1, ("not-ready",), ("z1", "z2"))
    assert (ci.total.cpu_cores, ci.free.cpu_cores, ci.largest.cpu_cores) == (8, 7, 4)
    assert (machine.name, machine.blocked_by) == ("m5.large amd64", ("the taint team=a:NoSchedule is not tolerated",))
    assert (declared.name, declared.is_pool, declared.nodes, declared.architecture) == ("big", True, 0, "arm64")
    assert declared.largest.devices == {"nvidia.com/gpu": 8}


def test_accelerators() -> None:
    a100 = {"nvidia.com/gpu.product": "A100"}
    found = report(
        node("a", devices={"nvidia.com/gpu": "4"}, labels=a100),
        node("b", devices={"nvidia.com/gpu": "8"}, labels=a100, is_cordoned=True),
        node("c", devices={"nvidia.com/mig-1g.5gb": "7", "nvidia.com/gpu": "0"}, labels=a100),
        node("d", devices={"amd.com/gpu": "1"}, taints=["x:NoSchedule"]),
        node("e"),
        config=KubernetesConfig(node_pools=[POOL]),
    )
    told = [(a.resource, a.product, a.sharing, a.total, a.free, a.most_on_a_node) for a in found.accelerators]
    assert told == [
        ("nvidia.com/gpu", "", "whole", 0, 0, 8),
        ("nvidia.com/gpu", "A100", "whole", 12, 4, 8),
        ("nvidia.com/mig-1g.5gb", "A100", "slice", 7, 7, 7),
    ]
    known = found.capabilities
    assert known.gpu_support
    assert known.gpu_types == ("A100", "nvidia.com/gpu", "nvidia.com/mig-1g.5gb")
    assert known.max_resources.max_gpu_count == 8
    assert found.largest_now.devices == {"nvidia.com/gpu": 4}


def test_accelerators_behind_their_vendors_taint_are_there_for_who_asks_for_them() -> None:
    shared = node("a", devices={"nvidia.com/gpu": "4"}, taints=["nvidia.com/gpu=present:NoSchedule"])
    sold = node("b", devices={"nvidia.com/gpu": "8"}, taints=["nvidia.com/gpu:NoSchedule", "team=a:NoSchedule"])
    gone = node("c", devices={"amd.com/gpu": "0"}, taints=["amd.com/gpu:NoSchedule"])
    found = report(shared, sold, gone)
    assert found.capabilities.gpu_types == ("nvidia.com/gpu",)
    assert found.capabilities.max_resources.max_gpu_count == 4
    assert [(a.resource, a.total, a.free) for a in found.accelerators] == [("nvidia.com/gpu", 4, 4)]


def test_the_words_of_the_scheduler() -> None:
    known = report(
        node("a", labels={ZONE: "z1", REGION: "r", "capability.hodei.io/docker": "true"}, runtime="containerd"),
        node("b", labels={"kubernetes.io/arch": "arm64"}),
        node("c", labels={"kubernetes.io/arch": "s390x"}, taints=["x:NoSchedule"]),
        storage_classes=(StorageClass(ClassMeta("fast")),),
        runtime_classes=(RuntimeClass(ClassMeta("gvisor")),),
        priority_classes=(PriorityClass(ClassMeta("high")),),
    ).capabilities
    assert known.architectures == ("amd64", "arm64")
    assert known.regions == ("r", "z1")
    assert known.runtimes == ("containerd", "gvisor")
    assert known.features == ("capability:docker",)
    assert known.persistent_storage is True
    assert not known.gpu_support
    assert known.max_execution_time == 2**31 - 1


def test_what_may_not_be_read_is_not_made_up() -> None:
    found = report(unread=(*BLIND, Unread(STORAGE_CLASSES, "not permitted")))
    assert (found.largest_ever, found.largest_now, found.head_room) == (None, None, None)
    assert found.capabilities.max_resources == ResourceLimits()
    assert found.capabilities.persistent_storage is None
    assert found.capabilities.features == ("unknown:nodes", "unknown:pods", "unknown:storageclasses")
    # What the namespace allows is known all the same.
    limited = report(unread=BLIND, quotas=(quota({"requests.cpu": 3, "requests.nvidia.com/gpu": 1}, {}),))
    assert limited.capabilities.max_resources.max_cpu_cores == 3
    assert limited.capabilities.persistent_storage is False


def test_declared_pools_are_the_limits_where_nodes_may_not_be_read() -> None:
    found = report(unread=BLIND, config=KubernetesConfig(node_pools=[POOL]))
    assert found.capabilities.max_resources.max_cpu_cores == 16
    assert found.largest_ever == size(16, 64 * Gi, 20 * Gi, **{"nvidia.com/gpu": 8})
    assert found.largest_now is None


def test_without_the_pods_only_what_is_for_ever_is_known() -> None:
    found = report(node(), unread=BLIND[1:])
    assert (found.largest_ever, found.largest_now, found.head_room) == (size(4, 8 * Gi), None, None)


def test_a_cluster_without_nodes_offers_nothing() -> None:
    found = report()
    assert (found.largest_ever, found.largest_now, found.head_room) == (WorkerSize(), WorkerSize(), WorkerSize())
    assert found.capabilities.max_resources == ResourceLimits(max_gpu_count=0)


SIZES = st.lists(
    st.tuples(st.sampled_from(["1", "2", "4", "8"]), st.sampled_from(["2Gi", "8Gi"]), st.sampled_from(["0", "1", "3"])),
    min_size=1,
    max_size=4,
)


@settings(max_examples=examples(100), deadline=None)
@given(SIZES)
def test_the_largest_worker_fits_and_a_larger_one_does_not(sizes) -> None:
    nodes = [node(f"n{index}", *one[:2]) for index, one in enumerate(sizes)]
    usage = {f"n{index}": used(one[2]) for index, one in enumerate(sizes)}
    there = snapshot(*nodes, usage=usage)
    now = capacity_report(CONFIG, there).largest_now

    def fit(cpu: float, memory: int) -> Fit:
        return explain_pod(pod_for(needs(cpu, memory), CONFIG), there).fit

    assert now is not None
    if now.cpu_cores:
        assert fit(now.cpu_cores, now.memory_bytes) is Fit.NOW
    limits = capacity_report(CONFIG, there).capabilities.max_resources
    assert fit(limits.max_cpu_cores + 0.001, 1) is Fit.NEVER
    assert fit(0.001, limits.max_memory_bytes + 1) is Fit.NEVER
    assert fit(limits.max_cpu_cores, 1) is not Fit.NEVER
