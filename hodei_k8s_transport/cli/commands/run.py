"""`hodei-k8s run`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from hodei_k8s_core.final_report import FinalReport
from hodei_k8s_core.operations.run_worker import RunItem
from hodei_k8s_core.operations.worker_watch import describe
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo
from hodei_k8s_transport.cli import spec_options as options
from hodei_k8s_transport.cli.interrupts import interrupts_stop
from hodei_k8s_transport.cli.output import Output, OutputFormat, plain, show_json, show_log_item
from hodei_k8s_transport.cli.session import (
    INTERRUPTED,
    config_faults,
    drop_output,
    failures_told,
    provider_for,
    tell,
)
from hodei_k8s_transport.drivers.sync_stream import SyncStream

NAME = "run"
EXAMPLES = "Example: hodei-k8s run busybox:1.36 --create-namespace -- sh -c 'echo hello; exit 3'"


def command(
    context: typer.Context,
    image: options.Image,
    command: options.Command = None,
    worker_id: options.WorkerId = None,
    server: options.Server = "",
    environment: options.Environment = None,
    labels: options.Labels = None,
    cpu: options.Cpu = None,
    memory: options.Memory = None,
    max_lifetime: options.Lifetime = 3600.0,
    profile: options.Profile = None,
    run_as_user: options.RunAsUser = None,
    startup_timeout: Annotated[
        float, typer.Option("--startup-timeout", metavar="SECONDS", help="The longest it may take to start.")
    ] = 300.0,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the Pod where it is.")] = False,
    create_namespace: Annotated[bool, typer.Option("--create-namespace", help=options.CREATE_NAMESPACE_HELP)] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Run a worker to its end: print its log, say why it ended, destroy it, and exit with its own code.

    Ctrl-C destroys it and then ends; a second Ctrl-C ends at once, and leaves it.
    """
    worker_id = worker_id or options.new_id()
    with failures_told(when_interrupted=f"interrupted; the worker may be left: hodei-k8s destroy {worker_id}"):
        spec = options.make_spec(
            image,
            command,
            worker_id=worker_id,
            server=server,
            environment=environment,
            labels=labels,
            cpu=cpu,
            memory=memory,
            max_lifetime=max_lifetime,
            profile=profile,
            run_as_user=run_as_user,
            other_faults=config_faults(context),
        )
        with provider_for(context) as provider:
            if create_namespace:
                provider.ensure_namespace()
            start = provider.run_and_keep_worker if keep else provider.run_worker
            with start(spec, startup_timeout=startup_timeout) as items, interrupts_stop(items):
                is_read = _show_all(items, _show_json if output is OutputFormat.JSON else _Story().show)
                stopped, ended = items.stop_requested, items.result.worker
        tell(f"worker {ended.worker_id} {how_it_ended(ended)}{'; its Pod is kept' if keep else ''}")
        if not is_read:
            raise BrokenPipeError
        raise typer.Exit(INTERRUPTED if stopped else exit_code(ended))


def _show_all(items: SyncStream[RunItem, FinalReport], show: Callable[[RunItem], None]) -> bool:
    """Show everything; when nobody reads it any more, end the run gracefully. Whether it was read."""
    is_read = True
    for item in items:
        try:
            show(item)
        except BrokenPipeError:
            drop_output()
            is_read = False
            if not items.stop_requested:
                items.request_stop()
    return is_read


def how_it_ended(info: WorkerInfo) -> str:
    """Why the worker is over, for a sentence."""
    if info.exit_code is None:
        return plain(" ".join(part for part in ("ended before it ran:", info.reason, info.message) if part))
    told = f"exited with code {info.exit_code}" + (f" ({info.signal})" if info.signal else "")
    words = [info.reason if info.reason not in ("Completed", "Error") else "", info.message, info.termination_message]
    return plain(": ".join([told, *(word for word in words if word)]))


def exit_code(info: WorkerInfo) -> int:
    """The worker's own code; 1 where it has none."""
    return 1 if info.exit_code is None else info.exit_code & 0xFF


class _Story:
    """The log goes to standard output; what else happens goes to the other, each thing once."""

    def __init__(self) -> None:
        self._told = ""

    def show(self, item: RunItem) -> None:
        if isinstance(item, WorkerHandle):
            tell(f"worker {item.worker_id} created")
        elif not isinstance(item, WorkerInfo):
            show_log_item(item)
        elif not item.state.is_final and (text := _news(item)) != self._told:
            self._told = text
            tell(f"worker {item.worker_id} {text}")


def _news(info: WorkerInfo) -> str:
    return plain(describe(info) if info.verdict is None else f"{info.state.name}, {info.verdict}")


def _show_json(item: RunItem) -> None:
    if isinstance(item, WorkerHandle):
        show_json({"handle": item})
    elif isinstance(item, WorkerInfo):
        show_json({"worker": item})
    else:
        show_json({"log": item.to_dict()})
