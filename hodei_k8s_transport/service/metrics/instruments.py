"""The counters, gauges and histograms of the table, by their short names."""

from __future__ import annotations

from collections.abc import Collection

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from hodei_k8s_transport.service.metrics.definitions import METRICS, PREFIX, Metric, MetricKind


class Instruments:
    """Those of the table but `computed`, registered. Raises: ValueError for a registry that has them already."""

    def __init__(self, registry: CollectorRegistry, computed: Collection[str]) -> None:
        made = [metric for metric in METRICS if metric.short_name not in computed]
        self._counters = {m.short_name: _counter(m, registry) for m in made if m.kind is MetricKind.COUNTER}
        self._gauges = {m.short_name: _gauge(m, registry) for m in made if m.kind is MetricKind.GAUGE}
        self._histograms = {m.short_name: _histogram(m, registry) for m in made if m.kind is MetricKind.HISTOGRAM}

    def count(self, name: str, *labels: str, amount: float = 1.0) -> None:
        """Add to a counter."""
        self._counters[name].labels(*labels).inc(amount)

    def time(self, name: str, seconds: float, *labels: str) -> None:
        """Put a duration into a histogram."""
        self._histograms[name].labels(*labels).observe(seconds)

    def set(self, name: str, value: float, *labels: str) -> None:
        """Set a gauge."""
        self._gauges[name].labels(*labels).set(value)


def _counter(metric: Metric, registry: CollectorRegistry) -> Counter:
    return Counter(PREFIX + metric.short_name, metric.doc, metric.label_names, registry=registry)


def _gauge(metric: Metric, registry: CollectorRegistry) -> Gauge:
    return Gauge(PREFIX + metric.short_name, metric.doc, metric.label_names, registry=registry)


def _histogram(metric: Metric, registry: CollectorRegistry) -> Histogram:
    name = PREFIX + metric.short_name
    return Histogram(name, metric.doc, metric.label_names, registry=registry, buckets=metric.buckets)
