"""A plan of reconcile and how its actions went: plain values, to look at and to print as JSON."""

from __future__ import annotations

import enum

import msgspec


class ActionKind(enum.Enum):
    """What a plan does about one thing."""

    ADOPT = "adopt"
    """The worker is wanted and exists, and the host does not know its Pod."""
    DESTROY_ORPHAN = "destroy orphan"
    DESTROY_EXPIRED = "destroy expired"
    REMOVE_STRAY = "remove stray"
    """A Secret or a claim that was made for a worker which is gone."""
    REPORT_LOST = "report lost"
    """The worker is wanted, and the Pod that the host knows is gone or replaced."""

    @property
    def removes(self) -> bool:
        """Something is deleted."""
        return self in (ActionKind.DESTROY_ORPHAN, ActionKind.DESTROY_EXPIRED, ActionKind.REMOVE_STRAY)


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One action, with its reason for people.

    `resource`: as the API names it (`pods`). `uid` and `resource_version`: of what was seen, and the preconditions of a
    removal. `has_ended`: the worker ran no more when it was seen, so nobody loses it.
    """

    kind: ActionKind
    worker_id: str
    name: str
    reason: str
    resource: str = "pods"
    uid: str = ""
    resource_version: str = ""
    has_ended: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done, in order; empty where all is as it should be.

    `workers`: how many workers were seen, `living` of which had not ended. `made_at`: the server's time of that.
    `consent_needed`: why the plan is not to be applied without being asked for, or "". `notes`: what could not be seen.
    `next_due`: when time alone will call for another plan, by the server's clock; None where it will not.
    """

    actions: tuple[Action, ...]
    workers: int
    living: int
    made_at: float
    consent_needed: str = ""
    notes: tuple[str, ...] = ()
    next_due: float | None = None

    @property
    def removals(self) -> tuple[Action, ...]:
        """The actions that delete something."""
        return tuple(action for action in self.actions if action.kind.removes)


class ActionOutcome(enum.Enum):
    """How an action went."""

    DONE = "done"
    GONE = "gone"
    """There was nothing to remove any more."""
    CHANGED = "changed"
    """It has changed since the plan was made, and is left alone."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not tried: the server did not answer before, or somebody else leads by now."""


class ActionResult(msgspec.Struct, frozen=True, kw_only=True):
    """`error`: the server's own reason where it failed, or why it was not tried, or ""."""

    action: Action
    outcome: ActionOutcome
    error: str = ""
