"""The shape of the tree: what may stand at the top, how long a file and a function may be, and no path of a machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOP_LEVEL = {
    "hodei_k8s_core",
    "hodei_k8s_transport",
    "tests",
    "deploy",
    "benchmarks",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
}
MADE_BY_TOOLS = re.compile(r"__pycache__|build|dist|.*\.egg-info|\..*_cache|\.hypothesis|\.venv.*|\.git|\.coverage.*")
MAX_LINES = 260
MAX_LINES_OF_TESTS = 450  # a suite is read a test at a time, and what it shares stands on top of it
MAX_FUNCTION_LINES = 45
# The exceptions, each with its reason: "hodei_k8s_transport/x.py" and "hodei_k8s_transport/x.py:function".
LONG_FILES: dict[str, str] = {
    "hodei_k8s_core/__init__.py": "the list of the public names",
    "hodei_k8s_transport/provider.py": "one short method for each operation, with its documentation",
    "hodei_k8s_transport/async_provider.py": "its twin",
}
LONG_FUNCTIONS: dict[str, str] = {
    "hodei_k8s_transport/cli/commands/run.py:command": "its parameters are the options of the command, with their help",
    "hodei_k8s_transport/cli/commands/create.py:command": "the same",
    "hodei_k8s_transport/cli/commands/manifest.py:command": "the same",
    "tests/core/test_pod_manifest.py:test_the_whole_pod_of_a_plain_worker": "one literal: the whole Pod",
}
# Where a developer's or a build machine's files live. Not the places that the project speaks of on purpose: those of a
# Pod (/var/run/secrets), of a node, and the temporary directory of a test.
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|root|tmp/v\d+)/[\w.]+")


def files(folder: Path = ROOT) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if MADE_BY_TOOLS.fullmatch(path.name):
            continue
        if path.is_dir():
            yield from files(path)
        else:
            yield path


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def most_lines(path: Path) -> int:
    return MAX_LINES_OF_TESTS if named(path).startswith("tests/") else MAX_LINES


FILES = list(files())
MODULES = [path for path in FILES if path.suffix == ".py"]


def long_functions(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Functions by name with their lines, from `def` to the end, the docstring not counted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            documented = ast.get_docstring(node, clean=False) is not None
            docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
            lines = (node.end_lineno or 0) - node.lineno + 1 - docstring
            if lines > MAX_FUNCTION_LINES:
                yield node.name, lines


def test_nothing_else_stands_at_the_top() -> None:
    there = {p.name for p in ROOT.iterdir() if not p.name.startswith(".") and not MADE_BY_TOOLS.fullmatch(p.name)}
    assert not there - TOP_LEVEL
    assert not TOP_LEVEL - there


def test_no_file_is_longer_than_one_concept() -> None:
    too_long = {named(p): n for p in MODULES if (n := len(p.read_text().splitlines())) > most_lines(p)}
    assert not {file: lines for file, lines in too_long.items() if file not in LONG_FILES}
    assert not LONG_FILES.keys() - too_long.keys(), "the exception is no longer needed"


def test_no_function_is_longer_than_a_screen() -> None:
    too_long = {
        f"{named(path)}:{name}": lines
        for path in MODULES
        for name, lines in long_functions(ast.parse(path.read_text()))
    }
    assert not {function: lines for function, lines in too_long.items() if function not in LONG_FUNCTIONS}
    assert not LONG_FUNCTIONS.keys() - too_long.keys(), "the exception is no longer needed"


def test_a_long_function_is_found() -> None:
    body = "".join(f"    x = {n}\n" for n in range(MAX_FUNCTION_LINES))
    assert list(long_functions(ast.parse(f"async def f():\n{body}"))) == [("f", MAX_FUNCTION_LINES + 1)]
    docstring = '    """\n' + "    word\n" * MAX_FUNCTION_LINES + '    """\n'
    assert not list(long_functions(ast.parse(f"def f():\n{docstring}    return 1\n")))


@pytest.mark.parametrize("path", FILES, ids=named)
def test_no_file_names_a_path_of_a_machine(path: Path) -> None:
    assert not MACHINE_PATH.findall(path.read_bytes().decode(errors="replace"))


@pytest.mark.parametrize("folder", ["work/main", "root/.cache", "tmp/v0/bin"])
def test_a_path_of_a_machine_is_found(folder: str) -> None:
    assert MACHINE_PATH.search(f"see (/{folder})")


@pytest.mark.parametrize("text", ["https://host.example/work/x", "/var/run/secrets", "~/work/x", "/tmp/x", "a/root/b"])
def test_another_path_is_not(text: str) -> None:
    assert not MACHINE_PATH.search(text)
