"""The answer to "would it fit?": yes or no, when, and why not, by node group and rule and by how much."""

from __future__ import annotations

import enum

import msgspec

from hodei_k8s_core.capacity.amounts import shown
from hodei_k8s_core.capacity.snapshot import Unread


class Fit(enum.Enum):
    """When a worker could run."""

    NOW = "now"
    """A node has room for it, and nothing refuses it."""
    NEW_NODE = "new-node"
    """No node has room, and one that an autoscaler would add (a declared node pool) has."""
    LATER = "later"
    """When other Pods end, or a node comes back that is cordoned or not ready: one is large enough."""
    NEVER = "never"
    """Not in this cluster, with these settings, as it is."""
    UNKNOWN = "unknown"
    """What may be read speaks neither for it nor against it."""


class Rule(enum.Enum):
    """What keeps a worker from a node, or from the namespace."""

    RESOURCE = "resource"
    ACCELERATOR = "accelerator"
    ARCHITECTURE = "architecture"
    ZONE = "zone"
    CAPABILITY = "capability"
    LABEL = "label"
    TAINT = "taint"
    CORDONED = "cordoned"
    NOT_READY = "not-ready"
    POOL_FULL = "pool-full"
    QUOTA = "quota"
    LIMIT_RANGE = "limit-range"
    PRIORITY = "priority"
    RUNTIME = "runtime"
    ADMISSION = "admission"
    PERMISSION = "permission"
    NO_NODES = "no-nodes"


class Reason(msgspec.Struct, frozen=True):
    """One rule that is not met. `subject`: the resource, label, taint, quota. `nodes`: how many of the group it keeps
    the worker from. Of an amount, in the scheduler's units (millicores; bytes; pieces): `wanted`, and the most that is
    `available` on any of these nodes: free now where it `is_passing` (can end by itself), else in all.
    """

    rule: Rule
    subject: str
    message: str
    nodes: int = 0
    wanted: int | None = None
    available: int | None = None
    is_passing: bool = False

    @property
    def short_by(self) -> int | None:
        """How much is missing, or None where it is not a matter of how much."""
        return None if self.wanted is None or self.available is None else self.wanted - max(self.available, 0)

    def __str__(self) -> str:
        short = self.short_by
        lacking = "" if short is None or short <= 0 else f", short by {shown(self.subject, short)}"
        return f"{self.message}{lacking}"


class GroupFit(msgspec.Struct, frozen=True):
    """How a group of nodes suits: `fitting` have room now, as far as is known; `could_fit` would when empty and in
    order. `is_pool`: they do not exist, an autoscaler would add them; then `nodes` is how many there are of it."""

    group: str
    nodes: int
    fitting: int
    could_fit: int
    reasons: tuple[Reason, ...] = ()
    is_pool: bool = False


class Fulfillment(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a worker fits. `reasons`: of the namespace and of the cluster; those of nodes are in `groups`.

    `preempts`: a node would have room if Pods of lower priority were taken away, which the scheduler may do.
    `not_weighed`: what the scheduler weighs beside, and this does not. `unread`: what could not be read.
    `confirmed`: the API server accepted such a Pod in a dry run; None when it was not asked.
    """

    fit: Fit
    reasons: tuple[Reason, ...] = ()
    groups: tuple[GroupFit, ...] = ()
    preempts: bool = False
    not_weighed: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()
    confirmed: bool | None = None

    @property
    def is_possible(self) -> bool:
        """It fits at some time, or nothing that is known speaks against it."""
        return self.fit is not Fit.NEVER

    def rules(self) -> frozenset[Rule]:
        """Every rule that is not met somewhere."""
        return frozenset(reason.rule for reason in (*self.reasons, *(r for g in self.groups for r in g.reasons)))

    def explain(self) -> list[str]:
        """Every reason as a sentence, those of the namespace first, then those of the groups that come nearest."""
        lines = [str(reason) for reason in self.reasons]
        for group in sorted(self.groups, key=lambda group: -group.could_fit):
            kind = "would-be nodes" if group.is_pool else "node" if group.nodes == 1 else "nodes"
            lines += [f"{group.group} ({group.nodes} {kind}): {reason}" for reason in group.reasons]
        return lines
