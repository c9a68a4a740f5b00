"""Get, list and watch: the same for every resource."""

from __future__ import annotations

import base64
import binascii

import msgspec

from hodei_k8s_core.http import Headers, Request, Response
from hodei_k8s_core.simulation.resources import RESOURCES
from hodei_k8s_core.simulation.route import Route, integer, is_true
from hodei_k8s_core.simulation.selectors import selector_of
from hodei_k8s_core.simulation.statuses import (
    Refused,
    bad_request,
    continue_expired,
    failure,
    not_found,
    too_new,
    too_old,
)
from hodei_k8s_core.simulation.store import Store
from hodei_k8s_core.simulation.table import Tables, wants_table
from hodei_k8s_core.simulation.watch import DEFAULT_LIFE, Watch
from hodei_k8s_core.simulation.wire import Json, ServerClock, json_response

_JSON: Headers = (("content-type", "application/json"),)
_CURRENT = -1
"""The version in a token that continues at whatever is current."""


class ContinueToken(msgspec.Struct):
    """Where a list goes on; opaque to a client."""

    rv: int
    start: str
    v: str = "meta.k8s.io/v1"

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")


class Collections:
    """Reads of the store. `expiry_as_http`: a watch from a lost version is a 410, not an ERROR event inside a 200."""

    def __init__(self, store: Store, clock: ServerClock) -> None:
        self._store = store
        self._tables = Tables(clock)
        self.expiry_as_http = False

    def get(self, request: Request, route: Route, now: float) -> Response:
        item = self._store.find(route.resource, route.namespace or "", route.name)
        if item is None:
            raise not_found(route.resource, route.name)
        if wants_table(request):
            return json_response(200, self._tables.table(route.resource, [item], {}, now))
        return json_response(200, RESOURCES[route.resource].typed(item))

    def list(self, request: Request, route: Route, now: float) -> Response:
        selector = selector_of(request, route)
        token = self._token(request)
        version = self._store.version if token is None or token.rv == _CURRENT else token.rv
        items = [
            item
            for item in self._store.list_at(version, route.resource, route.namespace)
            if selector.matches(item) and (token is None or _place(item) > token.start)
        ]
        limit = integer(request, "limit") or len(items)
        meta: Json = {"resourceVersion": str(version)}
        if len(items) > limit:
            meta["continue"] = str(ContinueToken(version, _place(items[limit - 1])))
            if selector.is_everything:
                meta["remainingItemCount"] = len(items) - limit
        if wants_table(request):
            return json_response(200, self._tables.table(route.resource, items[:limit], meta, now))
        kind = RESOURCES[route.resource]
        head = {"kind": f"{kind.kind}List", "apiVersion": kind.api_version}
        return json_response(200, {**head, "metadata": meta, "items": items[:limit]})

    def watch(self, request: Request, route: Route, now: float) -> Watch | Response:
        text = request.parameter("resourceVersion") or "0"
        if not text.isdigit():
            told = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
            raise Refused(failure(500, "", told))
        version = int(text)
        if 0 < version < self._store.oldest and self.expiry_as_http:
            raise Refused(too_old(version, self._store.oldest))
        stream = Watch(
            self._store,
            route.resource,
            route.namespace,
            selector_of(request, route),
            _JSON,
            opened=now,
            life=float(integer(request, "timeoutSeconds") or DEFAULT_LIFE),
            bookmarks=is_true(request.parameter("allowWatchBookmarks")),
            shown=self._tables.watched(route.resource) if wants_table(request) else _as_it_is,
        )
        if version:
            stream.start_at(version)
        else:
            stream.start_with_everything()
        return stream

    def _token(self, request: Request) -> ContinueToken | None:
        """The request's place in a list. Raises: Refused when its version, or `resourceVersion`, cannot be served."""
        wanted = integer(request, "resourceVersion") or 0
        if wanted > self._store.version:
            raise too_new(wanted, self._store.version)
        text = request.parameter("continue")
        if not text:
            return None
        try:
            token = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=ContinueToken)
        except (binascii.Error, msgspec.MsgspecError, ValueError) as error:
            raise bad_request(f"invalid continue token: continue key is not valid: {error}") from error
        if token.rv != _CURRENT and token.rv < self._store.oldest:
            raise continue_expired(str(ContinueToken(_CURRENT, token.start)))
        return token


def _as_it_is(_kind: str, item: Json, _now: float) -> Json:
    return item


def _place(item: Json) -> str:
    """Where an item stands in the order of a list."""
    meta = item["metadata"]
    return f"{meta.get('namespace', '')}/{meta['name']}"
