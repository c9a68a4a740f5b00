"""The real scheduler judges `explain`: where it says that a worker fits now, the scheduler places the Pod, on a node
that it named; where it says no, the scheduler's message has the same causes, each for as many nodes.

Every Pod is judged on the cluster as it is then; some stay, so that it fills up.
"""

from __future__ import annotations

import random
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hodei_k8s_core.accelerators import vendor_of
from hodei_k8s_core.capabilities import JobRequirements
from hodei_k8s_core.capacity.admitted import admitted
from hodei_k8s_core.capacity.candidate import read_candidate
from hodei_k8s_core.capacity.explain import explain_pod
from hodei_k8s_core.capacity.fulfillment import Fit, Rule
from hodei_k8s_core.capacity.node_fit import Obstacle, Wanted, fit_on
from hodei_k8s_core.capacity.requirements_pod import pod_for
from hodei_k8s_core.capacity.snapshot import Snapshot
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.diagnosis.scheduler_message import parse_scheduler_message
from hodei_k8s_core.manifest.node_terms import demanding
from hodei_k8s_core.operations import read_capacity
from hodei_k8s_core.spec.resource_requirements import ResourceRequirements
from hodei_k8s_core.spec.worker_spec import Architecture
from tests.cluster.capacity_lab import TOKEN_KEY, Api, Json, judged_config, node, nodes_in, wait

pytestmark = pytest.mark.long

CASES = 320
STAY = 0.25
SEED = 7
ZONES = ("judge-a", "judge-b", "judge-c")
Gi = 1024**3

# Of each plugin of the scheduler, in the order in which they filter, what it says and which of our rules it stands for.
UNSCHEDULABLE = "node(s) were unschedulable"
TAINTED = "node(s) had untolerated taint"
SELECTED = "node(s) didn't match Pod's node affinity/selector"
PLUGINS: tuple[tuple[str, frozenset[Rule]], ...] = (
    (UNSCHEDULABLE, frozenset({Rule.CORDONED})),
    (TAINTED, frozenset({Rule.TAINT})),
    (SELECTED, frozenset({Rule.LABEL, Rule.ARCHITECTURE, Rule.ZONE, Rule.CAPABILITY})),
)


def lab_nodes(token: str) -> list[Json]:
    """Two architectures, three zones, GPUs, taints, sizes; some cordoned, one not ready, one that is full of Pods."""
    made: list[Json] = []

    def add(allocatable: dict[str, str], arch: str = "amd64", zone: int = 0, **fields: Any) -> None:
        labels = {
            "kubernetes.io/arch": arch,
            "topology.kubernetes.io/zone": ZONES[zone],
            "topology.kubernetes.io/region": "judge",
            **fields.pop("labels", {}),
        }
        made.append(node(token, f"judge-{token}-{len(made)}", allocatable, labels=labels, **fields))

    for zone in range(3):
        add({"cpu": "4", "memory": "8Gi", "ephemeral-storage": "40Gi"}, zone=zone)
        add({"cpu": "3920m", "memory": "7500Mi", "ephemeral-storage": "20Gi"}, "arm64", zone)
    add({"cpu": "16", "memory": "32Gi", "ephemeral-storage": "100Gi"}, labels={"disk": "fast", "generation": "7"})
    add({"cpu": "2", "memory": "64Gi", "ephemeral-storage": "10Gi"}, zone=1, labels={"generation": "3"})
    gpu = {"cpu": "8", "memory": "30Gi", "ephemeral-storage": "50Gi"}
    gpu_taint = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
    add(gpu | {"nvidia.com/gpu": "4"}, zone=1, labels={"nvidia.com/gpu.product": "NVIDIA-A100"})
    add(gpu | {"nvidia.com/gpu": "1"}, zone=2, labels={"nvidia.com/gpu.product": "Tesla-T4"})
    add(gpu | {"nvidia.com/mig-1g.5gb": "7"}, zone=2, taints=[gpu_taint])
    add(gpu | {"amd.com/gpu": "2"}, zone=0)
    gke = {"cloud.google.com/gke-accelerator": "nvidia-l4"}
    add(gpu | {"nvidia.com/gpu": "2"}, zone=0, labels=gke, taints=[gpu_taint])
    amd = {"amd.com/gpu.product-name": "AMD_Instinct_MI300X"}
    add(gpu | {"amd.com/gpu": "8"}, zone=1, labels=amd, taints=[{"key": "amd.com/gpu", "effect": "NoSchedule"}])
    arm_taint = {"key": "kubernetes.io/arch", "value": "arm64", "effect": "NoSchedule"}
    add({"cpu": "8", "memory": "16Gi", "ephemeral-storage": "40Gi"}, "arm64", 2, taints=[arm_taint])
    add({"cpu": "4", "memory": "8Gi"}, zone=1, labels={"capability.hodei.io/docker": "true"})
    add({"cpu": "32", "memory": "64Gi"}, cordoned=True)
    add({"cpu": "32", "memory": "64Gi"}, "arm64", 1, cordoned=True)
    add({"cpu": "32", "memory": "64Gi"}, zone=2, ready=False)
    add({"cpu": "32", "memory": "64Gi"}, taints=[{"key": "team", "value": "other", "effect": "NoExecute"}])
    add({"cpu": "8", "memory": "8Gi", "pods": "2"}, zone=2, taints=[{"key": "x", "effect": "PreferNoSchedule"}])
    return made


