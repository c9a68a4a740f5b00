"""`hodei-k8s config`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from hodei_k8s_core.config.provenance import DEFAULT, SettingShown, shown_settings
from hodei_k8s_transport.cli.output import Output, OutputFormat, plain, show_json, show_rows
from hodei_k8s_transport.cli.session import failures_told, tell
from hodei_k8s_transport.cli.target import target_of

EXAMPLES = """Examples:

  hodei-k8s config --changed

  hodei-k8s --namespace ci config --output json"""
_OPTION_OF = {"kubeconfig_path": "--kubeconfig"}


def command(
    context: typer.Context,
    changed: Annotated[bool, typer.Option("--changed", help="Only what is not as by default.")] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """The settings as they count, and where each came from: an option, a variable, or its default. Asks no cluster."""
    with failures_told():
        target = target_of(context)
        options = {name: _OPTION_OF.get(name, f"--{name.replace('_', '-')}") for name in target.given}
        shown = shown_settings(target.config(os.environ), os.environ, options)
        if changed:
            shown = [one for one in shown if one.source != DEFAULT]
        _show(shown, output)


def _show(shown: list[SettingShown], output: OutputFormat) -> None:
    if output is OutputFormat.JSON:
        show_json(shown)
    elif not shown:
        tell("every setting is as by default")
    else:
        show_rows([["SETTING", "VALUE", "SOURCE"], *([s.setting, plain(s.value), s.source] for s in shown)])
