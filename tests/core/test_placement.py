"""Where a worker may run: accelerators, architecture, labels, taints, affinity, spread, priority, runtime."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hodei_k8s_core.accelerators import VENDORS, usual_taints, vendor_of
from hodei_k8s_core.capacity.candidate import read_candidate
from hodei_k8s_core.capacity.node_fit import Wanted, fit_on
from hodei_k8s_core.capacity.placed_pods import NOTHING_TAKEN
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.manifest import build_worker_pod
from hodei_k8s_core.spec.affinity import REQUIRED
from hodei_k8s_core.spec.toleration import Toleration
from hodei_k8s_core.spec.topology_spread import TopologySpread
from hodei_k8s_core.spec.worker_spec import Architecture, ResourceRequirements, WorkerSpec
from tests.core.capacity_cases import node

DEFAULTS = KubernetesConfig()
AWS = "aws.amazon.com"
ZONE = "topology.kubernetes.io/zone"


def pod_of(config: KubernetesConfig = DEFAULTS, **fields: Any) -> dict[str, Any]:
    return build_worker_pod(WorkerSpec(worker_id="w1", image="i", **fields), config)


def spec_of(config: KubernetesConfig = DEFAULTS, **fields: Any) -> dict[str, Any]:
    spec = pod_of(config, **fields)["spec"]
    assert isinstance(spec, dict)
    return spec


def gpus(gpu_type: str | None, count: int = 2) -> ResourceRequirements:
    return ResourceRequirements(gpu_count=count, gpu_type=gpu_type)


def tolerated(*keys: str) -> list[dict[str, str]]:
    return [{"key": key, "operator": "Exists", "effect": "NoSchedule"} for key in keys]


def one_of(labels: tuple[str, ...], product: str) -> dict[str, Any]:
    terms = [{"matchExpressions": [{"key": label, "operator": "In", "values": [product]}]} for label in labels]
    return {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": terms}}}


LABELS_OF = {vendor.name: vendor.products for vendor in VENDORS}


# --- accelerators


@pytest.mark.parametrize(
    ("gpu_type", "resource", "taints"),
    [
        (None, "nvidia.com/gpu", ["nvidia.com/gpu"]),
        ("nvidia.com/gpu.shared", "nvidia.com/gpu.shared", ["nvidia.com/gpu.shared", "nvidia.com/gpu"]),
        ("nvidia.com/mig-1g.5gb", "nvidia.com/mig-1g.5gb", ["nvidia.com/mig-1g.5gb", "nvidia.com/gpu"]),
        ("amd.com/cpx_nps4", "amd.com/cpx_nps4", ["amd.com/cpx_nps4", "amd.com/gpu"]),
        ("gpu.intel.com/xe", "gpu.intel.com/xe", ["gpu.intel.com/xe"]),
        ("habana.ai/gaudi", "habana.ai/gaudi", ["habana.ai/gaudi"]),
        (
            "aws.amazon.com/neuroncore",
            "aws.amazon.com/neuroncore",
            ["aws.amazon.com/neuroncore", "aws.amazon.com/neuron"],
        ),
        ("google.com/tpu", "google.com/tpu", ["google.com/tpu"]),
        ("example.com/fpga", "example.com/fpga", ["example.com/fpga"]),
    ],
)
def test_a_vendors_resource_is_asked_for_as_it_is(gpu_type: str | None, resource: str, taints: list[str]) -> None:
    spec = spec_of(resources=gpus(gpu_type))
    resources = spec["containers"][0]["resources"]
    assert resources["requests"][resource] == resources["limits"][resource] == "2"
    assert spec["tolerations"] == tolerated(*taints)
    assert "nodeSelector" not in spec
    assert "affinity" not in spec


@pytest.mark.parametrize(
    ("product", "vendor"),
    [
        ("NVIDIA-A100-SXM4-40GB", "nvidia"),
        ("NVIDIA-GeForce-RTX-3080-Max-Q", "nvidia"),
        ("nvidia-tesla-t4", "nvidia"),
        ("Tesla-T4-SHARED", "nvidia"),
        ("A100-SXM4-40GB-MIG-1g.5gb", "nvidia"),
        ("t4", "nvidia"),
        ("something-new", "nvidia"),
        ("AMD_Instinct_MI300X_OAM", "amd"),
        ("MI210", "amd"),
        ("radeon-pro-v520", "amd"),
        ("Flex_170", "intel"),
        ("Max_1550", "intel"),
        ("Intel-Arc-A770", "intel"),
        ("Gaudi2", "habana"),
        ("inferentia", "aws"),
        ("tpu-v5-lite-podslice", "google"),
    ],
)
def test_a_product_is_looked_for_under_every_label_of_its_vendor(product: str, vendor: str) -> None:
    whole = next(one.gpu for one in VENDORS if one.name == vendor)
    spec = spec_of(resources=gpus(product, 1))
    assert spec["containers"][0]["resources"]["limits"][whole] == "1"
    assert spec["affinity"] == one_of(LABELS_OF[vendor], product)
    assert spec["tolerations"] == tolerated(*usual_taints(whole))


def test_the_resource_that_is_meant_is_one_of_its_vendor() -> None:
    assert [vendor_of(vendor.gpu) for vendor in VENDORS] == list(VENDORS)


def test_a_product_is_one_more_demand_on_every_term_of_the_affinity() -> None:
    zones = [{"matchExpressions": [{"key": ZONE, "operator": "In", "values": [zone]}]} for zone in ("a", "b")]
    wish = {"weight": 1, "preference": {}}
    affinity = {
        "nodeAffinity": {
            REQUIRED: {"nodeSelectorTerms": [*zones, {}]},
            "preferredDuringSchedulingIgnoredDuringExecution": [wish],
        },
        "podAffinity": {},
    }
    made = spec_of(KubernetesConfig(affinity=affinity), resources=gpus("tpu-v4", 1))["affinity"]
    product = {"key": "cloud.google.com/gke-tpu-accelerator", "operator": "In", "values": ["tpu-v4"]}
    nodes = made["nodeAffinity"]
    assert nodes[REQUIRED]["nodeSelectorTerms"] == [
        {"matchExpressions": [*zone["matchExpressions"], product]} for zone in zones
    ], "the empty term selects no node, and does not come to life"
    assert nodes["preferredDuringSchedulingIgnoredDuringExecution"] == [wish]
    assert made["podAffinity"] == {}


def test_an_affinity_that_no_node_fulfils_stays_one() -> None:
    nothing: dict[str, Any] = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{}]}}}
    made = spec_of(affinity=nothing, resources=gpus("t4", 1))["affinity"]
    assert made == nothing


def test_no_gpus_of_a_type_are_no_gpus() -> None:
    pod = pod_of(resources=gpus("Tesla-T4", 0))
    assert "affinity" not in pod["spec"]
    assert "gpu" not in json.dumps(pod)


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
@pytest.mark.parametrize("number", range(4))
def test_the_capacity_agrees_with_the_pod(vendor: Any, number: int) -> None:
    """Whichever label tells the product, the node with it fits, tainted as its vendor's nodes are; no other does."""
    label = vendor.products[number % len(vendor.products)]
    product = {"amd": "MI210", "intel": "Flex_170", "habana": "Gaudi2", "aws": "trainium", "google": "tpu-v4"}.get(
        vendor.name, "L4"
    )
    wanted = Wanted.of(read_candidate(pod_of(resources=ResourceRequirements(gpu_count=1, gpu_type=product))))
    fields: dict[str, Any] = {
        "devices": {vendor.gpu: "1"},
        "taints": [f"{key}=present:NoSchedule" for key in usual_taints(vendor.gpu)],
    }
    assert fit_on(node(labels={label: product}, **fields), NOTHING_TAKEN, wanted) == []
    (lack,) = fit_on(node(labels={label: "other"}, **fields), NOTHING_TAKEN, wanted)
    assert lack.message == f"not the accelerator {label}={product}"


