"""What the two facades share: the settings, the host that drives operations, and what is remembered between calls."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Collection, Generator
from typing import Any, TypeVar

from hodei_k8s_core.access.target import Target
from hodei_k8s_core.audit_report import AuditReport
from hodei_k8s_core.capacity.cache import CapacityCache
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.coordinators import Audit
from hodei_k8s_core.effects import Operation, WallClock
from hodei_k8s_core.errors import UnsupportedOperation
from hodei_k8s_core.observations import FleetChanged, Observation, PodCreated, PodDestroyed, PodStarted
from hodei_k8s_core.operations import adopt_or_create_worker, create_worker
from hodei_k8s_core.operations.audit_connection import with_served_certificate
from hodei_k8s_core.operations.located import located
from hodei_k8s_core.permissions import Feature
from hodei_k8s_core.retry_budget import RetryBudget
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_core.startup_times import StartupTimes
from hodei_k8s_core.worker import PROVIDER_TYPE, WorkerHandle
from hodei_k8s_transport.creation_tokens import CreationTokens
from hodei_k8s_transport.drivers.host import Host
from hodei_k8s_transport.drivers.own_time import HostTime

Observer = Callable[[Observation], None]
R = TypeVar("R")
Y = TypeVar("Y")


class ProviderBase:
    """The part of a provider that does no I/O."""

    def __init__(
        self,
        config: KubernetesConfig,
        observer: Observer | None = None,
        target: Target | None = None,
        own_time: HostTime | None = None,
    ) -> None:
        self._config = config
        self._target = target
        self._observer = observer
        self._startup_times = StartupTimes()
        self._tokens = CreationTokens()
        self._capacity = CapacityCache(config.capacity_lifetime)
        self._pid = os.getpid()
        retry = config.retry
        self._host = Host(
            retry_budget=RetryBudget(retry.budget, retry.budget_refill_per_second),
            observer=self._observe,
            monotonic=time.monotonic if own_time is None else own_time.monotonic,
            wall_clock=time.time if own_time is None else own_time.wall_clock,
        )

    @property
    def config(self) -> KubernetesConfig:
        """The settings that this provider was made with."""
        return self._config

    @property
    def provider_id(self) -> str:
        """Whose workers they are."""
        return self._config.provider_id

    @property
    def provider_type(self) -> str:
        """`kubernetes`."""
        return PROVIDER_TYPE

    @property
    def target(self) -> Target | None:
        """What is connected to, and by whose word; None for a channel that the host brought. It shows no secret."""
        return self._target

    def estimated_startup_time(self, image: str | None = None, percentile: float = 50.0) -> float:
        """Seconds from create to ready, by what was observed lately; 15 before that.

        The median, unless another `percentile` is asked for; of `image` alone where that was started often enough.
        Raises: ValueError for a percentile that is not from 0 to 100.
        """
        return self._startup_times.estimate(image, percentile)

    def _observe(self, observation: Observation) -> None:
        if isinstance(observation, PodStarted):
            is_news = self._startup_times.record(observation.seconds, observation.image, observation.pod_uid)
            if not is_news:
                return
        if isinstance(observation, PodCreated | PodDestroyed | FleetChanged):
            self._capacity.note_change()
        if self._observer is not None:
            self._observer(observation)

    def _creation(self, spec: WorkerSpec, creation_token: str | None) -> tuple[Operation[WorkerHandle], str]:
        """The operation of a create, and its token: of the unsettled call before it, given or remembered, or a new."""
        token = creation_token or self._tokens.take(spec.worker_id)
        if token is not None:
            return adopt_or_create_worker(self._config, spec, creation_token=token), token
        token = secrets.token_hex(13)
        return create_worker(self._config, spec, creation_token=token), token

    def _located(self, operation: Generator[Y, Any, R]) -> Generator[Y | WallClock, Any, R]:
        """With errors that say what we are connected to, where that is known."""
        return operation if self._target is None else located(operation, self._target)

    def _audit(self, spec: WorkerSpec | None, features: Collection[Feature] | None) -> Audit:
        return Audit(self._config, target=self._target, spec=spec, features=features)

    def _dated(self, report: AuditReport, timeout: float) -> AuditReport:
        """With the end of the certificate that the server shows. Blocks: the server is asked for it again."""
        certificates = self._target.certificates if self._target is not None else None
        served = certificates.served(timeout) if certificates is not None else None
        return with_served_certificate(report, served, self._host.perform(WallClock()))

    def _check_process(self) -> None:
        if os.getpid() != self._pid:
            raise UnsupportedOperation(
                "a provider does not survive a fork: its connections would be shared", mend="open one in each process"
            )
