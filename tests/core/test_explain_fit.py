"""Whether a worker fits: when, and why not, by node group and rule and by how much."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.capacity.candidate import not_weighed, read_candidate
from hodei_k8s_core.capacity.classes import ClassMeta, PriorityClass
from hodei_k8s_core.capacity.explain import explain_pod, worse
from hodei_k8s_core.capacity.fulfillment import Fit, Fulfillment, GroupFit, Reason, Rule
from hodei_k8s_core.capacity.node_fit import Wanted, fit_on, has_room
from hodei_k8s_core.capacity.placed_pods import NOTHING_TAKEN, Usage
from hodei_k8s_core.capacity.quota import Quota
from hodei_k8s_core.capacity.requirements_pod import pod_for, with_required_nodes
from hodei_k8s_core.capacity.snapshot import NODES, PLACED_PODS, Unread
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.node_pool import NodePool, PoolTaint
from hodei_k8s_core.spec.toleration import Toleration
from hodei_k8s_core.spec.worker_spec import Architecture
from tests.core.capacity_cases import CONFIG, REGION, ZONE, Gi, needs, node, pod, snapshot, used
from tests.core.thoroughness import examples

NANO = 10**9


def explained(requirements, *nodes, config: KubernetesConfig = CONFIG, **fields) -> Fulfillment:
    return explain_pod(pod_for(requirements, config), snapshot(*nodes, **fields), config.node_pools)


def rules(found: Fulfillment) -> set[Rule]:
    return set(found.rules())


def test_it_fits_now() -> None:
    found = explained(needs(4, 8 * Gi, 20 * Gi), node())
    assert (found.fit, found.is_possible, found.explain(), rules(found)) == (Fit.NOW, True, [], set())


@pytest.mark.parametrize(
    ("requirements", "lack"),
    [
        (needs(4.001), "too little cpu: 4.001 wanted, 4 in all, short by 0.001"),
        (needs(1, 9 * Gi), "too little memory: 9Gi wanted, 8Gi in all, short by 1Gi"),
        (needs(1, Gi, 30 * Gi), "too little ephemeral-storage: 30Gi wanted, 20Gi in all, short by 10Gi"),
        (needs(1, gpu_count=2), "not the accelerator nvidia.com/gpu: 2 wanted, 0 in all, short by 2"),
    ],
)
def test_too_little_of_a_resource(requirements, lack: str) -> None:
    found = explained(requirements, node())
    assert found.fit is Fit.NEVER
    assert found.explain() == [f"4 cpu 8Gi amd64 (1 node): {lack}"]


def test_what_others_take_is_free_later() -> None:
    found = explained(needs(2), node(), usage={"n1": used("3", pods=2)})
    assert found.fit is Fit.LATER
    assert found.explain() == ["4 cpu 8Gi amd64 (1 node): too little cpu: 2 wanted, 1 free, short by 1"]
    assert explained(needs(2), node(), usage={"n1": used("2")}).fit is Fit.NOW


def test_what_a_daemon_takes_stays_taken() -> None:
    found = explained(needs(3.5), node(), usage={"n1": used("1", stays=True)})
    assert found.fit is Fit.NEVER
    assert "3 in all" in found.explain()[0]


def test_a_node_can_be_full_of_pods() -> None:
    found = explained(needs(), node(), usage={"n1": used(pods=10)})
    assert found.fit is Fit.LATER
    assert "too little pods: 1 wanted, 0 free" in found.explain()[0]
    assert not has_room(node(), used(pods=10).taken, wanted(pod()))


def test_more_is_taken_than_there_is() -> None:
    (reason,) = explained(needs(1), node(), usage={"n1": used("9")}).groups[0].reasons
    assert (reason.available, reason.short_by) == (-5000, 1000)


GPU_NODE = node("g", devices={"nvidia.com/gpu": "4"}, labels={"nvidia.com/gpu.product": "A100"})


@pytest.mark.parametrize(
    ("requirements", "rule", "message"),
    [
        (needs(architecture=Architecture.ARM64), Rule.ARCHITECTURE, "not the architecture arm64"),
        (needs(required_capabilities=["docker"]), Rule.CAPABILITY, "not the capability docker"),
        (needs(required_labels={"disk": "fast"}), Rule.LABEL, "not the label disk=fast"),
        (needs(allowed_regions=["b"]), Rule.ZONE, f"not the place {ZONE}=b"),
        (needs(gpu_count=1, gpu_type="H100"), Rule.ACCELERATOR, "not the accelerator nvidia.com/gpu.product=H100"),
    ],
)
def test_another_kind_of_node_is_needed(requirements, rule: Rule, message: str) -> None:
    found = explained(requirements, GPU_NODE)
    assert (found.fit, rules(found)) == (Fit.NEVER, {rule})
    assert found.groups[0].reasons[0].message == message


def test_zones_and_regions_are_alike() -> None:
    there = node(labels={ZONE: "a1", REGION: "a"})
    for allowed in (["a"], ["a1"], ["b", "a"]):
        assert explained(needs(allowed_regions=allowed), there).fit is Fit.NOW
    assert explained(needs(allowed_regions=["b"], required_labels={"x": "y"}), there).fit is Fit.NEVER
    assert explained(needs(preferred_region="b"), there).fit is Fit.NOW


@pytest.mark.parametrize(
    ("fields", "rule", "fit"),
    [
        ({"taints": ["team=a:NoSchedule"]}, Rule.TAINT, Fit.NEVER),
        ({"taints": ["ToBeDeletedByClusterAutoscaler:NoSchedule"]}, Rule.TAINT, Fit.NEVER),
        ({"taints": ["node.kubernetes.io/memory-pressure:NoSchedule"]}, Rule.TAINT, Fit.LATER),
        ({"is_cordoned": True}, Rule.CORDONED, Fit.LATER),
        ({"is_cordoned": True, "taints": ["node.kubernetes.io/unschedulable:NoSchedule"]}, Rule.CORDONED, Fit.LATER),
        ({"is_ready": False}, Rule.NOT_READY, Fit.LATER),
        ({"is_ready": None}, None, Fit.NOW),
        ({"taints": ["team=a:PreferNoSchedule"]}, None, Fit.NOW),
        ({"taints": ["node.kubernetes.io/not-ready:NoExecute"]}, None, Fit.NOW),
    ],
)
def test_a_node_that_takes_nobody(fields, rule: Rule | None, fit: Fit) -> None:
    found = explained(needs(), node(**fields))
    assert (found.fit, rules(found)) == (fit, {rule} if rule else set())


def test_what_is_tolerated_keeps_nobody_away() -> None:
    config = KubernetesConfig(
        tolerations=[
            Toleration(key="team", operator="Exists"),
            Toleration(key="node.kubernetes.io/unschedulable", operator="Exists"),
        ]
    )
    assert explained(needs(), node(taints=["team=a:NoExecute"], is_cordoned=True), config=config).fit is Fit.NOW


def test_the_settings_select_nodes_too() -> None:
    config = KubernetesConfig(node_selector={"pool": "ci"})
    assert rules(explained(needs(), node(), config=config)) == {Rule.LABEL}
    assert explained(needs(), node(labels={"pool": "ci"}), config=config).fit is Fit.NOW


def test_reasons_come_by_group_with_how_many_nodes() -> None:
    found = explained(
        needs(3),
        node("a", "2"),
        node("b", "2"),
        node("c", "8", taints=["x:NoSchedule"], labels={"eks.amazonaws.com/nodegroup": "big"}),
        node("d", "8", is_cordoned=True, labels={"eks.amazonaws.com/nodegroup": "big"}),
        node("e", "8", is_cordoned=True, labels={"eks.amazonaws.com/nodegroup": "big"}),
    )
    small, big = found.groups
    assert (small.group, small.nodes, small.could_fit) == ("2 cpu 8Gi amd64", 2, 0)
    assert [(r.rule, r.nodes) for r in small.reasons] == [(Rule.RESOURCE, 2)]
    assert (big.group, big.nodes, big.fitting, big.could_fit) == ("big amd64", 3, 0, 2)
    assert [(r.rule, r.subject, r.nodes) for r in big.reasons] == [
        (Rule.CORDONED, "", 2),
        (Rule.TAINT, "x:NoSchedule", 1),
    ]
    assert found.explain()[0].startswith("big amd64 (3 nodes): cordoned")


def test_the_amount_is_that_of_the_best_node() -> None:
    same = {"labels": {"eks.amazonaws.com/nodegroup": "g"}}
    usage = {"a": used("4"), "b": used("2"), "c": used("3")}
    found = explained(needs(3), node("a", **same), node("b", **same), node("c", **same), usage=usage)
    (reason,) = found.groups[0].reasons
    assert (reason.nodes, reason.available, reason.short_by) == (3, 2000, 1000)


POOL = NodePool(name="big", cpu="16", memory="64Gi", disk="100Gi", labels={"pool": "big"}, max_nodes=2)


def test_a_node_that_an_autoscaler_would_add() -> None:
    config = KubernetesConfig(node_pools=[POOL])
    assert explained(needs(10), node(), config=config).fit is Fit.NEW_NODE
    assert explained(needs(1), node(), config=config).fit is Fit.NOW
    assert explained(needs(2), node(), config=config, usage={"n1": used("4")}).fit is Fit.NEW_NODE
    assert explained(needs(10), config=config).fit is Fit.NEW_NODE
    found = explained(needs(17), node(), config=config)
    assert found.fit is Fit.NEVER
    assert "big (0 would-be nodes): too little cpu: 17 wanted, 16 in all, short by 1" in found.explain()


def test_a_pool_that_is_full_adds_none() -> None:
    config = KubernetesConfig(node_pools=[POOL])
    full = [node(name, "16", "64Gi", labels={"pool": "big"}) for name in ("a", "b")]
    usage = {"a": used("10"), "b": used("10")}
    found = explained(needs(10), *full, config=config, usage=usage)
    assert (found.fit, found.groups[-1].nodes) == (Fit.LATER, 2)
    assert Rule.POOL_FULL in rules(found)
    assert explained(needs(10), full[0], config=config, usage=usage).fit is Fit.NEW_NODE


def test_a_pool_has_labels_and_taints() -> None:
    pool = NodePool(name="arm", cpu="4", memory="8Gi", architecture="arm64", taints=(PoolTaint(key="x"),))
    config = KubernetesConfig(node_pools=[pool])
    found = explained(needs(architecture=Architecture.AMD64), config=config)
    assert (found.fit, rules(found)) == (Fit.NEVER, {Rule.ARCHITECTURE, Rule.TAINT})


BLIND = (Unread(NODES, "not permitted"), Unread(PLACED_PODS, "not asked for"))


def test_what_may_not_be_read_is_said() -> None:
    found = explained(needs(1000), unread=BLIND)
    assert (found.fit, found.is_possible, rules(found)) == (Fit.UNKNOWN, True, {Rule.PERMISSION})
    assert found.explain() == ["not known: nodes: not permitted", "not known: pods: not asked for"]
    # Declared pools are the limits then.
    config = KubernetesConfig(node_pools=[POOL])
    assert explained(needs(1), config=config, unread=BLIND).fit is Fit.NEW_NODE
    assert explained(needs(17), config=config, unread=BLIND).fit is Fit.NEVER


def test_without_the_pods_only_the_sizes_are_known() -> None:
    found = explained(needs(1), node(), unread=BLIND[1:])
    assert (found.fit, found.groups[0].fitting, found.groups[0].could_fit) == (Fit.LATER, 0, 1)
    assert explained(needs(9), node(), unread=BLIND[1:]).fit is Fit.NEVER


def test_a_cluster_without_nodes() -> None:
    found = explained(needs(1))
    assert (found.fit, rules(found)) == (Fit.NEVER, {Rule.NO_NODES})


def quota(hard: int, taken: int) -> Quota:
    return Quota("q", {"requests.cpu": hard * NANO}, {"requests.cpu": taken * NANO})


@pytest.mark.parametrize(
    ("hard", "taken", "fit"), [(9, 0, Fit.NOW), (9, 8, Fit.LATER), (1, 0, Fit.NEVER), (1, 1, Fit.NEVER)]
)
def test_the_namespace_has_a_say(hard: int, taken: int, fit: Fit) -> None:
    assert explained(needs(2), node(), quotas=(quota(hard, taken),)).fit is fit


def test_it_fits_as_well_as_the_worse_of_both_allows() -> None:
    order = [Fit.NOW, Fit.NEW_NODE, Fit.LATER, Fit.UNKNOWN, Fit.NEVER]
    for index, first in enumerate(order):
        for second in order[index:]:
            assert worse(first, second) is worse(second, first) is second


def test_pods_of_lower_priority_could_be_taken_away() -> None:
    high = (PriorityClass(ClassMeta("high"), 10, global_default=True),)
    low = {"n1": used("4", priority=5)}
    found = explained(needs(2), node(), usage=low, priority_classes=high)
    assert (found.fit, found.preempts) == (Fit.LATER, True)
    assert not explained(needs(2), node(), usage={"n1": used("4", priority=10)}, priority_classes=high).preempts
    assert not explained(needs(2), node(taints=["x:NoSchedule"]), usage=low, priority_classes=high).preempts
    assert not explained(needs(2), node(), usage=low).preempts
    assert not explained(needs(2), node(), priority_classes=high).preempts
    assert not explained(needs(2), node(), usage=low, priority_classes=high, quotas=(quota(1, 0),)).preempts
    assert not explained(needs(2), node(), usage=low, priority_classes=high, unread=BLIND[1:]).preempts
    never = (PriorityClass(ClassMeta("high"), 10, global_default=True, preemption_policy="Never"),)
    assert not explained(needs(2), node(), usage=low, priority_classes=never).preempts


def test_what_is_not_weighed_is_said() -> None:
    made = pod()
    assert explain_pod(made, snapshot(node())).not_weighed == ()
    other = {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "x"}]}
    spec = {
        "affinity": {"podAffinity": other, "podAntiAffinity": other},
        "topologySpreadConstraints": [{"whenUnsatisfiable": "DoNotSchedule"}],
        "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}],
        "resourceClaims": [{"name": "r"}],
    }
    told = not_weighed(read_candidate({**made, "spec": {**made["spec"], **spec}}))
    assert len(told) == 5
    assert "topology spread" in told


EXPRESSION = {"key": "x", "operator": "Exists"}


def test_required_nodes_are_joined_with_those_of_the_settings() -> None:
    required = {"nodeSelectorTerms": [{"matchExpressions": [EXPRESSION]}, {"matchFields": [EXPRESSION]}, {}]}
    nodes = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}, "podAffinity": {}}
    made = {"spec": {"affinity": nodes}}
    joined = with_required_nodes(made, {"a": "b"}, ["z"])["spec"]["affinity"]
    terms = joined["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert len(terms) == 4
    exact = {"key": "a", "operator": "In", "values": ["b"]}
    assert terms[0]["matchExpressions"] == [EXPRESSION, exact, {"key": ZONE, "operator": "In", "values": ["z"]}]
    assert terms[3]["matchFields"] == [EXPRESSION]
    assert terms[3]["matchExpressions"] == [exact, {"key": REGION, "operator": "In", "values": ["z"]}]
    assert joined["podAffinity"] == {}
    assert made == {"spec": {"affinity": nodes}}
    assert with_required_nodes(made, {}, []) == made


def test_an_affinity_that_selects_nothing_goes_on_selecting_nothing() -> None:
    made = pod()
    made["spec"]["affinity"] = {
        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{}]}}
    }
    assert explain_pod(with_required_nodes(made, {"a": "b"}, []), snapshot(node(labels={"a": "b"}))).fit is Fit.NEVER


def test_the_time_of_a_job_is_the_worker_s() -> None:
    assert pod_for(needs(timeout=90.5), CONFIG)["spec"]["activeDeadlineSeconds"] == 91
    assert pod_for(needs(), CONFIG)["spec"]["activeDeadlineSeconds"] == 3600


def test_whatever_the_pod_grows_counts() -> None:
    made = pod(3)
    made["spec"]["initContainers"] = [{"name": "db", "restartPolicy": "Always", "resources": {"limits": {"cpu": "2"}}}]
    assert explain_pod(made, snapshot(node())).fit is Fit.NEVER
    assert explain_pod(made, snapshot(node(cpu="5"))).fit is Fit.NOW


def test_a_reason_for_people() -> None:
    assert str(Reason(Rule.LABEL, "a", "not the label a")) == "not the label a"
    assert str(Reason(Rule.RESOURCE, "cpu", "too little", wanted=1, available=5)) == "too little"
    group = GroupFit("g", 3, 0, 0, (Reason(Rule.LABEL, "a", "m"),), is_pool=True)
    assert Fulfillment(fit=Fit.NEVER, groups=(group,)).explain() == ["g (3 would-be nodes): m"]


def wanted(made) -> Wanted:
    return Wanted.of(read_candidate(made))


CORES = st.sampled_from([0.25, 1, 2, 3.5, 4, 5, 8])
SIZES = st.sampled_from([Gi // 2, Gi, 4 * Gi, 8 * Gi, 9 * Gi])
NODES_OF = st.lists(
    st.tuples(st.sampled_from(["1", "4", "8"]), st.sampled_from(["1Gi", "8Gi"]), st.sampled_from(["0", "1", "3"])),
    max_size=4,
)


@settings(max_examples=examples(150), deadline=None)
@given(CORES, SIZES, NODES_OF)
def test_the_answer_follows_from_every_node(cpu: float, memory: int, sizes) -> None:
    nodes = [node(f"n{index}", *size[:2]) for index, size in enumerate(sizes)]
    usage = {f"n{index}": used(size[2]) for index, size in enumerate(sizes)}
    made = pod(cpu, memory=memory)
    found = explain_pod(made, snapshot(*nodes, usage=usage))
    fits = [not fit_on(one, usage[one.name], wanted(made)) for one in nodes]
    empty = [not fit_on(one, NOTHING_TAKEN, wanted(made)) for one in nodes]
    assert found.fit is (Fit.NOW if any(fits) else Fit.LATER if any(empty) else Fit.NEVER)
    assert sum(group.fitting for group in found.groups) == sum(fits)
    assert sum(group.could_fit for group in found.groups) == sum(empty)
    assert [has_room(one, usage[one.name].taken, wanted(made)) for one in nodes] == fits


@settings(max_examples=examples(100), deadline=None)
@given(CORES, SIZES, NODES_OF, st.sampled_from(["cpu", "memory"]))
def test_asking_for_more_never_fits_better(cpu: float, memory: int, sizes, which: str) -> None:
    order = [Fit.NOW, Fit.NEW_NODE, Fit.LATER, Fit.UNKNOWN, Fit.NEVER]
    nodes = [node(f"n{index}", *size[:2]) for index, size in enumerate(sizes)]
    usage = {f"n{index}": used(size[2]) for index, size in enumerate(sizes)}
    little = explain_pod(pod(cpu, memory=memory), snapshot(*nodes, usage=usage)).fit
    more = pod(cpu * 2, memory=memory) if which == "cpu" else pod(cpu, memory=memory * 2)
    assert order.index(explain_pod(more, snapshot(*nodes, usage=usage)).fit) >= order.index(little)


def test_usage_by_priority() -> None:
    usage = Usage({(0, False): {"cpu": 1}, (0, True): {"cpu": 2}, (7, False): {"cpu": 4, "pods": 1}})
    assert usage.taken == {"cpu": 7, "pods": 1}
    assert usage.staying == {"cpu": 2}
    assert usage.at_least(7) == {"cpu": 4, "pods": 1}
