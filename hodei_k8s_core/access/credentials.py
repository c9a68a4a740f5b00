"""Decisions about credentials that live: must a file be read again, must a plugin run, is it a new generation?

Times are seconds since the epoch, since that is what a plugin's `expirationTimestamp` is told in.
Source: k8s.io/client-go, transport/token_source.go; plugin/pkg/client/auth/exec/exec.go (`credsExpired`).
"""

from __future__ import annotations

import base64
from typing import Final

import msgspec

from hodei_k8s_core.access.cluster_access import BasicAuth
from hodei_k8s_core.http import Headers
from hodei_k8s_core.secret import Secret

READ_INTERVAL: Final = 50.0
"""Seconds between two looks at a file that rotates: client-go's minute less its leeway of ten seconds."""


class Holding(msgspec.Struct, frozen=True):
    """What is at hand, in its `generation` (0 is nothing yet).

    `read_at`: when the files were read, or None. `answered`: a plugin has; `expires_at`: when its answer ends, or None
    for never.
    """

    generation: int = 0
    read_at: float | None = None
    answered: bool = False
    expires_at: float | None = None


def must_read(holding: Holding, now: float) -> bool:
    """The files are due. A clock that was set back makes them due as well."""
    return holding.read_at is None or not holding.read_at <= now < holding.read_at + READ_INTERVAL


def must_run(holding: Holding, now: float) -> bool:
    """The plugin's answer has expired, or there is none."""
    return not holding.answered or (holding.expires_at is not None and now > holding.expires_at)


def after_reading(holding: Holding, now: float, *, changed: bool) -> Holding:
    """The files were read: a new generation only where they say something new."""
    generation = holding.generation + (changed or holding.generation == 0)
    return msgspec.structs.replace(holding, generation=generation, read_at=now)


def after_running(holding: Holding, expires_at: float | None) -> Holding:
    """The plugin has answered: a new generation even for the same answer, so that one 401 costs one run."""
    return Holding(holding.generation + 1, holding.read_at, answered=True, expires_at=expires_at)


def token_in_file(text: str) -> Secret | None:
    """The token, without the white space around it; None when there is none that a header can carry."""
    token = text.strip()
    return Secret(token) if token and is_header_text(token) else None


def is_header_text(text: str) -> bool:
    """It can be sent as the credential of an authorization header."""
    return text.isascii() and text.isprintable()


def bearer_headers(token: Secret | None) -> Headers:
    """The `authorization` header of a token; none without one."""
    return (("authorization", f"Bearer {token.reveal()}"),) if token else ()


def basic_headers(basic: BasicAuth) -> Headers:
    """The `authorization` header of a name and password (RFC 7617)."""
    pair = f"{basic.username}:{basic.password.reveal()}".encode()
    return (("authorization", f"Basic {base64.b64encode(pair).decode()}"),)
