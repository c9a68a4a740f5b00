"""The checks that configuration and specs share: a value of any type goes in, nothing is ever raised."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core import validation as v
from hodei_k8s_core.errors import ConfigurationError, Fault
from tests.core.thoroughness import examples

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.lists(st.integers()),
    st.dictionaries(st.text(), st.integers()),
    st.just(10**4000),
)
CHECKS = {
    "text": v.text_problem,
    "filled text": v.filled_text_problem,
    "word": v.word_problem,
    "bool": v.bool_problem,
    "whole number": v.whole_number(1, 10),
    "number": v.number(0, 1),
    "number above": v.number_above(0),
    "optional": v.optional(v.bool_problem),
    "instance": v.instance(Fault),
    "text that": v.text_that(lambda text: None if text == "x" else "must be x"),
    "json": v.json_problem,
}


@settings(max_examples=examples(200), deadline=None)
@given(ANYTHING, st.sampled_from(sorted(CHECKS)))
def test_a_check_never_raises(value, name: str):
    problem = CHECKS[name](value)
    assert problem is None or problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", ""),
        ("text", "é\n"),
        ("filled text", "a b"),
        ("word", "a/b:c"),
        ("bool", False),
        ("whole number", 1),
        ("whole number", 10),
        ("number", 0),
        ("number", 1.0),
        ("number above", 0.001),
        ("number above", 10**400),
        ("optional", None),
        ("optional", True),
        ("instance", Fault("a", "b")),
        ("text that", "x"),
        ("json", {"a": [1, 2.5, None, True, {"b": ()}]}),
    ],
)
def test_what_is_right_has_no_problem(name: str, value):
    assert CHECKS[name](value) is None


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("text", None, "must be text, not None"),
        ("text", b"x", "must be text, not bytes"),
        ("text", "a\0b", "must not contain a NUL character"),
        ("text", "\ud800", "must be valid Unicode"),
        ("filled text", " \t", "must not be empty"),
        ("filled text", 3, "must be text, not int"),
        ("word", "", "must not be empty"),
        ("word", "a b", "'a b' must not contain white space or control characters"),
        ("word", "a\n", "'a\\n' must not contain white space or control characters"),
        ("bool", 1, "must be True or False, not int"),
        ("whole number", True, "must be a whole number, not bool"),
        ("whole number", 1.0, "must be a whole number, not float"),
        ("whole number", 0, "must be at least 1, not 0"),
        ("whole number", 11, "must be at most 10, not 11"),
        pytest.param("whole number", 10**5000, "must be at most 10, not a number of that size", id="huge"),
        ("number", True, "must be a number, not bool"),
        ("number", "1", "must be a number, not str"),
        ("number", float("nan"), "must be a finite number, not nan"),
        ("number", float("-inf"), "must be a finite number, not -inf"),
        ("number", -0.5, "must be at least 0, not -0.5"),
        ("number", 1.5, "must be at most 1, not 1.5"),
        ("number above", 0, "must be more than 0, not 0"),
        ("number above", None, "must be a number, not None"),
        ("optional", 3, "must be True or False, not int"),
        ("instance", 3, "must be a Fault, not int"),
        ("text that", "y", "must be x"),
        ("text that", 3, "must be text, not int"),
        ("json", {"a": [1, b"x"]}, "must be text, not bytes"),
        ("json", {1: "a"}, "must be text, not int"),
        ("json", {"a": {"b": float("nan")}}, "must be a finite number, not nan"),
    ],
)
def test_what_is_wrong_is_told(name: str, value, problem: str):
    assert CHECKS[name](value) == problem


def test_the_type_is_told_and_not_the_value():
    assert "hunter2" not in str(v.bool_problem("hunter2"))


def test_a_sequence_is_checked_item_by_item():
    assert v.sequence_faults("args", ["a", 3, None], v.text_problem) == [
        Fault("args[1]", "must be text, not int"),
        Fault("args[2]", "must be text, not None"),
    ]
    assert v.sequence_faults("args", (), v.text_problem) == []


@pytest.mark.parametrize("value", ["sh -c", b"sh", None, 3, {"a": 1}, {"a"}])
def test_a_bare_text_is_no_sequence(value):
    (fault,) = v.sequence_faults("args", value, v.text_problem)
    assert fault.field == "args"
    assert fault.problem.startswith("must be a list, not ")


def test_faults_of_a_part_are_named_within_the_whole():
    assert v.within("spec", [Fault("image", "x"), Fault("[0].key", "y")]) == [
        Fault("spec.image", "x"),
        Fault("spec[0].key", "y"),
    ]


def test_all_faults_are_raised_at_once_and_none_is_silence():
    v.raise_faults("wrong", [])
    faults = [Fault("a", "x"), Fault("b", "y")]
    with pytest.raises(ConfigurationError) as caught:
        v.raise_faults("wrong", iter(faults))
    assert list(caught.value.faults) == faults


def test_a_copy_shares_no_collection():
    original = {"a": [{"b": 1}], "c": (1, 2)}
    copy = v.copied_json(original)
    original["a"][0]["b"] = 2
    original["a"].append(3)
    assert copy == {"a": [{"b": 1}], "c": [1, 2]}
