"""What happens to one worker: the kinds of lives, as operations of its host.

A host insists: what fails is tried again, as often as it takes, since faults never stop.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Monotonic, Operation, Sleep, Stream
from hodei_k8s_core.errors import OutcomeUnknown, ProviderError, WorkerAlreadyExists
from hodei_k8s_core.log_entry import LogEntry, LogGap
from hodei_k8s_core.operations import (
    adopt_or_create_worker,
    create_worker,
    destroy_worker,
    follow_worker_logs,
    get_worker_status,
    wait_for_worker,
)
from hodei_k8s_core.simulation import LIBRARY, Behaviour
from hodei_k8s_core.simulation.virtual import Randomness
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_core.worker import WorkerHandle, WorkerState

R = TypeVar("R")
CONFIG = KubernetesConfig(provider_id="soak")
GRACE = 5.0
SLACK = 10.0
"""Seconds by which an operation may outlive its deadline: one more look at what went wrong."""
TRIES = 100
LINES = 40
_BROKEN = ("oom-killed", "image-pull-error", "missing-secret", "command-not-found", "never-ready", "stuck-volume")
_OVER = (WorkerState.TERMINATED, WorkerState.TERMINATING)


class Life:
    """One worker. `told`: what must not have happened. `on_handle` hears of every handle that its host got."""

    def __init__(self, number: int, seed: int, day: float) -> None:
        self.id = f"w-{number}"
        self.chance = Randomness(seed * 1_000_003 + number)
        self.kind = self._pick()
        self.begins = self.chance.next() * day
        self.crashes = self.begins + 30.0 * self.chance.next() if self.kind == "orphan" else None
        self.run = 30.0 + 1800.0 * self.chance.next() ** 2
        self.broken = _BROKEN[int(self.chance.next() * len(_BROKEN))]
        self.told: list[str] = []
        self.handles: list[WorkerHandle] = []
        self.lines: list[str] = []
        self.has_gap = False
        self.cursor: str | None = None
        self.on_handle: Callable[[WorkerHandle], object] = self.handles.append

    @property
    def written(self) -> list[str]:
        """All that the worker writes, if it lives long enough."""
        return [f"{self.id} line {n}" for n in range(LINES)]

    @property
    def behaviour(self) -> Behaviour:
        if self.kind == "broken":
            return LIBRARY[self.broken](self.id)
        logs = tuple((n * self.run / LINES, line) for n, line in enumerate(self.written))
        return Behaviour(pull=5.0, logs=logs, exit_code=0 if self.kind == "job" else None, run=self.run, term=1.0)

    def main(self) -> Stream[Any, None]:
        """What its host does."""
        return KINDS[self.kind][1](self)

    def rival(self) -> Stream[Any, None]:
        """What another host does, which wants the same worker."""
        handle = yield from self.created()
        if handle is not None:
            yield from Sleep(10.0)
            yield from self.destroyed(handle)

    def follow(self, handle: WorkerHandle) -> Stream[Any, None]:
        """Its log, to the end."""
        for _ in range(TRIES):
            try:
                yield from follow_worker_logs(CONFIG, handle, since=self.cursor)
            except ProviderError:
                yield from Sleep(5.0)
            else:
                return
        self.told.append("its log could not be followed")

    def read(self, items: Any) -> None:
        """What a follow gave."""
        for item in items:
            if isinstance(item, LogEntry):
                self.lines.append(item.message)
                self.cursor = item.cursor
            self.has_gap = self.has_gap or isinstance(item, LogGap)

    def check_lines(self) -> None:
        """None is missing, and none came twice: of a worker that ended by itself all, else those to some point."""
        expected = self.written if self.kind == "job" else self.written[: len(self.lines)]
        if self.lines != expected and not self.has_gap:
            self.told.append(
                f"of its log came {len(self.lines)} lines, which are not the {len(expected)} that were written"
            )

    # --- what a host insists on

    def created(self) -> Operation[WorkerHandle | None]:
        """The handle; None when another host has the worker."""
        token = ""
        for _ in range(TRIES):
            spec = WorkerSpec(worker_id=self.id, image=self.id, server_address="h:1", max_lifetime=36_000)
            again = adopt_or_create_worker(CONFIG, spec, creation_token=token) if token else create_worker(CONFIG, spec)
            try:
                handle = yield from self._within(CONFIG.creation_timeout, "create", again)
            except OutcomeUnknown as error:
                token = error.creation_token or ""
            except WorkerAlreadyExists as error:
                if not error.retryable:
                    return None
            except ProviderError:
                pass
            else:
                self.on_handle(handle)
                return handle
            yield from Sleep(5.0 + 5.0 * self.chance.next())
        self.told.append("it could not be created")
        return None

    def destroyed(self, handle: WorkerHandle) -> Operation[None]:
        """Its Pod is gone."""
        for _ in range(TRIES):
            again = destroy_worker(CONFIG, handle, grace_period=GRACE)
            try:
                yield from self._within(GRACE + CONFIG.destroy_timeout, "destroy", again)
            except ProviderError:
                yield from Sleep(5.0 + 5.0 * self.chance.next())
            else:
                return
        self.told.append("it could not be destroyed")

    def status(self, handle: WorkerHandle) -> Operation[WorkerState | None]:
        """Its state; None when that cannot be had."""
        try:
            return (yield from self._within(CONFIG.operation_timeout, "status", get_worker_status(CONFIG, handle)))
        except ProviderError:
            return None

    def waited(self, handle: WorkerHandle) -> Operation[None]:
        """It is ready, or is not going to be."""
        try:
            yield from self._within(120.0, "wait", wait_for_worker(CONFIG, handle, timeout=120.0))
        except ProviderError:
            return

    def _within(self, limit: float, what: str, operation: Generator[Any, Any, R]) -> Generator[Any, Any, R]:
        """An operation that must be over in time, however it ends."""
        began = yield from Monotonic()
        try:
            result = yield from operation
        except ProviderError:
            yield from self._check_time(began, limit, what)
            raise
        yield from self._check_time(began, limit, what)
        return result

    def _check_time(self, began: float, limit: float, what: str) -> Operation[None]:
        took = (yield from Monotonic()) - began
        if took > limit + SLACK:
            self.told.append(f"{what} took {took:.0f} s, and has {limit:.0f} s")

    def _pick(self) -> str:
        names, left = iter(KINDS), self.chance.next()
        name = next(names)
        while (left := left - KINDS[name][0]) >= 0:
            name = next(names, name)
        return name


def _service(life: Life) -> Stream[Any, None]:
    handle = yield from life.created()
    if handle is None:
        life.told.append("another host has it, and there is none")
        return
    yield from life.waited(handle)
    yield from Sleep(life.run / 2)
    yield from life.destroyed(handle)


def _job(life: Life) -> Stream[Any, None]:
    handle = yield from life.created()
    if handle is None:
        life.told.append("another host has it, and there is none")
        return
    yield from life.follow(handle)
    yield from life.destroyed(handle)


def _contended(life: Life) -> Stream[Any, None]:
    """Another host wants it at the same time: see `Life.rival`."""
    return life.rival()


def _recycled(life: Life) -> Stream[Any, None]:
    """Its id is used again at once, and somebody still destroys the first by its handle."""
    first = yield from life.created()
    if first is None:
        return
    yield from life.waited(first)
    yield from life.destroyed(first)
    second = yield from life.created()
    if second is None:
        return
    yield from life.waited(second)
    yield from life.destroyed(first)
    if (yield from life.status(second)) in _OVER:
        life.told.append("the handle of one that is gone has ended its successor")
    yield from life.destroyed(second)


def _orphan(life: Life) -> Stream[Any, None]:
    """Its host goes away, at any moment, and never comes back."""
    handle = yield from life.created()
    if handle is not None:
        yield from Sleep(1e9)


KINDS: dict[str, tuple[float, Callable[[Life], Stream[Any, None]]]] = {
    "service": (0.35, _service),
    "job": (0.3, _job),
    "broken": (0.1, _service),
    "contended": (0.1, _contended),
    "recycled": (0.1, _recycled),
    "orphan": (0.05, _orphan),
}
"""Name → its share, and what the host does."""
