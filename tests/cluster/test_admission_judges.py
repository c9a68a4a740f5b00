"""The API server's admission judges what we make of quotas and LimitRanges: generated Pods against generated rules, by
dry run. Both accept a Pod, or both refuse it for the same reason.
"""

from __future__ import annotations

import random
import secrets
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hodei_k8s_core.capacity.admitted import admitted
from hodei_k8s_core.capacity.candidate import read_candidate
from hodei_k8s_core.capacity.fulfillment import Rule
from hodei_k8s_core.capacity.namespace_fit import refusals
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.operations import read_capacity
from tests.cluster.capacity_lab import Api, Json, wait

pytestmark = pytest.mark.long

NAMESPACES = 10
PODS = 40
SEED = 11
CPU = ["0", "100m", "250m", "500m", "1", "1500m", "2", "3"]
MEMORY = ["64Mi", "128M", "256Mi", "1Gi", "1.5Gi", "2G", "4Gi"]
SAID = {"exceeded quota": Rule.QUOTA, "failed quota": Rule.QUOTA, " usage per ": Rule.LIMIT_RANGE}
SAID |= {"max limit to request ratio": Rule.LIMIT_RANGE}


def some(chance: random.Random, **choices: list[str]) -> dict[str, str]:
    """Some of the resources, each with one of its amounts."""
    names = {"cpu": "cpu", "memory": "memory", "disk": "ephemeral-storage", "gpu": "nvidia.com/gpu"}
    return {names[name]: chance.choice(amounts) for name, amounts in choices.items() if chance.random() < 0.6}


def resources(chance: random.Random) -> Json:
    """Requests at most the limits, where there are both: all else is invalid, whatever the rules say."""
    made: Json = {"requests": {}, "limits": {}}
    for name, choices in {"cpu": CPU, "memory": MEMORY}.items():
        low, high = sorted(chance.sample(range(len(choices)), 2))
        shape = chance.choice(["both", "same", "request", "limit", "none"])
        if shape in ("both", "request"):
            made["requests"][name] = choices[low]
        if shape in ("both", "limit"):
            made["limits"][name] = choices[high]
        if shape == "same":
            made["requests"][name] = made["limits"][name] = choices[high]
    if chance.random() < 0.3:
        made["requests"]["ephemeral-storage"] = made["limits"]["ephemeral-storage"] = chance.choice(["1Gi", "3Gi"])
    if chance.random() < 0.2:
        made["requests"]["nvidia.com/gpu"] = made["limits"]["nvidia.com/gpu"] = chance.choice(["1", "3"])
    return {name: amounts for name, amounts in made.items() if amounts}


def pod(chance: random.Random, name: str) -> Json:
    containers = [
        {"name": f"c{n}", "image": "localhost/worker:1", "resources": resources(chance)}
        for n in range(chance.choice([1, 1, 2]))
    ]
    spec: Json = {"containers": containers}
    if chance.random() < 0.3:
        is_sidecar = {"restartPolicy": "Always"} if chance.random() < 0.5 else {}
        first = {"name": "init", "image": "localhost/worker:1", "resources": resources(chance), **is_sidecar}
        spec["initContainers"] = [first]
    if chance.random() < 0.1:
        for container in containers:
            container["resources"] = {}
        spec["resources"] = {"requests": {"cpu": chance.choice(CPU[1:]), "memory": chance.choice(MEMORY)}}
    if chance.random() < 0.5:
        spec["activeDeadlineSeconds"] = 60
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def limit_range(chance: random.Random) -> Json:
    """Bounds for containers and Pods, and defaults that keep to them as the API's validation demands."""
    container: Json = {"type": "Container", "max": some(chance, cpu=["1", "2"], memory=["1Gi", "2Gi"])}
    if chance.random() < 0.4:
        container["min"] = some(chance, cpu=["100m", "250m"], memory=["100Mi"])
    if chance.random() < 0.4:
        container["default"] = some(chance, cpu=["1"], memory=["512Mi"])
        container["defaultRequest"] = {
            name: {"cpu": "500m", "memory": "256Mi"}[name] for name in container["default"] if chance.random() < 0.6
        }
    if chance.random() < 0.3:
        container["maxLimitRequestRatio"] = some(chance, cpu=["2", "3"])
    limits = [container]
    if chance.random() < 0.5:
        limits.append({"type": "Pod", "max": some(chance, cpu=["2", "3"], memory=["2Gi", "3Gi"])})
    meta = {"name": "bounds"}
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": meta, "spec": {"limits": limits}}


