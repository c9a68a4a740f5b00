"""The public names of both packages, pinned in full in `public_names.txt`: one a line, as `package.name`.

A name that comes or goes is a decision: change the file by hand, and the changelog with it.
"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from types import ModuleType

import pytest

PACKAGES = ("hodei_k8s_core", "hodei_k8s_transport")
PINNED = Path(__file__).with_name("public_names.txt").read_text().split()


def pinned(package: str) -> list[str]:
    return [name.removeprefix(f"{package}.") for name in PINNED if name.startswith(f"{package}.")]


def listed(package: str) -> list[str]:
    """`__all__`, which a package must have."""
    return list(importlib.import_module(package).__all__)


def unlisted(module: ModuleType) -> set[str]:
    """Public names in sight, made in the package, that are not listed: `from package import ...` would find them."""
    ours = {
        name
        for name, value in vars(module).items()
        if not inspect.ismodule(value) and getattr(value, "__module__", module.__name__).startswith(module.__name__)
    }
    return {name for name in ours if not name.startswith("_")} - set(module.__all__) - {"TYPE_CHECKING"}


def test_the_file_is_in_order() -> None:
    assert sorted(set(PINNED)) == PINNED
    assert {name.partition(".")[0] for name in PINNED} == set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_all_is_what_is_pinned(package: str) -> None:
    assert sorted(listed(package)) == pinned(package)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_public_name_is_left_out(package: str) -> None:
    assert not unlisted(importlib.import_module(package))


@pytest.mark.parametrize("name", PINNED)
def test_a_public_name_can_be_imported_and_is_ours_and_documented(name: str) -> None:
    package, _, attribute = name.partition(".")
    value = getattr(importlib.import_module(package), attribute)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert value.__module__.startswith(f"{package}.")
        assert value.__doc__


def test_a_name_that_is_not_listed_is_found() -> None:
    module = ModuleType("module")
    vars(module).update(__all__=["a"], a=1, b=1, _c=1, inspect=inspect, Path=Path)
    assert unlisted(module) == {"b"}
