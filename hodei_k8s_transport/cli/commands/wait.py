"""`hodei-k8s wait`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Any

import msgspec
import typer

from hodei_k8s_core.errors import NotReady, ProvisioningTimeout
from hodei_k8s_core.worker import WorkerHandle, WorkerState
from hodei_k8s_core.worker_change import WaitOutcome
from hodei_k8s_transport.cli.output import Output, OutputFormat, show_json, show_rows
from hodei_k8s_transport.cli.session import (
    EXPECTED_FAILURE,
    error_document,
    failures_told,
    handle_of,
    one_line,
    provider_for,
    tell,
)
from hodei_k8s_transport.cli.times import parse_duration
from hodei_k8s_transport.provider import KubernetesProvider

EXAMPLES = "Example: hodei-k8s wait 3f9c2a17 5b22c10d --for ready --for busy --timeout 5m"


def command(
    context: typer.Context,
    worker_ids: Annotated[list[str], typer.Argument(metavar="WORKER", help="The workers' ids.")],
    states: Annotated[
        list[WorkerState] | None,
        typer.Option("--for", case_sensitive=False, help="The state to wait for; may be repeated; by default `ready`."),
    ] = None,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="DURATION", help="The longest to wait, in seconds or as 90s, 5m.")
    ] = "120s",
    output: Output = OutputFormat.TABLE,
) -> None:
    """Wait until workers are in a state; exit code 0 when all got there, 1 as soon as it is known that one cannot.

    Who cannot get there is not waited for: it is told with the verdict on it.
    """
    with failures_told():
        limit = parse_duration(timeout, "--timeout")
        with provider_for(context) as provider:
            handles = [handle_of(worker_id, provider) for worker_id in dict.fromkeys(worker_ids)]
            outcomes = _wait(provider, handles, states or [WorkerState.READY], limit)
        _show(outcomes, output)
        if not all(outcome.is_success for outcome in outcomes):
            raise typer.Exit(EXPECTED_FAILURE)


def _wait(
    provider: KubernetesProvider, handles: Sequence[WorkerHandle], states: Collection[WorkerState], limit: float
) -> list[WaitOutcome]:
    """For one worker its events are read too, where its verdict rests on them."""
    if len(handles) > 1:
        return provider.wait_for_workers(handles, until=states, timeout=limit)
    (handle,) = handles
    try:
        return [WaitOutcome(handle=handle, info=provider.wait_for_worker(handle, until=states, timeout=limit))]
    except (NotReady, ProvisioningTimeout) as error:
        return [WaitOutcome(handle=handle, error=error)]


def _show(outcomes: Sequence[WaitOutcome], output: OutputFormat) -> None:
    if output is OutputFormat.JSON:
        show_json([_document(outcome) for outcome in outcomes])
        return
    there = [[one.worker_id, one.info.state.name] for one in outcomes if one.is_success and one.info is not None]
    if there:
        show_rows(there)
    for outcome in outcomes:
        if outcome.error is not None:
            tell(one_line(outcome.error))


def _document(outcome: WaitOutcome) -> dict[str, Any]:
    return {
        "worker_id": outcome.worker_id,
        "success": outcome.is_success,
        "worker": msgspec.to_builtins(outcome.info),
        "error": None if outcome.error is None else error_document(outcome.error),
    }
