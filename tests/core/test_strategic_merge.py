"""Strategic merge agrees with what kubectl answered (tests/recordings/strategic_merge.json; tests/cluster asks it
again), changes nothing that it is given, and differs from kubectl only where it says so.
"""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest

from hodei_k8s_core.strategic_merge import InvalidPatch, strategic_merge
from tests.core.strategic_patches import case
from tests.recordings import FOLDER


class Recorded(msgspec.Struct, frozen=True):
    """`merged` is what kubectl printed, None where it refused."""

    note: str
    base: dict[str, Any]
    patch: dict[str, Any]
    merged: dict[str, Any] | None


class Answers(msgspec.Struct, frozen=True):
    kubectl: str
    cases: list[Recorded]


ANSWERS = msgspec.json.decode((FOLDER / "strategic_merge.json").read_bytes(), type=Answers)


def merged_or_refused(base: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return strategic_merge(base, patch)
    except InvalidPatch:
        return None


@pytest.mark.parametrize("recorded", ANSWERS.cases, ids=lambda recorded: recorded.note)
def test_it_agrees_with_kubectl(recorded: Recorded) -> None:
    assert merged_or_refused(recorded.base, recorded.patch) == recorded.merged


def test_there_is_something_to_agree_on() -> None:
    assert len(ANSWERS.cases) > 100
    assert sum(recorded.merged is None for recorded in ANSWERS.cases) > 20
    assert sum(recorded.merged not in (None, recorded.base) for recorded in ANSWERS.cases) > 70


def test_it_touches_and_shares_nothing() -> None:
    for seed in range(60):
        base, patch = case(seed)
        given = copy.deepcopy((base, patch))
        merged = merged_or_refused(base, patch)
        assert (base, patch) == given
        scribble(merged)
        assert (base, patch) == given


def scribble(value: Any) -> None:
    """Changes every mapping and list."""
    if isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            scribble(part)
        value.clear()


def test_an_empty_patch_changes_nothing() -> None:
    for seed in range(60):
        base, _ = case(seed)
        assert strategic_merge(base, {}) == base


def test_a_pod_merged_with_itself_is_itself() -> None:
    base = {"spec": {"containers": [{"name": "a", "env": [{"name": "A"}, {"name": "B"}]}, {"name": "b"}]}}
    assert strategic_merge(base, base) == base


def test_a_field_of_a_newer_kubernetes_is_merged_where_kubectl_refuses_it() -> None:
    base = {"spec": {"new": {"a": 1}, "list": [{"a": 1}]}}
    assert strategic_merge(base, {"spec": {"new": {"b": 2}, "list": [{"b": 2}]}}) == {
        "spec": {"new": {"a": 1, "b": 2}, "list": [{"b": 2}]}
    }


@pytest.mark.parametrize(
    "patch",
    [
        {"metadata": {"$deleteFromPrimitiveList/labels": {"a": "b"}}},
        {"spec": {"$deleteFromPrimitiveList/containers": [{"name": "w"}]}},
    ],
)
def test_values_are_deleted_from_lists_of_values_alone(patch: dict[str, Any]) -> None:
    with pytest.raises(InvalidPatch, match="deleteFromPrimitiveList"):
        strategic_merge({"metadata": {"labels": {"a": "c"}}, "spec": {"containers": [{"name": "w"}]}}, patch)


def test_deletions_come_before_additions() -> None:
    patch = {"metadata": {"finalizers": ["a"], "$deleteFromPrimitiveList/finalizers": ["a", "b"]}}
    assert strategic_merge({"metadata": {"finalizers": ["b", "c"]}}, patch) == {"metadata": {"finalizers": ["a", "c"]}}


def test_the_error_names_the_path_and_no_value() -> None:
    env = [{"name": "A", "value": "s3cret"}, {"value": "s3cret"}]
    with pytest.raises(InvalidPatch) as caught:
        strategic_merge(
            {"spec": {"containers": [{"name": "w", "env": [{"name": "A"}]}]}},
            {"spec": {"containers": [{"name": "w", "env": env}]}},
        )
    assert str(caught.value) == "spec.containers[0].env: an item has no name, the merge key of the list"
    assert "s3cret" not in repr(caught.value)
    with pytest.raises(InvalidPatch, match=r"^the patch: "):
        strategic_merge({}, {"$patch": "merge"})
