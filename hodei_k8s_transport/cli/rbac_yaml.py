"""RBAC manifests as YAML, each rule below its reason. YAML libraries write no comments, so the rules go in apart."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import yaml

from hodei_k8s_core.permissions import Feature, Rule, cluster_role_rules, role_rules


def rbac_yaml(manifests: Sequence[dict[str, Any]], features: Collection[Feature]) -> str:
    """`manifests` of `rbac_manifests` for the same features."""
    reasons = {"Role": role_rules(features), "ClusterRole": cluster_role_rules(features)}
    return "---\n".join(_document(manifest, reasons.get(manifest["kind"], ())) for manifest in manifests)


def _document(manifest: dict[str, Any], reasons: tuple[Rule, ...]) -> str:
    head = _dump({name: value for name, value in manifest.items() if name != "rules"})
    if "rules" not in manifest:
        return head
    rules = (f"{_comment(reason)}{_dump([rule])}" for rule, reason in zip(manifest["rules"], reasons, strict=True))
    return f"{head}rules:\n{''.join(rules)}"


def _comment(rule: Rule) -> str:
    without = "" if rule.is_required else " (optional)"
    return f"# {rule.feature.value}{without}: {rule.reason}\n"


def _dump(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, default_flow_style=None, width=120)
