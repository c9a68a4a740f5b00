"""Settings from environment variables, and back.

Every setting is read from its variable by the table in `settings`. An empty variable is one that is not set (a shell
has no other way to unset what an outer one exports). A variable that nothing knows is a fault: a misspelt setting that
silently kept its default would be found too late.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from hodei_k8s_core.config.nearest import nearest
from hodei_k8s_core.config.setting import VARIABLE_PREFIX, Setting
from hodei_k8s_core.config.settings import SETTING_OF, SETTINGS
from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.validation import text_problem, within

NOT_SETTINGS: Final = frozenset(f"{VARIABLE_PREFIX}{name}" for name in ("ENABLED", "TEST", "CLUSTERS"))
"""Ours, but for the host, the tests and the benchmarks."""
FILE_VARIABLES: Final = {
    f"{SETTING_OF[name].variable}_FILE": SETTING_OF[name].variable for name in ("pod_template", "profiles")
}
"""The variables that name a file with the text of another one, for who may open files."""
_SERVICE_LINK: Final = re.compile(
    r"HODEI_K8S_(?P<service>(?:[A-Z0-9_]+?_)??)"
    r"(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)"
)
"""What the kubelet injects for a Service `hodei-k8s`, or `hodei-k8s-...` (pkg/kubelet/envvars)."""


def read_environment(environ: Mapping[str, str]) -> tuple[dict[str, Any], list[Fault]]:
    """The values of the settings that are set, by dotted name, and the faults of those that cannot be read.

    A fault names the setting and its variable.
    """
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for setting in SETTINGS:
        text = environ.get(setting.variable)
        if text is None or text == "":
            continue
        problem = text_problem(text)
        if problem is not None:
            faults += [Fault(setting.field, problem)]
            continue
        try:
            values[setting.field] = setting.kind.parse(text)
        except ConfigurationError as error:
            faults += within(setting.field, error.faults)
        except ValueError as error:
            faults.append(Fault(setting.field, str(error)))
    return values, name_variables(faults) + _unknown_faults(environ)


def name_variables(faults: Iterable[Fault]) -> list[Fault]:
    """The same faults, each naming the variable of its setting too."""
    return [Fault(f"{fault.field} ({_setting_of(fault).variable})", fault.problem) for fault in faults]


def write_environment(values: Mapping[str, Any]) -> dict[str, str]:
    """The variables that set `values`, which are valid ones by dotted name."""
    return {SETTING_OF[field].variable: SETTING_OF[field].kind.format(value) for field, value in values.items()}


def _setting_of(fault: Fault) -> Setting:
    # The longest, since `retry.budget` is the beginning of another name.
    begun = (setting for setting in SETTINGS if fault.field.startswith(setting.field))
    return max(begun, key=lambda setting: len(setting.field))


def _unknown_faults(environ: Mapping[str, str]) -> list[Fault]:
    known = NOT_SETTINGS | {setting.variable for setting in SETTINGS}
    unknown = sorted(
        name
        for name in environ
        if name.startswith(VARIABLE_PREFIX) and name not in known and not _is_service_link(name, environ)
    )
    return [_unknown_fault(name) for name in unknown]


def _unknown_fault(name: str) -> Fault:
    if name in FILE_VARIABLES:
        return Fault(name, "names a file, and no file is read here; hodei_k8s_transport.config_from_env reads it")
    return Fault(name, f"is no setting; the nearest one is {nearest(name, [s.variable for s in SETTINGS])}")


def _is_service_link(name: str, environ: Mapping[str, str]) -> bool:
    match = _SERVICE_LINK.fullmatch(name)
    if match is None:
        return False
    # The kubelet sets the whole group: without its host, HODEI_K8S_X_PORT is somebody's typing error.
    return not match["service"] or f"{VARIABLE_PREFIX}{match['service']}SERVICE_HOST" in environ
