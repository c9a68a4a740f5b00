"""Events about a Pod: JSON -> typed values, from either of the two API groups that have them.

Both are views of the same stored object. `v1` says involvedObject, message, count, firstTimestamp; `events.k8s.io/v1`
says regarding, note, deprecatedCount, deprecatedFirstTimestamp. Newer reporters fill only eventTime and series.
"""

from __future__ import annotations

from typing import Final

import msgspec

from hodei_k8s_core.kubernetes_json import Integer, ListMeta, decode_object, refuse_kind
from hodei_k8s_core.server_time import parse_rfc3339


class ObjectReference(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The object that an event is about. `field_path`: the part of it, such as `spec.containers{worker}`, or ""."""

    kind: str = ""
    name: str = ""
    uid: str = ""
    field_path: str = ""


class EventSeries(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """How often, and when last, something happened that goes on happening."""

    count: Integer = 0
    last_observed_time: str | None = None


class Event(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Something that happened to an object. `type` is `Normal` or `Warning`; `count`: how often; times as written."""

    involved_object: ObjectReference
    type: str = ""
    reason: str = ""
    message: str = ""
    component: str = ""
    count: Integer = 1
    first_timestamp: str | None = None
    last_timestamp: str | None = None
    event_time: str | None = None
    series: EventSeries | None = None

    @property
    def first_seen(self) -> float | None:
        """Seconds since the epoch, by the reporter's clock."""
        return _first_epoch(self.first_timestamp, self.event_time)

    @property
    def last_seen(self) -> float | None:
        """Seconds since the epoch, by the reporter's clock."""
        observed = self.series.last_observed_time if self.series is not None else None
        return _first_epoch(observed, self.last_timestamp, self.event_time, self.first_timestamp)


class EventList(msgspec.Struct, frozen=True):
    """One page of events, in the server's order. `continue_token` "" says that it is the last."""

    items: tuple[Event, ...]
    resource_version: str = ""
    continue_token: str = ""


class _Source(msgspec.Struct, frozen=True, gc=False):
    component: str = ""


class _Item(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    involved_object: ObjectReference | None = None
    regarding: ObjectReference = ObjectReference()
    type: str = ""
    reason: str = ""
    message: str = ""
    note: str = ""
    reporting_component: str = ""
    reporting_controller: str = ""
    source: _Source = _Source()
    deprecated_source: _Source = _Source()
    count: Integer = 0
    deprecated_count: Integer = 0
    first_timestamp: str | None = None
    deprecated_first_timestamp: str | None = None
    last_timestamp: str | None = None
    deprecated_last_timestamp: str | None = None
    event_time: str | None = None
    series: EventSeries | None = None

    def to_event(self) -> Event:
        reporter = self.reporting_component or self.reporting_controller
        return Event(
            involved_object=self.involved_object or self.regarding,
            type=self.type,
            reason=self.reason,
            message=self.message or self.note,
            component=reporter or self.source.component or self.deprecated_source.component,
            count=max(1, self.count, self.deprecated_count, self.series.count if self.series is not None else 0),
            first_timestamp=self.first_timestamp or self.deprecated_first_timestamp,
            last_timestamp=self.last_timestamp or self.deprecated_last_timestamp,
            event_time=self.event_time,
            series=self.series,
        )


class _Body(msgspec.Struct, frozen=True, gc=False):
    kind: str = ""
    metadata: ListMeta = ListMeta()
    items: tuple[_Item, ...] | None = None


_KINDS: Final = ("EventList", "List")
_DECODER: Final = msgspec.json.Decoder(_Body)


def parse_event_list(data: bytes | msgspec.Raw) -> EventList:
    """The events that a reply holds.

    Raises: Internal for what is no list of events, with the path of the fault and nothing of the content.
    """
    body = decode_object(_DECODER, data, _KINDS)
    if body.kind not in _KINDS and (body.kind or body.items is None):
        raise refuse_kind(body.kind, _KINDS)
    items = tuple(item.to_event() for item in body.items or ())
    return EventList(items, body.metadata.resource_version, body.metadata.continue_token)


def _first_epoch(*texts: str | None) -> float | None:
    return next((seconds for text in texts if text and (seconds := parse_rfc3339(text)) is not None), None)
