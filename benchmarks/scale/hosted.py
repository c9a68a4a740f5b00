"""A host of `watch_workers` whose server is at hand: what the operation asks for is there at once.

All that the library does from bytes to the view is done; the network and the event loop are left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hodei_k8s_core import operations
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Emit, Monotonic, Open, Random, Read, Send, WallClock
from hodei_k8s_core.fleet_view import FleetView
from hodei_k8s_core.http import Body, Response
from hodei_k8s_core.worker_change import FleetItem

_NOW = 1_795_446_400.0
"""Some minutes after the Pods were recorded."""


class Host:
    """`view` is what the watch has told. `seconds`: of the library alone, without the making of its input.

    `on_items`: what else the host does with what it is told.
    """

    def __init__(
        self,
        pages: Iterator[bytes],
        *,
        on_step: Callable[[], None] = lambda: None,
        on_items: Callable[[Sequence[FleetItem]], None] = lambda _: None,
        clock: Callable[[], float] = time.process_time,
    ) -> None:
        self.view = FleetView()
        self.seconds = 0.0
        self.items = 0
        self._pages = pages
        self._events: Iterator[bytes] = iter(())
        self._stream = operations.watch_workers(KubernetesConfig())
        self._on_step = on_step
        self._on_items = on_items
        self._clock = clock
        self._effect: Any = next(self._stream)

    def read_list(self) -> None:
        """Up to where the picture is whole."""
        while not self.view.is_synced:
            self._step()

    def read_events(self, chunks: list[bytes]) -> None:
        """All of them."""
        self._events = iter(chunks)
        while (reply := self._reply()) is not None:
            self._advance(reply)

    def close(self) -> None:
        """The watch and what it knows are gone; the view stays."""
        self._stream.close()
        del self._stream, self._effect

    def _step(self) -> None:
        reply = self._reply()
        if reply is None:
            raise RuntimeError("the list did not end")
        self._advance(reply)

    def _advance(self, reply: tuple[Any]) -> None:
        self._on_step()
        start = self._clock()
        if isinstance(self._effect, Emit):
            self.items += len(self._effect.items)
            self.view.apply(self._effect.items)
            self._on_items(self._effect.items)
        self._effect = self._stream.send(reply[0])
        self.seconds += self._clock() - start

    def _reply(self) -> tuple[Any] | None:
        """To the effect that the operation waits for; None when there is nothing left to read."""
        match self._effect:
            case Send():
                return (Response(200, (), next(self._pages)),)
            case Open():
                return (Body(200),)
            case Read():
                chunk = next(self._events, None)
                return None if chunk is None else (chunk,)
            case Monotonic():
                return (1.0,)
            case WallClock():
                return (_NOW,)
            case Random():
                return (0.5,)
            case _:
                return (None,)
