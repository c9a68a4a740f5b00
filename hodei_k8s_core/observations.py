"""What an operation tells about itself while it runs: the transport turns these into metrics, spans and log records.

Label values are bounded sets (a verb, a resource, a status code), never a worker's name.
"""

from __future__ import annotations

import msgspec


class StepStarted(msgspec.Struct, frozen=True):
    """An operation entered the step `step`; a deadline that runs out names the last one."""

    operation: str
    step: str


class ApiExchange(msgspec.Struct, frozen=True):
    """One exchange with the API server ended. `outcome` is the status code as text, or a `TransportFault` value."""

    verb: str
    resource: str
    outcome: str
    seconds: float


class RetryPlanned(msgspec.Struct, frozen=True):
    """A failed exchange will be repeated after `delay` seconds; `cause` is its outcome."""

    verb: str
    resource: str
    cause: str
    delay: float


class PodCreated(msgspec.Struct, frozen=True):
    """The API server accepted a worker's Pod (or ours was found there after a lost reply)."""

    adopted: bool


class PodFailed(msgspec.Struct, frozen=True):
    """A worker's Pod could not be created, or ended badly; `reason` is from a bounded set."""

    reason: str


class PodStarted(msgspec.Struct, frozen=True):
    """A worker became ready `seconds` after its Pod was created, by the server's timestamps.

    Whoever waits for a worker observes it, so several may; `pod_uid` tells that it is the same start.
    """

    seconds: float
    image: str = ""
    pod_uid: str = ""


class PodDestroyed(msgspec.Struct, frozen=True):
    """A worker's Pod is gone; `seconds` from the request to that."""

    seconds: float


class WatchReconnected(msgspec.Struct, frozen=True):
    """A watch was opened again; `cause` is from a bounded set (closed, silent, expired, failed ...)."""

    cause: str


class LogReconnected(msgspec.Struct, frozen=True):
    """A followed log was opened again."""

    cause: str


class ReconcileAction(msgspec.Struct, frozen=True):
    """A reconcile did something about one worker; both from bounded sets."""

    kind: str
    outcome: str


Observation = (
    StepStarted
    | ApiExchange
    | RetryPlanned
    | PodCreated
    | PodFailed
    | PodStarted
    | PodDestroyed
    | WatchReconnected
    | LogReconnected
    | ReconcileAction
)
