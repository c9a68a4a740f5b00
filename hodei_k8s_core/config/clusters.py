"""The settings of several clusters: those of the environment for all, and in a document what is each one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hodei_k8s_core.config.environment import read_environment
from hodei_k8s_core.config.kubernetes_config import KubernetesConfig
from hodei_k8s_core.config.setting import VARIABLE_PREFIX
from hodei_k8s_core.config.settings import SETTINGS
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
    """The settings of each cluster that the document lists under `clusters`, as `KubernetesConfig.from_document`.

    What it does not set is as the environment says. Raises: ConfigurationError with every fault of every cluster.
    """
    listed = document.get("clusters") if isinstance(document, Mapping) else None
    if not isinstance(listed, list) or not listed or not all(isinstance(one, Mapping) for one in listed):
        raise ConfigurationError(_SUMMARY, [Fault("clusters", "must be a list of tables, one for each cluster")])
    found = [Fault(str(name), "is not known beside `clusters`") for name in document if name != "clusters"]
    found += read_environment(environ)[1]
    shared = {one.field: environ[one.variable] for one in SETTINGS if environ.get(one.variable)} if not found else {}
    configs = []
    for number, settings in enumerate(listed):
        try:
            configs.append(KubernetesConfig.from_document({**shared, **settings}))
        except ConfigurationError as error:
            found += within(f"clusters[{number}]", error.faults)
    raise_faults(_SUMMARY, found)
    return configs
