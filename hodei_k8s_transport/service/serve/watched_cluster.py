"""One cluster that is watched over: its fleet as it is now, who leads, and what reconciles it.

Three loops: the watch, the election, the reconcile. What they decide is in `hodei_k8s_core.serving`; here is only the
waiting.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import anyio
import anyio.abc

from hodei_k8s_core.errors import ProviderError
from hodei_k8s_core.fleet_view import FleetView
from hodei_k8s_core.lease import LeasePolicy
from hodei_k8s_core.observations import Observation
from hodei_k8s_core.operations.lead import Leadership
from hodei_k8s_core.reconcile.plan import ActionOutcome, ActionResult, Plan
from hodei_k8s_core.serving.fleet_document import ClusterDocument, LastReconcile, cluster_document
from hodei_k8s_core.serving.reconcile_agenda import ReconcileAgenda
from hodei_k8s_core.worker import WorkerState
from hodei_k8s_core.worker_change import ChangeKind, FleetItem, WatchHealth, WorkerChange
from hodei_k8s_transport.async_provider import AsyncKubernetesProvider
from hodei_k8s_transport.drivers.async_stream import AsyncStream
from hodei_k8s_transport.service.metrics import Metrics
from hodei_k8s_transport.service.serve.beats import LEAD, RECONCILE, WATCH, Beats
from hodei_k8s_transport.service.watched import WatchEnded

TICK: Final = 5.0
"""Seconds at most between two looks at what there is to do."""
PAUSE: Final = 10.0
"""Seconds before a watch or an election is begun again that has ended for good."""
_log = logging.getLogger("hodei_k8s.serve")


class WatchedCluster:
    """For the tasks of one event loop; `run` once. `lease` None: the election's own periods."""

    def __init__(
        self,
        provider: AsyncKubernetesProvider,
        metrics: Metrics,
        beats: Beats,
        identity: str,
        *,
        lease: LeasePolicy | None = None,
    ) -> None:
        self._provider = provider
        self._metrics = metrics
        self._identity = identity
        self._lease = lease
        self._view = FleetView()
        self._leadership = Leadership()
        self._led = False
        self._agenda = ReconcileAgenda(interval=provider.config.reconcile.interval)
        self._last: LastReconcile | None = None
        self._wake = anyio.Event()
        self._is_stopping = False
        self._election: AsyncStream[Leadership, None] | None = None
        self.beats = beats

    @property
    def provider_id(self) -> str:
        return self._provider.provider_id

    @property
    def server(self) -> str:
        """What it connects to, and by whose word."""
        return str(self._provider.target or "a channel of the host's")

    @property
    def watch(self) -> WatchHealth | None:
        """How old the picture is."""
        return self._view.health

    def document(self) -> ClusterDocument:
        """The fleet as it is now."""
        return cluster_document(
            self.provider_id,
            self._provider.config.namespace,
            self._view,
            self._leadership,
            self._last,
            now=time.monotonic(),
        )

    async def run(self) -> None:
        """Watch, take part in the election, reconcile as the leader; ends after `request_stop`, with the lease let go.

        A reconcile that is under way ends after the removal that it is at; what it leaves, the next leader finds.
        """
        async with anyio.create_task_group() as watching:
            watching.start_soon(self._watch)
            async with anyio.create_task_group() as electing:
                electing.start_soon(self._elect)
                await self._reconcile()
                if self._election is not None:
                    self._election.request_stop()
            watching.cancel_scope.cancel()

    async def watch_only(self) -> None:
        """Watch, and change nothing; ends after `request_stop`."""
        async with anyio.create_task_group() as watching:
            watching.start_soon(self._watch)
            while not self._is_stopping:
                await self._rest(TICK)
            watching.cancel_scope.cancel()

    def request_stop(self) -> None:
        """Begin nothing more."""
        self._is_stopping = True
        self._wake.set()

    async def _watch(self) -> None:
        while True:
            self.beats.beat(WATCH)
            try:
                async with self._provider.watch_workers() as items:
                    async for item in items:
                        self._take(item)
            except ProviderError as error:
                self._tell(logging.ERROR, "the watch has ended, and is begun again", reason=str(error))
                self._metrics.watched(self.provider_id, WatchEnded(str(error)))
                self._view = FleetView()
            await anyio.sleep(PAUSE)

    def _take(self, item: FleetItem) -> None:
        was = self._view.health
        self._view.apply([item])
        self._metrics.watched(self.provider_id, item)
        if isinstance(item, WatchHealth):
            if was is None or was.freshness is not item.freshness:
                level = logging.INFO if item.is_synced else logging.WARNING
                self._tell(
                    level, f"the watch is {item.freshness.value}", workers=len(self._view.workers), reason=item.because
                )
            self._wake.set()
        elif _concerns_reconcile(item):
            self._agenda = self._agenda.after_event(time.monotonic())
            self._wake.set()

    async def _elect(self) -> None:
        while not self._is_stopping:
            self.beats.beat(LEAD)
            try:
                async with self._provider.lead(self._identity, policy=self._lease) as standings:
                    self._election = standings
                    async for standing in standings:
                        self._note(standing)
            except ProviderError as error:
                self._tell(logging.ERROR, "the election has ended, and is begun again", reason=str(error))
            finally:
                self._election = None
                self._note(Leadership())
            if not self._is_stopping:
                await self._rest(PAUSE)
        self.beats.end(LEAD)

    def _note(self, standing: Leadership) -> None:
        before, self._leadership = self._leadership, standing
        if standing.problem and standing.problem != before.problem:
            self._tell(logging.WARNING, "the lease cannot be looked at or renewed", reason=standing.problem)
        self._note_lead()

    def _note_lead(self) -> bool:
        """Whether we lead now; a change is told."""
        leads = self._leadership.is_ours(time.monotonic())
        if leads is not self._led:
            self._led = leads
            self._tell(logging.INFO, "this process leads" if leads else "this process does not lead any more")
            self._agenda = self._agenda.after_taking_over() if leads else self._agenda
            self._wake.set()
        self._metrics.note_leadership(self.provider_id, is_ours=leads)
        return leads

    async def _reconcile(self) -> None:
        while not self._is_stopping:
            self.beats.beat(RECONCILE)
            now = time.monotonic()
            is_up_to_it = self._note_lead() and self._view.is_synced
            if is_up_to_it and self._agenda.due_at <= now:
                await self._reconcile_once()
            else:
                await self._rest(min(TICK, self._agenda.due_at - now) if is_up_to_it else TICK)
        self.beats.end(RECONCILE)

    async def _rest(self, seconds: float) -> None:
        """Until something happens, at most so long."""
        with anyio.move_on_after(seconds):
            await self._wake.wait()
        if self._wake.is_set():
            self._wake = anyio.Event()

    async def _reconcile_once(self) -> None:
        try:
            plan = await self._provider.plan_reconcile()
            results = [] if plan.consent_needed else await self._provider.apply_reconcile(plan, may_act=self._may_act)
        except ProviderError as error:
            self._tell(logging.ERROR, "the reconcile failed", reason=str(error))
            self._last = LastReconcile(at=time.time(), problem=str(error))
            self._agenda = self._agenda.after_failure(time.monotonic())
            return
        self._account(plan, results)

    def _may_act(self, now: float) -> bool:
        return not self._is_stopping and self._leadership.is_ours(now)

    def _account(self, plan: Plan, results: list[ActionResult]) -> None:
        for result in results:
            action = result.action
            is_bad = result.outcome is ActionOutcome.FAILED
            self._tell(
                logging.WARNING if is_bad else logging.INFO,
                f"{action.kind.value}: {result.outcome.value}",
                worker_id=action.worker_id,
                resource=action.resource,
                name=action.name,
                reason=result.error or action.reason,
            )
        if plan.consent_needed:
            self._tell(logging.WARNING, "a plan waits for consent", reason=plan.consent_needed)
        outcomes = Counter(result.outcome.value for result in results)
        self._last = LastReconcile(at=time.time(), outcomes=outcomes, problem=plan.consent_needed)
        now = time.monotonic()
        if ActionOutcome.FAILED.value in outcomes or ActionOutcome.SKIPPED.value in outcomes:
            self._agenda = self._agenda.after_failure(now)
            return
        next_in = None if plan.next_due is None else plan.next_due - plan.made_at
        self._agenda = self._agenda.after_success(now, next_in=next_in)
        self._metrics.note_reconciled(self.provider_id)

    def _tell(self, level: int, message: str, **fields: Any) -> None:
        known = {name: value for name, value in fields.items() if value != ""}
        _log.log(level, message, extra={"fields": {"provider_id": self.provider_id, **known}})


def _concerns_reconcile(change: WorkerChange) -> bool:
    """It ended, went, or has nothing to do: a reconcile sees from when on its time counts."""
    state = change.seen.state
    if change.kind is ChangeKind.REMOVED or state.is_final:
        return True
    return state is WorkerState.READY and change.info.idle_since is not None


def observers(*all_of_them: Callable[[Observation], None]) -> Callable[[Observation], None]:
    """One observer that tells several."""

    def tell(observation: Observation) -> None:
        for one in all_of_them:
            one(observation)

    return tell
