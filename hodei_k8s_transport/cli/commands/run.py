"""`hodei-k8s run`."""

from __future__ import annotations

from typing import Annotated, Any, Protocol

import typer
from typer.core import TyperCommand

from hodei_k8s_core.errors import ProviderError
from hodei_k8s_core.final_report import FinalReport
from hodei_k8s_core.operations.run_worker import RunItem
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo
from hodei_k8s_transport.cli import spec_options as options
from hodei_k8s_transport.cli.explanation import verdict_lines
from hodei_k8s_transport.cli.interrupts import interrupts_stop
from hodei_k8s_transport.cli.log_printer import LogPrinter
from hodei_k8s_transport.cli.output import Output, OutputFormat, plain, show_json
from hodei_k8s_transport.cli.session import (
    INTERRUPTED,
    config_faults,
    error_document,
    failures_told,
    provider_for,
    tell,
)
from hodei_k8s_transport.drivers.sync_stream import SyncStream
from hodei_k8s_transport.provider import KubernetesProvider

SHORTEST_GRACE = 1
"""Seconds; none at all would only remove the Pod's record."""
LAST_REQUEST = 5.0
"""Seconds."""

EXAMPLES = "Example: hodei-k8s run busybox:1.36 --create-namespace -- sh -c 'echo hello; exit 3'"
SIMULATED_IMAGE = "simulated"


class RunCommand(TyperCommand):
    """`run --simulated -- echo hello` needs no image: what follows `--` is the command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if "--" in args:
            before = args[: args.index("--")]
            given, _, _ = self.make_parser(ctx).parse_args(args=list(before))
            if given.get("simulated") and not given.get("image"):
                args = [*before, SIMULATED_IMAGE, *args[len(before) :]]
        return super().parse_args(ctx, args)


CLASS = RunCommand


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
    security_profile: options.SecurityProfileName = None,
    run_as_user: options.RunAsUser = None,
    disk: options.Disk = None,
    gpu: options.Gpu = 0,
    gpu_type: options.GpuType = None,
    arch: options.Arch = None,
    capabilities: options.Capabilities = None,
    node_selector: options.NodeSelector = None,
    tolerations: options.Tolerations = None,
    priority_class: options.PriorityClass = None,
    runtime_class: options.RuntimeClass = None,
    startup_timeout: Annotated[
        float, typer.Option("--startup-timeout", metavar="SECONDS", help="The longest it may take to start.")
    ] = 300.0,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the Pod where it is.")] = False,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="On a cluster in memory: the command runs here, and no image is needed.")
    ] = False,
    create_namespace: Annotated[bool, typer.Option("--create-namespace", help=options.CREATE_NAMESPACE_HELP)] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Run a worker to its end: print its log, say why it ended, destroy it, and exit with its own code.

    Ctrl-C destroys it and then ends; at a second Ctrl-C it gets the shortest grace period, and is not waited for.
    """
    worker_id = worker_id or options.new_id()
    left = f"interrupted; the worker may be left: hodei-k8s destroy {worker_id}"
    with failures_told(when_interrupted=left):
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
            security_profile=security_profile,
            run_as_user=run_as_user,
            placement=options.Placement(
                disk=disk,
                gpu=gpu,
                gpu_type=gpu_type,
                arch=arch,
                capabilities=capabilities,
                node_selector=node_selector,
                tolerations=tolerations,
                priority_class=priority_class,
                runtime_class=runtime_class,
            ),
            other_faults=config_faults(context),
        )
        with provider_for(context, simulated=simulated) as provider:
            if create_namespace:
                provider.ensure_namespace()
            start = provider.run_and_keep_worker if keep else provider.run_worker
            listener = _Witness(_Documents() if output is OutputFormat.JSON else _Story())
            try:
                with start(spec, startup_timeout=startup_timeout) as items, interrupts_stop(items):
                    is_read = _show_all(items, listener)
                    stopped, ended = items.stop_requested, items.result.worker
            except KeyboardInterrupt:
                if keep or listener.created is None or not _ended_soon(provider, listener.created):
                    raise
                tell(f"interrupted; the worker {worker_id} ends within {SHORTEST_GRACE} s")
                raise typer.Exit(INTERRUPTED) from None
        tell(f"worker {ended.worker_id} {how_it_ended(ended)}{'; its Pod is kept' if keep else ''}")
        if not is_read:
            raise BrokenPipeError
        raise typer.Exit(INTERRUPTED if stopped else exit_code(ended))