# --- architecture, labels, tolerations


@pytest.mark.parametrize("architecture", Architecture)
def test_an_architecture_selects_its_nodes_and_tolerates_their_taint(architecture: Architecture) -> None:
    spec = spec_of(architecture=architecture)
    assert spec["nodeSelector"] == {"kubernetes.io/arch": architecture.value}
    assert spec["tolerations"] == [
        {"key": "kubernetes.io/arch", "operator": "Equal", "value": architecture.value, "effect": "NoSchedule"}
    ]
    wanted = Wanted.of(read_candidate(pod_of(architecture=architecture)))
    labels = {"kubernetes.io/arch": architecture.value}
    there = node(labels=labels, taints=[f"kubernetes.io/arch={architecture.value}:NoSchedule"])
    assert fit_on(there, NOTHING_TAKEN, wanted) == []


def test_labels_of_nodes_are_added_to_the_configured_ones_and_win() -> None:
    config = KubernetesConfig(node_selector={"pool": "ci", "disk": "slow"})
    assert spec_of(config, node_selector={"disk": "fast"})["nodeSelector"] == {"pool": "ci", "disk": "fast"}
    assert config.node_selector == {"pool": "ci", "disk": "slow"}


def test_tolerations_add_up_and_each_is_there_once() -> None:
    a, b = Toleration(key="a", operator="Exists"), Toleration(key="b", value="c", effect="NoExecute")
    gpu = Toleration(key="nvidia.com/gpu", operator="Exists", effect="NoSchedule")
    config = KubernetesConfig(tolerations=[a, gpu])
    made = spec_of(config, tolerations=[b, a], resources=gpus(None))["tolerations"]
    assert made == [a.to_manifest(), gpu.to_manifest(), b.to_manifest()]


