"""What an operation tells about itself while it runs: the transport turns these into metrics, spans and log records.

Label values are bounded sets (a verb, a resource, a status code), never a worker's name.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from hodei_k8s_core.verdict import Blame, Category


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
    `phases`: of what that time was made up, as `Timeline.durations` names them.
    """

    seconds: float
    image: str = ""
    pod_uid: str = ""
    phases: Mapping[str, float] = {}


class PodDestroyed(msgspec.Struct, frozen=True):
    """A worker's Pod is gone; `seconds` from the request to that."""

    seconds: float


class VerdictMet(msgspec.Struct, frozen=True):
    """Whoever waits for a worker saw that something is wrong with it, or something else than before.

    `terminal`: it cannot recover. Several may wait for one worker: `pod_uid` tells which, and is no label.
    """

    category: Category
    blame: Blame
    terminal: bool
    pod_uid: str


class WatchHeard(msgspec.Struct, frozen=True):
    """The server said something on the watch of that name (a list, an event, a bookmark); once a second at most."""

    watch: str


class FleetChanged(msgspec.Struct, frozen=True):
    """A watch has told of workers: what is free in the cluster may not be what it was."""


class WatchReconnected(msgspec.Struct, frozen=True):
    """A watch was opened again; `cause` is from a bounded set (closed, silent, expired, failed ...)."""

    cause: str


class LogReconnected(msgspec.Struct, frozen=True):
    """A followed log was opened again."""

    cause: str


class LogReceived(msgspec.Struct, frozen=True):
    """So many bytes of a log have come, headers of lines included."""

    size: int


class LogGapMet(msgspec.Struct, frozen=True):
    """Lines of a log cannot be had any more; `reason` is a `GapReason` value."""

    reason: str


class CredentialRefreshed(msgspec.Struct, frozen=True):
    """What proves who we are was read or made anew, or could not be; `source` is `file` or `plugin`.

    `expires_at`: when the credential at hand ends, in seconds since the epoch; None where it does not say. Told in
    whichever thread it happens.
    """

    source: str
    succeeded: bool
    expires_at: float | None = None


class ReconcilePlanned(msgspec.Struct, frozen=True):
    """A reconcile looked at the fleet: how many actions of each kind it plans, and whether they need consent."""

    actions: Mapping[str, int]
    consent_needed: bool


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
    | VerdictMet
    | WatchHeard
    | WatchReconnected
    | FleetChanged
    | LogReconnected
    | LogReceived
    | LogGapMet
    | CredentialRefreshed
    | ReconcilePlanned
    | ReconcileAction
)
