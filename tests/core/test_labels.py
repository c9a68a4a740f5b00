"""A user's labels and annotations, the reserved keys, and selectors."""

from __future__ import annotations

import pytest

from hodei_k8s_core import labels
from hodei_k8s_core.labels import (
    annotation_faults,
    capability_key,
    is_reserved,
    label_faults,
    managed_selector,
    selector,
    selector_faults,
)
from hodei_k8s_core.names import label_key_problem


def fields(faults):
    return [fault.field for fault in faults]


@pytest.mark.parametrize(
    "key", ["hodei.io/x", "hodei.io/worker-id", "capability.hodei.io/gpu", "a.b.hodei.io/c", "HODEI.io/x"]
)
def test_hodeis_own_domain_is_reserved(key: str):
    assert is_reserved(key)
    assert [f.problem for f in annotation_faults("annotations", {key: "v"})] == [
        "this key is reserved for Hodei's own annotations"
    ]


@pytest.mark.parametrize(
    "key", ["app", "hodei", "hodei.io", "nothodei.io/x", "example.com/hodei.io", "hodei.io.example/x"]
)
def test_other_keys_are_free(key: str):
    assert not is_reserved(key)
    assert annotation_faults("annotations", {key: "v"}) == []


def test_a_label_cannot_be_one_of_the_managed_ones():
    faults = label_faults("labels", {"app": "mine", "hodei.io/managed": "false", "team": "a"})
    assert fields(faults) == ['labels["app"]', 'labels["hodei.io/managed"]']
    assert all("reserved" in fault.problem for fault in faults)


def test_nodes_may_be_selected_by_any_key():
    assert selector_faults("node_selector", {"app": "x", "hodei.io/pool": "ci", "kubernetes.io/arch": "arm64"}) == []


def test_every_wrong_label_is_told():
    faults = label_faults("labels", {"-a": "-b", "ok": "fine", "x": 3, 4: "y", "z": "a b"})
    assert fields(faults) == ['labels["-a"]', 'labels["-a"]', 'labels["x"]', "labels[4]", 'labels["z"]']
    assert faults[2].problem == "the value is wrong: must be text, not int"
    assert faults[3].problem == "the key is wrong: must be text, not int"


def test_every_wrong_annotation_is_told():
    faults = annotation_faults(
        "annotations", {"-a": "x", "b": 3, "c": "any \n text é", "Upper.Case/D": "", "e": "\0", 5: ""}
    )
    assert fields(faults) == ['annotations["-a"]', 'annotations["b"]', 'annotations["e"]', "annotations[5]"]


@pytest.mark.parametrize("check", [label_faults, selector_faults, annotation_faults])
@pytest.mark.parametrize("value", [None, "a=b", ["a"], 3])
def test_what_is_no_mapping_is_a_fault(check, value):
    (fault,) = check("labels", value)
    assert fault.field == "labels"
    assert "mapping" in fault.problem


def test_all_annotations_together_have_a_limit():
    assert annotation_faults("annotations", {"k": "é" * (128 * 1024 - 1) + "x"}) == []
    (fault,) = annotation_faults("annotations", {"k": "é" * (128 * 1024)})
    assert fault.field == "annotations"
    assert "262145 bytes" in fault.problem


def test_selectors():
    assert selector({"a": "b", "c/d": ""}) == "a=b,c/d="
    assert managed_selector("east") == "hodei.io/managed=true,hodei.io/provider-id=east"
    assert capability_key("docker") == "capability.hodei.io/docker"


def test_our_own_keys_are_valid_and_reserved():
    own = [value for name, value in vars(labels).items() if name.isupper() and isinstance(value, str)]
    keys = [key for key in own if key.startswith("hodei.io/")]
    assert len(keys) == 10
    assert all(label_key_problem(key) is None and is_reserved(key) for key in keys)
