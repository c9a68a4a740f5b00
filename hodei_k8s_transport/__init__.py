"""Everything of hodei-k8s that touches the world: providers, channels, drivers.

    async with AsyncKubernetesProvider.connect(config) as provider:
        handle = await provider.create_worker(spec)

Each name loads its module when it is first used: a host on threads never pays for the asynchronous half.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hodei_k8s_core.lazy_exports import export_lazily as _export_lazily

if TYPE_CHECKING:
    from hodei_k8s_transport.access.credential import AsyncCredentialSource, Credential, CredentialSource, Endpoint
    from hodei_k8s_transport.access_audit import audit_access
    from hodei_k8s_transport.async_fleet import AsyncFleet
    from hodei_k8s_transport.async_provider import AsyncKubernetesProvider
    from hodei_k8s_transport.channels.async_h11_channel import AsyncH11Channel
    from hodei_k8s_transport.channels.async_httpx_channel import AsyncHttpxChannel
    from hodei_k8s_transport.channels.channel import AsyncBodyStream, AsyncChannel, BodyStream, Channel
    from hodei_k8s_transport.channels.h11_channel import H11Channel
    from hodei_k8s_transport.channels.httpx_channel import HttpxChannel
    from hodei_k8s_transport.channels.recording.recording_channel import AsyncRecordingChannel, RecordingChannel
    from hodei_k8s_transport.channels.recording.replay_channel import AsyncReplayChannel, ReplayChannel
    from hodei_k8s_transport.drivers.async_coordinator import AsyncMergedStream
    from hodei_k8s_transport.drivers.async_driver import run_async
    from hodei_k8s_transport.drivers.async_stream import AsyncStream
    from hodei_k8s_transport.drivers.host import Host
    from hodei_k8s_transport.drivers.sync_coordinator import MergedStream
    from hodei_k8s_transport.drivers.sync_driver import run
    from hodei_k8s_transport.drivers.sync_stream import SyncStream
    from hodei_k8s_transport.environment_files import config_from_env
    from hodei_k8s_transport.fleet import Fleet
    from hodei_k8s_transport.provider import KubernetesProvider
    from hodei_k8s_transport.service.async_provisioning_service import AsyncProvisioningService
    from hodei_k8s_transport.service.metrics.metrics import Metrics
    from hodei_k8s_transport.service.provisioning_service import ProvisioningService
    from hodei_k8s_transport.service.registry import InMemoryWorkerRegistry, WorkerRegistry
    from hodei_k8s_transport.service.worker_provider import AsyncWorkerProvider, WorkerProvider

_HOMES = {
    "AsyncBodyStream": "channels.channel",
    "AsyncChannel": "channels.channel",
    "AsyncCredentialSource": "access.credential",
    "AsyncFleet": "async_fleet",
    "AsyncH11Channel": "channels.async_h11_channel",
    "AsyncHttpxChannel": "channels.async_httpx_channel",
    "AsyncKubernetesProvider": "async_provider",
    "AsyncMergedStream": "drivers.async_coordinator",
    "AsyncProvisioningService": "service.async_provisioning_service",
    "AsyncRecordingChannel": "channels.recording.recording_channel",
    "AsyncReplayChannel": "channels.recording.replay_channel",
    "AsyncStream": "drivers.async_stream",
    "AsyncWorkerProvider": "service.worker_provider",
    "BodyStream": "channels.channel",
    "Channel": "channels.channel",
    "Credential": "access.credential",
    "CredentialSource": "access.credential",
    "Endpoint": "access.credential",
    "Fleet": "fleet",
    "H11Channel": "channels.h11_channel",
    "Host": "drivers.host",
    "HttpxChannel": "channels.httpx_channel",
    "InMemoryWorkerRegistry": "service.registry",
    "KubernetesProvider": "provider",
    "MergedStream": "drivers.sync_coordinator",
    "Metrics": "service.metrics.metrics",
    "ProvisioningService": "service.provisioning_service",
    "RecordingChannel": "channels.recording.recording_channel",
    "ReplayChannel": "channels.recording.replay_channel",
    "SyncStream": "drivers.sync_stream",
    "WorkerProvider": "service.worker_provider",
    "WorkerRegistry": "service.registry",
    "audit_access": "access_audit",
    "config_from_env": "environment_files",
    "run": "drivers.sync_driver",
    "run_async": "drivers.async_driver",
}

__all__ = [
    "AsyncBodyStream",
    "AsyncChannel",
    "AsyncCredentialSource",
    "AsyncFleet",
    "AsyncH11Channel",
    "AsyncHttpxChannel",
    "AsyncKubernetesProvider",
    "AsyncMergedStream",
    "AsyncProvisioningService",
    "AsyncRecordingChannel",
    "AsyncReplayChannel",
    "AsyncStream",
    "AsyncWorkerProvider",
    "BodyStream",
    "Channel",
    "Credential",
    "CredentialSource",
    "Endpoint",
    "Fleet",
    "H11Channel",
    "Host",
    "HttpxChannel",
    "InMemoryWorkerRegistry",
    "KubernetesProvider",
    "MergedStream",
    "Metrics",
    "ProvisioningService",
    "RecordingChannel",
    "ReplayChannel",
    "SyncStream",
    "WorkerProvider",
    "WorkerRegistry",
    "audit_access",
    "config_from_env",
    "run",
    "run_async",
]

_export_lazily(__name__, _HOMES)
