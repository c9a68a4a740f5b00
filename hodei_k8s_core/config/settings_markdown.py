"""The table of settings for people, made from the code."""

from __future__ import annotations

from typing import Final

from hodei_k8s_core.config.kubernetes_config import KubernetesConfig, flat_values
from hodei_k8s_core.config.setting import Setting
from hodei_k8s_core.config.settings import SETTINGS

_HEAD: Final = "| Setting | Variable | Written as | Default | What it is |\n|---|---|---|---|---|\n"


def settings_markdown() -> str:
    """Every setting in one Markdown table."""
    defaults = flat_values(KubernetesConfig())
    return _HEAD + "".join(_row(setting, defaults[setting.field]) for setting in SETTINGS)


def _row(setting: Setting, default: object) -> str:
    text = "" if default is None else setting.kind.format(default)
    shown = f"`{text}`" if text else "unset"
    return f"| `{setting.field}` | `{setting.variable}` | {setting.kind.written} | {shown} | {setting.doc} |\n"
