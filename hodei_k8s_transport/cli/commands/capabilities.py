"""`hodei-k8s capabilities`."""

from __future__ import annotations

import typer

from hodei_k8s_core.capacity.amounts import CPU, MEMORY, shown
from hodei_k8s_core.capacity.overview import CapacityReport, NodeGroup, WorkerSize
from hodei_k8s_transport.cli.output import Output, OutputFormat, plain, show_fields, show_json, show_rows
from hodei_k8s_transport.cli.session import failures_told, provider_for, tell

EXAMPLES = "Example: hodei-k8s capabilities --output json"

_GROUP_HEAD = ("NODES", "COUNT", "USABLE", "ARCH", "ZONES", "LARGEST", "FREE IN ALL", "NOT USABLE SINCE")
_DEVICE_HEAD = ("ACCELERATOR", "PRODUCT", "PIECES ARE", "TOTAL", "FREE", "MOST ON A NODE")
_QUOTA_HEAD = ("QUOTA", "RESOURCE", "USED", "OF")


def command(context: typer.Context, output: Output = OutputFormat.TABLE) -> None:
    """What workers can be there: groups of nodes, total and free, accelerators, quotas."""
    with failures_told():
        with provider_for(context) as provider:
            report = provider.describe_capacity()
        if output is OutputFormat.JSON:
            show_json(report)
            return
        show_fields({name: plain(value) for name, value in _facts(report).items()})
        _show_table(_GROUP_HEAD, [_group(group) for group in report.groups])
        _show_table(
            _DEVICE_HEAD,
            [
                (d.resource, d.product, d.sharing, str(d.total), str(d.free), str(d.most_on_a_node))
                for d in report.accelerators
            ],
        )
        _show_table(_QUOTA_HEAD, [(line.quota, line.resource, line.used, line.hard) for line in report.quotas])
        for missing in report.unread:
            tell(f"not known: {missing}")


def size(worker: WorkerSize | None) -> str:
    """A size in one line: `7.5 cpu, 30Gi, 2 nvidia.com/gpu`."""
    if worker is None:
        return "not known"
    if worker == WorkerSize():
        return "none"
    parts = [f"{shown(CPU, round(worker.cpu_cores * 1000))} cpu", shown(MEMORY, worker.memory_bytes)]
    return ", ".join([*parts, *(f"{amount} {name}" for name, amount in sorted(worker.devices.items()))])


def _facts(report: CapacityReport) -> dict[str, str]:
    known = report.capabilities
    return {
        "Largest worker now": size(report.largest_now),
        "Largest worker ever": size(report.largest_ever),
        "Head-room": size(report.head_room),
        "Architectures": ", ".join(known.architectures),
        "Regions": ", ".join(known.regions),
        "GPU types": ", ".join(known.gpu_types),
        "Runtimes": ", ".join(known.runtimes),
        "Storage classes": ", ".join(report.storage_classes),
        "Priority classes": ", ".join(report.priority_classes),
    }


def _group(group: NodeGroup) -> tuple[str, ...]:
    return (
        f"{group.name} (a declared pool)" if group.is_pool else group.name,
        str(group.nodes),
        "" if group.is_pool else str(group.usable),
        group.architecture,
        ", ".join(group.zones),
        size(group.largest),
        "" if group.is_pool else size(group.free),
        "; ".join(group.blocked_by),
    )


def _show_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    if rows:
        typer.echo("")
        show_rows([head, *(tuple(map(plain, row)) for row in rows)])
