"""What the packages load when they are imported, and what the core's source may name at all.

The contracts of `.importlinter` look at imports of modules; here every module of the core is read, line by line, for
what a contract cannot see: built-ins that reach the world, clocks behind a pure module, and anything not on the list.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = sorted((ROOT / "hodei_k8s_core").rglob("*.py"))
ALLOWED_MODULES = {
    "__future__",
    "base64",
    "binascii",
    "bisect",
    "collections",
    "contextlib",
    "datetime",
    "decimal",
    "difflib",
    "enum",
    "fnmatch",
    "functools",
    "hashlib",
    "heapq",
    "hodei_k8s_core",
    "ipaddress",
    "itertools",
    "math",
    "msgspec",
    "operator",
    "re",
    "string",
    "types",
    "typing",
    "unicodedata",
    "urllib.parse",
}
ALLOWED_NAMES = {"pathlib": {"PurePath", "PurePosixPath", "PureWindowsPath"}}
ALLOWED_IN = {
    ("yaml_text.py", "yaml"),
    ("yaml_text.py", "yaml.nodes"),
    ("document.py", "tomllib"),
    ("lazy_exports.py", "importlib"),  # of our own modules, by name
}
FORBIDDEN_BUILTINS = {
    "__import__",
    "breakpoint",
    "compile",
    "eval",
    "exec",
    "globals",
    "id",  # an address: differs from run to run
    "input",
    "open",
    "print",
    "vars",
}
CLOCKS = {(kind, name) for kind in ("datetime", "date") for name in ("now", "utcnow", "today")}
WORLD = {"httpx", "httpcore", "anyio", "trio", "sniffio", "yaml", "prometheus_client", "h11", "typer", "rich"}
NOT_BY_THE_CORE = WORLD | {"asyncio", "socket", "ssl", "subprocess", "logging", "random"}
NOT_BY_THE_TRANSPORT = {"typer", "rich", "click", "prometheus_client", "trio", "yaml", "pytest", "opentelemetry"}
NOT_FOR_A_STATE = tuple(
    f"hodei_k8s_core.{part}" for part in ("operations", "diagnosis", "capacity", "access", "config", "simulation")
)
NOT_FOR_THE_HELP = {"httpx", "anyio", "h11", "yaml", "msgspec", "ssl", "asyncio", "importlib.metadata"}
HELP = """
import contextlib, io, sys
sys.argv = ["hodei-k8s", "--help"]
from hodei_k8s_transport.cli import main
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()) as told:
    main()
assert "Commands" in told.getvalue()
print(*sys.modules)
"""


def impurities(tree: ast.AST, file: str = "") -> Iterator[str]:
    """Everything in a module of the core that is not on the lists above."""
    reaching = FORBIDDEN_BUILTINS - set(_bound(tree))
    for node in ast.walk(tree):
        for fault in _faults(node, file, reaching):
            yield f"line {node.lineno}: {fault}"  # type: ignore[attr-defined] # every node with a fault has one


def _bound(tree: ast.AST) -> Iterator[str]:
    """The names that a module gives a meaning of its own, such as a field `exec`."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name


def _faults(node: ast.AST, file: str, reaching: set[str]) -> list[str]:
    match node:
        case ast.Import(names):
            return [name.name for name in names if not _is_allowed(name.name, file)]
        case ast.ImportFrom(module, names, level):
            if level:
                return ["a relative import"]
            allowed = ALLOWED_NAMES.get(module or "", set())
            return [
                f"{module}.{n.name}" for n in names if n.name not in allowed and not _is_allowed(module or "", file)
            ]
        case ast.Name(id=name) if name in reaching:
            return [name]
        case ast.Attribute(ast.Name(id=kind) | ast.Attribute(attr=kind), attr=name) if (kind, name) in CLOCKS:
            return [f"{kind}.{name}"]
        case ast.AsyncFunctionDef(name=name) | ast.Global(names=[name, *_]):
            return [name]
    return []


def _is_allowed(module: str, file: str) -> bool:
    parts = module.split(".")
    return (file, module) in ALLOWED_IN or any(".".join(parts[: n + 1]) in ALLOWED_MODULES for n in range(len(parts)))


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert not done.stderr
    return done.stdout


def loaded_by(code: str) -> set[str]:
    """The modules that are loaded after that code and not without it."""
    show = "import sys\nprint(*sys.modules)"
    return set(python(f"{code}\n{show}").split()) - set(python(show).split())


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_of_the_core_is_pure(path: Path) -> None:
    assert not list(impurities(ast.parse(path.read_text()), path.name))


