"""The names of a package that load their modules when they are first used."""

from __future__ import annotations

import math
import sys
from types import ModuleType

import pytest

from hodei_k8s_core.lazy_exports import export_lazily

PACKAGE = "tests.core.lazy_example"


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A package that exports `pi` and `e` from its module `numbers`."""
    example, numbers = ModuleType(PACKAGE), ModuleType(f"{PACKAGE}.numbers")
    vars(numbers).update(pi=math.pi, e=math.e)
    monkeypatch.setitem(sys.modules, PACKAGE, example)
    monkeypatch.setitem(sys.modules, numbers.__name__, numbers)
    export_lazily(PACKAGE, {"pi": "numbers", "e": "numbers"})
    return example


def test_a_name_is_there_when_it_is_asked_for(package: ModuleType) -> None:
    assert "pi" not in vars(package)
    assert package.pi == math.pi
    assert vars(package)["pi"] == math.pi


def test_a_name_that_is_not_exported_is_not_there(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match=f"module '{PACKAGE}' has no attribute 'tau'"):
        _ = package.tau


def test_a_module_does_not_hide_the_name_that_it_shares(package: ModuleType) -> None:
    package.e = ModuleType(f"{PACKAGE}.e")  # as the import of a submodule does
    assert package.e == math.e


def test_anything_else_can_be_set(package: ModuleType) -> None:
    package.e, package.tau = 3, math.tau
    assert (package.e, package.tau) == (3, math.tau)


def test_the_names_are_listed(package: ModuleType) -> None:
    assert {"pi", "e", "__name__"} <= set(dir(package))
