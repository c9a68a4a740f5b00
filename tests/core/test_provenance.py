"""Where each setting came from."""

from __future__ import annotations

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.provenance import shown_settings
from hodei_k8s_core.config.settings import SETTINGS

ENVIRON = {
    "HODEI_K8S_NAMESPACE": "ci",
    "HODEI_K8S_RETRY_BUDGET": "5",
    "HODEI_K8S_CONTEXT": "",
    "HODEI_K8S_LABELS": "a=b",
}


def test_every_setting_with_its_value_and_its_source() -> None:
    config = KubernetesConfig.from_env(ENVIRON)
    shown = {one.setting: one for one in shown_settings(config, ENVIRON, {"provider_id": "--provider-id"})}
    assert list(shown) == [setting.field for setting in SETTINGS]
    told = {name: (shown[name].value, shown[name].source) for name in ("namespace", "retry.budget", "labels")}
    assert told == {
        "namespace": ("ci", "HODEI_K8S_NAMESPACE"),
        "retry.budget": ("5", "HODEI_K8S_RETRY_BUDGET"),
        "labels": ("a=b", "HODEI_K8S_LABELS"),
    }
    assert (shown["context"].value, shown["context"].source) == ("", "default")
    assert shown["provider_id"].source == "--provider-id"
    assert (shown["grace_period"].value, shown["grace_period"].source) == ("30", "default")


def test_the_values_are_those_of_the_variables() -> None:
    config = KubernetesConfig.from_env(ENVIRON)
    again = {one.variable: one.value for one in shown_settings(config, ENVIRON, {})}
    assert KubernetesConfig.from_env({name: value for name, value in again.items() if value}) == config
