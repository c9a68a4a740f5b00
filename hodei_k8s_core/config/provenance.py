"""The settings as they count, and where each came from: for people who look for the one that surprises them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from hodei_k8s_core.config.kubernetes_config import KubernetesConfig, flat_values
from hodei_k8s_core.config.settings import SETTINGS

DEFAULT: Final = "default"


class SettingShown(msgspec.Struct, frozen=True, kw_only=True):
    """`value`: as its variable would have it, "" where it is not set. `source`: an option, a variable, or `default`."""

    setting: str
    value: str
    source: str
    variable: str


def shown_settings(
    config: KubernetesConfig, environ: Mapping[str, str], options: Mapping[str, str]
) -> list[SettingShown]:
    """Every setting in the order of the table. `options`: settings that an option gave, with the option's name."""
    return [
        SettingShown(
            setting=setting.field,
            value="" if value is None else setting.kind.format(value),
            source=options.get(setting.field) or (setting.variable if environ.get(setting.variable) else DEFAULT),
            variable=setting.variable,
        )
        for setting in SETTINGS
        for value in (flat_values(config)[setting.field],)
    ]
