"""The one table of metrics: names, labels and meanings. The README's table is made from it, and dashboards are checked
against it.

Label values are bounded sets: ids of providers, states, categories, causes; never a worker's name.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec

PREFIX: Final = "hodei_k8s_"


class MetricKind(enum.Enum):
    """As Prometheus calls them."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Metric(msgspec.Struct, frozen=True):
    """One row. `labels`: besides `provider_id`, which every metric has. `doc`: one line for people."""

    name: str
    kind: MetricKind
    doc: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def short_name(self) -> str:
        """Without what all have in common."""
        return self.name.removeprefix(PREFIX)

    @property
    def label_names(self) -> tuple[str, ...]:
        """All of them."""
        return ("provider_id", *self.labels)


_LIFE: Final = (0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600)
"""Seconds to minutes: a start from a node's own image, and one that waits for a new node."""
_REQUEST: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_COUNTER, _GAUGE, _HISTOGRAM = MetricKind.COUNTER, MetricKind.GAUGE, MetricKind.HISTOGRAM


def _metric(name: str, kind: MetricKind, doc: str, *labels: str, buckets: tuple[float, ...] = ()) -> Metric:
    return Metric(PREFIX + name, kind, doc, labels, buckets)


METRICS: Final[tuple[Metric, ...]] = (
    _metric("pods_created_total", _COUNTER, "Pods of workers that the API server accepted"),
    _metric(
        "pods_failed_total",
        _COUNTER,
        "workers that could not be created (stage `create`, reason: the error) or cannot recover (stage `run`, reason: "
        "the verdict's category)",
        *("stage", "reason"),
    ),
    _metric("pod_startup_duration_seconds", _HISTOGRAM, "from a Pod's creation until it was ready", buckets=_LIFE),
    _metric("api_requests_total", _COUNTER, "exchanges with the API server", "verb", "resource", "outcome"),
    _metric(
        "api_errors_total",
        _COUNTER,
        "of these, those that failed: no reply, a 401, 403, 408, 429 or 5xx; a 404, 409 or 410 is an answer",
        *("verb", "resource", "outcome"),
    ),
    _metric("api_request_duration_seconds", _HISTOGRAM, "of an exchange", "verb", buckets=_REQUEST),
    _metric("api_retries_total", _COUNTER, "exchanges that were repeated, by why", "verb", "resource", "cause"),
    _metric("workers", _GAUGE, "workers there are, as the watch sees them", "state"),
    _metric("workers_in_trouble", _GAUGE, "of these, those with something wrong", "category"),
    _metric("verdicts_total", _COUNTER, "troubles of workers as they were first seen", "category", "blame"),
    _metric("pod_phase_duration_seconds", _HISTOGRAM, "of the phases of a start", "phase", buckets=_LIFE),
    _metric("pod_destroy_duration_seconds", _HISTOGRAM, "from the request until a Pod was gone", buckets=_LIFE),
    _metric("watch_reconnects_total", _COUNTER, "watches that were opened again, by why", "cause"),
    _metric("watch_last_event_age_seconds", _GAUGE, "since the API server said something on the watch of the fleet"),
    _metric("watch_synced", _GAUGE, "1 while the picture of the fleet is whole and fresh, else 0"),
    _metric("log_received_bytes_total", _COUNTER, "of logs that were read"),
    _metric("log_reconnects_total", _COUNTER, "followed logs that were asked for again, by why", "cause"),
    _metric("log_gaps_total", _COUNTER, "places where lines of a log could not be had any more", "reason"),
    _metric("circuit_state", _GAUGE, "1 for the state that the circuit of the cluster is in, else 0", "state"),
    _metric("credential_refreshes_total", _COUNTER, "credentials that were read or made anew", *("source", "outcome")),
    _metric(
        "credential_expiry_timestamp_seconds",
        _GAUGE,
        "when the credential at hand ends, since the epoch; absent where it does not say",
    ),
    _metric("reconcile_planned_actions", _GAUGE, "that the last reconcile planned", "kind"),
    _metric("reconcile_actions_total", _COUNTER, "that were tried", "kind", "outcome"),
    _metric("reconcile_consent_needed", _GAUGE, "1 while a plan waits for somebody's consent, else 0"),
    _metric("reconcile_last_success_timestamp_seconds", _GAUGE, "when a plan was last applied, since the epoch"),
    _metric("leader", _GAUGE, "1 while this process leads, else 0"),
)
"""The first five keep the names that Hodei's dashboards know."""
METRIC_OF: Final = {metric.name: metric for metric in METRICS}


def metrics_markdown() -> str:
    """The table for the README."""
    rows = ["| metric | kind | labels | meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{m.name}` | {m.kind.value} | {', '.join(f'`{name}`' for name in m.labels)} | {m.doc} |" for m in METRICS
    ]
    return "\n".join(rows) + "\n"
