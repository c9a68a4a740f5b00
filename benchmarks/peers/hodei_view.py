"""This library, from bytes to a `FleetView`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.scale.fleet import whole_list
from benchmarks.scale.hosted import Host
from hodei_k8s_core.fleet_view import FleetView
from hodei_k8s_core.lines import LineSplitter
from hodei_k8s_core.watch_event import Added, Deleted, Modified, parse_watch_event
from hodei_k8s_core.worker_change import FleetItem, WorkerChange

_NOBODY = whole_list(0)


def view_list(body: bytes) -> list[str]:
    """Who is there; of each worker nothing is read."""
    return _names(_listed(body))


def view_list_counted(body: bytes) -> list[str]:
    """Every worker is judged: how many there are in each state, and with each trouble."""
    view = _listed(body)
    view.count_by_state()
    view.count_by_verdict()
    return _names(view)


def view_list_described(body: bytes) -> list[str]:
    """All that is known of every worker is read."""
    return [info.handle.pod_name for info in _listed(body).workers.values()]


def view_events(chunks: list[bytes]) -> list[str]:
    """Every change is told, and none is read."""
    return _names(_watched(chunks, lambda _: None))


def view_events_described(chunks: list[bytes]) -> list[str]:
    """All that is known of the worker is read at every change."""
    return _names(_watched(chunks, _read))


def decode_events(chunks: list[bytes]) -> dict[str, object]:
    """Without what the fold finds out: as a peer does."""
    view: dict[str, object] = {}
    splitter = LineSplitter()
    for chunk in chunks:
        for event in map(parse_watch_event, splitter.feed(chunk)):
            if isinstance(event, Added | Modified | Deleted):
                view[event.pod.metadata.name] = event.pod
    return view


def _listed(body: bytes) -> FleetView:
    host = Host(iter([body]), clock=_no_clock)
    host.read_list()
    return host.view


def _watched(chunks: list[bytes], read: Callable[[Sequence[FleetItem]], None]) -> FleetView:
    host = Host(iter([_NOBODY]), on_items=read, clock=_no_clock)
    host.read_list()
    host.read_events(chunks)
    return host.view


def _read(items: Sequence[FleetItem]) -> None:
    for item in items:
        if isinstance(item, WorkerChange):
            _ = item.info


def _no_clock() -> float:
    """The whole is timed from outside."""
    return 0.0


def _names(view: FleetView) -> list[str]:
    """Of the Pods: a worker's is made of its id."""
    return [f"hodei-worker-{worker_id}" for worker_id in view.workers]
