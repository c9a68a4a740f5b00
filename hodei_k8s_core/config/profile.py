"""`Profile`: the settings that differ for some workers, by the name that their specs give.

A profile may override what is read for each worker, when its Pod is built; `settings.PER_WORKER` lists that. Labels,
annotations and node selectors are added to those of the configuration, and win by key; its `pod_template` is a patch
for the configuration's, by strategic merge, and may have directives; every other setting is replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from hodei_k8s_core.config.setting import Setting
from hodei_k8s_core.errors import Fault
from hodei_k8s_core.strategic_merge import strategic_merge
from hodei_k8s_core.validation import copied_json, fault_of, item, json_problem, type_problem, within, word_problem

_TEMPLATE: Final = "pod_template"
_ADDED: Final = ("labels", "annotations", "node_selector")


class Profile(msgspec.Struct, frozen=True):
    """Settings by name, each with the value that `KubernetesConfig` would have: `Profile({"image": "agent:gpu"})`.

    It is checked with the configuration that it belongs to.
    """

    overrides: Mapping[str, Any] = {}

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "overrides", copied_json(self.overrides))


def profiles_faults(field: str, profiles: object, allowed: Mapping[str, Setting]) -> list[Fault]:
    """What is wrong with each profile by itself; `allowed`: the settings that one may override."""
    if not isinstance(profiles, Mapping):
        return [Fault(field, type_problem(profiles, "a mapping of names to profiles"))]
    found = []
    for name, profile in profiles.items():
        place = item(field, name)
        found += fault_of(place, word_problem(name))
        if isinstance(profile, Profile) and isinstance(profile.overrides, Mapping):
            found += within(place, _faults(profile.overrides, allowed))
        else:
            found.append(Fault(place, type_problem(profile, "a Profile of settings by name")))
    return found


def overlaid(values: Mapping[str, Any], profile: Profile) -> dict[str, Any]:
    """The settings `values`, by name, as they are under the profile. Raises: InvalidPatch."""
    merged = dict(values)
    for name, value in profile.overrides.items():
        if name == _TEMPLATE and value is not None:
            merged[name] = strategic_merge(values.get(name) or {}, value)
        else:
            merged[name] = {**values.get(name, {}), **value} if name in _ADDED else value
    return merged


def unknown_fault(name: object, allowed: Mapping[str, Setting]) -> Fault:
    """That a profile cannot have this."""
    return Fault(str(name), f"is no setting of a profile; those are {', '.join(allowed)}")


def _faults(overrides: Mapping[str, Any], allowed: Mapping[str, Setting]) -> list[Fault]:
    found = []
    for name, value in overrides.items():
        if name not in allowed:
            found.append(unknown_fault(name, allowed))
        elif name == _TEMPLATE and isinstance(value, Mapping):
            # A patch: what it makes of the template is checked as a template.
            found += fault_of(name, json_problem(value))
        else:
            found += allowed[name].kind.faults(name, value)
    return found
