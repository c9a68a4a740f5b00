"""Settings from the environment where some of them are texts in files, which the core does not open."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.environment import FILE_VARIABLES
from hodei_k8s_core.errors import ConfigurationError, Fault


def config_from_env(environ: Mapping[str, str]) -> KubernetesConfig:
    """As `KubernetesConfig.from_env`, with `HODEI_K8S_POD_TEMPLATE_FILE` and `HODEI_K8S_PROFILES_FILE`: paths of files.

    Raises: ConfigurationError with every fault; a file that cannot be read is one, and a setting that is given twice.
    """
    read, faults = with_texts_of_files(environ)
    try:
        config = KubernetesConfig.from_env(read)
    except ConfigurationError as error:
        raise ConfigurationError(error.summary, [*faults, *error.faults]) from None
    if faults:
        raise ConfigurationError("the configuration is not valid", faults)
    return config


def with_texts_of_files(environ: Mapping[str, str]) -> tuple[dict[str, str], list[Fault]]:
    """The environment with the texts that such files hold in their variables, and what is wrong with the files."""
    read, faults = dict(environ), []
    for file_variable, variable in FILE_VARIABLES.items():
        path = read.pop(file_variable, "")
        if path and read.get(variable):
            faults.append(Fault(file_variable, f"must not be set together with {variable}"))
        elif path:
            try:
                read[variable] = Path(path).read_text(encoding="utf-8")
            except OSError as error:
                faults.append(Fault(file_variable, f"cannot be read: {error.strerror or error}"))
            except ValueError:
                faults.append(Fault(file_variable, "is not a file of UTF-8 text"))
    return read, faults
