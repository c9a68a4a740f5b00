"""`KubernetesConfig`: its defaults, and every fault at once."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import msgspec
import pytest

from hodei_k8s_core.config import KubernetesConfig, flat_values
from hodei_k8s_core.config.builder import ConfigBuilder
from hodei_k8s_core.config.node_pool import NodePool, PoolTaint
from hodei_k8s_core.config.profile import Profile
from hodei_k8s_core.config.reconcile_policy import ReconcilePolicy
from hodei_k8s_core.config.retry_policy import RetryPolicy
from hodei_k8s_core.config.settings import SETTINGS
from hodei_k8s_core.config.settings_config_map import settings_config_map
from hodei_k8s_core.config.settings_markdown import settings_markdown
from hodei_k8s_core.config.startup_policy import StartupPolicy
from hodei_k8s_core.config.watch_policy import WatchPolicy
from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.spec.affinity import PREFERRED
from hodei_k8s_core.spec.host_names import DnsConfig, DnsOption, HostAlias
from hodei_k8s_core.spec.readiness_probe import ReadinessProbe
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.spec.toleration import Toleration
from hodei_k8s_core.spec.topology_spread import TopologySpread


def faults(**settings):
    with pytest.raises(ConfigurationError) as caught:
        KubernetesConfig(**settings)
    return caught.value.faults


def test_kubernetes_config_default():
    config = KubernetesConfig()
    assert config.namespace == "hodei-workers"
    assert config.provider_id == "kubernetes"
    assert (config.kubeconfig_path, config.context, config.service_account) == (None, None, None)
    assert (config.default_cpu_request, config.default_memory_request) == ("100m", "128Mi")
    assert (config.default_cpu_limit, config.default_memory_limit) == ("1", "512Mi")
    assert config.security_profile is SecurityProfile.RESTRICTED
    assert (config.run_as_user, config.fs_group) == (1000, 1000)
    assert (config.creation_timeout, config.grace_period, config.ttl_seconds_after_finished) == (60, 30, 300)
    assert (config.max_response_bytes, config.http) == (64 * 1024 * 1024, "h11")
    assert (config.retry, config.watch, config.startup) == (RetryPolicy(), WatchPolicy(), StartupPolicy())
    assert config.reconcile == ReconcilePolicy()


WRONG = {
    "namespace": ["", "A", "a.b", "a" * 64, "a\n", None, 3],
    "kubeconfig_path": ["", " ", 3, b"x"],
    "context": ["", "\0"],
    "provider_id": ["", "a b", "a" * 64, None],
    "image": ["", "a b", 3],
    "service_account": ["", "A", "a_b"],
    "image_pull_secrets": ["secret", None, 3, ["A"], [None], {"a": 1}],
    "labels": [None, "a=b", {"app": "x"}, {"hodei.io/x": "y"}, {"a": "b c"}, {"a": 3}],
    "annotations": [None, {"hodei.io/x": "y"}, {"a": 3}, {"a b": ""}, {"a": "x" * 300_000}],
    "node_selector": [None, {"a": "b c"}, {"-": "x"}, {3: "x"}],
    "tolerations": [None, "a", ["a"], [{"key": "a"}]],
    "affinity": [
        "x",
        [],
        {"nodeAfinity": {}},
        {"nodeAffinity": []},
        {"podAffinity": {"a": b"x"}},
        {"nodeAffinity": {1: 2}},
    ],
    "topology_spread_constraints": [None, "x", ["x"], [{"topologyKey": "a"}], [TopologySpread(topology_key="a")] * 2],
    "priority_class": ["", "A", "a_b", 3],
    "runtime_class": ["", "A", "a_b", 3],
    "dns_policy": ["", "none", "clusterFirst", 3, "None"],
    "dns_config": [{}, 3, "x"],
    "host_aliases": [None, "x", ["x"], [{"ip": "10.0.0.1"}]],
    "node_pools": [None, "x", ["x"], [{"name": "x"}]],
    "capacity_lifetime": [-1, None, float("inf")],
    "default_cpu_request": ["", "1 ", "100mb", "0", "-1", None, 1, "2"],
    "default_memory_request": ["", "128mi", "100m", "0Mi", None, 128, "1Gi"],
    "default_cpu_limit": ["1K", "0m", "50m"],
    "default_memory_limit": ["1.5", "1KB", "64Mi"],
    "cpu_limit": [None, 1, "true"],
    "security_profile": [None, "restricted", 3],
    "run_as_user": [-1, 2**31, 1.0, True, "1000", 0],
    "fs_group": [-1, 2**31, "x"],
    "readiness_probe": [{}, 3, {"tcp": 80}],
    "pod_template": ["x", [], 3],
    "profiles": [None, [], {"gpu": {}}, {"": Profile()}, {"gpu": Profile({"namespace": "x"})}, {"gpu": Profile([])}],  # type: ignore[arg-type]
    "protect_from_disruption": [None, 0],
    "otp_delivery": ["", "Env", "file", None],
    "log_levels": [None, 0],
    "grace_period": [0, 0.5, -1, 2**31, None, "30", float("nan")],
    "ttl_seconds_after_finished": [-1, None, float("inf")],
    "creation_timeout": [0, -1, None, "60", True],
    "destroy_timeout": [0, float("inf")],
    "operation_timeout": [0, float("nan")],
    "request_timeout": [0, -0.1],
    "silence_limit": [0, None],
    "outage_limit": [0, None],
    "max_response_bytes": [0, 1.5, None],
    "http": ["", "H11", "aiohttp", None],
    "retry": [None, {}, 3],
    "watch": [None, RetryPolicy()],
    "startup": [None, {}, WatchPolicy()],
    "reconcile": [None, {}, StartupPolicy()],
}


def test_every_setting_has_wrong_values_here():
    assert set(WRONG) == set(KubernetesConfig.__struct_fields__)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_value_is_a_fault_that_names_the_setting(name: str, value):
    found = faults(**{name: value})
    related = {"default_cpu_limit": "default_cpu_request", "default_memory_limit": "default_memory_request"}
    assert found
    assert {fault.field.partition("[")[0] for fault in found} <= {name, related.get(name, name)}
    assert all(fault.problem for fault in found)


def test_kubernetes_config_builder_validation_reports_all_faults_at_once():
    found = faults(**{name: values[0] for name, values in WRONG.items()})
    assert {fault.field.partition("[")[0] for fault in found} == set(WRONG)


def test_a_request_is_at_most_its_limit():
    assert faults(default_cpu_request="1001m", default_memory_limit="127Mi") == (
        Fault("default_memory_request", "128Mi is more than default_memory_limit, 127Mi"),
        Fault("default_cpu_request", "1001m is more than default_cpu_limit, 1"),
    )
    KubernetesConfig(default_cpu_request="1000m", default_memory_request="0.5Gi")


def test_without_a_cpu_limit_the_request_is_free():
    KubernetesConfig(cpu_limit=False, default_cpu_request="2")


def test_root_needs_another_profile():
    assert faults(run_as_user=0)[0].field == "run_as_user"
    KubernetesConfig(run_as_user=0, security_profile=SecurityProfile.BASELINE)
    KubernetesConfig(run_as_user=None, fs_group=None)


def test_thousandths_of_a_byte_are_a_typing_error():
    (fault,) = faults(default_memory_request="128m")
    assert "mebibytes are Mi" in fault.problem


def test_the_settings_are_frozen_and_share_nothing_with_what_was_given():
    labels, affinity, secrets = {"a": "b"}, {"nodeAffinity": {PREFERRED: [{"weight": 1}]}}, ["one"]
    config = KubernetesConfig(labels=labels, affinity=affinity, image_pull_secrets=secrets)
    labels["c"] = "d"
    affinity["nodeAffinity"][PREFERRED].append({"weight": 2})
    secrets.append("two")
    assert config.labels == {"a": "b"}
    assert config.affinity == {"nodeAffinity": {PREFERRED: [{"weight": 1}]}}
    assert config.image_pull_secrets == ("one",)
    with pytest.raises(AttributeError):
        config.namespace = "x"  # type: ignore[misc]


def test_a_configuration_can_be_copied_and_kept():
    config = KubernetesConfig(tolerations=[Toleration(key="a")], affinity={"podAffinity": {}}, labels={"a": "b"})
    assert pickle.loads(pickle.dumps(config)) == copy.deepcopy(config) == config
    with pytest.raises(ConfigurationError):
        msgspec.structs.replace(config, namespace="")


FULL: dict[str, Any] = {
    "namespace": "ci",
    "kubeconfig_path": "/etc/kube config",
    "context": "prod, eu",
    "provider_id": "east",
    "image": "agent:1",
    "service_account": "runner",
    "image_pull_secrets": ("one", "two"),
    "labels": {"team": "a", "tier": ""},
    "annotations": {"note": "a, b = c", "empty": ""},
    "node_selector": {"kubernetes.io/os": "linux"},
    "tolerations": (Toleration(key="a", value="b", effect="NoSchedule"), Toleration(operator="Exists")),
    "affinity": {"nodeAffinity": {PREFERRED: [{"weight": 1}]}},
    "topology_spread_constraints": (
        TopologySpread(topology_key="zone", label_selector={"matchLabels": {"app": "a"}}),
        TopologySpread(
            topology_key="zone",
            max_skew=2,
            when_unsatisfiable="ScheduleAnyway",
            node_affinity_policy="Honor",
            node_taints_policy="Ignore",
        ),
    ),
    "priority_class": "ci.low",
    "runtime_class": "gvisor",
    "dns_policy": "None",
    "dns_config": DnsConfig(
        nameservers=("10.0.0.10", "fd00::1"),
        searches=("ci.svc.cluster.local", "."),
        options=(DnsOption(name="ndots", value="2"), DnsOption(name="edns0")),
    ),
    "host_aliases": (HostAlias(ip="10.1.2.3", hostnames=("db", "db.local")),),
    "node_pools": (
        NodePool(name="big", cpu="64", memory="256Gi"),
        NodePool(
            name="gpu",
            cpu="8",
            memory="1Gi",
            devices={"nvidia.com/gpu": "2"},
            labels={"pool": "gpu"},
            taints=(PoolTaint(key="gpu"),),
            architecture="arm64",
            pods=50,
            max_nodes=3,
        ),
    ),
    "capacity_lifetime": 0.0,
    "default_cpu_request": "250m",
    "default_memory_request": "256Mi",
    "default_cpu_limit": "2",
    "default_memory_limit": "1Gi",
    "cpu_limit": False,
    "security_profile": SecurityProfile.BASELINE,
    "run_as_user": 0,
    "fs_group": None,
    "readiness_probe": ReadinessProbe(exec=("cat", "/ready"), period_seconds=1),
    "pod_template": {"metadata": {"labels": {"a": "b"}}, "spec": {"tolerations": [{"key": "x"}]}},
    "profiles": {
        "gpu": Profile(
            {
                "image": "agent:gpu",
                "labels": {"tier": "gpu"},
                "tolerations": (Toleration(key="gpu", operator="Exists"),),
                "readiness_probe": None,
                "security_profile": SecurityProfile.PRIVILEGED,
                "pod_template": {"spec": {"volumes": [{"name": "v", "$patch": "delete"}]}},
            }
        ),
        "plain": Profile(),
    },
    "protect_from_disruption": False,
    "otp_delivery": "secret",
    "log_levels": False,
    "grace_period": 1.5,
    "ttl_seconds_after_finished": 0.0,
    "creation_timeout": 61.0,
    "destroy_timeout": 0.25,
    "operation_timeout": 1e-9,
    "request_timeout": 1e300,
    "silence_limit": 90.0,
    "outage_limit": 30.0,
    "max_response_bytes": 1,
    "http": "httpx",
    "retry": RetryPolicy(
        max_attempts=2, first_delay=0.1, factor=1.5, max_delay=3, jitter=0.0, budget=5, budget_refill_per_second=0.5
    ),
    "watch": WatchPolicy(first_delay=1, max_delay=2, delay_reset=3, timeout_min=4, timeout_max=5),
    "startup": StartupPolicy(
        schedule=1, scale_up=2, pull=3, start=4, ready=5, image_retries=0, restarts=7, settle=0.0, end=9
    ),
    "reconcile": ReconcilePolicy(interval=5, min_age=0, overdue=1, max_share=1, free_removals=0),
}


def test_the_full_configuration_changes_every_setting():
    config, default = KubernetesConfig(**FULL), KubernetesConfig()
    assert set(FULL) == set(KubernetesConfig.__struct_fields__)
    assert [s.field for s in SETTINGS if flat_values(config)[s.field] == flat_values(default)[s.field]] == []


def test_kubernetes_config_builder_has_a_method_for_every_setting():
    built = KubernetesConfig.builder()
    for name, value in FULL.items():
        if name == "node_selector":
            for key, part in value.items():
                built = built.node_selector(key, part)
        else:
            built = getattr(built, name)(value)
    assert isinstance(built, ConfigBuilder)
    assert built.build() == KubernetesConfig(**FULL)


def test_kubernetes_config_builder_adds_items():
    one, two = Toleration(key="a"), Toleration(key="b")
    config = (
        KubernetesConfig.builder()
        .label("a", "b")
        .label("c", "d")
        .annotation("e", "f")
        .annotation("g", "h")
        .node_selector("i", "j")
        .node_selector("k", "l")
        .tolerations([one])
        .add_toleration(two)
        .image_pull_secret("one")
        .image_pull_secret("two")
        .build()
    )
    assert config == KubernetesConfig(
        labels={"a": "b", "c": "d"},
        annotations={"e": "f", "g": "h"},
        node_selector={"i": "j", "k": "l"},
        tolerations=(one, two),
        image_pull_secrets=("one", "two"),
    )


def test_kubernetes_config_builder_validation():
    with pytest.raises(ConfigurationError) as caught:
        KubernetesConfig.builder().namespace("").grace_period(0).label("app", "x").build()
    assert sorted(fault.field for fault in caught.value.faults) == ["grace_period", 'labels["app"]', "namespace"]


def test_the_builder_of_one_configuration_does_not_change_another():
    base = KubernetesConfig.builder().label("a", "b")
    first = base.build()
    base.label("c", "d")
    assert first.labels == {"a": "b"}


def test_the_table_has_every_setting_once():
    names = [setting.field for setting in SETTINGS]
    parts = {"retry": RetryPolicy, "watch": WatchPolicy, "startup": StartupPolicy, "reconcile": ReconcilePolicy}
    wanted = {name for name in KubernetesConfig.__struct_fields__ if name not in parts}
    wanted |= {f"{part}.{name}" for part, kind in parts.items() for name in kind.__struct_fields__}
    assert len(names) == len(set(names))
    assert set(names) == wanted
    assert len({setting.variable for setting in SETTINGS}) == len(SETTINGS)


def test_the_table_for_people_has_one_row_for_every_setting():
    rows = settings_markdown().splitlines()
    assert len(rows) == len(SETTINGS) + 2
    assert all(
        row.count(" | ") == 4 and row.startswith("| ") and row.endswith(" |") for row in rows if "---" not in row
    )
    assert any("`namespace`" in row and "`HODEI_K8S_NAMESPACE`" in row and "`hodei-workers`" in row for row in rows)
    assert any("`context`" in row and "unset" in row for row in rows)


def test_the_config_map_to_edit_has_every_setting_and_sets_what_is_given():
    text = settings_config_map("settings", "system", {"namespace": 'with "quotes"'})
    lines = text[text.index("\ndata:\n") + 1 :].splitlines()[1:]
    assert len(lines) == 2 * len(SETTINGS)
    assert lines[1] == '  HODEI_K8S_NAMESPACE: "with \\"quotes\\""  # text'
    assert '  # HODEI_K8S_CONTEXT: ""  # text' in lines
    assert '  # HODEI_K8S_GRACE_PERIOD: "30"  # seconds' in lines
    assert [line for line in lines if not line.startswith("  # ")] == [lines[1]]