def requirements(chance: random.Random) -> JobRequirements:
    gpu = chance.random() < 0.3
    gpu_types = [None, "nvidia.com/mig-1g.5gb", "amd.com/gpu", "NVIDIA-A100", "Tesla-T4", "NVIDIA-H100"]
    gpu_types += ["nvidia-l4", "AMD_Instinct_MI300X"]
    needs = ResourceRequirements(
        cpu_cores=chance.choice([0.1, 0.5, 1, 1.5, 2, 3, 3.92, 4, 6, 8, 16, 33]),
        memory_bytes=chance.choice([Gi // 8, Gi, 2 * Gi, 7 * Gi, 8 * Gi, 20 * Gi, 60 * Gi, 65 * Gi]),
        disk_bytes=chance.choice([0, Gi, 15 * Gi, 30 * Gi, 200 * Gi]),
        gpu_count=chance.choice([1, 1, 2, 4, 5]) if gpu else 0,
        gpu_type=chance.choice(gpu_types) if gpu else None,
    )
    maybe = chance.random
    return JobRequirements(
        resources=needs if maybe() < 0.9 else None,
        architecture=chance.choice([*Architecture]) if maybe() < 0.3 else None,
        required_capabilities=["docker"] if maybe() < 0.07 else [],
        required_labels={"disk": "fast"} if maybe() < 0.07 else {},
        allowed_regions=chance.sample(["judge", "elsewhere", *ZONES], chance.choice([1, 2])) if maybe() < 0.3 else [],
    )


def container(chance: random.Random, name: str, **fields: Any) -> Json:
    requests = {"cpu": chance.choice(["0", "250m", "1", "2500m"]), "memory": chance.choice(["64Mi", "1G", "3Gi"])}
    written = {"requests": requests} if chance.random() < 0.5 else {"limits": requests}
    return {"name": name, "image": "localhost/worker:1", "resources": written, **fields}


def grow_init(chance: random.Random, spec: Json) -> None:
    """Init containers and native sidecars, in any order."""
    spec["initContainers"] = [
        container(chance, f"init-{n}", **({"restartPolicy": "Always"} if chance.random() < 0.5 else {}))
        for n in range(chance.randrange(1, 4))
    ]


def grow_pod_level(chance: random.Random, spec: Json) -> None:
    spec["containers"].append(container(chance, "beside"))
    spec["containers"][0]["resources"] = {}
    spec["containers"][1]["resources"] = {}
    amounts = {"cpu": chance.choice(["1", "3", "5"]), "memory": chance.choice(["1Gi", "9Gi"])}
    spec["resources"] = {chance.choice(["requests", "limits"]): amounts}


def grow_affinity(chance: random.Random, spec: Json) -> None:
    rules: list[Json] = [
        {"key": "generation", "operator": "Gt", "values": ["5"]},
        {"key": "generation", "operator": "Lt", "values": ["5"]},
        {"key": "disk", "operator": "DoesNotExist"},
        {"key": "nvidia.com/gpu.product", "operator": "Exists"},
        {"key": "kubernetes.io/arch", "operator": "NotIn", "values": ["amd64"]},
    ]
    terms = [chance.sample(rules, chance.choice([1, 2])) for _ in range(chance.choice([1, 2]))]
    spec["affinity"] = demanding(spec.get("affinity"), terms)


def grow_tolerations(chance: random.Random, spec: Json) -> None:
    others = [
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
        {"key": "team", "operator": "Equal", "value": chance.choice(["other", "ours"])},
        {"key": "node.kubernetes.io/unschedulable", "operator": "Exists"},
    ]
    spec["tolerations"] = [*spec["tolerations"], *chance.sample(others, 2)]


GROW: tuple[Callable[[random.Random, Json], None], ...] = (grow_init, grow_pod_level, grow_affinity, grow_tolerations)


def generated(chance: random.Random, config: KubernetesConfig, number: int) -> Json:
    pod = pod_for(requirements(chance), config, worker_id=f"judged-{number}", image="localhost/worker:1")
    if chance.random() < 0.5:
        chance.choice(GROW)(chance, pod["spec"])
    if chance.random() < 0.1:
        pod["spec"]["runtimeClassName"] = config.node_selector[TOKEN_KEY]
    return pod


def standing_pods(token: str, names: list[str]) -> Iterator[Json]:
    """What runs there already, put on its node without the scheduler: with sidecars, and one that asks for nothing."""
    chance = random.Random(SEED + 1)
    for number, name in enumerate(names[:12]):
        spec: Json = {
            "nodeName": name,
            "containers": [container(chance, "main"), container(chance, "second")],
            "tolerations": [{"operator": "Exists"}],
        }
        if number % 3 == 0:
            grow_init(chance, spec)
        if number % 4 == 0:
            spec["containers"] = [{"name": "main", "image": "localhost/worker:1"}]
        yield {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"standing-{number}"}, "spec": spec}


def predicted(pod: Json, snapshot: Snapshot) -> tuple[set[str], Counter[str], int]:
    """The nodes that would take the Pod; what the scheduler says of the others; how many it calls hopeless."""
    wanted = Wanted.of(admitted(read_candidate(pod), snapshot).spec)
    fitting, causes, hopeless = set(), Counter[str](), 0
    for one in snapshot.nodes:
        found = [o for o in fit_on(one, snapshot.usage_of(one), wanted) if o.rule is not Rule.NOT_READY]
        if not found:
            fitting.add(one.name)
            continue
        said, is_hopeless = said_of(found)
        causes.update(said)
        hopeless += is_hopeless
    return fitting, causes, hopeless


def said_of(found: list[Obstacle]) -> tuple[list[str], bool]:
    """The first plugin that has something to say says it all, and is the only one that is heard."""
    for said, rules in PLUGINS:
        if any(o.rule in rules or (said == SELECTED and is_label(o)) for o in found):
            return [said], True
    texts = ["Too many pods" if o.subject == "pods" else f"Insufficient {o.subject}" for o in found]
    return texts, any(not o.is_passing for o in found)


def is_label(obstacle: Obstacle) -> bool:
    """A product of accelerators is a label to the scheduler."""
    return obstacle.rule is Rule.ACCELERATOR and vendor_of(obstacle.subject) is None


def normalized(reason: str) -> str:
    return TAINTED if reason.startswith(TAINTED) else reason


class Judge:
    """The scheduler's word on a Pod."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._api = api
        self._pods = f"/api/v1/namespaces/{namespace}/pods"

    def place(self, pod: Json) -> None:
        self._api.post(self._pods, pod)

    def judge(self, pod: Json) -> tuple[str, str]:
        """The node, or the message."""
        name = self._api.post(self._pods, pod)["metadata"]["name"]
        told = ("", "")

        def is_told() -> bool:
            nonlocal told
            _, found = self._api.get(f"{self._pods}/{name}")
            conditions = {c["type"]: c for c in found.get("status", {}).get("conditions", ())}
            told = (found["spec"].get("nodeName", ""), conditions.get("PodScheduled", {}).get("message", ""))
            return any(told)

        wait(is_told, f"the scheduler said something about {name}")
        return told

    def forget(self, pod: Json) -> None:
        self._api.delete_now(f"{self._pods}/{pod['metadata']['name']}")

    def forget_all(self) -> None:
        self._api.delete_now(self._pods)


@pytest.fixture
def judged(kubeconfig: Path, namespace: str) -> Iterator[tuple[Api, KubernetesConfig, list[str]]]:
    token = secrets.token_hex(4)
    config = judged_config(namespace, token)
    api = Api(config)
    runtime = {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": token},
        "handler": "none",
        "overhead": {"podFixed": {"cpu": "750m", "memory": "120Mi"}},
        "scheduling": {"nodeSelector": {"topology.kubernetes.io/region": "judge"}},
    }
    try:
        api.post("/apis/node.k8s.io/v1/runtimeclasses", runtime)
        with nodes_in(api, lab_nodes(token)) as names:
            try:
                yield api, config, names
            finally:
                Judge(api, namespace).forget_all()
    finally:
        api("DELETE", f"/apis/node.k8s.io/v1/runtimeclasses/{token}")
        api.close()


def test_the_scheduler_agrees(judged: tuple[Api, KubernetesConfig, list[str]]) -> None:
    api, config, names = judged
    judge, chance = Judge(api, config.namespace), random.Random(SEED)
    for pod in standing_pods(config.node_selector[TOKEN_KEY], names):
        judge.place(pod)
    fits: Counter[Fit] = Counter()
    disagreements = []
    for number in range(CASES):
        pod = generated(chance, config, number)
        snapshot = api.run(read_capacity(config))
        explained = explain_pod(pod, snapshot)
        fitting, causes, hopeless = predicted(pod, snapshot)
        fits[explained.fit] += 1
        chosen, message = judge.judge(pod)
        told = parse_scheduler_message(message)
        heard = Counter({normalized(cause.reason): cause.nodes or 0 for cause in told.causes})
        if chosen:
            is_agreed = explained.fit is Fit.NOW and chosen in fitting
        else:
            is_agreed = explained.fit in (Fit.LATER, Fit.NEVER) and not fitting and heard == causes
            is_agreed = is_agreed and told.never_fit in (None, hopeless)
        if not is_agreed:
            disagreements.append((pod["spec"], explained.fit, sorted(fitting), causes, chosen, message))
        if not chosen or chance.random() > STAY:
            judge.forget(pod)
    assert not disagreements, f"{len(disagreements)} of {CASES}: {disagreements[:3]}"
    assert min(fits[Fit.NOW], fits[Fit.LATER], fits[Fit.NEVER]) >= 20, f"the cases are one-sided: {fits}"


@pytest.mark.parametrize(("cores", "preempts"), [(4, True), (5, False)])
def test_the_scheduler_takes_away_what_we_say_it_may(
    judged: tuple[Api, KubernetesConfig, list[str]], cores: int, preempts: bool
) -> None:
    """Of the 16 cores of the one node that will do, 12 belong to a Pod as important, and 3 to one that is less so."""
    api, config, _ = judged
    token = config.node_selector[TOKEN_KEY]
    important = f"judge-{token}"
    classes = "/apis/scheduling.k8s.io/v1/priorityclasses"
    body = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": important}}
    api.post(classes, body | {"value": 1000})
    try:
        path = f"/api/v1/namespaces/{config.namespace}/pods"
        same = fast_pod(config, "same", 12, priorityClassName=important)
        wait(lambda: api("POST", f"{path}?dryRun=All", same)[0] == 201, "admission knows the new class")
        judge = Judge(api, config.namespace)
        assert judge.judge(same)[0]
        assert judge.judge(fast_pod(config, "less", 3))[0]
        pod = fast_pod(config, "asked", cores, priorityClassName=important)
        explained = explain_pod(pod, api.run(read_capacity(config)))
        assert (explained.fit, explained.preempts) == (Fit.LATER, preempts)
        judge.judge(pod)
        names = {"less": f"{path}/hodei-worker-less", "asked": f"{path}/hodei-worker-asked"}
        if preempts:
            wait(lambda: "deletionTimestamp" in api.get(names["less"])[1]["metadata"], "the other one was taken away")
            assert api.get(names["asked"])[1]["status"]["nominatedNodeName"]
        else:
            assert "nominatedNodeName" not in api.get(names["asked"])[1]["status"]
            assert "deletionTimestamp" not in api.get(names["less"])[1]["metadata"]
    finally:
        api("DELETE", f"{classes}/{important}")


def fast_pod(config: KubernetesConfig, name: str, cores: int, **spec: str) -> Json:
    needs = ResourceRequirements(cpu_cores=cores, memory_bytes=Gi, disk_bytes=0)
    job = JobRequirements(resources=needs, required_labels={"disk": "fast"})
    pod = pod_for(job, config, worker_id=name, image="localhost/worker:1")
    return {**pod, "spec": pod["spec"] | spec}
