"""The `Status` bodies of an API server that says no, worded as Kubernetes 1.36 words them."""

from __future__ import annotations

from hodei_k8s_core.http import Response
from hodei_k8s_core.simulation.resources import RESOURCES
from hodei_k8s_core.simulation.wire import Json, json_response


class Refused(Exception):
    """A request that ends with `status`, a Kubernetes Status object."""

    def __init__(self, status: Json) -> None:
        super().__init__(status["message"])
        self.status = status

    @property
    def response(self) -> Response:
        reply = json_response(self.status["code"], self.status)
        wait = self.status.get("details", {}).get("retryAfterSeconds")
        if wait is None:
            return reply
        return Response(reply.status, (*reply.headers, ("retry-after", str(wait))), reply.body)


def failure(code: int, reason: str, message: str, details: Json | None = None) -> Json:
    """A Status of any kind."""
    body: Json = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
    if reason:
        body["reason"] = reason
    if details is not None:
        body["details"] = details
    return {**body, "code": code}


def bad_request(message: str) -> Refused:
    return Refused(failure(400, "BadRequest", message))


def not_found(resource: str, name: str) -> Refused:
    message = f'{RESOURCES[resource].qualified} "{name}" not found'
    return Refused(failure(404, "NotFound", message, _details(resource, name)))


def already_exists(resource: str, name: str, *, prefix: str = "") -> Refused:
    """`prefix` tells of an object that is still being deleted."""
    message = f'{prefix}{RESOURCES[resource].qualified} "{name}" already exists'
    return Refused(failure(409, "AlreadyExists", message, _details(resource, name)))


def precondition_failed(resource: str, name: str, fact: str) -> Refused:
    """A DELETE whose uid or resourceVersion is not the object's. (Its kind is `Pod`, not `pods`.)"""
    kind = RESOURCES[resource]
    message = f'Operation cannot be fulfilled on {kind.qualified_kind} "{name}": {fact}'
    return Refused(failure(409, "Conflict", message, {"name": name, **kind.details, "kind": kind.kind}))


def modified_meanwhile(resource: str, name: str) -> Refused:
    """A change that names a resourceVersion which is no longer current."""
    message = (
        f'Operation cannot be fulfilled on {RESOURCES[resource].qualified} "{name}": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    return Refused(failure(409, "Conflict", message, _details(resource, name)))


def _details(resource: str, name: str) -> Json:
    return {"name": name, **RESOURCES[resource].details, "kind": resource}


def not_admitted(resource: str, name: str, why: str, causes: list[Json] | None = None) -> Refused:
    """403 of admission: a quota, a LimitRange, a namespace that goes, an account that is not there."""
    details = _details(resource, name) | ({} if causes is None else {"causes": causes})
    message = f'{RESOURCES[resource].qualified} "{name}" is forbidden: {why}'
    return Refused(failure(403, "Forbidden", message, details))


def invalid(kind: str, name: str, faults: list[tuple[str, str, str]], group: str = "") -> Refused:
    """422; each fault is (field, reason of the cause, message)."""
    told = list(dict.fromkeys(f"{field}: {message}" for field, _, message in faults))
    details: Json = {"name": name} if name else {}
    details |= {"group": group, "kind": kind} if group else {"kind": kind}
    details["causes"] = [{"reason": reason, "message": message, "field": field} for field, reason, message in faults]
    text = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
    qualified = f"{kind}.{group}" if group else kind
    return Refused(failure(422, "Invalid", f'{qualified} "{name}" is invalid: {text}', details))


def forbidden(user: str, verb: str, resource: str, namespace: str, name: str) -> Refused:
    """RBAC's refusal; `resource` may hold a subresource, as in `pods/log`."""
    plain = resource.split("/")[0]
    group = RESOURCES[plain].group if plain in RESOURCES else ""
    subject = f'{plain} "{name}"' if name else plain
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    message = (
        f'{subject} is forbidden: User "{user}" cannot {verb} resource "{resource}" in API group "{group}" {where}'
    )
    details = {"name": name, "kind": plain} if name else {"kind": plain}
    return Refused(failure(403, "Forbidden", message, details))


def too_old(version: int, oldest: int) -> Json:
    """The Status of a watch from a version that is no longer known; it comes as 410 or inside a 200 stream."""
    return failure(410, "Expired", f"too old resource version: {version} ({oldest})")


def continue_expired(token: str) -> Refused:
    """410 to a later page of a list; `token` continues at whatever is current now."""
    status = failure(
        410,
        "Expired",
        "The provided continue parameter is too old to display a consistent list result. You can start a new list "
        "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
        "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
        "modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    )
    status["metadata"] = {"continue": token}
    return Refused(status)


def too_new(version: int, current: int) -> Refused:
    """A list at a version that the server has not reached."""
    details = {
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1,
    }
    message = f"Timeout: Too large resource version: {version}, current: {current}"
    return Refused(failure(504, "Timeout", message, details))


def unsupported_media_type(message: str = "415: Unsupported Media Type") -> Refused:
    return Refused(failure(415, "UnsupportedMediaType", message, {}))


def unknown_resource() -> Refused:
    return Refused(failure(404, "NotFound", "the server could not find the requested resource", {}))


def method_not_allowed() -> Refused:
    message = "the server does not allow this method on the requested resource"
    return Refused(failure(405, "MethodNotAllowed", message, {}))
