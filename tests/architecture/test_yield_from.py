"""A forgotten `yield from` is silent: the operation goes on with a generator object in its hands. So it is looked for.

In the operations (and in whatever else in the core yields effects), a call that makes an effect or a generator must be
the operand of `yield from`, an argument of a listed combinator, or be bound to a name that is used as one of those.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import hodei_k8s_core
from hodei_k8s_core import effects

CORE = Path(hodei_k8s_core.__file__).parent
COMBINATORS = frozenset({"with_deadline", "absorbed", "Pulled"})
EFFECTS = frozenset(
    name for name, value in vars(effects).items() if isinstance(value, type) and "__iter__" in vars(value)
)
MODULES = sorted((CORE / "operations").glob("*.py"))


def generator_names(tree: ast.Module) -> set[str]:
    """The functions and methods that are annotated as an operation, a stream, or a generator."""
    return {function.name for function in functions(tree) if is_generator(function)}


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def is_generator(function: ast.FunctionDef) -> bool:
    returned = "" if function.returns is None else ast.unparse(function.returns)
    return returned.startswith(("Operation[", "Stream[", "Generator["))


def generators_seen_by(tree: ast.Module, everywhere: set[str]) -> set[str]:
    """The names that mean a generator in a module: its own, and what it can import; not its own other functions."""
    own = generator_names(tree)
    others = {function.name for function in functions(tree)} - own
    return own | {name for name in everywhere - others if not name.startswith("_")}


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def forgotten(tree: ast.Module, generators: set[str]) -> Iterator[str]:
    """Every call that makes an effect or a generator and does nothing with it."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in EFFECTS | generators and not is_used(node, parents):
            yield f"line {node.lineno}: {ast.unparse(node)[:80]}"


def is_used(node: ast.expr, parents: dict[ast.AST, ast.AST]) -> bool:
    parent = parents[node]
    if isinstance(parent, ast.YieldFrom):
        return True
    if isinstance(parent, ast.Call) and node in parent.args:
        return called(parent) in COMBINATORS
    if isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Name):
        return name_is_used(parent.targets[0].id, parent, parents)
    return False


def name_is_used(name: str, assignment: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    scope = assignment
    while not isinstance(scope, ast.FunctionDef):
        scope = parents[scope]
    uses = [n for n in ast.walk(scope) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]
    return bool(uses) and all(is_used(use, parents) for use in uses)


def test_no_yield_from_is_forgotten() -> None:
    trees = {path: ast.parse(path.read_text()) for path in MODULES}
    everywhere = set().union(*map(generator_names, trees.values()))
    assert {"create_worker", "exchange", "next_batch", "step"} <= everywhere
    found = [
        f"{path.name}: {problem}"
        for path, tree in trees.items()
        for problem in forgotten(tree, generators_seen_by(tree, everywhere))
    ]
    assert not found


@pytest.mark.parametrize(
    "line",
    [
        "call(request)",
        "x = call(request)",
        "Sleep(1.0)",
        "yield Sleep(1.0)",
        "self.call(request)",
        "print(call(request))",
        "return call(request)",
        "work = call(request); yield from other(work)",
    ],
)
def test_a_forgotten_one_is_found(line: str) -> None:
    tree = ast.parse(f"def operation(self, request):\n    {line}\n")
    assert list(forgotten(tree, {"call", "other"}))


@pytest.mark.parametrize(
    "line",
    [
        "yield from call(request)",
        "return (yield from call(request))",
        "yield from with_deadline(call(request), 1.0)",
        "work = call(request); yield from with_deadline(work, 1.0)",
        "x = yield from Random()",
    ],
)
def test_a_right_one_is_not(line: str) -> None:
    tree = ast.parse(f"def operation(self, request):\n    {line}\n")
    assert not list(forgotten(tree, {"call", "with_deadline"}))
