"""Settings from a document: as the document has them or as text, nested, and with every fault at once."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from hodei_k8s_core.config import KubernetesConfig, flat_values
from hodei_k8s_core.config.profile import Profile
from hodei_k8s_core.config.settings import SETTINGS
from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.spec.readiness_probe import ReadinessProbe
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.spec.toleration import Toleration
from tests.core.test_config import FULL

TOML = """
namespace = "ci"
grace_period = 5
run_as_user = "none"
max_response_bytes = "8Mi"
image_pull_secrets = ["one"]
tolerations = [{key = "spot", operator = "Exists"}]

[labels]
team = "build"

[retry]
max_attempts = 3
first_delay = 0.1

[pod_template.spec]
priorityClassName = "low"

[profiles.gpu]
image = "agent:gpu"
tolerations = "gpu:NoSchedule"
security_profile = "baseline"
node_selector = {"pool" = "gpu"}

[profiles.gpu.pod_template.spec]
priorityClassName = "high"
"""


def faults(document: Any) -> dict[str, str]:
    with pytest.raises(ConfigurationError) as caught:
        KubernetesConfig.from_document(document)
    return {fault.field: fault.problem for fault in caught.value.faults}


def test_toml() -> None:
    config = KubernetesConfig.from_toml(TOML)
    assert (config.namespace, config.grace_period, config.run_as_user) == ("ci", 5, None)
    assert (config.max_response_bytes, config.image_pull_secrets) == (8 * 1024**2, ("one",))
    assert config.tolerations == (Toleration(key="spot", operator="Exists"),)
    assert config.labels == {"team": "build"}
    assert (config.retry.max_attempts, config.retry.first_delay, config.retry.budget) == (3, 0.1, 20)
    gpu = config.with_profile("gpu")
    assert (gpu.image, gpu.security_profile, gpu.node_selector) == (
        "agent:gpu",
        SecurityProfile.BASELINE,
        {"pool": "gpu"},
    )
    assert gpu.tolerations == (Toleration(key="gpu", operator="Exists", effect="NoSchedule"),)
    assert gpu.pod_template == {"spec": {"priorityClassName": "high"}}


def document(values: dict[str, Any]) -> dict[str, Any]:
    """The settings as a document has them."""
    made: dict[str, Any] = {}
    for setting in SETTINGS:
        part, _, name = setting.field.rpartition(".")
        value = values[setting.field]
        holder = made.setdefault(part, {}) if part else made
        holder[name] = None if value is None else setting.kind.write(value)
    return made


def test_every_setting_goes_through_a_document_and_back() -> None:
    config = KubernetesConfig(**FULL)
    written = document(flat_values(config))
    assert KubernetesConfig.from_document(written) == config
    assert KubernetesConfig.from_document(yaml.safe_load(yaml.safe_dump(written))) == config


def test_every_setting_can_be_text_as_its_variable() -> None:
    environ = KubernetesConfig(**FULL).to_env()
    made: dict[str, Any] = {}
    for setting in SETTINGS:
        part, _, name = setting.field.rpartition(".")
        (made.setdefault(part, {}) if part else made)[name] = environ[setting.variable]
    assert KubernetesConfig.from_document(made) == KubernetesConfig(**FULL)


def test_an_empty_document_gives_the_defaults() -> None:
    assert KubernetesConfig.from_document({}) == KubernetesConfig.from_toml("") == KubernetesConfig()


def test_every_fault_is_told_at_once() -> None:
    told = faults(
        {
            "nmespace": "x",
            "namespace": 3,
            "grace_period": "soon",
            "labels": ["a"],
            "tolerations": {"key": "a"},
            "image_pull_secrets": 3,
            "readiness_probe": {"exec": 3},
            "dns_config": {"what": 1},
            "node_pools": [{"name": "a"}],
            "retry": {"max_attempts": 0, "tries": 3},
            "watch": 3,
            "profiles": {"gpu": {"run_as_user": "nobody", "namespace": "x"}, "b": 3},
        }
    )
    assert set(told) == {
        "nmespace",
        "namespace",
        "grace_period",
        "labels",
        "tolerations",
        "image_pull_secrets",
        "readiness_probe.manifest",
        "dns_config",
        "node_pools[0]",
        "retry.max_attempts",
        "retry.tries",
        "watch",
        'profiles["gpu"].run_as_user',
        'profiles["gpu"].namespace',
        'profiles["b"]',
    }
    assert told["nmespace"].endswith("the nearest one is namespace")
    assert told["tolerations"] == "must be a list, not dict"


def test_a_setting_that_cannot_be_read_is_not_judged_by_its_default() -> None:
    assert set(faults({"watch": {"timeout_max": "x", "timeout_min": 700}})) == {"watch.timeout_max"}
    assert set(faults({"profiles": []})) == {"profiles"}


def test_null_is_none_where_that_is_a_value() -> None:
    assert KubernetesConfig.from_document({"run_as_user": None}).run_as_user is None
    assert set(faults({"namespace": None})) == {"namespace"}


@pytest.mark.parametrize("document", [None, [], "namespace = 1"])
def test_what_is_no_mapping_is_a_fault(document: Any) -> None:
    assert set(faults(document)) == {"document"}


def test_what_is_no_toml_is_a_fault() -> None:
    with pytest.raises(ConfigurationError) as caught:
        KubernetesConfig.from_toml("namespace = ")
    (fault,) = caught.value.faults
    assert fault.field == "document"
    assert fault.problem.startswith("is not TOML: ")


def test_profiles_in_the_environment() -> None:
    wanted = {"gpu": Profile({"image": "x", "readiness_probe": ReadinessProbe(tcp=80)})}
    json = '{"gpu": {"image": "x", "readiness_probe": {"tcpSocket": {"port": 80}}}}'
    toml = '[gpu]\nimage = "x"\nreadiness_probe.tcpSocket.port = 80'
    for text in (json, toml):
        assert KubernetesConfig.from_env({"HODEI_K8S_PROFILES": text}).profiles == wanted


@pytest.mark.parametrize(
    ("text", "field", "problem"),
    [
        ("gpu", "profiles", "is not TOML"),
        ("{", "profiles", "is not JSON"),
        ('{"gpu": {"run_as_user": "x"}}', 'profiles["gpu"].run_as_user', "whole number"),
        ('{"gpu": {"run_as_user": 0}}', 'profiles["gpu"].run_as_user', "root"),
    ],
)
def test_wrong_profiles_in_the_environment(text: str, field: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        KubernetesConfig.from_env({"HODEI_K8S_PROFILES": text})
    (fault,) = caught.value.faults
    assert fault.field == f"{field} (HODEI_K8S_PROFILES)"
    assert problem in fault.problem


@pytest.mark.parametrize("name", ["POD_TEMPLATE", "PROFILES"])
def test_a_file_is_for_who_may_open_it(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        KubernetesConfig.from_env({f"HODEI_K8S_{name}_FILE": "/etc/x"})
    (fault,) = caught.value.faults
    assert fault.field == f"HODEI_K8S_{name}_FILE"
    assert "config_from_env" in fault.problem
