"""Several clusters behind one door, for hosts on asyncio and trio: what decides is `hodei_k8s_core.provisioning`."""

from __future__ import annotations

import inspect
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from hodei_k8s_core.capabilities import JobRequirements
from hodei_k8s_core.effects import Monotonic
from hodei_k8s_core.errors import ConfigurationError, Fault, ProviderError
from hodei_k8s_core.provisioning.circuit import CircuitPolicy, CircuitState
from hodei_k8s_core.provisioning.fleets import (
    FleetListing,
    find_everywhere,
    list_everywhere,
    terminate,
    terminate_everywhere,
)
from hodei_k8s_core.provisioning.provision import (
    Call,
    Calls,
    Provisioned,
    Provisioning,
    ProvisioningDesk,
    provision,
    requirements_of,
)
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_core.validation import raise_faults, within
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo
from hodei_k8s_transport.async_provider import AsyncKubernetesProvider
from hodei_k8s_transport.service.async_merged_watch import AsyncMergedWatch
from hodei_k8s_transport.service.clusters import by_id
from hodei_k8s_transport.service.configured import enabled_clusters
from hodei_k8s_transport.service.introduction import tell_none, tell_provider
from hodei_k8s_transport.service.registry import WorkerRegistry
from hodei_k8s_transport.service.worker_provider import AsyncWorkerProvider

if TYPE_CHECKING:
    from hodei_k8s_transport.service.metrics import Metrics

R = TypeVar("R")


class AsyncProvisioningService:
    """A registry of providers by id, which makes each worker where it is best made. For the tasks of one event loop.

    It does not close its providers. Raises: ConfigurationError for two providers of one id.
    """

    def __init__(
        self,
        providers: Iterable[AsyncWorkerProvider],
        *,
        circuit: CircuitPolicy | None = None,
        registry: WorkerRegistry | None = None,
    ) -> None:
        self._providers = by_id(providers)
        self._desk = ProvisioningDesk(self._providers, circuit)
        self._registry = registry

    @classmethod
    @asynccontextmanager
    async def from_env(
        cls,
        environ: Mapping[str, str],
        *,
        circuit: CircuitPolicy | None = None,
        registry: WorkerRegistry | None = None,
        metrics: Metrics | None = None,
    ) -> AsyncIterator[AsyncProvisioningService]:
        """A service over the clusters that the environment names, closed with its providers at the end of the block.

        Without `HODEI_K8S_ENABLED=1` it has none. `HODEI_K8S_CLUSTERS`: a TOML or YAML file of several. Which are on,
        where they connect and how they are is logged; one that cannot be reached now keeps none from starting.

        Raises: ConfigurationError with every fault, before anything is sent.
        """
        async with AsyncExitStack() as stack:
            providers = []
            found: list[Fault] = []
            for config in enabled_clusters(environ):
                observer = None if metrics is None else metrics.observer_for(config.provider_id)
                connection = AsyncKubernetesProvider.connect(config, environ=environ, observer=observer)
                try:
                    providers.append(await stack.enter_async_context(connection))
                except ConfigurationError as error:
                    found += within(config.provider_id, error.faults)
            raise_faults("the configuration is not valid", found)
            if not providers:
                tell_none()
            async with anyio.create_task_group() as asking:
                for provider in providers:
                    asking.start_soon(_introduce, provider)
            service = cls(providers, circuit=circuit, registry=registry)
            if metrics is not None:
                metrics.read_circuits(service.circuits)
            yield service

    @property
    def providers(self) -> dict[str, AsyncWorkerProvider]:
        """The providers by their ids."""
        return dict(self._providers)

    def circuits(self) -> dict[str, CircuitState]:
        """The circuit of each provider now."""
        return self._desk.states(time.monotonic())

    async def provision(self, spec: WorkerSpec, requirements: JobRequirements | None = None) -> Provisioned:
        """A worker in the best cluster that makes it, and why there; never in two.

        `requirements` None: what the spec asks for. Raises: OutcomeUnknown, WorkerAlreadyExists, and what every other
        cluster would refuse too, as a provider's `create_worker`; ProvisioningFailed when none is left.
        """
        return await self._drive(provision(self._desk, spec, requirements or requirements_of(spec)))

    async def terminate(self, handle: WorkerHandle, *, grace_period: float | None = None) -> None:
        """End a worker, and return when it is gone. Raises: as a provider's `destroy_worker`; ConfigurationError."""
        await self._drive(terminate(self._desk, handle, grace_period))

    async def terminate_by_id(self, worker_id: str, *, grace_period: float | None = None) -> None:
        """End whichever worker has that id, in every cluster. Raises: what the first provider raised."""
        await self._drive(terminate_everywhere(self._desk, worker_id, grace_period))

    async def get_worker(self, worker_id: str) -> WorkerInfo | None:
        """The worker of that id, wherever it is. Raises: ProviderError: nobody has it, and one could not be asked."""
        return await self._drive(find_everywhere(self._desk, worker_id))

    async def list_workers(self) -> FleetListing:
        """Every worker of every provider; a provider that could not be asked is told, not raised."""
        return await self._drive(list_everywhere(self._desk))

    def watch(self) -> AsyncMergedWatch:
        """Every change in every cluster, each with its provider's id; the registry is told first.

        async with service.watch() as items:
            async for provider_id, item in items: ...
        """
        return AsyncMergedWatch(self._providers, self._registry)

    async def _drive(self, going: Provisioning[R]) -> R:
        resume = partial(next, going)
        try:
            while True:
                try:
                    effect = resume()
                except StopIteration as end:
                    result: R = end.value
                    return result
                resume = await self._answer(going, effect)
        finally:
            going.close()

    async def _answer(self, going: Provisioning[Any], effect: Call | Calls | Monotonic) -> Any:
        if isinstance(effect, Monotonic):
            return partial(going.send, time.monotonic())
        if isinstance(effect, Call):
            told = await self._ask(effect)
            return partial(going.throw if isinstance(told, ProviderError) else going.send, told)
        replies: list[Any] = [None] * len(effect.calls)

        async def keep(index: int, call: Call) -> None:
            replies[index] = await self._ask(call)

        async with anyio.create_task_group() as tasks:
            for index, call in enumerate(effect.calls):
                tasks.start_soon(keep, index, call)
        return partial(going.send, replies)

    async def _ask(self, call: Call) -> Any:
        try:
            told = getattr(self._providers[call.provider_id], call.method)(*call.args, **call.options)
            return await told if inspect.isawaitable(told) else told
        except ProviderError as error:
            return error


async def _introduce(provider: AsyncKubernetesProvider) -> None:
    health = await provider.health_check()
    tell_provider(provider.provider_id, provider.provider_type, provider.config.namespace, provider.target, health)
