"""In which order a merged list comes out: the patch's order holds, the base's fills it in.

Source: k8s.io/apimachinery pkg/util/strategicpatch/patch.go, normalizeElementOrder and mergeSortedSlice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from hodei_k8s_core.errors import HodeiK8sError

Identity: TypeAlias = Callable[[Any], tuple[type, Any]]
"""What makes an item of a list the same as another: its merge key's value, or itself, each with its type (1 is not
True, as in Go)."""


class InvalidPatch(HodeiK8sError, ValueError):
    """A patch that cannot be applied: `path` in the object and what is wrong there. No value of the object is shown."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path or 'the patch'}: {self.problem}"


def identity_of_items(merge_key: str, path: str) -> Identity:
    """How the items of a list are told apart. The function itself raises InvalidPatch for what is no such item."""

    def keyed(item: Any) -> tuple[type, Any]:
        if not isinstance(item, dict):
            raise InvalidPatch(path, f"its items must be mappings with the merge key {merge_key}")
        if merge_key not in item:
            raise InvalidPatch(path, f"an item has no {merge_key}, the merge key of the list")
        return itself(item[merge_key])

    def itself(item: Any) -> tuple[type, Any]:
        if isinstance(item, (dict, list)):
            problem = f"the merge key {merge_key} must be a plain value" if merge_key else "its items have no merge key"
            raise InvalidPatch(path, problem)
        return type(item), item

    return keyed if merge_key else itself


def arranged(items: Sequence[Any], leading: Sequence[Any], base_order: Sequence[Any], identity: Identity) -> list[Any]:
    """`items`: those of `leading` in its order, the others in that of the base, before the first that follows there."""
    places, base_places = _places(leading, identity), _places(base_order, identity)
    led = [item for item in items if identity(item) in places]
    others = [item for item in items if identity(item) not in places]
    return _interleaved(_sorted(others, base_places, identity), _sorted(led, places, identity), base_places, identity)


def _places(order: Sequence[Any], identity: Identity) -> Mapping[tuple[type, Any], int]:
    """Of the first of each."""
    return {identity(item): index for index, item in reversed(list(enumerate(order)))}


def _sorted(items: Sequence[Any], places: Mapping[tuple[type, Any], int], identity: Identity) -> list[Any]:
    """By insertion, since kubectl sorts with a comparison that is no order: what has no place goes before all else."""
    done: list[Any] = []
    for item in items:
        place = places.get(identity(item), -1)
        at = len(done)
        while at and (place < 0 or (before := places.get(identity(done[at - 1]), -1)) < 0 or place < before):
            at -= 1
        done.insert(at, item)
    return done


def _interleaved(
    others: Sequence[Any], led: Sequence[Any], base_places: Mapping[tuple[type, Any], int], identity: Identity
) -> list[Any]:
    done: list[Any] = []
    left, right = list(reversed(others)), list(reversed(led))
    while left and right:
        mine, theirs = base_places.get(identity(left[-1]), -1), base_places.get(identity(right[-1]), -1)
        done.append(left.pop() if 0 <= mine < theirs else right.pop())
    return done + left[::-1] + right[::-1]
