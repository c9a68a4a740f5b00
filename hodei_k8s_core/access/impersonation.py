"""Acting as someone else: `as`, `as-uid`, `as-groups` and `as-user-extra` as headers.

Source: k8s.io/client-go, transport/round_trippers.go (`impersonatingRoundTripper`, `headerKeyEscape`).
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping

from hodei_k8s_core.http import Headers

_TOKEN_BYTES = frozenset((string.ascii_letters + string.digits + "!#$&'*+-.^_`|~").encode())


def impersonation_headers(
    user: str, uid: str = "", groups: Iterable[str] = (), extra: Mapping[str, Iterable[str]] | None = None
) -> Headers:
    """The headers that every request carries; none without a user."""
    if not user:
        return ()
    return (
        ("impersonate-user", user),
        *([("impersonate-uid", uid)] if uid else []),
        *(("impersonate-group", group) for group in groups),
        *((f"impersonate-extra-{_escape(key)}", value) for key, values in (extra or {}).items() for value in values),
    )


def _escape(key: str) -> str:
    """Bytes that are no header token, and `%`, are percent-encoded; the server lowers the case of the rest anyway."""
    return "".join(chr(byte) if byte in _TOKEN_BYTES else f"%{byte:02X}" for byte in key.encode()).lower()
