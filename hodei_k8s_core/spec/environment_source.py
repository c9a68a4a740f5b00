"""Where a worker's environment comes from when its values are not written in the spec: Secrets and ConfigMaps.

The kubelet reads them when it starts the container: no value passes through here.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Final

import msgspec

from hodei_k8s_core.errors import Fault
from hodei_k8s_core.names import data_key_problem, dns_subdomain_problem, environment_name_problem
from hodei_k8s_core.validation import (
    Problem,
    bool_problem,
    fault_of,
    instance,
    item,
    raise_faults,
    text_problem,
    text_that,
    type_problem,
)

_NAME: Final = text_that(dns_subdomain_problem)
_CHECKS: Final[dict[str, Problem]] = {
    "secret": _NAME,
    "config_map": _NAME,
    "key": text_that(data_key_problem),
    "prefix": text_that(lambda text: environment_name_problem(text) if text else None),
    "optional": bool_problem,
}


class _Source(msgspec.Struct, frozen=True, kw_only=True):
    """What is checked by the names of its fields."""

    def __post_init__(self) -> None:
        names = self.__struct_fields__
        faults = [f for name in names for f in fault_of(name, _CHECKS[name](getattr(self, name)))]
        raise_faults("the source of the environment is not valid", faults)


class SecretKey(_Source, frozen=True, kw_only=True, tag="secret_key"):
    """One key of a Secret. `optional`: without it the worker starts all the same, without the variable.

    Raises: ConfigurationError with every fault.
    """

    secret: str
    key: str
    optional: bool = False


class ConfigMapKey(_Source, frozen=True, kw_only=True, tag="config_map_key"):
    """One key of a ConfigMap. `optional`: without it the worker starts all the same, without the variable.

    Raises: ConfigurationError with every fault.
    """

    config_map: str
    key: str
    optional: bool = False


class WholeSecret(_Source, frozen=True, kw_only=True, tag="secret"):
    """Every key of a Secret, each under its own name behind `prefix`.

    Raises: ConfigurationError with every fault.
    """

    secret: str
    prefix: str = ""
    optional: bool = False


class WholeConfigMap(_Source, frozen=True, kw_only=True, tag="config_map"):
    """Every key of a ConfigMap, each under its own name behind `prefix`.

    Raises: ConfigurationError with every fault.
    """

    config_map: str
    prefix: str = ""
    optional: bool = False


EnvironmentKey = SecretKey | ConfigMapKey
EnvironmentSource = WholeSecret | WholeConfigMap
_KEY: Final = instance(EnvironmentKey, "a SecretKey or a ConfigMapKey")  # type: ignore[arg-type]

PROVIDED_ENVIRONMENT: Final = ("HODEI_WORKER_ID", "HODEI_SERVER_ADDRESS", "HODEI_OTP_TOKEN", "HODEI_WORKER_MODE")
"""The names that the provider itself sets in every worker."""


def environment_faults(field: str, environment: object, *, taken: Container[str] = ()) -> list[Fault]:
    """What is wrong with variables and their values, which are not shown. `taken`: names that the provider sets."""
    return _variable_faults(field, environment, text_problem, taken)


def environment_key_faults(field: str, environment: object, *, taken: Container[str] = ()) -> list[Fault]:
    """What is wrong with variables whose values are a `SecretKey` or a `ConfigMapKey`."""
    return _variable_faults(field, environment, _KEY, taken)


def _variable_faults(field: str, environment: object, check: Problem, taken: Container[str]) -> list[Fault]:
    if not isinstance(environment, Mapping):
        return [Fault(field, type_problem(environment, "a mapping by the names of variables"))]
    found = []
    for name, value in environment.items():
        problem = text_problem(name) or environment_name_problem(name)
        if name in taken:
            problem = "this name is set by the provider itself"
        found += fault_of(item(field, name), problem or check(value))
    return found


def twice_faults(environment: object, environment_from: object) -> list[Fault]:
    """Of the variables of one container each name is given once."""
    if not isinstance(environment, Mapping) or not isinstance(environment_from, Mapping):
        return []
    twice = [name for name in environment_from if name in environment]
    return [Fault(item("environment_from", name), "this name is given in environment too") for name in twice]
