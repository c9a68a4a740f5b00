"""What goes to an API server and what comes back, as frozen values that do no I/O.

A `Request` names a path below the server's own prefix; scheme, host and credentials are the channel's. Bodies may hold
secrets (the environment of a Pod), so no `repr` here shows one.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

import msgspec

Headers = tuple[tuple[str, str], ...]
"""Header fields in order; names in lower case."""


def find_header(headers: Headers, name: str) -> str | None:
    """The first value of the field `name` (lower case), or None."""
    for key, value in headers:
        if key == name:
            return value
    return None


class Request(msgspec.Struct, frozen=True):
    """One HTTP request.

    `path` is absolute and already percent-encoded; `query` holds decoded pairs in order; `headers` adds to what the
    channel sends by itself (host, credentials, `accept-encoding`).
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Headers = ()
    body: bytes = b""

    @property
    def target(self) -> str:
        """Path and query, ready for the request line."""
        return f"{self.path}?{urlencode(self.query, quote_via=quote)}" if self.query else self.path

    def parameter(self, name: str) -> str | None:
        """The first value of the query parameter `name`, or None."""
        return next((value for key, value in self.query if key == name), None)

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.target} ({len(self.body)} bytes)>"


class Response(msgspec.Struct, frozen=True):
    """One whole reply; its body is decoded (no content coding is left)."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def header(self, name: str) -> str | None:
        """The first value of the field `name` (lower case), or None."""
        return find_header(self.headers, name)

    def __repr__(self) -> str:
        return f"<Response {self.status} ({len(self.body)} bytes)>"


class Body(msgspec.Struct, frozen=True):
    """The head of a reply whose body is still arriving; `key` is how its driver finds it again."""

    status: int
    headers: Headers = ()
    key: int = 0

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300
