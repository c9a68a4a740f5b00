"""Topology spread constraints by the API server's own rules."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.spec.topology_spread import TopologySpread, spread_faults


def test_the_manifest() -> None:
    labels = {"matchLabels": {"app": "a"}}
    spread = TopologySpread(
        topology_key="zone",
        max_skew=2,
        label_selector=labels,
        match_label_keys=["job"],
        min_domains=3,
        node_affinity_policy="Ignore",
        node_taints_policy="Honor",
    )
    assert spread.to_manifest() == {
        "topologyKey": "zone",
        "maxSkew": 2,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "a"}},
        "matchLabelKeys": ["job"],
        "minDomains": 3,
        "nodeAffinityPolicy": "Ignore",
        "nodeTaintsPolicy": "Honor",
    }
    labels["matchLabels"]["app"] = "b"
    spread.to_manifest()["labelSelector"]["matchLabels"]["app"] = "c"
    assert spread.label_selector == {"matchLabels": {"app": "a"}}
    assert TopologySpread(topology_key="a").to_manifest() == {
        "topologyKey": "a",
        "maxSkew": 1,
        "whenUnsatisfiable": "DoNotSchedule",
    }


@pytest.mark.parametrize(
    ("fields", "faulty"),
    [
        ({"topology_key": ""}, ["topology_key"]),
        ({"max_skew": 0}, ["max_skew"]),
        ({"when_unsatisfiable": "Never"}, ["when_unsatisfiable"]),
        ({"min_domains": 0}, ["min_domains"]),
        ({"min_domains": 1, "when_unsatisfiable": "ScheduleAnyway"}, ["min_domains"]),
        ({"node_affinity_policy": "honor", "node_taints_policy": 3}, ["node_affinity_policy", "node_taints_policy"]),
        ({"label_selector": "a=b"}, ["label_selector"]),
        ({"label_selector": {"matchLabel": {}}}, ["label_selector"]),
        ({"label_selector": {"matchLabels": {"a": "b c"}}}, ['label_selector.matchLabels["a"]']),
        ({"match_label_keys": ["-"]}, ["match_label_keys[0]"]),
        ({"match_label_keys": ["a"], "label_selector": {"matchLabels": {"a": "b"}}}, ["match_label_keys"]),
        (
            {"match_label_keys": "a", "label_selector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}},
            ["match_label_keys", "match_label_keys"],
        ),
    ],
)
def test_what_is_wrong(fields: dict[str, Any], faulty: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        TopologySpread(**{"topology_key": "zone", **fields})
    assert [fault.field for fault in caught.value.faults] == faulty


def test_a_key_is_spread_once_in_each_way() -> None:
    strict = TopologySpread(topology_key="zone")
    loose = TopologySpread(topology_key="zone", when_unsatisfiable="ScheduleAnyway")
    assert spread_faults("spreads", [strict, loose]) == []
    (fault,) = spread_faults("spreads", [strict, loose, TopologySpread(topology_key="zone", max_skew=5)])
    assert str(fault) == "spreads[2]: zone with DoNotSchedule is there twice"
