"""What the namespace says to a Pod: its quotas and LimitRanges, and what admission refuses."""

from __future__ import annotations

from hodei_k8s_core.capacity.admitted import Admitted
from hodei_k8s_core.capacity.amounts import rounded
from hodei_k8s_core.capacity.fulfillment import Reason, Rule
from hodei_k8s_core.capacity.limit_range import LimitRange, Violation, violations
from hodei_k8s_core.capacity.quota import Overdraft, Quota, counts, overdrafts
from hodei_k8s_core.capacity.snapshot import Snapshot

_PREFIXES = ("requests.", "limits.")


def refusals(pod: Admitted, snapshot: Snapshot) -> list[Reason]:
    """Every reason for which the API server would not accept the Pod. Raises: Internal."""
    found = list(pod.refusals)
    for limit_range in snapshot.limit_ranges:
        found += [_of_limit(limit_range, violation) for violation in violations(pod.spec, limit_range)]
    for quota in snapshot.quotas:
        if counts(quota, pod.spec):
            found += [_of_quota(quota, overdraft) for overdraft in overdrafts(quota, pod.spec)]
    return found


def _of_limit(limit_range: LimitRange, violation: Violation) -> Reason:
    name = violation.resource
    return Reason(
        Rule.LIMIT_RANGE,
        name,
        f"LimitRange {limit_range.name}: {violation.message}",
        wanted=None if violation.wanted is None else rounded(name, violation.wanted),
        available=None if violation.bound is None else rounded(name, violation.bound),
    )


def _of_quota(quota: Quota, overdraft: Overdraft) -> Reason:
    resource = overdraft.resource
    plain = plain_name(resource)
    if overdraft.missing_in:
        containers = ", ".join(overdraft.missing_in)
        return Reason(Rule.QUOTA, resource, f"quota {quota.name} wants {resource} to be said, by: {containers}")
    scope = "in all" if overdraft.is_for_good else "left"
    return Reason(
        Rule.QUOTA,
        plain,
        f"quota {quota.name} has too little {resource} {scope}",
        wanted=rounded(plain, overdraft.wanted),
        available=rounded(plain, overdraft.hard if overdraft.is_for_good else overdraft.left),
        is_passing=not overdraft.is_for_good,
    )


def plain_name(resource: str) -> str:
    """`requests.cpu` and `limits.cpu` are both of `cpu`."""
    for prefix in _PREFIXES:
        resource = resource.removeprefix(prefix)
    return resource
