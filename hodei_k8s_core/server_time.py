"""The server's times: RFC 3339 as Kubernetes writes it, and the `Date` of a reply. Read strictly, written canonically.

Own parsers: `datetime.fromisoformat` takes much that is no RFC 3339 and cuts nanoseconds; `email.utils` guesses at what
it does not understand, and loads the socket module.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Final

from hodei_k8s_core.http import Headers, find_header

NANOSECONDS: Final = 1_000_000_000
_EPOCH_DAY: Final = dt.date(1970, 1, 1).toordinal()
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def server_date(headers: Headers) -> float | None:
    """When the server sent its reply, by its own clock (seconds since the epoch), or None where it does not say."""
    return parse_http_date(find_header(headers, "date") or "")


def parse_http_date(text: str) -> float | None:
    """Seconds since the epoch of an IMF-fixdate (RFC 9110, 5.6.7: the one form that may be sent), else None."""
    if len(text) != 29 or text[3:5] != ", " or text[7] != " " or text[11] != " " or text[16] != " ":
        return None
    if text[25:] != " GMT" or text[8:11] not in _MONTHS or text[:3] not in _WEEKDAYS:
        return None
    month = _MONTHS.index(text[8:11]) + 1
    seconds = parse_second(f"{text[12:16]}-{month:02}-{text[5:7]}T{text[17:25]}")
    if seconds is None or (seconds // 86_400 + 3) % 7 != _WEEKDAYS.index(text[:3]):
        return None
    return float(seconds)


def parse_rfc3339(text: str) -> float | None:
    """Seconds since the epoch of a timestamp such as `2026-11-23T14:01:18.123456Z`, or None where it is none."""
    nanoseconds = parse_rfc3339_nanoseconds(text)
    return None if nanoseconds is None else nanoseconds / NANOSECONDS


def parse_rfc3339_nanoseconds(text: str) -> int | None:
    """As `parse_rfc3339`, in nanoseconds and exact. At most nine digits of a fraction; `Z` or an offset."""
    seconds = parse_second(text[:19])
    if seconds is None:
        return None
    zone = text[19:]
    if zone == "Z":
        return seconds * NANOSECONDS
    fraction = 0
    if zone.startswith("."):
        digits = zone[1:].split("Z")[0].split("+")[0].split("-")[0]
        if not _is_number(digits) or len(digits) > 9:
            return None
        fraction = int(digits.ljust(9, "0"))
        zone = zone[1 + len(digits) :]
    offset = _zone_offset(zone)
    return None if offset is None else (seconds - offset) * NANOSECONDS + fraction


@lru_cache(maxsize=256)
def parse_second(text: str) -> int | None:
    """Seconds since the epoch of `YYYY-MM-DDThh:mm:ss` in UTC, or None. Remembered: what comes in bulk repeats it."""
    if len(text) != 19 or text[4] + text[7] + text[10] + text[13] + text[16] != "--T::":
        return None
    digits = text[:4] + text[5:7] + text[8:10] + text[11:13] + text[14:16] + text[17:]
    if not _is_number(digits):
        return None
    hour, minute, second = int(digits[8:10]), int(digits[10:12]), int(digits[12:])
    if hour > 23 or minute > 59 or second > 59:
        return None
    day = _parse_day(digits[:8])
    return None if day is None else day * 86_400 + hour * 3_600 + minute * 60 + second


@lru_cache(maxsize=32)
def _parse_day(digits: str) -> int | None:
    """Days since the epoch of `YYYYMMDD`. Remembered: a fleet's many times are of few days."""
    try:
        return dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).toordinal() - _EPOCH_DAY
    except ValueError:
        return None


def format_rfc3339(epoch: float) -> str:
    """`epoch` (seconds) in UTC: with six digits of a fraction (as a MicroTime has), or none where there is none.

    Raises: ValueError, OverflowError: what no year from 1 to 9999 holds.
    """
    moment = dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=round(epoch * 1_000_000))  # noqa: DTZ001 - UTC, unsaid
    return moment.isoformat() + "Z"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _zone_offset(zone: str) -> int | None:
    """Seconds that a zone is ahead of UTC."""
    if zone == "Z":
        return 0
    if len(zone) != 6 or zone[0] not in "+-" or zone[3] != ":" or not (_is_number(zone[1:3]) and _is_number(zone[4:])):
        return None
    hours, minutes = int(zone[1:3]), int(zone[4:])
    if hours > 23 or minutes > 59:
        return None
    return (hours * 3_600 + minutes * 60) * (1 if zone[0] == "+" else -1)
