"""Which clusters the environment names: one by its variables, or several in the file `HODEI_K8S_CLUSTERS`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.clusters import CLUSTERS, is_enabled, read_clusters
from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.validation import raise_faults
from hodei_k8s_transport.environment_files import config_from_env, with_texts_of_files
from hodei_k8s_transport.service.clusters import by_id

_SUMMARY = "the configuration is not valid"


def enabled_clusters(environ: Mapping[str, str]) -> list[KubernetesConfig]:
    """The settings of every cluster; none while `HODEI_K8S_ENABLED` is not 1.

    Raises: ConfigurationError with every fault, also of a file that cannot be read, and for two of one `provider_id`.
    """
    return configured_clusters(environ) if is_enabled(environ) else []


def configured_clusters(environ: Mapping[str, str]) -> list[KubernetesConfig]:
    """The same, enabled or not. Raises: as `enabled_clusters`."""
    path = environ.get(CLUSTERS, "")
    if not path:
        return [config_from_env(environ)]
    read, faults = with_texts_of_files(environ)
    raise_faults(_SUMMARY, faults)
    configs = read_clusters(_read(path), read)
    by_id(configs)
    return configs


def _read(path: str) -> Any:
    """A TOML file by its name, otherwise YAML. What is wrong with it is told without quoting it."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise _unreadable(f"{path} cannot be read: {error.strerror or error}") from None
    except UnicodeError:
        raise _unreadable(f"{path} is no file of UTF-8 text") from None
    try:
        return tomllib.loads(text) if path.endswith(".toml") else _yaml(text)
    except ValueError as error:
        raise _unreadable(f"{path} is not what its name says: {error}") from None


def _yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f" (line {mark.line + 1})"
        raise ValueError(f"no YAML{where}") from None


def _unreadable(problem: str) -> ConfigurationError:
    return ConfigurationError(_SUMMARY, [Fault(CLUSTERS, problem)])
