"""Everything that a host gets to see, as texts to look for secrets in."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Iterator
from typing import Any

from hodei_k8s_core.errors import HodeiK8sError


class Seen:
    """Everything that a host got to see, as texts with whence each came."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []
        self.observations: list[Any] = []

    def add(self, whence: str, value: Any) -> None:
        for text in shown(value):
            self.texts.append((whence, text))

    async def call(self, whence: str, call: Any) -> None:
        """Look at what a call returns or raises."""
        try:
            self.add(whence, await call)
        except HodeiK8sError as error:
            self.add(whence, error)
            self.texts.append((whence, "".join(traceback.format_exception(error))))

    def leaks(self, planted: set[str]) -> list[tuple[str, str, str]]:
        return [(whence, secret, text) for whence, text in self.texts for secret in planted if secret in text]


def shown(value: Any, depth: int = 4) -> Iterator[str]:
    """The ways to make a text of a value, and the same of all that it has in public."""
    yield repr(value)
    yield str(value)
    yield f"{value}"
    if depth == 0 or isinstance(value, str | bytes | int | float | type(None)):
        return
    if isinstance(value, list | tuple | set | dict):
        parts = list(value.values() if isinstance(value, dict) else value)
    else:
        with warnings.catch_warnings():  # of what other libraries deprecate
            warnings.simplefilter("ignore")
            parts = [getattr(value, name) for name in dir(value) if not name.startswith("_")]
    for part in parts:
        if not callable(part):
            yield from shown(part, depth - 1)
