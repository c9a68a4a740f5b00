"""Settings from a document, as TOML, YAML or JSON give it: by their names, parts and profiles as tables.

A value is as its document has it (a number, a list, a table as in a Pod), or the text that the variable would have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hodei_k8s_core.config.nearest import nearest
from hodei_k8s_core.config.profile import Profile, unknown_fault
from hodei_k8s_core.config.setting import Setting
from hodei_k8s_core.config.setting_text import parse_json
from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.validation import item, type_problem, within


def parse_toml(text: str) -> dict[str, Any]:
    """Raises: ValueError."""
    # Loaded when there is something to parse, as YAML is.
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"is not TOML: {error}"
        raise ValueError(msg) from None


def parse_profiles(text: str) -> Any:
    """JSON where it begins like an object, else TOML. Raises: ValueError."""
    return parse_json(text) if text.lstrip().startswith("{") else parse_toml(text)


def read_document(document: object, known: Mapping[str, Setting]) -> tuple[dict[str, Any], list[Fault]]:
    """The settings that it has, by dotted name, and the faults of those that cannot be read."""
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    if not isinstance(document, Mapping):
        return values, [Fault("document", type_problem(document, "a mapping of settings"))]
    for name, value in _flat(document, known, faults):
        if name in known:
            _read(known[name], value, values, faults)
        else:
            faults.append(Fault(name, f"is no setting; the nearest one is {nearest(name, known)}"))
    return values, faults


def read_profiles(profiles: object, allowed: Mapping[str, Setting]) -> object:
    """The profiles of a document, by name. Raises: ConfigurationError with every fault."""
    if not isinstance(profiles, Mapping):
        return profiles
    made, faults = {}, []
    for name, overrides in profiles.items():
        values: dict[str, Any] = {}
        if isinstance(overrides, Mapping):
            found = [unknown_fault(key, allowed) for key in overrides if key not in allowed]
            for key in overrides.keys() & allowed.keys():
                _read(allowed[key], overrides[key], values, found)
            faults += within(item("", name), found)
            made[name] = Profile(values)
        else:
            faults.append(Fault(item("", name), type_problem(overrides, "a mapping of settings")))
    if faults:
        raise ConfigurationError("the profiles are not valid", faults)
    return made


def write_profiles(profiles: Mapping[str, Profile], allowed: Mapping[str, Setting]) -> dict[str, Any]:
    """What `read_profiles` makes them of."""
    return {
        name: {
            key: None if value is None else allowed[key].kind.write(value) for key, value in profile.overrides.items()
        }
        for name, profile in profiles.items()
    }


def _flat(document: Mapping[Any, Any], known: Mapping[str, Setting], faults: list[Fault]) -> Iterator[tuple[str, Any]]:
    parts = {name.partition(".")[0] for name in known if "." in name}
    for name, value in document.items():
        if name not in parts:
            yield str(name), value
        elif isinstance(value, Mapping):
            yield from ((f"{name}.{key}", part) for key, part in value.items())
        else:
            faults.append(Fault(name, type_problem(value, "a mapping of settings")))


def _read(setting: Setting, value: object, values: dict[str, Any], faults: list[Fault]) -> None:
    try:
        values[setting.field] = setting.kind.from_document(value)
    except ConfigurationError as error:
        faults += within(setting.field, error.faults)
    except ValueError as error:
        faults.append(Fault(setting.field, str(error)))
