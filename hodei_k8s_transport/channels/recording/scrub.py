"""Keeps tokens and secrets out of a recording. See `Scrubber`; what counts as a secret is in `scrub_text` and
`scrub_json`, and how a secret that its owner names can be written is in `scrub_forms`.

Masking keeps every length: a secret of 20 bytes becomes 20 asterisks (nines inside a number). So every offset stays
what it was, chunk boundaries and `content-length` mean what they meant, and JSON stays JSON of the same shape. What it
costs is that a recording tells how long a secret was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.http import Headers, Request, find_header
from hodei_k8s_core.secret import Secret
from hodei_k8s_transport.channels.recording.scrub_forms import SHORTEST_SECRET, forms_of, occurrences
from hodei_k8s_transport.channels.recording.scrub_json import Findings, find_in_json
from hodei_k8s_transport.channels.recording.scrub_text import (
    Span,
    is_secret_header,
    is_secret_variable,
    mask,
    telling_spans,
)

SHORTEST_LEARNED: Final = 8
"""Bytes. A shorter value of a secret variable is masked where it stands, but not wherever else it occurs."""

_NOT_LINE_END: Final = re.compile(rb"[^\r\n]")
_SECRETS_PATH: Final = re.compile(r"/api/v1/(?:.*/)?secrets(?:/|$)")


class Scrubber:
    """Masks what is secret in requests and replies.

    `secrets` are masked wherever they occur, in every form of `forms_of`. The values of secret environment variables in
    requests are learned, and from then on masked wherever they occur too (a worker may print its OTP). Not safe to
    share by threads without a lock.

    Raises:
        ConfigurationError: a secret is shorter than `SHORTEST_SECRET` bytes, too short to be masked everywhere.
    """

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        texts = [secret.reveal() for secret in secrets]
        faults = [
            Fault(f"secrets[{index}]", f"must have at least {SHORTEST_SECRET} bytes to be masked wherever it occurs")
            for index, text in enumerate(texts)
            if len(text.encode()) < SHORTEST_SECRET
        ]
        if faults:
            raise ConfigurationError("these secrets cannot be scrubbed from a recording", faults)
        self._forms: frozenset[bytes] = frozenset().union(*map(forms_of, texts))

    @property
    def longest_lines(self) -> int:
        """Bytes of the longest known secret that has several lines: it can begin that far before a line's end."""
        return max((len(form) for form in self._forms if b"\n" in form), default=0)

    def known(self, data: bytes) -> list[Span]:
        """Where a known secret occurs."""
        return [Span(start, end) for start, end in occurrences(data, self._forms)]

    def in_text(self, data: bytes) -> list[Span]:
        """Where a known secret occurs, or the surroundings tell of one."""
        return [*self.known(data), *telling_spans(data)]

    def request(self, request: Request) -> Request:
        """The request as it may be shown; learns the values of its secret environment variables."""
        kind = kind_of(request)
        findings = self._find(request.body, kind)
        if findings is not None:
            self._learn(findings, request)
        return Request(
            method=request.method,
            path=self.text(request.path),
            query=tuple((name, self._value(name, value)) for name, value in request.query),
            headers=self.headers(request.headers),
            body=self.body(request.body, find_header(request.headers, "content-type") or "", kind),
        )

    def headers(self, headers: Headers) -> Headers:
        """The headers as they may be shown."""
        return tuple(
            (name, _all_masked(value) if is_secret_header(name) else self.text(value)) for name, value in headers
        )

    def text(self, text: str) -> str:
        """A short text (a path, a failure's detail) as it may be shown."""
        data = text.encode("utf-8", "surrogatepass")
        return mask(data, self.in_text(data)).decode("utf-8", "replace")

    def body(self, data: bytes, content_type: str, kind: str = "") -> bytes:
        """A whole body, or one line of a stream of JSON documents. `kind`: of the object, where it may not say it.

        What claims or seems to be JSON and is not (it was cut off) is masked but for its first byte, which tells what
        it was: no rule can say what is secret in there.
        """
        findings = self._find(data, kind)
        if findings is not None:
            return mask(data, findings.spans)
        start = len(data) - len(data.lstrip())
        if is_json(content_type) or (not content_type and data[start : start + 1] in (b"{", b"[")):
            return data[: start + 1] + _NOT_LINE_END.sub(b"*", data[start + 1 :])
        return mask(data, self.in_text(data))

    def _find(self, data: bytes, kind: str) -> Findings | None:
        try:
            return find_in_json(data, self, kind=kind)
        except RecursionError:
            return None

    def _value(self, name: str, value: str) -> str:
        return _all_masked(value) if is_secret_variable(name) else self.text(value)

    def _learn(self, findings: Findings, request: Request) -> None:
        """A value that the request shows elsewhere too (the namespace, the Pod's name) is not a secret."""
        shown = mask(request.body, findings.spans) + request.target.encode()
        values = {value.decode("utf-8", "replace") for value in findings.values if len(value) >= SHORTEST_LEARNED}
        learned = frozenset().union(
            *(forms_of(value) for value in values if value.encode() not in shown and value.strip("*"))
        )
        if learned - self._forms:
            self._forms |= learned


def is_json(content_type: str) -> bool:
    """Of one JSON document, of a stream of them, or of a patch."""
    return content_type.split(";")[0].strip().lower().endswith(("/json", "+json"))


def kind_of(request: Request) -> str:
    """The kind of what a request is about, as far as its path tells and the scrubber needs it."""
    return "Secret" if _SECRETS_PATH.search(request.path) else ""


def one_asterisk(request: Request) -> Request:
    """Secrets differ from run to run in their length too: every mask becomes one asterisk."""
    shorten = re.compile(r"\*+").sub
    return msgspec.structs.replace(
        request,
        path=shorten("*", request.path),
        query=tuple((name, shorten("*", value)) for name, value in request.query),
        headers=tuple((name, shorten("*", value)) for name, value in request.headers),
        body=re.sub(rb"\*+", b"*", request.body),
    )


def _all_masked(text: str) -> str:
    return "*" * len(text.encode("utf-8", "surrogatepass"))
