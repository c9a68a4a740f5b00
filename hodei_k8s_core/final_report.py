"""What is left of a worker when its Pod is gone."""

from __future__ import annotations

import msgspec

from hodei_k8s_core.log_entry import LogItem
from hodei_k8s_core.timeline import Timeline
from hodei_k8s_core.verdict import Verdict
from hodei_k8s_core.worker import WorkerInfo, WorkerState


class FinalReport(msgspec.Struct, frozen=True, kw_only=True):
    """How a worker ended. `worker`: as it was seen last; its `verdict` is from before it was told to end.

    `lines`: the last of its log, what it wrote after it was told to end included. `cursor`: the end of that, "" where
    nothing was read. `is_complete`: the log was read to its end, and nothing is missing since it was opened.
    """

    worker: WorkerInfo
    lines: tuple[LogItem, ...] = ()
    cursor: str = ""
    is_complete: bool = True

    @property
    def worker_id(self) -> str:
        return self.worker.worker_id

    @property
    def state(self) -> WorkerState:
        return self.worker.state

    @property
    def exit_code(self) -> int | None:
        return self.worker.exit_code

    @property
    def signal(self) -> str:
        return self.worker.signal

    @property
    def verdict(self) -> Verdict | None:
        return self.worker.verdict

    @property
    def timeline(self) -> Timeline | None:
        return self.worker.timeline
