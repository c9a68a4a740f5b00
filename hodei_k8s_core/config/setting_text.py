"""Settings as text, in environment variables and ConfigMaps: one function to read and one to write each form.

What reads raises ValueError, or ConfigurationError where more than one thing can be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.spec.toleration import EXISTS, Toleration
from hodei_k8s_core.validation import type_problem, within
from hodei_k8s_core.yaml_text import YamlFault, parse_yaml

T = TypeVar("T")
_BOOLS: Final = {"1": True, "true": True, "0": False, "false": False}
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_WHOLE_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,19}")


def parse_number(text: str) -> float:
    if _NUMBER.fullmatch(text) is None:
        msg = f"must be a number, not {text!r}"
        raise ValueError(msg)
    return float(text)


def format_number(value: float) -> str:
    return repr(int(value)) if value == int(value) and abs(value) < 10**15 else repr(value)


def parse_whole(text: str) -> int:
    if _WHOLE_NUMBER.fullmatch(text) is None:
        msg = f"must be a whole number, not {text!r}"
        raise ValueError(msg)
    return int(text)


def parse_bool(text: str) -> bool:
    if text.lower() not in _BOOLS:
        msg = f"must be one of {', '.join(_BOOLS)}, not {text!r}"
        raise ValueError(msg)
    return _BOOLS[text.lower()]


def parse_profile(text: str) -> SecurityProfile:
    try:
        return SecurityProfile(text.lower())
    except ValueError:
        msg = f"must be one of {', '.join(p.value for p in SecurityProfile)}, not {text!r}"
        raise ValueError(msg) from None


def parse_json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        msg = f"is not JSON: {error}"
        raise ValueError(msg) from None


def parse_document(text: str) -> Any:
    """JSON where it begins like an object, else YAML."""
    if text.lstrip().startswith("{"):
        return parse_json(text)
    try:
        return parse_yaml(text.encode())
    except YamlFault as fault:
        msg = f"is not YAML: {fault}"
        raise ValueError(msg) from None


def to_manifests(items: Sequence[Any]) -> list[Any]:
    """Each as in a Pod."""
    return [item.to_manifest() for item in items]


def to_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def parse_list(text: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in text.split(","))
    if not all(parts):
        msg = f"there is an empty item in {text!r}"
        raise ValueError(msg)
    return parts


def parse_map(text: str) -> dict[str, Any]:
    if text.lstrip().startswith("{"):
        return dict(parse_json(text))
    pairs = [part.partition("=") for part in parse_list(text)]
    for key, equals, _ in pairs:
        if not equals:
            msg = f"must be key=value,key2=value2 or a JSON object; there is no '=' in {key!r}"
            raise ValueError(msg)
        if sum(key == other for other, _, _ in pairs) > 1:
            msg = f"the key {key!r} is there more than once"
            raise ValueError(msg)
    return {key: value for key, _, value in pairs}


def format_map(value: Mapping[str, str]) -> str:
    text = ",".join(f"{key}={part}" for key, part in value.items())
    plain = not text or (text.count(",") == len(value) - 1 and all(p == p.strip() for p in (*value, *value.values())))
    return text if plain else to_json(value)


def parse_tolerations(text: str) -> tuple[Toleration, ...]:
    if not text.lstrip().startswith("["):
        return _collected([_taint(part) for part in parse_list(text)], lambda fields: Toleration(**fields))
    return read_items(parse_json(text), Toleration)


def read_items(items: object, kind: type[T]) -> tuple[T, ...]:
    """A list of one kind, each as in JSON."""
    if not isinstance(items, (list, tuple)):
        raise ValueError(type_problem(items, "a list"))
    return _collected(items, lambda fields: msgspec.convert(fields, kind))


def convert(fields: object, kind: type[T]) -> T:
    """Raises: ValueError, which msgspec's own is; ConfigurationError."""
    return msgspec.convert(fields, kind)


def _taint(text: str) -> dict[str, str]:
    """`key=value:Effect`, as `kubectl taint` writes it; without a value any is tolerated, without an effect all are."""
    taint, _, effect = text.partition(":")
    key, equals, value = taint.partition("=")
    return (
        {"key": key, "value": value, "effect": effect} if equals else {"key": key, "operator": EXISTS, "effect": effect}
    )


def _collected(items: Sequence[Any], make: Callable[[Any], T]) -> tuple[T, ...]:
    """All items, made. Raises: ConfigurationError with the faults of all that cannot be made."""
    made, faults = [], []
    for index, fields in enumerate(items):
        try:
            made.append(make(fields))
        except ConfigurationError as error:
            faults += within(f"[{index}]", error.faults)
        except msgspec.ValidationError as error:
            faults.append(Fault(f"[{index}]", str(error)))
    if faults:
        raise ConfigurationError("the items are not valid", faults)
    return tuple(made)
