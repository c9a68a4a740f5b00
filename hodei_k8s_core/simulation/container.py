"""One container as its node sees it, and the container status that this gives."""

from __future__ import annotations

import msgspec

from hodei_k8s_core.simulation.behaviour import Behaviour, Process
from hodei_k8s_core.simulation.wire import Json, ServerClock

KILLED = 137
CREATING = ("ContainerCreating", "")


class Termination(msgspec.Struct, frozen=True):
    """How a container ended; `started` None when it never ran. `run` is its number, 0 for none."""

    exit_code: int
    reason: str
    message: str = ""
    started: float | None = None
    finished: float | None = None
    run: int = 0


NEVER_STARTED = Termination(
    KILLED, "ContainerStatusUnknown", "The container could not be located when the pod was terminated"
)
"""The end of a container that was still waiting when its Pod was deleted."""


class Container(msgspec.Struct):
    """The state of one container; changed only by the kubelet."""

    name: str
    image: str
    behaviour: Behaviour
    waiting: tuple[str, str] = CREATING
    started: float | None = None
    ended: Termination | None = None
    ready: bool = False
    restarts: int = 0
    lines: list[tuple[float, str]] = []
    last_ended: Termination | None = None
    last_lines: list[tuple[float, str]] | None = None
    rotated_at: float | None = None
    number: int = 0
    process: Process | None = None

    @property
    def is_running(self) -> bool:
        return self.started is not None and self.ended is None

    def begin(self, now: float, number: int) -> None:
        """The program starts; `number` names this run of it."""
        self.started = now
        self.number = number
        self.restarts += self.last_ended is not None
        self.lines = [(now + after, text) for after, text in self.behaviour.logs]
        self.ready = self.behaviour.ready is not None and self.behaviour.ready <= 0
        self.rotated_at = None

    def end(self, now: float, exit_code: int, reason: str = "", message: str = "") -> None:
        """The program ends, or can never start."""
        reason = reason or ("Error" if exit_code else "Completed")
        self.ended = Termination(exit_code, reason, message, self.started, now, self.number)
        self.ready = False
        self.lines = [(at, text) for at, text in self.lines if at <= now]

    @property
    def kept_lines(self) -> list[tuple[float, str]]:
        """Those of the newest log file, which is all that a kubelet serves."""
        return [line for line in self.lines if self.rotated_at is None or line[0] > self.rotated_at]

    def abandon(self) -> None:
        """It is stopped while it waits: its last end, if there is one, counts."""
        self.ended = self.last_ended or NEVER_STARTED
        self.lines = self.last_lines or []

    def reset(self) -> None:
        """Get ready for another run: what was becomes the last state and the previous log."""
        self.last_ended, self.last_lines = self.ended, self.kept_lines
        self.started, self.ended, self.lines = None, None, []


def container_status(container: Container, clock: ServerClock) -> Json:
    """The entry of `containerStatuses`."""
    ran = container.started is not None
    status: Json = {
        "name": container.name,
        "state": _state(container, clock),
        "lastState": _terminated(container.last_ended, clock) if container.last_ended else {},
        "ready": container.ready,
        "restartCount": container.restarts,
        "image": container.image,
        "imageID": f"sha256:{'0' * 63}1" if ran else "",
    }
    if ran:
        status["containerID"] = _id(container.number)
    return {**status, "started": container.is_running}


def _state(container: Container, clock: ServerClock) -> Json:
    if container.ended is not None:
        return _terminated(container.ended, clock)
    if container.started is not None:
        return {"running": {"startedAt": clock.timestamp(container.started)}}
    reason, message = container.waiting
    return {"waiting": {"reason": reason, "message": message} if message else {"reason": reason}}


def _terminated(ended: Termination, clock: ServerClock) -> Json:
    state: Json = {"exitCode": ended.exit_code, "reason": ended.reason}
    if ended.message:
        state["message"] = ended.message
    state["startedAt"] = state["finishedAt"] = None
    if ended.finished is not None:
        state["startedAt"] = "1970-01-01T00:00:00Z" if ended.started is None else clock.timestamp(ended.started)
        state["finishedAt"] = clock.timestamp(ended.finished)
    if ended.run:
        state["containerID"] = _id(ended.run)
    return {"terminated": state}


def _id(number: int) -> str:
    return f"containerd://{number:064x}"
