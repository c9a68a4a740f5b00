"""A line of a watch on Pods -> what changed, in one pass over the bytes: the `type` chooses the struct."""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from hodei_k8s_core.api_status import Status, parse_status
from hodei_k8s_core.errors import Internal
from hodei_k8s_core.kubernetes_json import decode_object, refuse_kind
from hodei_k8s_core.pod import Pod


class _PodChange(msgspec.Struct, frozen=True, gc=False, tag_field="type"):
    pod: Pod = msgspec.field(name="object")

    @property
    def version(self) -> str:
        """The resource version from which a watch goes on after this event."""
        return self.pod.metadata.resource_version


class Added(_PodChange, frozen=True, gc=False, tag_field="type", tag="ADDED"):
    """A Pod came into view."""


class Modified(_PodChange, frozen=True, gc=False, tag_field="type", tag="MODIFIED"):
    """A Pod changed."""


class Deleted(_PodChange, frozen=True, gc=False, tag_field="type", tag="DELETED"):
    """A Pod went out of view: it is gone, or the selector does not fit it any more. `pod` is its last state."""


class Bookmark(msgspec.Struct, frozen=True):
    """Nothing changed up to `version`."""

    version: str


class WatchError(msgspec.Struct, frozen=True):
    """The watch ends, with a Status inside of a reply that began as a success."""

    status: Status


PodEvent: TypeAlias = Added | Modified | Deleted
WatchEvent: TypeAlias = PodEvent | Bookmark | WatchError


class _Meta(msgspec.Struct):
    version: str = msgspec.field(name="resourceVersion")


class _BookmarkObject(msgspec.Struct):
    metadata: _Meta


class _BookmarkLine(msgspec.Struct, tag_field="type", tag="BOOKMARK"):
    object: _BookmarkObject


class _ErrorLine(msgspec.Struct, tag_field="type", tag="ERROR"):
    object: msgspec.Raw


_Line: TypeAlias = PodEvent | _BookmarkLine | _ErrorLine
_decoder: Final[msgspec.json.Decoder[_Line]] = msgspec.json.Decoder(_Line)
_NAMES: Final = ("watch event",)


def parse_watch_event(line: bytes) -> WatchEvent:
    """The event that a line (without its `\\n`) holds.

    Raises: Internal for what is no event on a Pod (an unknown type, another object, no JSON), with the path of the
    fault and nothing of the content.
    """
    event = decode_object(_decoder, line, _NAMES)
    if isinstance(event, _PodChange):
        if event.pod.kind != "Pod":
            raise refuse_kind(event.pod.kind, ("Pod",))
        return event
    if isinstance(event, _BookmarkLine):
        return Bookmark(event.object.metadata.version)
    return WatchError(parse_status(event.object))


def version_newer(version: str, than: str) -> bool:
    """Whether a resource version is newer than another: decimal numbers of any length (KEP-5504).

    Raises: Internal for what is no such number.
    """
    return _rank(version) > _rank(than)


def _rank(version: str) -> tuple[int, str]:
    if not (version.isascii() and version.isdigit()):
        raise Internal("the server's resource version is not a decimal number")
    digits = version.lstrip("0")
    return len(digits), digits
