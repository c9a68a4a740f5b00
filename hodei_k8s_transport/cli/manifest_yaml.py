"""A manifest for a person to read, and for kubectl to read again."""

from __future__ import annotations

from typing import Any

import yaml

from hodei_k8s_core.yaml_text import YamlFault, parse_yaml

REDACTED = "(redacted)"
_SECRET_VARIABLES = ("HODEI_OTP_TOKEN",)


def manifest_yaml(manifest: dict[str, Any]) -> str:
    """As YAML, in the order in which it was made."""
    return yaml.dump(manifest, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)


def without_secrets(pod: dict[str, Any]) -> dict[str, Any]:
    """The Pod without a worker's OTP, which a manifest has as a value of the environment."""
    spec = dict(pod["spec"])
    for name in spec.keys() & {"containers", "initContainers"}:
        spec[name] = [{**one, "env": [_redacted(v) for v in one["env"]]} if "env" in one else one for one in spec[name]]
    return {**pod, "spec": spec}


def _redacted(variable: dict[str, Any]) -> dict[str, Any]:
    is_secret = variable.get("name") in _SECRET_VARIABLES and "value" in variable
    return {**variable, "value": REDACTED} if is_secret else variable


class _Dumper(yaml.SafeDumper):
    """Quotes every text that kubectl's parser would take for something else (`y`, `1e3`), which PyYAML does not."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's own name
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if _reads_back(text) else '"')


def _reads_back(text: str) -> bool:
    try:
        return bool(parse_yaml(text.encode()) == text)
    except YamlFault:
        return False


_Dumper.add_representer(str, _text)
