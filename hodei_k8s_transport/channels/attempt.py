"""One request under way: how far it got, by what httpcore's `trace` extension tells.

It is the only honest source of "was it sent?": a reused connection that the server closed meanwhile gives the same
exception as one that closed after it had read the request.
"""

from __future__ import annotations

import time
from typing import Any

import httpx

from hodei_k8s_core.http import Headers, Request
from hodei_k8s_transport.access.credential import Credential, Endpoint
from hodei_k8s_transport.channels.phase import Phase


class Attempt:
    """Follows one request (and its repetition after a 401); `sync_trace` or `async_trace` is its `trace` extension.

    `deadline`: on `time.monotonic`, or None where something else bounds the request. `timeouts`: what httpcore reads
    at the start of each of its steps; each step gets what is left. `connecting`: a connection that no pool owns yet.
    """

    def __init__(self, deadline: float | None = None) -> None:
        self.phase = Phase.CREDENTIALS
        self.connecting: Any = None
        self.timeouts: dict[str, float | None] = dict.fromkeys(("connect", "read", "write", "pool"))
        self._deadline = deadline
        self._untimed_body = False

    def leave_body_untimed(self) -> None:
        """The deadline is for the head of the reply alone."""
        self._untimed_body = True

    def restart(self, phase: Phase) -> None:
        """A request goes out (again)."""
        self.phase = phase
        self.connecting = None
        self._share_what_is_left()

    def left(self) -> float:
        """Seconds until the deadline."""
        return float("inf") if self._deadline is None else self._deadline - time.monotonic()

    def check_deadline(self) -> None:
        """Raises: TimeoutError: it is over."""
        if self.left() <= 0:
            raise TimeoutError

    def sync_trace(self, event: str, info: dict[str, Any]) -> None:
        self._note(event, info)

    async def async_trace(self, event: str, info: dict[str, Any]) -> None:
        self._note(event, info)

    def _note(self, event: str, info: dict[str, Any]) -> None:
        _, _, step = event.partition(".")
        if step == "connect_tcp.started":
            self.phase = Phase.CONNECTING
        elif step in ("connect_tcp.complete", "start_tls.complete"):
            self.connecting = info["return_value"]
        elif step == "send_request_headers.started":
            self._share_what_is_left()
            # A tunnel through a proxy is asked for with a request of its own.
            if info["request"].method != b"CONNECT":
                self.phase, self.connecting = Phase.SENT, None
        elif step == "receive_response_headers.started":
            self._share_what_is_left()
        elif step == "receive_response_body.started" and self._untimed_body:
            self.timeouts["read"] = None

    def _share_what_is_left(self) -> None:
        if self._deadline is not None:
            self.check_deadline()
            self.timeouts.update(dict.fromkeys(self.timeouts, self.left()))


def request_headers(
    endpoint: Endpoint, credential: Credential, request: Request, *, coding: str
) -> list[tuple[bytes, bytes]]:
    """All header fields of a request but those that HTTP itself needs."""
    fields = (*endpoint.headers, *credential.headers, *request.headers, ("accept-encoding", coding))
    return [(name.encode(), value.encode()) for name, value in fields]


def request_extensions(endpoint: Endpoint, attempt: Attempt, trace: Any) -> dict[str, Any]:
    """What httpcore is told about one request."""
    extensions: dict[str, Any] = {"timeout": attempt.timeouts, "trace": trace}
    if endpoint.server_name is not None:
        extensions["sni_hostname"] = endpoint.server_name
    return extensions


def reply_headers(response: httpx.Response) -> Headers:
    return tuple((name.lower(), value) for name, value in response.headers.multi_items())
