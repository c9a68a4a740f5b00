"""A coordinator and its children as one generator of effects: what the worlds and scripts of the other tests run.

    (report,) = world.run(coordinated(Audit(CONFIG), pick=lambda running: running[-1])).result

`pick` says which child makes the next step, of those that are running, in the order in which they were started. A child
that has no room waits. What is thrown in is for the child whose effect it answers; a stop ends all, as in the runners.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from functools import partial
from typing import Any, TypeAlias, TypeVar

from hodei_k8s_core.coordinators.coordinator import Action, Coordinator, Start
from hodei_k8s_core.effects import Emit, StopRequested

T = TypeVar("T")
Pick: TypeAlias = Callable[[Sequence[str]], str]


def first(running: Sequence[str]) -> str:
    """One after the other."""
    return running[0]


def coordinated(coordinator: Coordinator[T], pick: Pick = first) -> Generator[Any, Any, list[T]]:
    """All that the coordinator gives, until it is over; raises its error."""
    children = _Children(coordinator)
    taken: list[T] = []
    try:
        children.obey(coordinator.begin())
        while True:
            while (batch := coordinator.take()) is not None:
                taken += batch[1]
            if coordinator.error is not None:
                raise coordinator.error
            if coordinator.is_over:
                return taken
            yield from children.step(pick(children.ready()))
    finally:
        children.close()


class _Children:
    def __init__(self, coordinator: Coordinator[Any]) -> None:
        self._coordinator = coordinator
        self._streams: dict[str, Generator[Any, Any, Any]] = {}
        self._resume: dict[str, Callable[[], Any]] = {}
        self._held: dict[str, Emit[Any]] = {}

    def obey(self, actions: Iterable[Action]) -> None:
        for action in actions:
            if isinstance(action, Start):
                assert action.child not in self._streams, "two children of one name"
                self._streams[action.child] = action.stream
                self._resume[action.child] = partial(next, action.stream)
            elif action.child in self._streams:
                self._forget(action.child)

    def ready(self) -> list[str]:
        return [name for name in self._streams if name not in self._held or self._coordinator.has_room(name)]

    def step(self, name: str) -> Generator[Any, Any, None]:
        """To the child's next effect, and that performed; or to its end."""
        if name in self._held:
            self.obey(self._coordinator.emitted(name, self._held.pop(name).items))
            return
        try:
            effect = self._resume[name]()
        except StopIteration as end:
            self._forget(name)
            self.obey(self._coordinator.ended(name, end.value))
        except Exception as error:  # noqa: BLE001 - it is for the coordinator
            self._forget(name)
            self.obey(self._coordinator.failed(name, error))
        else:
            yield from self._perform(name, effect)

    def _perform(self, name: str, effect: Any) -> Generator[Any, Any, None]:
        if isinstance(effect, Emit):
            self._held[name] = effect
            self._resume[name] = partial(self._streams[name].send, None)
            return
        try:
            answer = yield effect
        except StopRequested:
            raise
        except Exception as error:  # noqa: BLE001 - it is for the child
            self._resume[name] = partial(self._streams[name].throw, error)
        else:
            self._resume[name] = partial(self._streams[name].send, answer)

    def close(self) -> None:
        for name in tuple(self._streams):
            self._forget(name)

    def _forget(self, name: str) -> None:
        self._streams.pop(name).close()
        self._resume.pop(name)
        self._held.pop(name, None)
