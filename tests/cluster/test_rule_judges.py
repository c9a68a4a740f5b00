"""The API server judges what we say of the parts of a Pod that are written as in a Pod: both accept one, or both refuse
it. Ours is asked by way of the settings, which take them so.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import ConfigurationError
from tests.cluster.capacity_lab import Api, Json, wait
from tests.cluster.lab import Kubectl
from tests.core.test_affinity import RIGHT, WRONG

SELECTOR: Json = {"matchLabels": {"a": "b"}}
SPREAD: Json = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": SELECTOR}
OTHER_SPREAD: Json = {**SPREAD, "whenUnsatisfiable": "ScheduleAnyway"}
SPREAD_CHANGES: list[Json] = [
    {"maxSkew": 0},
    {"maxSkew": "1"},
    {"topologyKey": ""},
    {"whenUnsatisfiable": "Never"},
    {"minDomains": 1},
    {"minDomains": 0},
    {"minDomains": 1, "whenUnsatisfiable": "ScheduleAnyway"},
    {"nodeAffinityPolicy": "Honor", "nodeTaintsPolicy": "Ignore"},
    {"nodeAffinityPolicy": "honor"},
    {"labelSelector": {"matchLabels": {"a": "b c"}}},
    {"labelSelector": {"matchExpressions": [{"key": "a", "operator": "In", "values": []}]}},
    {"labelSelector": {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}},
    {"labelSelector": {"matchLabel": {}}},
    {"labelSelector": {}, "matchLabelKeys": ["c"]},
    {"matchLabelKeys": ["-"]},
    {"skew": 1},
]
LONG = ".".join(["a" * 60] * 4)

# Setting, the Pod's field, and what is written in both.
PARTS: dict[str, tuple[str, list[Any]]] = {
    "AFFINITY": ("affinity", [one for one in RIGHT if one is not None] + [one for one, _ in WRONG]),
    "TOPOLOGY_SPREAD_CONSTRAINTS": (
        "topologySpreadConstraints",
        [
            [SPREAD],
            [SPREAD, OTHER_SPREAD],
            [SPREAD, {**SPREAD, "maxSkew": 2}],
            *([{**SPREAD, **change}] for change in SPREAD_CHANGES),
        ],
    ),
    "DNS_CONFIG": (
        "dnsConfig",
        [
            {},
            {"nameservers": ["10.0.0.1", "fd00::1"], "searches": ["a.b.", "_tcp.a_b", "."]},
            {"options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}, {"name": "x", "value": ""}]},
            *({"nameservers": [one]} for one in ("10.0.0.256", "10.0.0", "fe80::1%eth0", "", "a")),
            {"nameservers": ["10.0.0.1"] * 3},
            {"nameservers": ["10.0.0.1"] * 4},
            *({"searches": [one]} for one in ("", "A.b", "a..b", "-a", "a_", "__a", "a-.b", "a" * 254, LONG, "a b")),
            {"searches": ["a"] * 32},
            {"searches": ["a"] * 33},
            {"searches": [LONG] * 9},
            {"options": [{"name": ""}]},
            {"options": [{"value": "2"}]},
            {"nameserver": []},
        ],
    ),
    "HOST_ALIASES": (
        "hostAliases",
        [
            [],
            [{"ip": "10.0.0.1"}],
            [{"ip": "::1", "hostnames": ["a", "a.b-c.d"]}],
            *([{"ip": one, "hostnames": ["a"]}] for one in ("", "localhost", "1.2.3", "1.2.3.4/8", "::g")),
            *([{"ip": "1.1.1.1", "hostnames": [one]}] for one in ("", "A", "a_b", "a.", "a" * 254)),
            [{"ip": "1.1.1.1", "hostname": "a"}],
        ],
    ),
    "TOLERATIONS": (
        "tolerations",
        [
            [],
            [{"operator": "Exists"}, {"key": "a", "value": "b", "effect": "NoSchedule"}],
            [{"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": -1}],
            *(
                [{"key": "a", **change}]
                for change in (
                    {"key": ""},
                    {"key": "-"},
                    {"operator": "In"},
                    {"operator": "Exists", "value": "b"},
                    {"value": "b c"},
                    {"effect": "Never"},
                    {"tolerationSeconds": 5},
                    {"effect": "NoSchedule", "tolerationSeconds": 5},
                    {"seconds": 1},
                )
            ),
        ],
    ),
}


@pytest.fixture(scope="module")
def pods(kubeconfig: Path) -> Iterator[tuple[Api, str]]:
    """Where Pods are asked about, and never stored; a field that is not known is an error."""
    name = f"hodei-test-manifest-{secrets.token_hex(4)}"
    kubectl, api = Kubectl(kubeconfig), Api(KubernetesConfig())
    kubectl("create", "namespace", name)
    path = f"/api/v1/namespaces/{name}"
    wait(lambda: api.get(f"{path}/serviceaccounts/default")[0] == 200, "the namespace got its account")
    yield api, f"{path}/pods?dryRun=All&fieldValidation=Strict"
    kubectl("delete", "namespace", name, "--wait=false")
    api.close()


@pytest.mark.parametrize("setting", PARTS)
def test_a_part_is_right_for_both_or_for_none(setting: str, pods: tuple[Api, str]) -> None:
    api, path = pods
    field, written = PARTS[setting]
    disagreements, accepted = [], 0
    for part in written:
        spec = {"containers": [{"name": "a", "image": "a"}], field: part}
        status, answer = api("POST", path, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": spec})
        assert status in (201, 400, 422), answer
        accepted += status == 201
        fault = fault_of(setting, part)
        if (status == 201) is not (fault == ""):
            disagreements.append((part, fault, status, answer.get("message")))
    assert not disagreements, f"{len(disagreements)}: {disagreements}"
    assert 2 <= accepted <= len(written) - 3


def fault_of(setting: str, part: Any) -> str:
    try:
        KubernetesConfig.from_env({f"HODEI_K8S_{setting}": json.dumps(part)})
    except ConfigurationError as error:
        return str(error)
    return ""
