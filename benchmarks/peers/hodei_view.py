"""This library, from bytes to a `FleetView`."""

from __future__ import annotations

from benchmarks.scale.fleet import whole_list
from benchmarks.scale.hosted import Host
from hodei_k8s_core.lines import LineSplitter
from hodei_k8s_core.watch_event import Added, Deleted, Modified, parse_watch_event

_NOBODY = whole_list(0)


def view_list(body: bytes) -> list[str]:
    host = Host(iter([body]))
    host.read_list()
    return [info.handle.pod_name for info in host.view.workers.values()]


def view_events(chunks: list[bytes]) -> list[str]:
    host = Host(iter([_NOBODY]))
    host.read_list()
    host.read_events(chunks)
    return [info.handle.pod_name for info in host.view.workers.values()]


def decode_events(chunks: list[bytes]) -> dict[str, object]:
    """Without what the fold finds out: as a peer does."""
    view: dict[str, object] = {}
    splitter = LineSplitter()
    for chunk in chunks:
        for event in map(parse_watch_event, splitter.feed(chunk)):
            if isinstance(event, Added | Modified | Deleted):
                view[event.pod.metadata.name] = event.pod
    return view
