"""The Leases of an API server: made once, and written anew only by who has read the last version."""

from __future__ import annotations

from typing import Any

import msgspec

from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.simulation.statuses import failure
from hodei_k8s_core.simulation.wire import encode

GROUP = "/apis/coordination.k8s.io/"


class Leases:
    """`items`: by their path."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.writes: list[dict[str, Any]] = []
        self._version = 0

    def is_theirs(self, request: Request) -> bool:
        return request.path.startswith(GROUP)

    def handle(self, request: Request) -> Response:
        sent = msgspec.json.decode(request.body) if request.body else {}
        path = request.path if request.method != "POST" else f"{request.path}/{sent['metadata']['name']}"
        there = self.items.get(path)
        if request.method == "POST":
            return _refused(409, "AlreadyExists") if there is not None else self._store(path, sent)
        if there is None:
            return _refused(404, "NotFound")
        if request.method == "GET":
            return Response(200, (), msgspec.json.encode(there))
        if sent["metadata"]["resourceVersion"] != there["metadata"]["resourceVersion"]:
            return _refused(409, "Conflict")
        return self._store(path, sent)

    @property
    def holders(self) -> list[str]:
        return [one["spec"]["holderIdentity"] for one in self.items.values()]

    def _store(self, path: str, sent: dict[str, Any]) -> Response:
        self._version += 1
        sent["metadata"]["resourceVersion"] = str(self._version)
        self.items[path] = sent
        self.writes.append(sent["spec"])
        return Response(200, (), msgspec.json.encode(sent))


def _refused(code: int, reason: str) -> Response:
    return Response(code, (), encode(failure(code, reason, reason)))
