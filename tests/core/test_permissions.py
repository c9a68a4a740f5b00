"""The table of permissions, and the manifests that are made from it."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.permissions import (
    RULES,
    Feature,
    cluster_role_rules,
    configured_features,
    rbac_manifests,
    role_rules,
    rules_for,
)
from hodei_k8s_core.request_label import RESOURCES
from hodei_k8s_core.simulation.world import World
from tests.core.audits import auditing
from tests.core.companion_cases import COMPANION_CASES, SECRETLY
from tests.core.operation_cases import CASES, CONFIG

VERBS = {"create", "get", "list", "watch", "delete", "patch", "update"}
NOT_PERMITTED = {"ensure_namespace"}  # by default: the namespace is made by whoever installs


def kinds(manifests: list[dict[str, Any]]) -> list[str]:
    return [manifest["kind"] for manifest in manifests]


def granted(manifests: list[dict[str, Any]], kind: str = "Role") -> set[tuple[str, str]]:
    return {
        (verb, resource)
        for manifest in manifests
        if manifest["kind"] == kind
        for rule in manifest["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.feature.value}:{rule.resource}")
def test_every_row_makes_sense(rule: Any) -> None:
    assert set(rule.verbs) <= VERBS
    assert len(set(rule.verbs)) == len(rule.verbs) > 0
    assert rule.resource.partition("/")[0] in RESOURCES
    assert rule.reason
    assert not rule.reason.endswith(".")


def test_every_row_is_a_step_of_its_own_in_the_audit() -> None:
    assert len({(rule.feature, rule.resource) for rule in RULES}) == len(RULES)


def test_every_feature_has_a_row() -> None:
    assert {rule.feature for rule in RULES} == set(Feature)


def test_by_default_nothing_is_asked_of_the_cluster_as_a_whole() -> None:
    features = configured_features(KubernetesConfig())
    assert Feature.WORKERS in features
    assert not cluster_role_rules(features)
    assert kinds(rbac_manifests(KubernetesConfig(), features)) == ["ServiceAccount", "Role", "RoleBinding"]


def test_a_feature_of_the_cluster_gets_a_cluster_role_for_that_alone() -> None:
    manifests = rbac_manifests(KubernetesConfig(namespace="ci"), [Feature.WORKERS, Feature.NODES])
    assert kinds(manifests)[3:] == ["ClusterRole", "ClusterRoleBinding"]
    assert granted(manifests, "ClusterRole") == {("list", "nodes"), ("list", "pods")}
    assert ("list", "nodes") not in granted(manifests)
    assert "namespace" not in manifests[3]["metadata"]


def test_an_account_in_a_namespace_of_its_own() -> None:
    manifests = rbac_manifests(
        KubernetesConfig(namespace="ci"), [Feature.LOGS, Feature.NODES], account="agent", account_namespace="ops"
    )
    account, role, binding, cluster_role, cluster_binding = manifests
    subject = {"kind": "ServiceAccount", "name": "agent", "namespace": "ops"}
    assert account["metadata"] == {"name": "agent", "namespace": "ops"}
    assert role["metadata"] == binding["metadata"] == {"name": "agent", "namespace": "ci"}
    assert binding["subjects"] == cluster_binding["subjects"] == [subject]
    assert binding["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "agent"}
    assert cluster_role["metadata"]["name"] == cluster_binding["roleRef"]["name"] == "agent-ops"


def test_the_rules_of_a_role_are_those_that_explain_it() -> None:
    features = set(Feature)
    role, cluster_role = (
        rbac_manifests(KubernetesConfig(), features)[1::2][:1] + rbac_manifests(KubernetesConfig(), features)[3:4]
    )
    for manifest, rules in ((role, role_rules(features)), (cluster_role, cluster_role_rules(features))):
        assert [([rule.group], [rule.resource], list(rule.verbs)) for rule in rules] == [
            (rule["apiGroups"], rule["resources"], rule["verbs"]) for rule in manifest["rules"]
        ]


def test_a_verb_that_two_features_need_is_granted_once() -> None:
    both = role_rules([Feature.JOBS, Feature.OTP_SECRETS, Feature.CLAIMS])
    assert [(rule.feature, rule.resource) for rule in both] == [
        (Feature.JOBS, "pods"),
        (Feature.OTP_SECRETS, "secrets"),
        (Feature.CLAIMS, "persistentvolumeclaims"),
    ]
    assert [rule.resource for rule in role_rules([Feature.OTP_SECRETS])] == ["secrets", "pods"]


def test_the_group_is_named_where_there_is_one() -> None:
    assert rules_for([Feature.LEASES])[0].full_resource == "leases.coordination.k8s.io"
    assert rules_for([Feature.LOGS])[0].full_resource == "pods/log"


@pytest.mark.parametrize("name", CASES)
def test_no_operation_needs_more_than_the_table_says(name: str) -> None:
    """With nothing else permitted than what its features need, an operation runs as before."""
    wanted = configured_features(CONFIG) | {Feature.NODES, Feature.CLASSES}
    manifests = rbac_manifests(CONFIG, wanted)
    permitted = (
        granted(manifests)
        | granted(manifests, "ClusterRole")
        | {
            ("create", "selfsubjectaccessreviews"),
            ("create", "selfsubjectreviews"),
            ("get", "version"),
        }
    )
    case = CASES[name]
    world = case.world()
    given = case.prepare(world)
    resources = {rule.resource for rule in RULES}
    world.cluster.denied = frozenset(
        (verb, resource) for verb in VERBS for resource in resources if (verb, resource) not in permitted
    )
    outcome = world.run(case.make(given))
    if name in NOT_PERMITTED:
        assert outcome.error is not None
    else:
        assert outcome.error is None
        assert case.expect(world, outcome.result)


def test_secrets_are_permitted_where_the_settings_want_them_and_never_to_be_read() -> None:
    assert Feature.OTP_SECRETS not in configured_features(CONFIG)
    verbs = {verb for verb, resource in granted(rbac_manifests(SECRETLY, set(Feature))) if resource == "secrets"}
    assert verbs == {"create", "delete"}


@pytest.mark.parametrize("name", COMPANION_CASES)
def test_a_worker_with_companions_needs_what_its_rows_say(name: str) -> None:
    wanted = configured_features(SECRETLY) | {Feature.CLAIMS}
    permitted = granted(rbac_manifests(SECRETLY, wanted))
    case = COMPANION_CASES[name]
    world = case.world()
    given = case.prepare(world)
    resources = {rule.resource for rule in RULES}
    world.cluster.denied = frozenset(
        (verb, resource) for verb in VERBS for resource in resources if (verb, resource) not in permitted
    )
    assert case.expect(world, world.run(case.make(given)).result)


@pytest.mark.parametrize(
    "rule", rules_for(configured_features(CONFIG)), ids=lambda r: f"{r.feature.value}:{r.resource}"
)
def test_each_permission_that_is_missing_is_named_by_the_audit(rule: Any) -> None:
    for verb in rule.verbs:
        world = World()
        world.cluster.denied = frozenset({(verb, rule.resource)})
        report = world.run(auditing(CONFIG)).result
        step = next(s for s in report.steps if s.name == f"permission:{rule.feature.value}:{rule.resource}")
        assert step.status.value == ("failed" if rule.is_required else "warning")
        assert f"may not {verb} {rule.resource} in {CONFIG.namespace}; it is for this: {rule.reason}" == step.detail
        assert "hodei-k8s rbac" in step.mend
        assert report.is_sound is not rule.is_required
