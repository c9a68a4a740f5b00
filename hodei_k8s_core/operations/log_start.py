"""From where a log is read: a cursor, a time, the last so many lines, or the beginning."""

from __future__ import annotations

import msgspec

from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.logs.cursor import LogCursor, parse_cursor
from hodei_k8s_core.server_time import NANOSECONDS


class LogStart(msgspec.Struct, frozen=True):
    """`since`: nanoseconds since the epoch, before which nothing is given, or None."""

    cursor: LogCursor = LogCursor()
    since: int | None = None
    tail: int | None = None


def log_start(since: str | int | None, tail: int | None) -> LogStart:
    """What a caller asks for: `since` is a cursor (text) or a time (nanoseconds since the epoch).

    Raises: ConfigurationError for what is no cursor, for a cursor with a tail, and for a negative number.
    """
    faults = [
        Fault(name, "must not be negative")
        for name, number in (("since", since), ("tail", tail))
        if isinstance(number, int) and number < 0
    ]
    if isinstance(since, str) and tail is not None:
        faults.append(Fault("tail", "has no meaning together with a cursor"))
    if faults:
        raise ConfigurationError("the log cannot be read from there", faults)
    if isinstance(since, str):
        return LogStart(parse_cursor(since))
    if since is None:
        return LogStart(tail=tail)
    return LogStart(LogCursor(anchor=since // NANOSECONDS), since, tail)
