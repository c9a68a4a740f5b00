"""Times as they are written on a command line: `90`, `90s`, `1h30m`; a date; a place in a log."""

from __future__ import annotations

import re

from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.server_time import NANOSECONDS, parse_rfc3339_nanoseconds

_UNITS = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
_DURATION = re.compile(
    r"(?:(?P<days>\d{1,6})d)?(?:(?P<hours>\d{1,6})h)?(?:(?P<minutes>\d{1,6})m)?"
    r"(?:(?P<seconds>\d{1,9}(?:\.\d{1,9})?)s?)?",
    re.ASCII,
)
_CURSOR_BEGINS = "v1_"


def parse_duration(text: str, option: str) -> float:
    """Seconds. Raises: ConfigurationError that names the option."""
    seconds = _duration(text)
    if seconds is None:
        raise _wrong(option, f"{text!r} is no duration, as 90, 90s, 5m or 1h30m")
    return seconds


def parse_since(text: str, now: float) -> str | int:
    """A cursor as it is, anything else as nanoseconds since the epoch. Raises: ConfigurationError."""
    if text.startswith(_CURSOR_BEGINS):
        return text
    seconds = _duration(text)
    if seconds is not None:
        return max(0, int((now - seconds) * NANOSECONDS))
    at = parse_rfc3339_nanoseconds(text)
    if at is None:
        raise _wrong("--since", f"{text!r} is no duration (10m), no date (2026-01-31T12:00:00Z) and no cursor")
    return at


def _duration(text: str) -> float | None:
    match = _DURATION.fullmatch(text)
    if match is None or not text:
        return None
    return float(sum(float(match[name] or 0) * size for name, size in _UNITS.items()))


def _wrong(option: str, problem: str) -> ConfigurationError:
    return ConfigurationError("the options are not valid", [Fault(option, problem)])
