"""Where a worker finds its server: `host:port`, or a URL."""

from __future__ import annotations

import re
from typing import Final

_ADDRESS: Final = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]*://)?"  # scheme
    r"(?:\[[0-9A-Za-z:.%]+\]|[^\s\[\]:/@?#]+)"  # host; brackets around IPv6
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?:[/?#][^\s]*)?"
)


def server_address_problem(text: str) -> str | None:
    """Empty means that none is given. The host is not judged further: what resolves is the worker's own affair."""
    if not text:
        return None
    match = _ADDRESS.fullmatch(text)
    if match is None or not text.isprintable():
        return "must be host:port or a URL, without white space and without a user's name"
    if match["port"] is not None and not 1 <= int(match["port"]) <= 65535:
        return f"the port must be from 1 to 65535, not {match['port']}"
    return None
