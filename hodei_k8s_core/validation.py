"""What configuration and specs share: checks of types and ranges that say what is wrong, and their collection.

A check never raises: a value of any type goes in, and the problem as text, or None, comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite
from typing import Final, TypeAlias, TypeGuard

from hodei_k8s_core.errors import ConfigurationError, Fault

Problem: TypeAlias = Callable[[object], str | None]
"""Says what is wrong with a value, or None."""

MAX_INT32: Final = 2**31 - 1


def raise_faults(summary: str, faults: Iterable[Fault]) -> None:
    """Raises: ConfigurationError with all of `faults`, when there are any."""
    found = tuple(faults)
    if found:
        raise ConfigurationError(summary, found)


def item(field: str, key: object) -> str:
    """How faults name one item of a mapping or a sequence: `labels["team"]`, `volumes[0]`."""
    return f'{field}["{key}"]' if isinstance(key, str) else f"{field}[{key!r}]"


def within(prefix: str, faults: Iterable[Fault]) -> list[Fault]:
    """The faults of a part, named as parts of `prefix`."""
    return [Fault(f"{prefix}{'' if f.field.startswith('[') else '.'}{f.field}", f.problem) for f in faults]


def fault_of(field: str, problem: str | None) -> list[Fault]:
    """One fault, or none."""
    return [] if problem is None else [Fault(field, problem)]


def type_problem(value: object, wanted: str) -> str:
    """That a value has the wrong type; the value itself is not shown."""
    return f"must be {wanted}, not {'None' if value is None else type(value).__name__}"


def text_problem(value: object) -> str | None:
    """Any text that JSON and a container's environment can carry."""
    if not isinstance(value, str):
        return type_problem(value, "text")
    if "\0" in value:
        return "must not contain a NUL character"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "must be valid Unicode"
    return None


def filled_text_problem(value: object) -> str | None:
    """A text that is not blank."""
    problem = text_problem(value)
    return problem if problem or str(value).strip() else "must not be empty"


def word_problem(value: object) -> str | None:
    """A text without white space and control characters, not empty."""
    problem = filled_text_problem(value)
    if problem is None and (" " in str(value) or not str(value).isprintable()):
        return f"{value!r} must not contain white space or control characters"
    return problem


def bool_problem(value: object) -> str | None:
    """True or False."""
    return None if isinstance(value, bool) else type_problem(value, "True or False")


def whole_number(low: int, high: int | None = None) -> Problem:
    """An int from `low` to `high`, both included."""

    def problem(value: object) -> str | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return type_problem(value, "a whole number")
        return _range_problem(value, low, high)

    return problem


def number(low: float, high: float | None = None) -> Problem:
    """A finite number from `low` to `high`, both included."""

    def problem(value: object) -> str | None:
        return _range_problem(value, low, high) if _is_finite(value) else _not_finite(value)

    return problem


def number_above(low: float) -> Problem:
    """A finite number more than `low`."""

    def problem(value: object) -> str | None:
        if not _is_finite(value):
            return _not_finite(value)
        return None if value > low else f"must be more than {low:g}, not {_shown(value)}"

    return problem


def optional(check: Problem) -> Problem:
    """None, or what `check` allows."""
    return lambda value: None if value is None else check(value)


def instance(wanted: type, name: str = "") -> Problem:
    """A value of one type."""
    described = name or f"a {wanted.__name__}"
    return lambda value: None if isinstance(value, wanted) else type_problem(value, described)


def text_that(check: Callable[[str], str | None]) -> Problem:
    """A text that obeys one more rule, such as a name's."""
    return lambda value: text_problem(value) or check(str(value))


def sequence_faults(field: str, values: object, check: Problem) -> list[Fault]:
    """The faults of a sequence and of each of its items. A bare text is no sequence here."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Sequence):
        return [Fault(field, type_problem(values, "a list"))]
    found = ((item(field, index), check(value)) for index, value in enumerate(values))
    return [Fault(name, problem) for name, problem in found if problem is not None]


def json_problem(value: object) -> str | None:
    """What JSON can carry: mappings with text keys, lists, text, numbers, True, False, None."""
    if isinstance(value, Mapping):
        keys = (text_problem(key) for key in value)
        return next((p for p in (*keys, *map(json_problem, value.values())) if p), None)
    if isinstance(value, (list, tuple)):
        return next((p for p in map(json_problem, value) if p), None)
    if value is None or isinstance(value, (bool, int)):
        return None
    if isinstance(value, float):
        return None if _is_finite(value) else _not_finite(value)
    return text_problem(value)


def copied_json(value: object) -> object:
    """A copy that shares no mapping and no list with `value`."""
    if isinstance(value, Mapping):
        return {key: copied_json(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [copied_json(part) for part in value]
    return value


def _is_finite(value: object) -> TypeGuard[float]:
    # isfinite would overflow on a very large int.
    return not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and isfinite(value)))


def _not_finite(value: object) -> str:
    return f"must be a finite number, not {value!r}" if isinstance(value, float) else type_problem(value, "a number")


def _range_problem(value: float, low: float, high: float | None) -> str | None:
    if value < low:
        return f"must be at least {low:g}, not {_shown(value)}"
    if high is not None and value > high:
        return f"must be at most {high!r}, not {_shown(value)}"
    return None


def _shown(value: float) -> str:
    # Python refuses to write an int of more than 4300 digits.
    return repr(value) if abs(value) < 10**30 else "a number of that size"
