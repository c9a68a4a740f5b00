"""Everything of `serve` together: the clusters, the door, and a graceful end."""

from __future__ import annotations

import logging
import secrets
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from typing import Any

import anyio
import anyio.abc
import msgspec
from prometheus_client import CollectorRegistry, ProcessCollector

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.lease import LeasePolicy
from hodei_k8s_core.reconcile.plan_reconcile import check_provider_id
from hodei_k8s_core.validation import raise_faults
from hodei_k8s_transport.async_provider import AsyncKubernetesProvider
from hodei_k8s_transport.service.clusters import by_id
from hodei_k8s_transport.service.metrics import Metrics
from hodei_k8s_transport.service.serve.beats import Beats
from hodei_k8s_transport.service.serve.door import Door
from hodei_k8s_transport.service.serve.pages import pages_of
from hodei_k8s_transport.service.serve.watched_cluster import WatchedCluster, observers

_log = logging.getLogger("hodei_k8s.serve")


class ServeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """`host` None: every address. `port` 0: any. `identity`: this process in elections; "" for one of its own making.

    `reconciles`: false to watch and export only, and change nothing. `stop_within`: seconds for a graceful end.
    """

    host: str | None = None
    port: int = 8080
    identity: str = ""
    reconciles: bool = True
    stop_within: float = 25.0
    lease: LeasePolicy = LeasePolicy()


async def serve(
    configs: Sequence[KubernetesConfig],
    options: ServeOptions,
    *,
    environ: Mapping[str, str],
    stops: AsyncIterator[object] | None = None,
    registry: CollectorRegistry | None = None,
    task_status: anyio.abc.TaskStatus[int] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Watch over the fleets of these clusters until `stops` gives something; at its second thing, or late, end at once.

    `registry`: where the metrics go; None for one of its own. Tells the port (by `task_status`) when it listens.

    Raises: ConfigurationError with every fault, before anything is sent; OSError where it cannot listen.
    """
    _check(configs, options)
    registry = CollectorRegistry() if registry is None else registry
    ProcessCollector(registry=registry)
    metrics = Metrics(registry)
    identity = options.identity or f"{socket.gethostname()}-{secrets.token_hex(4)}"
    async with AsyncExitStack() as stack:
        clusters = [
            WatchedCluster(await stack.enter_async_context(provider), metrics, beats, identity, lease=options.lease)
            for provider, beats in (_provider(config, metrics, environ) for config in configs)
        ]
        stopping = anyio.Event()
        pages = pages_of(clusters, registry, stopping.is_set)
        async with anyio.create_task_group() as tasks:
            port: int = await tasks.start(Door(pages, host=options.host, port=options.port).run)
            told = {"port": port, "identity": identity, "providers": {c.provider_id: c.server for c in clusters}}
            _log.info("serving", extra={"fields": told})
            task_status.started(port)
            async with anyio.create_task_group() as working:
                for cluster in clusters:
                    working.start_soon(cluster.run if options.reconciles else cluster.watch_only)
                if stops is not None:
                    tasks.start_soon(_stop_when_asked, stops, clusters, stopping, working.cancel_scope)
                    tasks.start_soon(_end_late, stopping, options.stop_within, working.cancel_scope)
            tasks.cancel_scope.cancel()
    _log.info("ended")


def _provider(
    config: KubernetesConfig, metrics: Metrics, environ: Mapping[str, str]
) -> tuple[AbstractAsyncContextManager[AsyncKubernetesProvider], Beats]:
    beats = Beats(config)
    observer = observers(metrics.observer_for(config.provider_id), beats.observe)
    return AsyncKubernetesProvider.connect(config, environ=environ, observer=observer), beats


def _check(configs: Sequence[KubernetesConfig], options: ServeOptions) -> None:
    """Raises: ConfigurationError with every fault."""
    checks: list[partial[Any]] = [partial(by_id, configs)]
    if options.reconciles:
        checks += [partial(check_provider_id, config.provider_id) for config in configs]
    found: list[Fault] = [] if configs else [Fault("clusters", "there is none to serve")]
    for check in checks:
        try:
            check()
        except ConfigurationError as error:
            found += error.faults
    raise_faults("nothing is served", found)


async def _stop_when_asked(
    stops: AsyncIterator[object],
    clusters: Sequence[WatchedCluster],
    stopping: anyio.Event,
    work: anyio.CancelScope,
) -> None:
    async for _ in stops:
        if stopping.is_set():
            _log.warning("asked again to stop: ending at once")
            work.cancel()
            return
        _log.info("stopping: what is under way is brought to its end")
        stopping.set()
        for cluster in clusters:
            cluster.request_stop()


async def _end_late(stopping: anyio.Event, seconds: float, work: anyio.CancelScope) -> None:
    await stopping.wait()
    await anyio.sleep(seconds)
    _log.warning("the end took too long: ending at once")
    work.cancel()
