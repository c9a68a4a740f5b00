"""`hodei-k8s doctor`."""

from __future__ import annotations

import os
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hodei_k8s_core.audit_report import AuditReport, AuditStatus
from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.operations.audit import audit_of_bad_configuration
from hodei_k8s_core.permissions import Feature, configured_features
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_transport.cli.output import Output, OutputFormat, show_json
from hodei_k8s_transport.cli.session import failures_told, provider_for
from hodei_k8s_transport.cli.target import target_of

EXAMPLES = "Example: hodei-k8s --context staging doctor"

_SIGNS = {
    AuditStatus.OK: ("✓", "green"),
    AuditStatus.WARNING: ("!", "yellow"),
    AuditStatus.FAILED: ("✗", "red"),
    AuditStatus.SKIPPED: ("-", "dim"),
}


def command(
    context: typer.Context,
    image: Annotated[
        str | None, typer.Option("--image", help="The image of the worker whose Pod must be accepted.")
    ] = None,
    features: Annotated[
        list[Feature] | None, typer.Option("--with", help="Ask for what this feature needs, too; may be repeated.")
    ] = None,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Look at every step from the settings to the permissions; exit code 0 when workers can run, 1 otherwise."""
    with failures_told():
        report = _audit(context, image, features or [])
    if output is OutputFormat.JSON:
        show_json(msgspec.to_builtins(report) | {"sound": report.is_sound})
    else:
        _show(report)
    if not report.is_sound:
        raise typer.Exit(1)


def _audit(context: typer.Context, image: str | None, features: list[Feature]) -> AuditReport:
    spec = WorkerSpec(worker_id="audit", image=image) if image else None
    config = None
    try:
        config = target_of(context).config(os.environ)
        with provider_for(context) as provider:
            return provider.audit(spec=spec, features=configured_features(config) | set(features))
    except ConfigurationError as error:
        return audit_of_bad_configuration(config, error)


def _show(report: AuditReport) -> None:
    """One step a line, and below it what mends it."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for step in report.steps:
        sign, style = _SIGNS[step.status]
        table.add_row(Text(sign, style), Text(step.name), Text(step.detail))
        if step.mend:
            table.add_row("", "", Text(f"→ {step.mend}", "bold"))
    Console(highlight=False).print(table)
