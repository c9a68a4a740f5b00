"""From a worker's spec and the configuration to its Pod: each part of the Pod in a file of its own."""

from hodei_k8s_core.manifest.companions import companion_manifests
from hodei_k8s_core.manifest.worker_pod import build_worker_pod, encode_worker_pod

__all__ = ["build_worker_pod", "companion_manifests", "encode_worker_pod"]
