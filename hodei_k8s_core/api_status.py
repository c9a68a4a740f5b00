"""What an API server says when it says no: its `Status`, and what that means.

The reason decides, not the code: a conflict and an existing name are both 409. Source of the reasons:
k8s.io/apimachinery, pkg/apis/meta/v1/types.go.
"""

from __future__ import annotations

import msgspec

from hodei_k8s_core.http import Headers, find_header

MESSAGE_LIMIT = 2048
"""Characters of a server's message that are kept; the rest is cut, visibly."""


class StatusCause(msgspec.Struct, frozen=True):
    """One fault of a request's body: `field` is a path such as `spec.containers[0].image`."""

    field: str = ""
    reason: str = ""
    message: str = ""


class Status(msgspec.Struct, frozen=True):
    """An unsuccessful reply. `retry_after`: seconds the server asks to wait, or None."""

    code: int
    reason: str = ""
    message: str = ""
    kind: str = ""
    name: str = ""
    causes: tuple[StatusCause, ...] = ()
    retry_after: float | None = None
    continue_token: str = ""

    @property
    def is_not_found(self) -> bool:
        """The API server says so; the 404 of a proxy in between, which is no Status, says nothing about a Pod."""
        return self.reason == "NotFound"

    @property
    def is_namespace_missing(self) -> bool:
        return self.is_not_found and self.kind == "namespaces"

    @property
    def is_gone(self) -> bool:
        """The object does not exist (any more)."""
        return self.is_not_found and not self.is_namespace_missing

    @property
    def is_expired(self) -> bool:
        """The version or continue token is too old: list again. 410 comes with either reason."""
        return self.code == 410 or self.reason in ("Expired", "Gone")

    @property
    def is_conflict(self) -> bool:
        """A precondition (uid, resourceVersion) did not hold.

        A uid in a merge patch is one too: where it does not fit, the server takes it for a change of an immutable field
        and answers 422.
        """
        return self.reason == "Conflict" or any(cause.field == "metadata.uid" for cause in self.causes)

    @property
    def is_already_exists(self) -> bool:
        return self.reason == "AlreadyExists"

    @property
    def is_throttled(self) -> bool:
        return self.code == 429

    @property
    def is_server_fault(self) -> bool:
        return self.code >= 500

    @property
    def is_unauthorized(self) -> bool:
        return self.code == 401

    @property
    def is_forbidden(self) -> bool:
        """Not permitted by RBAC (or another authorizer); not by a quota and not by admission."""
        return self.code == 403 and not self.is_quota_exceeded and not self.is_admission_denied

    @property
    def is_quota_exceeded(self) -> bool:
        """A ResourceQuota is used up: a 403 that only its message tells apart (k8s admission plugin resourcequota)."""
        return self.code == 403 and "exceeded quota" in self.message

    @property
    def is_admission_denied(self) -> bool:
        """A webhook, a policy, Pod Security, a LimitRange, a namespace that ends, the service account ... said no.

        An admission plugin's 403 differs from an authorizer's only in the text (k8s.io/apiserver, admission/errors.go
        and responsewriters/errors.go); webhooks and policies may answer with a code of their own.
        """
        if any(mark in self.message for mark in _ADMISSION_MARKS):
            return True
        _, is_refused, cause = self.message.partition(" is forbidden: ")
        return self.code == 403 and bool(is_refused) and not cause.startswith('User "') and not self.is_quota_exceeded

    @property
    def is_invalid(self) -> bool:
        """The object itself is wrong; `causes` name the fields, or the message those that the server does not know."""
        is_unknown_field = self.reason == "BadRequest" and "strict decoding error" in self.message
        return self.reason == "Invalid" or self.code == 422 or is_unknown_field

    @property
    def is_retryable(self) -> bool:
        """The same request may succeed later, by itself. What may have been done meanwhile is another question."""
        return self.is_throttled or self.is_server_fault

    def __str__(self) -> str:
        return f"{self.code} {self.reason or 'without reason'}: {self.message}"


_ADMISSION_MARKS = ("admission webhook ", "denied the request", "ValidatingAdmissionPolicy '")


class _Details(msgspec.Struct):
    name: str = ""
    kind: str = ""
    causes: list[StatusCause] | None = None
    retryAfterSeconds: float | None = None  # noqa: N815 - the wire's name


class _Meta(msgspec.Struct):
    continue_: str = msgspec.field(default="", name="continue")


class _StatusBody(msgspec.Struct):
    kind: str = ""
    reason: str | None = None
    message: str | None = None
    code: int = 0
    details: _Details | None = None
    metadata: _Meta | None = None


_decoder = msgspec.json.Decoder(_StatusBody)


def parse_status(data: bytes | msgspec.Raw, *, code: int = 0, headers: Headers = ()) -> Status:
    """The meaning of an unsuccessful reply, whatever its body is; never fails.

    `code` is the HTTP status (0 for a Status that arrives inside a stream: its own code counts then).
    """
    wait = _seconds(find_header(headers, "retry-after"))
    try:
        body = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        body = _StatusBody()
    if body.kind != "Status":
        return Status(code=code, message=_cut(_describe_foreign(bytes(data), headers)), retry_after=wait)
    details = body.details or _Details()
    if wait is None and details.retryAfterSeconds:
        wait = details.retryAfterSeconds
    return Status(
        code=code or body.code,
        reason=body.reason or "",
        message=_cut(body.message or ""),
        kind=details.kind,
        name=details.name,
        causes=tuple(details.causes or ()),
        retry_after=wait,
        continue_token=body.metadata.continue_ if body.metadata else "",
    )


def _seconds(text: str | None) -> float | None:
    """Retry-After as client-go reads it: whole seconds; a date is ignored."""
    return float(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None


def _cut(text: str) -> str:
    return text if len(text) <= MESSAGE_LIMIT else text[:MESSAGE_LIMIT] + "…"


def _describe_foreign(data: bytes, headers: Headers) -> str:
    """A body that is no Status: a proxy's page, a plain text (as from `/readyz`), nothing, or something cut off."""
    text = " ".join(data[: 4 * MESSAGE_LIMIT].decode("utf-8", "replace").split())
    if not text:
        return "the reply has no body"
    kind = (find_header(headers, "content-type") or "").split(";")[0].strip() or "unknown type"
    if text.startswith("<"):
        return f"the reply is a page ({kind}), not from Kubernetes; a proxy in between? It begins: {text[:200]}"
    if text.startswith(("{", "[")):
        return f"the reply is not a Kubernetes Status (cut off, or of another kind). It begins: {text[:200]}"
    return text