# --- what replaces the configured


def test_the_spec_goes_before_the_configuration() -> None:
    config = KubernetesConfig(
        affinity={"podAffinity": {}},
        priority_class="low",
        runtime_class="runc",
        topology_spread_constraints=[TopologySpread(topology_key="a")],
    )
    plain = spec_of(config)
    assert (plain["affinity"], plain["priorityClassName"], plain["runtimeClassName"]) == (
        {"podAffinity": {}},
        "low",
        "runc",
    )
    assert [spread["topologyKey"] for spread in plain["topologySpreadConstraints"]] == ["a"]
    own = spec_of(
        config,
        affinity={"podAntiAffinity": {}},
        priority_class="high",
        runtime_class="gvisor",
        topology_spread_constraints=[TopologySpread(topology_key="b")],
    )
    assert (own["affinity"], own["priorityClassName"], own["runtimeClassName"]) == (
        {"podAntiAffinity": {}},
        "high",
        "gvisor",
    )
    assert [spread["topologyKey"] for spread in own["topologySpreadConstraints"]] == ["b"]


def test_what_is_spread_is_the_workers_of_the_provider_unless_it_is_said() -> None:
    config = KubernetesConfig(provider_id="east")
    (spread,) = spec_of(config, topology_spread_constraints=[TopologySpread(topology_key=ZONE)])[
        "topologySpreadConstraints"
    ]
    assert spread == {
        "maxSkew": 1,
        "topologyKey": ZONE,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"hodei.io/managed": "true", "hodei.io/provider-id": "east"}},
    }
    other = TopologySpread(topology_key=ZONE, label_selector={"matchLabels": {"app": "a"}})
    (spread,) = spec_of(config, topology_spread_constraints=[other])["topologySpreadConstraints"]
    assert spread["labelSelector"] == {"matchLabels": {"app": "a"}}
