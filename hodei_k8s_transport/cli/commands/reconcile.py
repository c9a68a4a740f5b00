"""`hodei-k8s reconcile`."""

from __future__ import annotations

from typing import Annotated

import typer

from hodei_k8s_core.reconcile.plan import ActionOutcome, ActionResult, Plan
from hodei_k8s_transport.cli.output import Output, OutputFormat, plain, show_json, show_rows
from hodei_k8s_transport.cli.session import EXPECTED_FAILURE, failures_told, provider_for, tell

EXAMPLES = """Examples:

  hodei-k8s --provider-id ci reconcile --dry-run

  hodei-k8s --provider-id ci reconcile --wanted 3f9c2a17 --wanted 77d1e0b2"""


def command(
    context: typer.Context,
    wanted: Annotated[
        list[str] | None,
        typer.Option("--wanted", metavar="WORKER", help="A worker that should exist; all others then are orphans."),
    ] = None,
    none_wanted: Annotated[
        bool, typer.Option("--none-wanted", help="No worker should exist: every one is an orphan.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, and change nothing.")] = False,
    consent: Annotated[
        bool, typer.Option("--yes", help="Apply a plan that ends a large part of the fleet, too.")
    ] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Take away workers that nobody wants, or whose time is over.

    Without --wanted only those go whose time is over. A worker that is young, another provider's or changed meanwhile
    is never touched. The exit code is 1 when the plan was refused, or one of its actions failed.
    """
    with failures_told(), provider_for(context) as provider:
        ids = wanted or ([] if none_wanted else None)
        plan = provider.plan_reconcile(ids)
        if dry_run:
            _show_plan(plan, output)
            return
        results = provider.apply_reconcile(plan, consent=consent)
        _show_results(plan, results, output)
    if any(result.outcome is ActionOutcome.FAILED for result in results):
        raise typer.Exit(EXPECTED_FAILURE)


def _show_plan(plan: Plan, output: OutputFormat) -> None:
    if output is OutputFormat.JSON:
        show_json(plan)
        return
    _say_more(plan)
    if plan.actions:
        head = ["ACTION", "WORKER", "RESOURCE", "REASON"]
        show_rows([head, *([a.kind.value, a.worker_id, a.resource, plain(a.reason)] for a in plan.actions)])


def _show_results(plan: Plan, results: list[ActionResult], output: OutputFormat) -> None:
    if output is OutputFormat.JSON:
        show_json({"plan": plan, "results": results})
        return
    _say_more(plan)
    if results:
        head = ["ACTION", "WORKER", "OUTCOME", "REASON"]
        rows = [
            [r.action.kind.value, r.action.worker_id, r.outcome.value, plain(r.error or r.action.reason)]
            for r in results
        ]
        show_rows([head, *rows])


def _say_more(plan: Plan) -> None:
    for note in plan.notes:
        tell(note)
    if plan.consent_needed:
        tell(f"this plan needs --yes: {plan.consent_needed}")
    if not plan.actions:
        tell(f"{plan.workers} workers, and nothing to do")
