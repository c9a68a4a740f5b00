"""The public names of both packages, pinned in full in `public_names.txt`: one a line, as `package.name`.

A name that comes or goes is a decision: change the file by hand, and the changelog with it.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path
from types import ModuleType

import pytest

from tests.architecture.test_imports import python

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


def homes_for_type_checkers(source: str, package: str) -> dict[str, str]:
    """Each name under `if TYPE_CHECKING`, with its module in the package."""
    blocks = [node for node in ast.parse(source).body if isinstance(node, ast.If)]
    imports = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom)]
    return {name.name: str(node.module).removeprefix(f"{package}.") for node in imports for name in node.names}


def test_the_file_is_in_order() -> None:
    assert sorted(set(PINNED)) == PINNED
    assert {name.partition(".")[0] for name in PINNED} == set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_all_is_what_is_pinned(package: str) -> None:
    assert sorted(listed(package)) == pinned(package)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_public_name_is_left_out(package: str) -> None:
    assert not unlisted(importlib.import_module(package))


@pytest.mark.parametrize("package", PACKAGES)
def test_a_name_comes_from_where_type_checkers_are_told(package: str) -> None:
    module = importlib.import_module(package)
    assert homes_for_type_checkers(Path(str(module.__file__)).read_text(), package) == dict(
        vars(type(module))["_homes"]
    )
    assert set(vars(type(module))["_homes"]) == set(module.__all__)


@pytest.mark.parametrize("loaded_first", ["hodei_k8s_core.timeline", "hodei_k8s_core.worker_state"])
def test_a_function_is_not_hidden_by_the_module_of_its_name(loaded_first: str) -> None:
    name = loaded_first.rpartition(".")[2]
    code = f"import {loaded_first}\nfrom hodei_k8s_core import {name}\nimport hodei_k8s_core\n"
    check = f"print(callable({name}), hodei_k8s_core.{name} is {name}, '{name}' in dir(hodei_k8s_core))"
    assert python(code + check).split() == ["True"] * 3


def test_what_is_not_exported_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'hodei_k8s_core' has no attribute 'nothing'"):
        getattr(importlib.import_module("hodei_k8s_core"), "nothing")  # noqa: B009 - mypy knows that it is not


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
