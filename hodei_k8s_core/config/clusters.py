"""The settings of several clusters: those of the environment for all, and in a document what is each one's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from hodei_k8s_core.config.kubernetes_config import KubernetesConfig
from hodei_k8s_core.config.settings import SETTING_OF, VARIABLE_PREFIX
from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.validation import raise_faults, within

ENABLED: Final = f"{VARIABLE_PREFIX}ENABLED"
CLUSTERS: Final = f"{VARIABLE_PREFIX}CLUSTERS"
_SWITCH: Final = {"": False, "0": False, "false": False, "1": True, "true": True}
_SUMMARY: Final = "the configuration is not valid"


def is_enabled(environ: Mapping[str, str]) -> bool:
    """Whether Kubernetes is to be used at all: `HODEI_K8S_ENABLED`. Raises: ConfigurationError."""
    text = environ.get(ENABLED, "")
    if text.lower() not in _SWITCH:
        raise ConfigurationError(_SUMMARY, [Fault(ENABLED, f"is {text!r}; it is 1 or 0")])
    return _SWITCH[text.lower()]


def read_clusters(document: Any, environ: Mapping[str, str]) -> list[KubernetesConfig]:
    """The settings of each cluster that the document lists under `clusters`: settings by name, parts as tables.

    What it does not set is as the environment says. Raises: ConfigurationError with every fault of every cluster.
    """
    listed = document.get("clusters") if isinstance(document, Mapping) else None
    if not isinstance(listed, list) or not listed or not all(isinstance(one, Mapping) for one in listed):
        raise ConfigurationError(_SUMMARY, [Fault("clusters", "must be a list of tables, one for each cluster")])
    found = [Fault(str(name), "is not known beside `clusters`") for name in document if name != "clusters"]
    configs = []
    for number, settings in enumerate(listed):
        given = dict(_flat(settings))
        faults = [Fault(name, "is no setting") for name in given if name not in SETTING_OF]
        own = {SETTING_OF[name].variable: _text(value) for name, value in given.items() if name in SETTING_OF}
        try:
            configs.append(KubernetesConfig.from_env({**environ, **own}))
        except ConfigurationError as error:
            faults += error.faults
        found += within(f"clusters[{number}]", faults)
    raise_faults(_SUMMARY, found)
    return configs


def _flat(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """By dotted name where a table is a part of the settings, and no value."""
    parts = {name.partition(".")[0] for name in SETTING_OF if "." in name}
    for name, value in settings.items():
        if name in parts and isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", content) for inner, content in value.items())
        else:
            yield str(name), value


def _text(value: Any) -> str:
    """As in a variable; none is a setting that is not set."""
    if isinstance(value, str) or value is None:
        return value or ""
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return ",".join(value)
    return msgspec.json.encode(value, enc_hook=str).decode()
