"""What happens to workers, as metrics for Prometheus."""

from hodei_k8s_transport.service.metrics.definitions import METRICS, Metric, MetricKind
from hodei_k8s_transport.service.metrics.metrics import Metrics

__all__ = ["METRICS", "Metric", "MetricKind", "Metrics"]
