"""One exchange under way: how far it got, by what httpcore's `trace` extension tells.

It is the only honest source of "was it sent?": a reused connection that the server closed meanwhile gives the same
exception as one that closed after it had read the request.
"""

from __future__ import annotations

import enum
import time
from typing import Any

import httpx

from hodei_k8s_core.http import Headers, Request
from hodei_k8s_transport.access.credential import Credential, Endpoint


class Phase(enum.Enum):
    """How far an exchange got. UNTRACED: the host's own client may not tell."""

    CREDENTIALS = "waiting for credentials"
    QUEUED = "waiting for a free connection"
    CONNECTING = "connecting"
    UNTRACED = "exchanging"
    SENT = "waiting for the reply"
    ANSWERED = "reading the reply"


class Exchange:
    """Follows one request; `sync_trace` or `async_trace` is the value of the request's `trace` extension.

    `deadline`: on `time.monotonic`, or None where something else bounds the exchange. `timeouts`: what httpcore reads
    at the start of each of its steps; each step gets what is left of the deadline.
    """

    def __init__(self, deadline: float | None = None) -> None:
        self.phase = Phase.CREDENTIALS
        self.connecting: Any = None
        self.timeouts: dict[str, float | None] = dict.fromkeys(("connect", "read", "write", "pool"))
        self._deadline = deadline
        self._untimed_body = False
        self._share_what_is_left()

    def leave_body_untimed(self) -> None:
        """The deadline is for the head of the reply alone."""
        self._untimed_body = True

    def sync_trace(self, event: str, info: dict[str, Any]) -> None:
        self._note(event, info)

    async def async_trace(self, event: str, info: dict[str, Any]) -> None:
        self._note(event, info)

    def _note(self, event: str, info: dict[str, Any]) -> None:
        _, _, step = event.partition(".")
        if step in ("connect_tcp.complete", "start_tls.complete"):
            self.connecting = info["return_value"]
        elif step == "send_request_headers.started" and info["request"].method != b"CONNECT":
            self._share_what_is_left()
            self.phase, self.connecting = Phase.SENT, None
        elif step == "receive_response_body.started" and self._untimed_body:
            self.timeouts["read"] = None
        elif step.endswith(".started"):
            self._share_what_is_left()

    def _share_what_is_left(self) -> None:
        if self._deadline is None:
            return
        left = self.left()
        if left <= 0:
            raise TimeoutError
        self.timeouts.update(dict.fromkeys(self.timeouts, left))

    def left(self) -> float:
        """Seconds until the deadline."""
        return float("inf") if self._deadline is None else self._deadline - time.monotonic()

    def check_deadline(self) -> None:
        """Raises: TimeoutError: it is over."""
        if self.left() <= 0:
            raise TimeoutError


def request_headers(endpoint: Endpoint, credential: Credential, request: Request, coding: str) -> list[tuple[bytes, bytes]]:
    """All header fields of a request but those that HTTP itself needs."""
    fields = (*endpoint.headers, *credential.headers, *request.headers, ("accept-encoding", coding))
    return [(name.encode(), value.encode()) for name, value in fields]


def request_extensions(endpoint: Endpoint, exchange: Exchange, trace: Any) -> dict[str, Any]:
    """What httpcore is told about one request."""
    extensions: dict[str, Any] = {"timeout": exchange.timeouts, "trace": trace}
    if endpoint.server_name is not None:
        extensions["sni_hostname"] = endpoint.server_name
    return extensions


def reply_headers(response: httpx.Response) -> Headers:
    return tuple((name.lower(), value) for name, value in response.headers.multi_items())


def declared_length(headers: Headers) -> int:
    """The bytes that the reply says it has, or 0 when it does not say."""
    declared = next((value for name, value in headers if name == "content-length"), "0")
    return int(declared) if declared.isascii() and declared.isdigit() else 0
