"""How bad a line of a log says it is, by the conventions of common loggers; `INFO` where it says nothing.

In order: JSON with a level, logfmt, klog, then the first words of the line (after dates, brackets and a logger's name):
`ERROR: x`, `[warn] x`, `2026-01-02 10:00:00,123 - app - ERROR - x`, `10:00:00.123 [main] WARN c.f.Bar - x`.
"""

from __future__ import annotations

import enum
import re
from itertools import pairwise
from typing import Any, Final

import msgspec


class LogLevel(enum.Enum):
    """How bad a log line says it is."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"


_WORDS: Final = {
    LogLevel.DEBUG: "trace trc verbose debug dbg debu fine finer finest",
    LogLevel.INFO: "info inf information informational notice config",
    LogLevel.WARN: "warn warning wrn",
    LogLevel.ERROR: "error err eror fatal ftl critical crit severe alert emerg emergency panic dpanic",
}
LEVEL_OF_WORD: Final = {word: level for level, words in _WORDS.items() for word in words.split()}
"""What loggers call their levels, in lower case."""

_KLOG_LEVELS: Final = {"I": LogLevel.INFO, "W": LogLevel.WARN, "E": LogLevel.ERROR, "F": LogLevel.ERROR}
_KLOG: Final = re.compile(r"([IWEF])\d{4} \d\d:\d\d:\d\d\.\d")
_LOGFMT: Final = re.compile(r"""(?:^|\s)(?:level|lvl|severity)=["']?([A-Za-z]+)""")
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")

# Beginnings that no level stands in.
_ERROR_STARTS: Final = ("Traceback (most recent call last)", "Exception in thread ", "npm ERR!", "panic: ", "fatal: ")

_HEAD: Final = 300
"""Characters in which a level must stand; the rest of a line is its message."""
_HEAD_WORDS: Final = 8
_WRAPPING: Final = "[](){}<>|*-,;"


class _JsonLine(msgspec.Struct):
    level: Any = None
    severity: Any = None
    lvl: Any = None
    levelname: Any = None
    log_level: Any = msgspec.field(default=None, name="log.level")


_json_line = msgspec.json.Decoder(_JsonLine)


def detect_level(message: str) -> LogLevel:
    """How bad `message` (a line without its timestamp) says it is."""
    if message.startswith("{"):
        return _json_level(message) or LogLevel.INFO
    head = message[:_HEAD]
    if "\x1b" in head:
        head = _COLOUR.sub("", head)
    if "=" in head and (match := _LOGFMT.search(head)):
        return LEVEL_OF_WORD.get(match[1].lower(), LogLevel.INFO)
    if match := _KLOG.match(head):
        return _KLOG_LEVELS[match[1]]
    if head.startswith(_ERROR_STARTS):
        return LogLevel.ERROR
    return _level_of_first_words(head) or LogLevel.INFO


def _json_level(message: str) -> LogLevel | None:
    try:
        line = _json_line.decode(message)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    for value in (line.level, line.severity, line.lvl, line.levelname, line.log_level):
        if isinstance(value, str):
            return LEVEL_OF_WORD.get(value.lower())
        if isinstance(value, int):
            return _numbered_level(value)
    return None


def _numbered_level(number: int) -> LogLevel:
    """Bunyan's and pino's numbers: 20 debug, 30 info, 40 warn, 50 error."""
    if number >= 50:
        return LogLevel.ERROR
    if number >= 40:
        return LogLevel.WARN
    return LogLevel.INFO if number >= 30 else LogLevel.DEBUG


def _level_of_first_words(head: str) -> LogLevel | None:
    words = head.split(None, _HEAD_WORDS)[:_HEAD_WORDS]
    for word, following in pairwise([*words, ""]):
        if level := _level_of(word):
            return level
        if not _precedes_a_level(word, following):
            return None
    return None


def _level_of(word: str) -> LogLevel | None:
    """The level that a word is: in capitals, or in brackets or before a colon in any case, or an exception's name."""
    bare = word.strip(_WRAPPING)
    name, colon, _ = bare.partition(":")
    name = name.partition("[")[0]
    level = LEVEL_OF_WORD.get(name.lower())
    if level and (name.isupper() or colon or word[0] in "[<("):
        return level
    if colon and name.endswith(("Error", "Exception")):
        return LogLevel.ERROR
    return None


def _precedes_a_level(word: str, following: str) -> bool:
    """A date, a time, something in brackets, a separator, a place (`x.c:3:`), or a name that a dash follows."""
    return word[0] in "0123456789[(<|-" or word[-1] in ":]" or following in ("-", "|")