@pytest.mark.parametrize(
    "line",
    [
        "import os",
        "import msgspec, time",
        "from os import path",
        "from urllib import request",
        "import urllib.request",
        "from pathlib import Path",
        "from . import http",
        "if TYPE_CHECKING:\n    import httpx",
        "def f():\n    import yaml",
        "data = open('x').read()",
        "f = open",
        "__import__('os')",
        "eval('1')",
        "datetime.now(UTC)",
        "dt.datetime.today()",
        "async def f(): pass",
        "def f():\n    global x",
    ],
)
def test_an_impurity_is_found(line: str) -> None:
    assert list(impurities(ast.parse(line), "module.py"))


@pytest.mark.parametrize(
    "line",
    [
        "from hodei_k8s_core.http import Request",
        "import collections.abc",
        "from collections.abc import Mapping",
        "from urllib.parse import quote",
        "from pathlib import PurePath",
        "datetime.fromisoformat(text)",
        "store.open_items()",
        "world.now",
        "def f(exec):\n    return exec",
    ],
)
def test_what_is_pure_is_not(line: str) -> None:
    assert not list(impurities(ast.parse(line), "module.py"))


def test_importing_the_whole_core_loads_nothing_that_touches_the_world() -> None:
    every_module = "; ".join(f"import {_module(path)}" for path in CORE)
    loaded = loaded_by(every_module)
    assert "hodei_k8s_core.yaml_text" in loaded
    assert not loaded & NOT_BY_THE_CORE


def test_the_core_loads_yaml_when_it_is_given_yaml() -> None:
    code = "from hodei_k8s_core.yaml_text import parse_yaml\nparse_yaml(b'a: 1')"
    assert "yaml" in loaded_by(code)


@pytest.mark.parametrize(
    "facade", ["hodei_k8s_transport", "hodei_k8s_transport.provider", "hodei_k8s_transport.async_provider"]
)
def test_importing_the_transport_loads_no_extra(facade: str) -> None:
    # What httpx and httpcore import where it is installed (click and rich for a command line, trio) is theirs.
    loaded = loaded_by(f"import {facade}") - loaded_by("import httpx, httpcore")
    assert not loaded & NOT_BY_THE_TRANSPORT


def test_importing_the_core_loads_nothing_until_it_is_used() -> None:
    assert {name for name in loaded_by("import hodei_k8s_core") if name.startswith(("hodei_k8s", "msgspec"))} == {
        "hodei_k8s_core",
        "hodei_k8s_core.exports",
        "hodei_k8s_core.lazy_exports",
    }


def test_a_name_of_the_core_loads_what_it_needs_and_no_more() -> None:
    loaded = loaded_by("from hodei_k8s_core import worker_state")
    assert "hodei_k8s_core.pod" in loaded
    assert not {name for name in loaded if name.startswith(NOT_FOR_A_STATE)}


def test_the_help_loads_no_command_and_nothing_that_a_command_needs() -> None:
    pytest.importorskip("typer")
    loaded = set(python(HELP).split())
    assert "hodei_k8s_transport.cli.app" in loaded
    assert not loaded & NOT_FOR_THE_HELP
    assert not {
        name for name in loaded if name.startswith(("hodei_k8s_transport.cli.commands.", "hodei_k8s_core."))
    } - {
        "hodei_k8s_core.exports",
        "hodei_k8s_core.lazy_exports",
    }


def test_a_command_loads_the_live_table_only_to_show_it() -> None:
    """It stands for rich, which httpx loads too where it finds click beside it."""
    pytest.importorskip("typer")
    loaded = loaded_by("import hodei_k8s_transport.cli.commands.list_")
    assert "hodei_k8s_transport.cli.output" in loaded
    assert "hodei_k8s_transport.cli.fleet_screen" not in loaded


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_importing_the_transport_takes_less_than_twice_as_long_as_httpx() -> None:
    clock = "import time\nstart = time.perf_counter()\nimport {}\nprint(time.perf_counter() - start)"
    ours, theirs = [], []
    for _ in range(7):  # interleaved, and the least of each: what else runs on the machine only ever adds
        ours.append(float(python(clock.format("hodei_k8s_transport"))))
        theirs.append(float(python(clock.format("httpx"))))
    assert min(ours) < 2 * min(theirs)
