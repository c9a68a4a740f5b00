"""What a worker is asked to be, validated when it is made."""

from hodei_k8s_core.spec.worker_spec import WorkerSpec

__all__ = ["WorkerSpec"]
