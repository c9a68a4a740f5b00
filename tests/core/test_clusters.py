"""Several clusters, each with settings of its own, from one document."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.config.clusters import is_enabled, read_clusters
from hodei_k8s_core.errors import ConfigurationError


def faults(document: Any, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        read_clusters(document, environ or {})
    return [str(fault) for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("text", "on"), [("1", True), ("true", True), ("True", True), ("0", False), ("false", False), ("", False)]
)
def test_the_switch(text: str, on: bool) -> None:
    assert is_enabled({"HODEI_K8S_ENABLED": text}) is on


def test_the_switch_is_off_by_default_and_takes_no_other_word() -> None:
    assert not is_enabled({})
    with pytest.raises(ConfigurationError, match="'yes please'; it is 1 or 0"):
        is_enabled({"HODEI_K8S_ENABLED": "yes please"})


def test_each_has_its_own_and_shares_what_the_environment_says() -> None:
    document = {
        "clusters": [
            {
                "provider_id": "eu",
                "context": "eu",
                "labels": {"team": "a"},
                "image_pull_secrets": ["one", "two"],
                "cpu_limit": False,
                "run_as_user": 2000,
                "retry": {"budget": 5},
                "tolerations": [{"key": "ci", "operator": "Exists"}],
            },
            {"provider_id": "us", "namespace": "other", "context": "us"},
        ]
    }
    environ = {
        "HODEI_K8S_NAMESPACE": "ci",
        "HODEI_K8S_CONTEXT": "shared",
        "HODEI_K8S_RETRY_BUDGET": "9",
        "PATH": "/bin",
    }
    eu, us = read_clusters(document, environ)
    assert (eu.provider_id, eu.context, eu.namespace, dict(eu.labels)) == ("eu", "eu", "ci", {"team": "a"})
    assert (tuple(eu.image_pull_secrets), eu.cpu_limit, eu.run_as_user) == (("one", "two"), False, 2000)
    assert (eu.retry.budget, eu.tolerations[0].key) == (5, "ci")
    assert (us.provider_id, us.namespace, us.context, us.retry.budget) == ("us", "other", "us", 9)


@pytest.mark.parametrize("document", [None, [], {}, {"clusters": []}, {"clusters": {}}, {"clusters": ["eu"]}, "x"])
def test_what_is_no_list_of_clusters(document: Any) -> None:
    assert faults(document) == ["clusters: must be a list of tables, one for each cluster"]


def test_every_fault_of_every_cluster_is_told_with_its_place() -> None:
    document = {
        "clusters": [
            {"namespace": "Not A Name", "grace_period": "soon"},
            {"contxt": "x", "retry": {"budgt": 1}, "namespace": "No"},
            {"retry": 3},
        ],
        "defaults": {},
    }
    told = faults(document, {"HODEI_K8S_RETRY_BUDGET": "many", "HODEI_K8S_TYPO": "1"})
    begun = [fault.partition(": ")[0] for fault in told]
    assert begun == [
        "defaults",
        "retry.budget (HODEI_K8S_RETRY_BUDGET)",
        "HODEI_K8S_TYPO",
        *("clusters[0].grace_period", "clusters[0].namespace"),
        *("clusters[1].contxt", "clusters[1].retry.budgt", "clusters[1].namespace"),
        "clusters[2].retry",
    ]
    assert told[0] == "defaults: is not known beside `clusters`"
