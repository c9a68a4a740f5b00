"""When a bearer token expires, by what it says itself: a service account's is a JWT (RFC 7519, 4.1.4). Nothing is
verified, since only the server can; and a token of another kind says nothing."""

from __future__ import annotations

import base64
import binascii

import msgspec


class _Claims(msgspec.Struct):
    exp: float | None = None


def expiry_in_token(token: str) -> float | None:
    """Seconds since the epoch; None where the token does not say."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        return msgspec.json.decode(payload, type=_Claims).exp
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        return None