def quota(chance: random.Random, name: str) -> Json:
    choices: dict[str, list[str]] = {
        "requests.cpu": ["2", "4"],
        "cpu": ["3"],
        "limits.cpu": ["3", "6"],
        "requests.memory": ["2Gi", "5Gi"],
        "limits.memory": ["4Gi", "8Gi"],
        "requests.ephemeral-storage": ["2Gi"],
        "requests.nvidia.com/gpu": ["2"],
        "pods": ["3", "20"],
        "count/pods": ["30"],
    }
    scoped = ["requests.cpu", "cpu", "limits.cpu", "requests.memory", "limits.memory", "pods"]  # what a scope allows
    has_scope = chance.random() < 0.5
    hard = {key: chance.choice(choices[key]) for key in chance.sample(scoped if has_scope else list(choices), 3)}
    spec: Json = {"hard": hard}
    if has_scope:
        spec["scopes"] = [chance.choice(["Terminating", "NotTerminating"])]
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name}, "spec": spec}


@pytest.fixture
def judged(kubeconfig: Path) -> Iterator[tuple[Api, list[str]]]:
    api, token = Api(KubernetesConfig()), secrets.token_hex(4)
    names = [f"judge-{token}-{n}" for n in range(NAMESPACES)]
    try:
        for number, name in enumerate(names):
            api.post("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
            fill(api, name, number)
        yield api, names
    finally:
        for name in names:
            api("DELETE", f"/api/v1/namespaces/{name}/pods", {"gracePeriodSeconds": 0})
            api("DELETE", f"/api/v1/namespaces/{name}")
        api.close()


def fill(api: Api, name: str, number: int) -> None:
    """A quota that is used already, a LimitRange, or both."""
    chance = random.Random(SEED + number)
    base = f"/api/v1/namespaces/{name}"
    wait(lambda: api.get(f"{base}/serviceaccounts/default")[0] == 200, "the namespace got its account")
    used = {"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}}
    containers = [{"name": "main", "image": "localhost/worker:1", "resources": used}]
    # Bound to no node: a scheduler of that name does not exist.
    spec: Json = {"containers": containers, "schedulerName": "nobody"}
    for n in range(2):
        api.post(f"{base}/pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"old-{n}"}, "spec": spec})
    wait(lambda: are_seen(api, base), "the quota controller saw the Pods")
    if number % 3 != 0:
        for n in range(chance.choice([1, 2])):
            api.post(f"{base}/resourcequotas", quota(chance, f"quota-{n}"))
    if number % 3 != 1:
        api.post(f"{base}/limitranges", limit_range(chance))


def are_seen(api: Api, base: str) -> bool:
    """A quota is counted when it is made, and then not again for minutes: the Pods must be known by then."""
    probe = {"metadata": {"name": "probe"}, "spec": {"hard": {"count/pods": "99"}}}
    api.post(f"{base}/resourcequotas", {"apiVersion": "v1", "kind": "ResourceQuota", **probe})
    used: Json = {}

    def is_known() -> bool:
        nonlocal used
        used = api.get(f"{base}/resourcequotas/probe")[1].get("status", {}).get("used", {})
        return bool(used)

    wait(is_known, "the quota was counted")
    api("DELETE", f"{base}/resourcequotas/probe")
    return bool(used["count/pods"] == "2")


def is_counted(api: Api, name: str) -> bool:
    _, found = api.get(f"/api/v1/namespaces/{name}/resourcequotas")
    return all(
        item["spec"]["hard"] == item.get("status", {}).get("hard")
        and item["spec"]["hard"].keys() == item["status"].get("used", {}).keys()
        for item in found["items"]
    )


def rule_of(answer: Json) -> Rule | None:
    """Why the API server refused; LimitRanges are asked first, and only what passes them comes to the quotas."""
    message = answer["message"]
    return next((rule for said, rule in SAID.items() if said in message), None)


def test_admission_agrees(judged: tuple[Api, list[str]]) -> None:
    api, names = judged
    for name in names:
        wait(lambda name=name: is_counted(api, name), "the quotas are counted")  # type: ignore[misc]
    verdicts: Counter[Any] = Counter()
    disagreements = []
    for number, name in enumerate(names):
        chance = random.Random(SEED * 1000 + number)
        snapshot = api.run(read_capacity(KubernetesConfig(namespace=name)))
        for n in range(PODS):
            made = pod(chance, f"new-{n}")
            ours = refusals(admitted(read_candidate(made), snapshot), snapshot)
            rules = {reason.rule for reason in ours}
            expected = Rule.LIMIT_RANGE if Rule.LIMIT_RANGE in rules else next(iter(rules), None)
            status, answer = api("POST", f"/api/v1/namespaces/{name}/pods?dryRun=All", made)
            told = None if status == 201 else rule_of(answer)
            is_agreed = (status == 201 and not ours) or (status == 403 and told is not None and told is expected)
            if status == 422:  # the defaults of a LimitRange made a limit that is below its request
                verdicts["invalid"] += 1
                continue
            verdicts[told] += 1
            if not is_agreed:
                disagreements.append((name, made["spec"], [str(reason) for reason in ours], status, answer))
    assert not disagreements, f"{len(disagreements)}: {disagreements[:3]}"
    assert min(verdicts[None], verdicts[Rule.QUOTA], verdicts[Rule.LIMIT_RANGE]) >= 30, verdicts
    assert verdicts["invalid"] < NAMESPACES * PODS / 4, verdicts
