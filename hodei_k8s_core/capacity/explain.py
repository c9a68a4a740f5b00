"""A Pod and a snapshot of the cluster -> whether it fits, when, and why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hodei_k8s_core.capacity.admitted import Admitted, admitted
from hodei_k8s_core.capacity.candidate import not_weighed, read_candidate
from hodei_k8s_core.capacity.fulfillment import Fit, Fulfillment, GroupFit, Reason, Rule
from hodei_k8s_core.capacity.namespace_fit import refusals
from hodei_k8s_core.capacity.node import Node
from hodei_k8s_core.capacity.node_fit import Obstacle, Wanted, fit_on, has_room, obstacles
from hodei_k8s_core.capacity.node_group import grouped, node_of_pool, nodes_of_pool
from hodei_k8s_core.capacity.placed_pods import NOTHING_TAKEN
from hodei_k8s_core.capacity.snapshot import NODES, PLACED_PODS, Snapshot
from hodei_k8s_core.config.node_pool import NodePool

_ORDER = (Fit.NOW, Fit.NEW_NODE, Fit.LATER, Fit.UNKNOWN, Fit.NEVER)
"""From good to bad: a Pod fits as well as the worse one of its namespace and its nodes allow."""


def explain_pod(pod: Mapping[str, Any], snapshot: Snapshot, pools: Sequence[NodePool] = ()) -> Fulfillment:
    """Whether the Pod, ready to be sent, would find a place. `pools`: what an autoscaler can add.

    Raises: ConfigurationError for what is no Pod, Internal for an amount that cannot be read.
    """
    spec = read_candidate(pod)
    ready = admitted(spec, snapshot)
    refused = refusals(ready, snapshot)
    wanted = Wanted.of(ready.spec)
    groups = [_group(name, nodes, snapshot, wanted) for name, nodes in grouped(snapshot.nodes).items()]
    would_be = [_pool(pool, snapshot, wanted) for pool in pools]
    fit = worse(_fit_in_namespace(refused), _fit_on_nodes(groups, would_be, snapshot))
    return Fulfillment(
        fit=fit,
        reasons=(*refused, *_reasons_of_cluster(snapshot, pools)),
        groups=(*groups, *would_be),
        preempts=fit is not Fit.NOW and not refused and _could_preempt(ready, wanted, snapshot),
        not_weighed=not_weighed(ready.spec),
        unread=snapshot.unread,
    )


def worse(first: Fit, second: Fit) -> Fit:
    """The one that comes later, or never."""
    return max(first, second, key=_ORDER.index)


def _fit_in_namespace(refused: Sequence[Reason]) -> Fit:
    if not refused:
        return Fit.NOW
    return Fit.LATER if all(reason.is_passing for reason in refused) else Fit.NEVER


def _fit_on_nodes(groups: Sequence[GroupFit], would_be: Sequence[GroupFit], snapshot: Snapshot) -> Fit:
    if any(group.fitting for group in groups):
        return Fit.NOW
    if any(pool.fitting for pool in would_be):
        return Fit.NEW_NODE
    if any(group.could_fit for group in (*groups, *would_be)):
        return Fit.LATER
    return Fit.NEVER if snapshot.knows(NODES) or would_be else Fit.UNKNOWN


def _reasons_of_cluster(snapshot: Snapshot, pools: Sequence[NodePool]) -> list[Reason]:
    found = [
        Reason(Rule.PERMISSION, missing.resource, f"not known: {missing}", is_passing=True)
        for missing in snapshot.unread
        if missing.resource in (NODES, PLACED_PODS)
    ]
    if snapshot.knows(NODES) and not snapshot.nodes and not pools:
        found.append(Reason(Rule.NO_NODES, NODES, "the cluster has no nodes, and no node pool is declared"))
    return found


def _group(name: str, nodes: Sequence[Node], snapshot: Snapshot, wanted: Wanted) -> GroupFit:
    by_node = [fit_on(node, snapshot.usage_of(node), wanted) for node in nodes]
    return GroupFit(
        group=name,
        nodes=len(nodes),
        fitting=sum(not found for found in by_node) if snapshot.knows(PLACED_PODS) else 0,
        could_fit=sum(all(obstacle.is_passing for obstacle in found) for found in by_node),
        reasons=_summed(by_node),
    )


def _pool(pool: NodePool, snapshot: Snapshot, wanted: Wanted) -> GroupFit:
    found = fit_on(node_of_pool(pool), NOTHING_TAKEN, wanted)
    there = nodes_of_pool(pool, snapshot.nodes)
    reasons = _summed([found])
    is_full = pool.max_nodes is not None and there >= pool.max_nodes
    if is_full:
        full = f"the pool has {there} nodes, as many as it may have"
        reasons += (Reason(Rule.POOL_FULL, pool.name, full, nodes=1, is_passing=True),)
    return GroupFit(
        group=pool.name,
        nodes=there,
        fitting=int(not found and not is_full),
        could_fit=int(not found),
        reasons=reasons,
        is_pool=True,
    )


def _summed(by_node: Sequence[Sequence[Obstacle]]) -> tuple[Reason, ...]:
    """Each obstacle once, with how many nodes have it; those of most nodes first. The amount is that of the best."""
    best: dict[tuple[Rule, str, bool], Obstacle] = {}
    nodes: dict[tuple[Rule, str, bool], int] = {}
    for obstacle in (obstacle for found in by_node for obstacle in found):
        # A cordoned or unready node is told by its state, not by its name.
        subject = "" if obstacle.rule in (Rule.CORDONED, Rule.NOT_READY) else obstacle.subject
        key = (obstacle.rule, subject, obstacle.is_passing)
        nodes[key] = nodes.get(key, 0) + 1
        if key not in best or (obstacle.available or 0) > (best[key].available or 0):
            best[key] = obstacle
    reasons = [_reason(obstacle, key[1], nodes[key]) for key, obstacle in best.items()]
    return tuple(sorted(reasons, key=lambda reason: -reason.nodes))


def _reason(obstacle: Obstacle, subject: str, nodes: int) -> Reason:
    return Reason(
        obstacle.rule,
        subject,
        obstacle.message,
        nodes=nodes,
        wanted=obstacle.wanted,
        available=obstacle.available,
        is_passing=obstacle.is_passing,
    )


def _could_preempt(pod: Admitted, wanted: Wanted, snapshot: Snapshot) -> bool:
    """A node that is its own has room beside the Pods that this one may not take away."""
    if not pod.may_preempt or not snapshot.knows(PLACED_PODS):
        return False
    return any(
        not obstacles(node, wanted) and has_room(node, snapshot.usage_of(node).at_least(pod.priority), wanted)
        for node in snapshot.nodes
    )
