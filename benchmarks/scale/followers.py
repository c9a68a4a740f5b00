"""500 followers of logs in one process, each of which gets a line every tenth of a second."""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import anyio
import msgspec

from benchmarks.measure import Fact, Row
from benchmarks.scale.apart import run_apart
from benchmarks.scale.follow_server import follow_server, running_pod
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.log_entry import LogEntry
from hodei_k8s_core.pod import parse_pod
from hodei_k8s_core.worker import WorkerHandle
from hodei_k8s_core.worker_info import worker_handle
from hodei_k8s_transport import AsyncKubernetesProvider

_FOLLOWERS = 500
_LINES = 50
"""For each of them at least, and until every one of them has had its first."""
_BACKENDS = ("asyncio", "trio")


@dataclass(frozen=True)
class Followers:
    name: str
    unit: str = "line"

    def measure(self, rounds: int, progress: Callable[[str], None]) -> Sequence[Row]:  # noqa: ARG002 - once is enough
        """Raises: CannotRun."""
        rows: list[Row] = []
        for backend in _BACKENDS:
            progress(f"{self.name}: {backend}")
            told = run_apart(follow_all, backend)
            facts = (
                ("connections at once", float(told.connections), f"{told.connections}"),
                ("CPU of a line", told.cpu / told.lines, f"{told.cpu / told.lines * 1e6:.0f} µs"),
                ("CPU, of one core", told.cpu / told.seconds, f"{told.cpu / told.seconds:.0%}"),
                ("memory of a follower", told.memory / _FOLLOWERS, f"{told.memory / _FOLLOWERS / 1024:.0f} KiB"),
            )
            rows += [Fact(f"{backend}: {label}", value, text) for label, value, text in facts]
        return rows


class Told(msgspec.Struct):
    """`cpu` and `seconds` of the whole time, `memory` in bytes: by how much the process's peak grew."""

    lines: int
    cpu: float
    seconds: float
    memory: int
    connections: int


def follow_all(backend: str) -> Told:
    """Every follower gets its lines, and every line once, in order."""
    with follow_server() as server:

        async def main() -> Told:
            config = KubernetesConfig(http="h11")
            async with AsyncKubernetesProvider.connect(config, environ=server.environ) as provider:
                gc.collect()
                peak, cpu, began = _peak(), time.process_time(), time.monotonic()
                with anyio.fail_after(120):
                    async with anyio.create_task_group() as tasks:
                        crowd = _Crowd()
                        for _ in range(_FOLLOWERS):
                            tasks.start_soon(crowd.follow, provider)
                cpu, seconds = time.process_time() - cpu, time.monotonic() - began
                return Told(crowd.lines, cpu, seconds, _peak() - peak, server.most_open())

        return anyio.run(main, backend=backend)


class _Crowd:
    def __init__(self) -> None:
        self.reading = 0
        self.lines = 0

    async def follow(self, provider: AsyncKubernetesProvider) -> None:
        got = 0
        async with provider.follow_worker_logs(_handle()) as items:
            async for item in items:
                if not isinstance(item, LogEntry) or not item.message.endswith(f"step {got} is done"):
                    raise RuntimeError(f"in place of line {got} came {item}")
                self.reading += got == 0
                self.lines += 1
                got += 1
                if got >= _LINES and self.reading == _FOLLOWERS:
                    return


def _handle() -> WorkerHandle:
    handle = worker_handle(parse_pod(running_pod()))
    return msgspec.structs.replace(handle, provider_id=KubernetesConfig().provider_id)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


FOLLOWERS = Followers(name=f"{_FOLLOWERS} followers in one process")
