"""The settings as a ConfigMap to edit: every one with its meaning, those that are not set as comments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hodei_k8s_core.config.environment import FILE_VARIABLES
from hodei_k8s_core.config.kubernetes_config import KubernetesConfig, flat_values
from hodei_k8s_core.config.setting import Setting
from hodei_k8s_core.config.setting_text import to_json
from hodei_k8s_core.config.settings import SETTINGS

_HEAD: Final = """\
# Every setting: its variable, its meaning, and its default behind a #. What is empty is not set; what is no setting is
# an error, and so is an invalid value. {files} name files.
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  namespace: {namespace}
data:
"""


def settings_config_map(name: str, namespace: str, values: Mapping[str, str]) -> str:
    """YAML of the ConfigMap, for `envFrom`. `values`: what is set, as text, by setting; its keys are in the table."""
    head = _HEAD.format(name=name, namespace=namespace, files=" and ".join(FILE_VARIABLES))
    defaults = flat_values(KubernetesConfig())
    return head + "".join(_entry(setting, defaults[setting.field], values.get(setting.field)) for setting in SETTINGS)


def _entry(setting: Setting, default: object, value: str | None) -> str:
    unset = "" if default is None else setting.kind.format(default)
    line = f"{setting.variable}: {to_json(unset if value is None else value)}  # {setting.kind.written}"
    return f"  # {setting.doc}\n  {line if value is not None else f'# {line}'}\n"
