"""The public names of a package, each loading its module when it is first used (in the manner of PEP 562).

A package says where its names live twice: in a table for the interpreter, and under `if TYPE_CHECKING` for type
checkers, which so see no `__getattr__` that hides a wrong name. A test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any


class LazyPackage(ModuleType):
    """A package whose exports are not there until they are asked for."""

    _homes: Mapping[str, str] = {}

    def __getattr__(self, name: str) -> Any:
        if name not in self._homes:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{self.__name__}.{self._homes[name]}"), name)
        super().__setattr__(name, value)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        # Importing a submodule binds it in its package, and some have the name of an exported function: `timeline` is
        # the function, whichever was loaded first.
        if not (name in self._homes and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._homes})


def export_lazily(package: str, homes: Mapping[str, str]) -> None:
    """Make the package, which is being imported, a lazy one. `homes`: each name with its module in the package."""
    import_module(package).__class__ = type("LazyPackage", (LazyPackage,), {"_homes": homes})
