"""What `/fleet` shows, as plain values ready for JSON."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from hodei_k8s_core.fleet_view import FleetView
from hodei_k8s_core.operations.lead import Leadership
from hodei_k8s_core.worker import WorkerInfo
from hodei_k8s_core.worker_change import WatchHealth


class LastReconcile(msgspec.Struct, frozen=True, kw_only=True):
    """`at`: seconds since the epoch. `outcomes`: how many actions went how. `problem`: why it was not done, or ""."""

    at: float
    outcomes: Mapping[str, int] = {}
    problem: str = ""


class ClusterDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The fleet of one provider. `holder`: who leads, "" where nobody is known to; `leads`: whether it is this process.

    `watch`: how old the picture is, None before the first.
    """

    provider_id: str
    namespace: str
    watch: WatchHealth | None
    leads: bool
    holder: str
    states: Mapping[str, int]
    troubles: Mapping[str, int]
    workers: tuple[WorkerInfo, ...]
    last_reconcile: LastReconcile | None = None


def cluster_document(
    provider_id: str,
    namespace: str,
    view: FleetView,
    leadership: Leadership,
    last_reconcile: LastReconcile | None,
    *,
    now: float,
) -> ClusterDocument:
    """As it is now (monotonic)."""
    return ClusterDocument(
        provider_id=provider_id,
        namespace=namespace,
        watch=view.health,
        leads=leadership.is_ours(now),
        holder=leadership.holder,
        states={state.value: number for state, number in view.count_by_state().items()},
        troubles={category.value: number for category, number in view.count_by_verdict().items()},
        workers=tuple(sorted(view.workers.values(), key=lambda info: info.worker_id)),
        last_reconcile=last_reconcile,
    )