def _ended_soon(provider: KubernetesProvider, handle: WorkerHandle) -> bool:
    """Whether the server took the request to end the worker soon; nobody waits long for that any more."""
    try:
        provider.begin_destroy_worker(handle, grace_period=SHORTEST_GRACE, timeout=LAST_REQUEST)
    except ProviderError:
        return False
    return True


def _show_all(items: SyncStream[RunItem, FinalReport], listener: _Listener) -> bool:
    """Show everything; when nobody reads it any more, end the run gracefully. Whether it was read."""
    is_read = True
    try:
        for item in items:
            try:
                listener.show(item)
            except BrokenPipeError:
                is_read = False
                if not items.stop_requested:
                    items.request_stop()
    except ProviderError as error:
        listener.tell_failure(error)
        raise
    return is_read


class _Listener(Protocol):
    def show(self, item: RunItem) -> None: ...
    def tell_failure(self, error: ProviderError) -> None: ...


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


class _Witness:
    """Passes everything on. `created`: the worker of this run; one that only has its id may be another's."""

    def __init__(self, listener: _Listener) -> None:
        self.created: WorkerHandle | None = None
        self._listener = listener
        self.tell_failure = listener.tell_failure

    def show(self, item: RunItem) -> None:
        self.created = item if isinstance(item, WorkerHandle) else self.created
        self._listener.show(item)


class _Story:
    """The log goes to standard output; what else happens goes to the other, each thing once."""

    def __init__(self) -> None:
        self._was_created = False
        self._told: set[object] = set()
        self._log = LogPrinter()

    def show(self, item: RunItem) -> None:
        if isinstance(item, WorkerHandle):
            self._was_created = True
            tell(f"worker {item.worker_id} created")
        elif isinstance(item, WorkerInfo):
            self._tell_phases(item)
        else:
            self._log.show("", item)

    def tell_failure(self, error: ProviderError) -> None:
        """The verdict with its evidence: the worker is gone, and nobody can look any more."""
        if error.verdict is not None and self._was_created:
            for line in verdict_lines(error.verdict):
                tell(f"  {line}")

    def _tell_phases(self, info: WorkerInfo) -> None:
        reached = {} if info.timeline is None else info.timeline.reached
        begin = min((one.at for one in reached.values()), default=0.0)
        for name, milestone in reached.items():
            if name in _PHASES and name not in self._told:
                self._told.add(name)
                told = plain(_PHASES[name].format(node=info.node or "a node", image=info.image))
                tell(f"worker {info.worker_id} {told} (after {milestone.at - begin:.1f} s)")
        trouble = info.verdict
        # The same trouble in other words, or once more, is no news.
        if trouble is not None and not info.state.is_final and trouble.category not in self._told:
            self._told.add(trouble.category)
            tell(f"worker {info.worker_id} in trouble: {plain(str(trouble))}")


_PHASES = {
    "scheduled": "scheduled on {node}",
    "pulling": "pulling {image}",
    "pulled": "has its image",
    "started": "started",
    "ready": "ready",
}


class _Documents:
    """For a program: one object a line."""

    def show(self, item: RunItem) -> None:
        if isinstance(item, WorkerHandle):
            show_json({"handle": item})
        elif isinstance(item, WorkerInfo):
            show_json({"worker": item})
        else:
            show_json({"log": item.to_dict()})

    def tell_failure(self, error: ProviderError) -> None:
        """Why there is no exit code."""
        show_json({"error": error_document(error)})
