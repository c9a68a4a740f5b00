"""The provider for threads: one line per operation."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from hodei_k8s_core import operations
from hodei_k8s_core.access.target import Target
from hodei_k8s_core.audit_report import AuditReport
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.coordinators import FleetLogItem, FleetLogs
from hodei_k8s_core.effects import Operation, Stream
from hodei_k8s_core.final_report import FinalReport
from hodei_k8s_core.lease import LeasePolicy, lease_name
from hodei_k8s_core.log_entry import WORKER_CONTAINER, LogItem
from hodei_k8s_core.operations.final_report import LAST_LINES
from hodei_k8s_core.operations.lead import Leadership, lead
from hodei_k8s_core.operations.run_worker import RunItem
from hodei_k8s_core.operations.watch_workers import in_namespace
from hodei_k8s_core.permissions import Feature
from hodei_k8s_core.reconcile.plan import ActionResult, Plan
from hodei_k8s_core.reconcile.plan_reconcile import Wanted
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_core.worker import HealthStatus, LogEntry, WorkerHandle, WorkerInfo, WorkerState
from hodei_k8s_core.worker_change import FleetItem, WaitOutcome
from hodei_k8s_transport.channels.channel import Channel
from hodei_k8s_transport.connect import open_channel
from hodei_k8s_transport.drivers.own_time import own_time_of
from hodei_k8s_transport.drivers.sync_coordinator import MergedStream
from hodei_k8s_transport.drivers.sync_driver import run
from hodei_k8s_transport.drivers.sync_stream import SyncStream
from hodei_k8s_transport.fleet import Fleet
from hodei_k8s_transport.provider_base import Observer
from hodei_k8s_transport.provider_capacity import CapacityMethods

if TYPE_CHECKING:
    import httpx

R = TypeVar("R")
T = TypeVar("T")


class KubernetesProvider(CapacityMethods):
    """Makes workers as Pods, watches them, reads their logs and takes them away; may be shared by threads.

        with KubernetesProvider.connect(config) as provider:
            handle = provider.create_worker(spec)

    After `close` every call raises `ProviderClosed`. Not to be used across a fork.
    """

    def __init__(
        self,
        config: KubernetesConfig,
        channel: Channel,
        *,
        observer: Observer | None = None,
        target: Target | None = None,
    ) -> None:
        super().__init__(config, observer, target, own_time_of(channel))
        self._channel = channel

    @classmethod
    @contextmanager
    def connect(
        cls,
        config: KubernetesConfig,
        *,
        channel: Channel | None = None,
        client: httpx.Client | None = None,
        environ: Mapping[str, str] | None = None,
        observer: Observer | None = None,
    ) -> Iterator[KubernetesProvider]:
        """A provider for the cluster that the settings and the environment name, closed at the end of the block.

        `channel` carries the requests in place of our own; `client` is a host's own httpx client, for our channel to
        use, with what that trusts and which proxies it takes. `environ`: in place of the process's variables.
        `observer` is told what operations observe, and when credentials are refreshed (in whichever thread does that).

        Raises: ConfigurationError for access that cannot be made sense of, before anything is sent.
        """
        target = None
        if channel is None:
            variables = os.environ if environ is None else environ
            channel, target = open_channel(config, variables, client, observer=observer)
        provider = cls(config, channel, observer=observer, target=target)
        try:
            yield provider
        finally:
            provider.close()

    def close(self) -> None:
        """End every connection; operations under way end with `ProviderClosed`."""
        self._host.close()
        self._channel.close()

    def _run(self, operation: Operation[R]) -> R:
        self._check_process()
        return run(self._located(operation), self._channel, self._host)

    def _stream(self, operation: Stream[T, R]) -> SyncStream[T, R]:
        self._check_process()
        return SyncStream(self._located(operation), self._channel, self._host)

    def create_worker(self, spec: WorkerSpec, *, creation_token: str | None = None) -> WorkerHandle:
        """Get a worker's Pod accepted, and return its handle; it still has to be scheduled and started.

        Safe to repeat. A call that is cancelled may leave the Pod; the next call for the same id on this provider
        adopts it, and `destroy_worker_by_id` removes it. `creation_token`: of an `OutcomeUnknown`, to adopt its Pod.

        Raises: WorkerAlreadyExists, ResourceLimitExceeded, ProvisioningFailed, ProvisioningTimeout, OutcomeUnknown,
        AuthenticationFailed, ConfigurationError, ConnectionFailed.
        """
        operation, token = self._creation(spec, creation_token)
        with self._tokens.settling(spec.worker_id, token):
            return self._run(operation)

    def preview_worker(self, spec: WorkerSpec) -> dict[str, Any]:
        """The Pod that the API server would store for the worker, by a dry run; it holds the worker's OTP.

        Raises: as `create_worker`; Timeout.
        """
        return self._run(operations.preview_worker(self._config, spec))

    def get_worker_status(self, handle: WorkerHandle) -> WorkerState:
        """The worker's state; TERMINATED when its Pod is gone.

        Raises: ConnectionFailed, AuthenticationFailed, Timeout.
        """
        return self._run(operations.get_worker_status(self._config, handle))

    def describe_worker(self, handle: WorkerHandle) -> WorkerInfo:
        """Everything that the worker's Pod tells. Raises: as `get_worker_status`."""
        return self._run(operations.describe_worker(self._config, handle))

    def find_worker(self, worker_id: str) -> WorkerInfo | None:
        """Whichever Pod of this provider is that worker now, terminated ones included; None where there is none.

        Raises: as `get_worker_status`.
        """
        return self._run(operations.find_worker(self._config, worker_id))

    def wait_for_worker(
        self,
        handle: WorkerHandle,
        *,
        until: WorkerState | Collection[WorkerState] = WorkerState.READY,
        timeout: float = 120.0,
    ) -> WorkerInfo:
        """Wait (by a watch) until the worker is in one of the states `until`, for at most `timeout` seconds.

        Raises: NotReady as soon as it cannot get there, ProvisioningTimeout, ConnectionFailed, AuthenticationFailed.
        """
        return self._run(operations.wait_for_worker(self._config, handle, until=until, timeout=timeout))

    def wait_for_workers(
        self,
        handles: Iterable[WorkerHandle],
        *,
        until: WorkerState | Collection[WorkerState] = WorkerState.READY,
        timeout: float = 120.0,
    ) -> list[WaitOutcome]:
        """`wait_for_worker` for many, by one watch: one outcome for each handle, in their order.

        Returns as soon as all are decided. Raises: ConnectionFailed, AuthenticationFailed, ConfigurationError.
        """
        return self._run(operations.wait_for_workers(self._config, handles, until=until, timeout=timeout))

    def watch_workers(self, *, selector: str = "", namespace: str | None = None) -> SyncStream[FleetItem, None]:
        """Every change of a worker, and how old the picture is: a context manager to iterate over; it does not end.

        First come all workers as ADDED, then that the picture is SYNCED. `selector`: labels that a worker must have
        besides, as Kubernetes writes it. `namespace`: another one than the configured one.

        Raises (while iterating): ConnectionFailed, AuthenticationFailed, ConfigurationError: at once when the watch
        cannot begin, later only for what does not pass.
        """
        return self._stream(operations.watch_workers(self._config, selector=selector, namespace=namespace))

    def fleet(self, *, selector: str = "", namespace: str | None = None) -> Fleet:
        """The workers as they are now: a context manager whose one watch any number of readers and waiters share.

        `selector` and `namespace` as for `watch_workers`. Raises (when it is entered): as `watch_workers`.
        """
        config = in_namespace(self._config, namespace)
        return Fleet(config, selector, self._stream, self._run)

    def list_workers(self, *, selector: str = "") -> list[WorkerInfo]:
        """Every worker of this provider that has a Pod, terminated ones included.

        `selector`: labels that a worker must have, as Kubernetes writes it.

        Raises: ConnectionFailed, AuthenticationFailed, Timeout.
        """
        return self._run(operations.list_workers(self._config, selector=selector))

    def plan_reconcile(self, wanted: Wanted | None = None) -> Plan:
        """What would have to be done so that only the `wanted` workers are there, and none beyond its time.

        `wanted`: worker ids, or worker id -> uid of the Pod that the host knows; None: nothing is an orphan. Nothing is
        changed. Raises: ConfigurationError for the default `provider_id`; ConnectionFailed, AuthenticationFailed.
        """
        return self._run(operations.plan_fleet(self._config, wanted))

    def apply_reconcile(
        self, plan: Plan, *, consent: bool = False, may_act: Callable[[float], bool] | None = None
    ) -> list[ActionResult]:
        """Do what a plan says, one result for each action; what has changed since is left alone.

        `may_act`: asked before each removal, with the monotonic time, whether we still lead.

        Raises: ConfigurationError for a plan that needs `consent` and has none, before anything is sent.
        """
        return self._run(operations.apply_plan(self._config, plan, consent=consent, may_act=may_act))

    def lead(self, identity: str, *, policy: LeasePolicy | None = None) -> SyncStream[Leadership, None]:
        """Who leads among the processes that watch over this provider's workers, and for how long that is sure.

        A context manager to iterate over; it does not end. `identity`: this process, no other one. The Lease is in the
        workers' namespace, its name is made from `provider_id`. `request_stop` lets the lease go. What fails is told.
        """
        return self._stream(lead(self._config, identity, name=lease_name(self.provider_id), policy=policy))

    def get_worker_logs(
        self,
        handle: WorkerHandle,
        *,
        tail: int | None = None,
        since: int | None = None,
        previous: bool = False,
        container: str = WORKER_CONTAINER,
    ) -> list[LogEntry]:
        """What the worker has written; empty while it has not started.

        `tail`: the last so many lines. `since`: nanoseconds since the epoch. `previous`: of the run before a restart.

        Raises: WorkerNotFound, ConnectionFailed, AuthenticationFailed, Timeout, ConfigurationError.
        """
        return self._run(
            operations.get_worker_logs(
                self._config, handle, tail=tail, since=since, previous=previous, container=container
            )
        )

    def follow_worker_logs(
        self,
        handle: WorkerHandle,
        *,
        since: str | int | None = None,
        tail: int | None = None,
        container: str = WORKER_CONTAINER,
    ) -> SyncStream[LogItem, str]:
        """Every line of the worker once, as it is written, until it has ended: a context manager to iterate over.

        `since`: the `cursor` of an item, to go on behind it (in any process), or nanoseconds since the epoch. `tail`:
        begin with the last so many lines. Lines that cannot be had any more are told as a `LogGap`, a container that
        was started again as a `LogRestart`. `result` of the stream is the cursor at the end.

        Raises (while iterating): WorkerNotFound, AuthenticationFailed, ConfigurationError, ConnectionFailed.
        """
        return self._stream(
            operations.follow_worker_logs(self._config, handle, since=since, tail=tail, container=container)
        )

    def follow_fleet_logs(
        self,
        *,
        selector: str = "",
        since: Mapping[str, str] | int | None = None,
        tail: int | None = None,
        container: str = WORKER_CONTAINER,
    ) -> MergedStream[FleetLogItem]:
        """The logs of all workers in one, as workers come and go: a context manager to iterate over. It does not end.

        `selector`: labels that a worker must have, as Kubernetes writes it. `since`: nanoseconds since the epoch, or
        for each worker id the cursor of the last item that was read of it. `tail`: of the workers that are there, begin
        with the last so many lines. No worker is held up by another; all are when nobody reads.

        Raises (while iterating): ConnectionFailed, AuthenticationFailed, ConfigurationError.
        """
        self._check_process()
        fleet = FleetLogs(self._config, selector=selector, since=since, tail=tail, container=container)
        return MergedStream(fleet, self._channel, self._host)

    def run_worker(self, spec: WorkerSpec, *, startup_timeout: float = 300.0) -> SyncStream[RunItem, FinalReport]:
        """Create a worker, give its log as it is written, destroy it: a context manager to iterate over.

        Items: the handle, the worker whenever its state or reason changed, and its log. `result` of the stream is the
        final report, with the exit code. `request_stop` ends it early: the worker is destroyed, and what it still
        writes is given.

        Raises (while iterating): what `create_worker`, `wait_for_worker` and `destroy_worker` raise.
        """
        return self._stream(operations.run_worker(self._config, spec, startup_timeout=startup_timeout))

    def run_and_keep_worker(
        self, spec: WorkerSpec, *, startup_timeout: float = 300.0
    ) -> SyncStream[RunItem, FinalReport]:
        """As `run_worker`, but the Pod is left where it is."""
        return self._stream(operations.run_and_keep_worker(self._config, spec, startup_timeout=startup_timeout))

    @overload
    def destroy_worker(self, handle: WorkerHandle, *, grace_period: float | None = None) -> None: ...

    @overload
    def destroy_worker(
        self,
        handle: WorkerHandle,
        *,
        report: Literal[True],
        grace_period: float | None = None,
        last_lines: int = LAST_LINES,
    ) -> FinalReport: ...

    def destroy_worker(
        self,
        handle: WorkerHandle,
        *,
        report: bool = False,
        grace_period: float | None = None,
        last_lines: int = LAST_LINES,
    ) -> FinalReport | None:
        """Stop the worker, and return when its Pod is gone. Idempotent.

        `grace_period`: seconds from SIGTERM to SIGKILL, at least 1; None for the configured one. `report`: say how it
        ended, with the last `last_lines` lines of its log, those that it writes while it is stopped included.

        Raises: Timeout with what holds the Pod, ConnectionFailed, AuthenticationFailed.
        """
        if report:
            told = operations.destroy_worker_with_report(
                self._config, handle, grace_period=grace_period, last_lines=last_lines
            )
            return self._run(told)
        self._run(operations.destroy_worker(self._config, handle, grace_period=grace_period))
        return None

    def begin_destroy_worker(
        self, handle: WorkerHandle, *, grace_period: float | None = None, timeout: float | None = None
    ) -> None:
        """Ask for the worker's end and do not wait for it; a grace period that runs already can only get shorter.

        `timeout`: seconds for asking; None for the configured `operation_timeout`.

        Raises: ConnectionFailed, AuthenticationFailed, Timeout.
        """
        asking = operations.begin_destroy_worker(self._config, handle, grace_period=grace_period, timeout=timeout)
        self._run(asking)

    def force_destroy_worker(self, handle: WorkerHandle) -> None:
        """Remove the Pod's record at once, though the container may still run: for a node that is known to be dead.

        Raises: as `destroy_worker`.
        """
        self._run(operations.force_destroy_worker(self._config, handle))

    def destroy_worker_by_id(self, worker_id: str, *, grace_period: float | None = None) -> None:
        """`destroy_worker` for whichever Pod of this provider is that worker now."""
        self._run(operations.destroy_worker_by_id(self._config, worker_id, grace_period=grace_period))

    def assign_job(self, handle: WorkerHandle, job_id: str) -> WorkerInfo:
        """Note that the worker does that job: it is BUSY. Needs the permission to patch Pods.

        Raises: NotReady when it drains, has ended or has another job; WorkerNotFound, AuthenticationFailed.
        """
        return self._run(operations.assign_job(self._config, handle, job_id))

    def release_job(self, handle: WorkerHandle) -> WorkerInfo:
        """Note that the worker has no job, and is idle since now. Raises: as `assign_job`."""
        return self._run(operations.release_job(self._config, handle))

    def drain_worker(self, handle: WorkerHandle) -> WorkerInfo:
        """Mark the worker DRAINING: no further job. Raises: as `assign_job`."""
        return self._run(operations.drain_worker(self._config, handle))

    def health_check(self) -> HealthStatus:
        """Whether the provider can do its work, by two small requests; what is wrong is in the reply, not raised."""
        return self._run(operations.health_check(self._config))

    def audit(self, *, spec: WorkerSpec | None = None, features: Collection[Feature] | None = None) -> AuditReport:
        """The whole way from settings to permissions, step by step; what is wrong is in the report, not raised.

        `spec`: a worker that must be accepted, by a dry run; None for a small one. `features`: whose permissions are
        asked for; None for those that the settings turn on.
        """
        self._check_process()
        audit = self._audit(spec, features)
        with MergedStream(audit, self._channel, self._host) as found:
            report = next(found)
        if audit.met_bad_dates:
            report = self._dated(report, audit.timeout)
        return report

    def ensure_namespace(self) -> bool:
        """Create the configured namespace unless it exists; whether it was made now."""
        return self._run(operations.ensure_namespace(self._config))
