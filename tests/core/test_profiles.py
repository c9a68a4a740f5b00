"""Profiles: which settings they override, how, and that all of a configuration with them is valid."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hodei_k8s_core.capabilities import JobRequirements
from hodei_k8s_core.capacity.requirements_pod import pod_for
from hodei_k8s_core.config import KubernetesConfig, flat_values
from hodei_k8s_core.config.profile import Profile
from hodei_k8s_core.config.settings import PER_WORKER, SETTINGS
from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.manifest import build_worker_pod
from hodei_k8s_core.spec import WorkerSpec
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.spec.toleration import Toleration
from tests.core.test_config import FULL

SPEC = WorkerSpec(worker_id="w1")
BASE: dict[str, Any] = {"image": "base:1"}


def profiled(overrides: dict[str, Any], **settings: Any) -> KubernetesConfig:
    config = KubernetesConfig(**{**BASE, **settings}, profiles={"gpu": Profile(overrides)})
    return config.with_profile("gpu")


def faults(**settings: Any) -> dict[str, str]:
    with pytest.raises(ConfigurationError) as caught:
        KubernetesConfig(**settings)
    return {fault.field: fault.problem for fault in caught.value.faults}


def test_what_a_profile_overrides_is_what_is_read_for_each_worker() -> None:
    # Each is changed alone, so some need a value that stands by itself.
    plain = KubernetesConfig(**BASE)
    made = build_worker_pod(SPEC, plain)
    changed = {
        "dns_policy": "Default",
        "run_as_user": 7,
        "fs_group": 7,
        "default_cpu_request": "1",
        "default_memory_request": "512Mi",
    }
    apart = {"retry", "watch", "startup", "profiles"}
    matters = {
        name
        for name, value in (FULL | changed).items()
        if name not in apart and build_worker_pod(SPEC, msgspec.structs.replace(plain, **{name: value})) != made
    }
    # These change the Pods of all workers alike: where they are, whose they are, and what is sent to destroy one.
    assert matters - set(PER_WORKER) == {"namespace", "provider_id", "grace_period"}
    assert set(PER_WORKER) <= matters
    assert set(PER_WORKER) <= {setting.field for setting in SETTINGS}


@pytest.mark.parametrize("name", PER_WORKER)
def test_each_override_holds_and_leaves_the_others(name: str) -> None:
    settings: dict[str, Any] = {"security_profile": SecurityProfile.BASELINE} if name == "run_as_user" else {}
    value = {"dns_policy": "Default"}.get(name, FULL[name])
    before = flat_values(KubernetesConfig(**{**BASE, **settings}))
    after = flat_values(profiled({name: value}, **settings))
    assert {key for key in before if before[key] != after[key]} == {name}
    assert after[name] == value
    settings |= {name: value, **BASE} if name != "image" else {name: value}
    assert profiled({name: value}, **settings) == KubernetesConfig(**settings)


def test_without_a_profile_nothing_changes() -> None:
    config = KubernetesConfig(profiles={"gpu": Profile(BASE)})
    assert config.with_profile(None) is config


def test_mappings_are_added_to_and_win_by_key_all_else_is_replaced() -> None:
    mine = {"labels": {"b": "2", "c": "3"}, "annotations": {"b": "2"}, "node_selector": {"b": "2"}}
    theirs = {name: {"a": "0", "b": "1"} for name in mine}
    config = profiled({**mine, "tolerations": [Toleration(key="b")]}, **theirs, tolerations=[Toleration(key="a")])
    assert config.labels == {"a": "0", "b": "2", "c": "3"}
    assert (config.annotations, config.node_selector) == ({"a": "0", "b": "2"},) * 2
    assert config.tolerations == (Toleration(key="b"),)
    assert profiled({"service_account": None}, service_account="x").service_account is None


def test_a_template_is_a_patch_for_the_configured_one() -> None:
    base = {"spec": {"containers": [{"name": "proxy", "image": "p:1"}, {"name": "log", "image": "l:1"}]}}
    patch = {"spec": {"containers": [{"name": "proxy", "image": "p:2"}, {"name": "log", "$patch": "delete"}]}}
    merged = {"spec": {"containers": [{"name": "proxy", "image": "p:2"}]}}
    assert profiled({"pod_template": patch}, pod_template=base).pod_template == merged
    assert profiled({"pod_template": base}).pod_template == base
    assert profiled({"pod_template": None}, pod_template=base).pod_template is None


def test_the_spec_selects_the_profile() -> None:
    config = KubernetesConfig(
        **BASE, profiles={"gpu": Profile({"image": "agent:gpu", "node_selector": {"pool": "gpu"}})}
    )
    made = build_worker_pod(msgspec.structs.replace(SPEC, profile="gpu"), config)
    assert made["spec"]["containers"][0]["image"] == "agent:gpu"
    assert made["spec"]["nodeSelector"] == {"pool": "gpu"}
    own = build_worker_pod(msgspec.structs.replace(SPEC, profile="gpu", image="mine:1"), config)
    assert own["spec"]["containers"][0]["image"] == "mine:1"
    plain = build_worker_pod(SPEC, config)
    assert plain["spec"]["containers"][0]["image"] == "base:1"
    assert pod_for(JobRequirements(profile="gpu"), config)["spec"]["nodeSelector"] == {"pool": "gpu"}


def test_a_worker_needs_an_image_from_somewhere() -> None:
    with pytest.raises(ConfigurationError) as caught:
        build_worker_pod(SPEC, KubernetesConfig())
    assert [fault.field for fault in caught.value.faults] == ["spec.image"]


@pytest.mark.parametrize(("profiles", "there"), [({}, "none"), ({"a": Profile(), "b": Profile()}, "a, b")])
def test_an_unknown_profile_is_a_fault_that_lists_those_there_are(profiles: Any, there: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build_worker_pod(msgspec.structs.replace(SPEC, profile="gpu"), KubernetesConfig(profiles=profiles))
    (fault,) = caught.value.faults
    assert fault.field == "profile"
    assert fault.problem == f"there is no 'gpu'; there are: {there}"


def test_every_fault_of_every_profile_is_told_at_once() -> None:
    told = faults(
        default_cpu_limit="2",
        profiles={
            "a": Profile({"run_as_user": 0, "default_cpu_request": "3"}),
            "b": Profile({"run_as_user": -1, "retry.budget": 3, "labels": {"app": "x"}}),
            "c": Profile({"pod_template": {"spec": {"restartPolicy": "Always"}}}),
            "d": Profile({"pod_template": {"spec": {"containers": [{"image": "x"}, {"$patch": "what"}]}}}),
            "e": Profile({"pod_template": "x"}),
            "f": Profile({"pod_template": {"spec": b"x"}}),
        },
    )
    assert set(told) == {
        'profiles["b"].run_as_user',
        'profiles["b"].retry.budget',
        'profiles["b"].labels["app"]',
        'profiles["e"].pod_template',
        'profiles["f"].pod_template',
    }
    assert "image, service_account" in told['profiles["b"].retry.budget']


def test_a_profile_is_judged_with_the_settings_that_it_leaves() -> None:
    told = faults(
        default_cpu_limit="2",
        pod_template={"spec": {"containers": [{"name": "a"}]}},
        profiles={
            "a": Profile({"run_as_user": 0, "default_cpu_request": "3"}),
            "b": Profile({"run_as_user": 0, "security_profile": SecurityProfile.BASELINE}),
            "c": Profile({"pod_template": {"spec": {"restartPolicy": "Always"}}}),
            "d": Profile({"pod_template": {"spec": {"containers": [{"image": "x"}]}}}),
        },
    )
    assert set(told) == {
        'profiles["a"].run_as_user',
        'profiles["a"].default_cpu_request',
        'profiles["c"].pod_template.spec.restartPolicy',
        'profiles["d"].pod_template.spec.containers',
    }


def test_what_is_wrong_without_a_profile_is_told_once() -> None:
    assert set(faults(run_as_user=0, profiles={"a": Profile({"image": "x"})})) == {"run_as_user"}


def test_the_builder_adds_profiles() -> None:
    config = KubernetesConfig.builder().profile("a", image="x").profile("b").build()
    assert config.profiles == {"a": Profile({"image": "x"}), "b": Profile()}


def test_it_shares_nothing_with_what_was_given() -> None:
    overrides = {"labels": {"a": "b"}}
    profiles = {"gpu": Profile(overrides)}
    config = KubernetesConfig(profiles=profiles)
    overrides["labels"]["c"] = "d"
    profiles["x"] = Profile()
    assert config.profiles == {"gpu": Profile({"labels": {"a": "b"}})}
