"""Several clusters behind one door, for hosts on threads: what decides is `hodei_k8s_core.provisioning`."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

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
from hodei_k8s_transport.provider import KubernetesProvider
from hodei_k8s_transport.service.clusters import by_id
from hodei_k8s_transport.service.configured import enabled_clusters
from hodei_k8s_transport.service.introduction import tell_none, tell_provider
from hodei_k8s_transport.service.merged_watch import MergedWatch
from hodei_k8s_transport.service.registry import WorkerRegistry
from hodei_k8s_transport.service.worker_provider import WorkerProvider

if TYPE_CHECKING:
    from hodei_k8s_transport.service.metrics import Metrics

R = TypeVar("R")


class ProvisioningService:
    """A registry of providers by id, which makes each worker where it is best made. May be shared by threads.

    It does not close its providers. Raises: ConfigurationError for two providers of one id.
    """

    def __init__(
        self,
        providers: Iterable[WorkerProvider],
        *,
        circuit: CircuitPolicy | None = None,
        registry: WorkerRegistry | None = None,
    ) -> None:
        self._providers = by_id(providers)
        self._desk = ProvisioningDesk(self._providers, circuit)
        self._registry = registry
        self._lock = threading.Lock()

    @classmethod
    @contextmanager
    def from_env(
        cls,
        environ: Mapping[str, str],
        *,
        circuit: CircuitPolicy | None = None,
        registry: WorkerRegistry | None = None,
        metrics: Metrics | None = None,
    ) -> Iterator[ProvisioningService]:
        """A service over the clusters that the environment names, closed with its providers at the end of the block.

        Without `HODEI_K8S_ENABLED=1` it has none. `HODEI_K8S_CLUSTERS`: a TOML or YAML file of several. Which are on,
        where they connect and how they are is logged; one that cannot be reached now keeps none from starting.

        Raises: ConfigurationError with every fault, before anything is sent.
        """
        with ExitStack() as stack:
            providers = []
            found: list[Fault] = []
            for config in enabled_clusters(environ):
                observer = None if metrics is None else metrics.observer_for(config.provider_id)
                connection = KubernetesProvider.connect(config, environ=environ, observer=observer)
                try:
                    providers.append(stack.enter_context(connection))
                except ConfigurationError as error:
                    found += within(config.provider_id, error.faults)
            raise_faults("the configuration is not valid", found)
            if not providers:
                tell_none()
            if providers:
                with ThreadPoolExecutor(len(providers), thread_name_prefix="hodei-k8s-ask") as pool:
                    list(pool.map(_introduce, providers))
            service = cls(providers, circuit=circuit, registry=registry)
            if metrics is not None:
                metrics.read_circuits(service.circuits)
            yield service

    @property
    def providers(self) -> dict[str, WorkerProvider]:
        """The providers by their ids."""
        return dict(self._providers)

    def circuits(self) -> dict[str, CircuitState]:
        """The circuit of each provider now."""
        with self._lock:
            return self._desk.states(time.monotonic())

    def provision(self, spec: WorkerSpec, requirements: JobRequirements | None = None) -> Provisioned:
        """A worker in the best cluster that makes it, and why there; never in two.

        `requirements` None: what the spec asks for. Raises: OutcomeUnknown, WorkerAlreadyExists, and what every other
        cluster would refuse too, as a provider's `create_worker`; ProvisioningFailed when none is left.
        """
        return self._drive(provision(self._desk, spec, requirements or requirements_of(spec)))

    def terminate(self, handle: WorkerHandle, *, grace_period: float | None = None) -> None:
        """End a worker, and return when it is gone. Raises: as a provider's `destroy_worker`; ConfigurationError."""
        self._drive(terminate(self._desk, handle, grace_period))

    def terminate_by_id(self, worker_id: str, *, grace_period: float | None = None) -> None:
        """End whichever worker has that id, in every cluster. Raises: what the first provider raised."""
        self._drive(terminate_everywhere(self._desk, worker_id, grace_period))

    def get_worker(self, worker_id: str) -> WorkerInfo | None:
        """The worker of that id, wherever it is. Raises: ProviderError: nobody has it, and one could not be asked."""
        return self._drive(find_everywhere(self._desk, worker_id))

    def list_workers(self) -> FleetListing:
        """Every worker of every provider; a provider that could not be asked is told, not raised."""
        return self._drive(list_everywhere(self._desk))

    def watch(self) -> MergedWatch:
        """Every change in every cluster, each with its provider's id; the registry is told first.

        with service.watch() as items:
            for provider_id, item in items: ...
        """
        return MergedWatch(self._providers, self._registry)

    def _drive(self, going: Provisioning[R]) -> R:
        """Its own steps one at a time, since they share what is remembered; what is asked, side by side."""
        resume = partial(next, going)
        try:
            while True:
                with self._lock:
                    try:
                        effect = resume()
                    except StopIteration as end:
                        result: R = end.value
                        return result
                resume = self._answer(going, effect)
        finally:
            with self._lock:
                going.close()

    def _answer(self, going: Provisioning[Any], effect: Call | Calls | Monotonic) -> Any:
        if isinstance(effect, Monotonic):
            return partial(going.send, time.monotonic())
        if isinstance(effect, Call):
            told = self._ask(effect)
            return partial(going.throw if isinstance(told, ProviderError) else going.send, told)
        with ThreadPoolExecutor(len(effect.calls), thread_name_prefix="hodei-k8s-ask") as pool:
            return partial(going.send, list(pool.map(self._ask, effect.calls)))

    def _ask(self, call: Call) -> Any:
        try:
            return getattr(self._providers[call.provider_id], call.method)(*call.args, **call.options)
        except ProviderError as error:
            return error


def _introduce(provider: KubernetesProvider) -> None:
    health = provider.health_check()
    tell_provider(provider.provider_id, provider.provider_type, provider.config.namespace, provider.target, health)
