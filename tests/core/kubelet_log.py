"""A container's log as containerd writes it and as a kubelet serves it, byte for byte, for a follower to be driven by.

From k8s.io/cri-client, pkg/logs/logs.go (ReadLogs, parseCRILog, logWriter.write): the file has a record for each piece,
with a timestamp of its own; `since` is compared with each piece; only the first piece of a line is served with its
timestamp; a record that is still being written is waited for by who follows, and served as far as it goes to who does
not follow. A write of some pages becomes visible page by page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from hodei_k8s_core import operations
from hodei_k8s_core.effects import Close, Emit, Monotonic, Observe, Open, Random, Read, Send, Sleep, WallClock
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Body, Request, Response
from hodei_k8s_core.log_entry import LogItem
from hodei_k8s_core.server_time import NANOSECONDS, parse_rfc3339_nanoseconds
from hodei_k8s_core.worker import WorkerHandle
from tests.core.log_files import Piece, stamp
from tests.core.operation_cases import CONFIG

CUT = TransportError(TransportFault.CLOSED, Delivery.ANSWERED, "cut")
MOST_EFFECTS = 20_000
WRITING = 0.4
HANDLE = WorkerHandle(
    worker_id="w1",
    provider_resource_id="hodei-worker-w1",
    provider_id=CONFIG.provider_id,
    created_at=0.0,
    metadata={"namespace": CONFIG.namespace, "pod_uid": "u1"},
)


def record(piece: Piece) -> bytes:
    """What containerd writes."""
    return stamp(piece.timestamp) + (b" stdout P " if piece.goes_on else b" stdout F ") + piece.text + b"\n"


def file_of(pieces: Sequence[Piece]) -> bytes:
    return b"".join(map(record, pieces))


def served(file: bytes, *, since: int | None, follows: bool) -> bytes:
    """What a kubelet replies, that has come to the end of `file` as it is now. `since`: whole seconds."""
    out, is_new_line = [], True
    for raw in file.splitlines(keepends=True):
        fields = raw.split(b" ", 3)
        if len(fields) < 4 or (follows and not raw.endswith(b"\n")):
            continue
        text = fields[3].removesuffix(b"\n") if fields[2] == b"P" else fields[3]
        written = parse_rfc3339_nanoseconds(fields[0].decode()) or 0
        if since is None or written >= since * NANOSECONDS:
            out.append((fields[0] + b" " if is_new_line else b"") + text)
        is_new_line = not text or text.endswith(b"\n")
    return b"".join(out)


class Served(msgspec.Struct, frozen=True):
    """How one request for the log is answered: from the file's first `size` bytes, up to the reply's byte `cut`."""

    size: int | None = None
    cut: int | None = None
    is_clean: bool = False


def follow(
    pieces: Sequence[Piece],
    replies: Sequence[Served],
    *,
    looks_until_ended: int = 2,
    chunk: int = 4096,
    written: int | None = None,
) -> list[LogItem]:
    """What a follower gives. After the last of `replies` the file is served whole.

    `looks_until_ended`: how often the Pod is read before its status says that the container has ended. `written`: how
    many bytes of the file there are for the first `WRITING` seconds.
    """
    node = _Node(file_of(pieces), list(replies), looks_until_ended, chunk, written)
    return node.drive(operations.follow_worker_logs(CONFIG, HANDLE))


class _Node:
    def __init__(self, file: bytes, replies: list[Served], looks: int, chunk: int, written: int | None) -> None:
        self._file = file
        self._replies = replies
        self._looks = looks
        self._chunk = chunk
        self._written = written
        self._now = 0.0
        self._left = b""
        self._breaks = False

    def drive(self, stream: Any) -> list[LogItem]:
        items: list[LogItem] = []
        effect = next(stream)
        for _ in range(MOST_EFFECTS):
            if isinstance(effect, Emit):
                items += effect.items
            try:
                effect = stream.send(self._perform(effect))
            except TransportError as error:
                effect = stream.throw(error)
            except StopIteration:
                return items
        raise AssertionError("it does not end")

    def _perform(self, effect: Any) -> Any:
        match effect:
            case Send():
                return Response(200, (), self._pod())
            case Open():
                self._open(effect.request)
                return Body(200)
            case Read():
                return self._read()
            case Sleep():
                self._now += effect.seconds
            case Monotonic() | WallClock():
                return self._now
            case Random():
                return 0.5
            case Close() | Observe() | Emit():
                return None
        return None

    def _open(self, request: Request) -> None:
        reply = self._replies.pop(0) if self._replies else Served()
        moment = parse_rfc3339_nanoseconds(request.parameter("sinceTime") or "")
        since = None if moment is None else moment // NANOSECONDS
        size = self._written if self._now < WRITING else reply.size
        text = served(self._file[:size], since=since, follows=request.parameter("follow") == "true")
        self._left = text if reply.cut is None else text[: reply.cut]
        self._breaks = reply.cut is not None and not reply.is_clean

    def _read(self) -> bytes:
        chunk, self._left = self._left[: self._chunk], self._left[self._chunk :]
        if not chunk and self._breaks:
            raise CUT
        return chunk

    def _pod(self) -> bytes:
        self._looks -= 1
        state = "running" if self._looks >= 0 else "terminated"
        fields = {"running": {}, "terminated": {"exitCode": 0, "containerID": "containerd://c1"}}[state]
        status = {"name": "worker", "state": {state: fields}, "containerID": "containerd://c1", "restartCount": 0}
        pod = {
            "metadata": {"name": HANDLE.pod_name, "uid": "u1", "labels": {"hodei.io/worker-id": "w1"}},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "worker"}]},
            "status": {
                "phase": "Running" if state == "running" else "Succeeded",
                "containerStatuses": [status],
            },
        }
        return msgspec.json.encode(pod)
