"""Become the leader by a Lease, stay it, let it go: a stream that tells who leads, and for how long that is sure."""

from __future__ import annotations

import msgspec

from hodei_k8s_core.api_status import Status
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Emit, Monotonic, Operation, Random, Sleep, StopRequested, Stream, WallClock
from hodei_k8s_core.http import Response
from hodei_k8s_core.lease import Lease, LeasePolicy, Sighting, lease_held_by, lease_let_go, parse_lease
from hodei_k8s_core.operations.calls import exchange
from hodei_k8s_core.operations.deadline import step
from hodei_k8s_core.operations.lease_requests import create_lease, get_lease, update_lease

JITTER = 0.2


class Leadership(msgspec.Struct, frozen=True, kw_only=True):
    """`until`: on the monotonic clock, until when we surely lead; 0 where another does, or nobody is known to.

    `holder`: who has the lease, "" where nobody is known. `problem`: why it could not be looked at or renewed, or "".
    """

    until: float = 0.0
    holder: str = ""
    problem: str = ""

    def is_ours(self, now: float) -> bool:
        """To be asked before each thing that only a leader does."""
        return now < self.until


def lead(
    config: KubernetesConfig, identity: str, *, name: str, policy: LeasePolicy | None = None
) -> Stream[Leadership, None]:
    """Tell of every change of leadership, and of every renewal; does not end by itself.

    `identity`: who we are, no other process's. The Lease `name` is in the workers' namespace. `StopRequested` lets the
    lease go, if it is ours, and ends the stream. What fails is told, and tried again.
    """
    election = _Election(config, identity, name, LeasePolicy() if policy is None else policy)
    told: Leadership | None = None
    try:
        while True:
            standing = yield from _turn(election)
            if standing != told:
                told = standing
                yield from Emit([standing])
            yield from Sleep(election.policy.retry_period * (1 + JITTER * (yield from Random())))
    except StopRequested:
        yield from _let_go(election)


class _Election:
    """What one candidate knows so far."""

    def __init__(self, config: KubernetesConfig, identity: str, name: str, policy: LeasePolicy) -> None:
        self.config = config
        self.identity = identity
        self.name = name
        self.policy = policy
        self.seen: Sighting | None = None
        self.lease: Lease | None = None
        self.renewed_at: float | None = None

    @property
    def timeout(self) -> float:
        """Of one request: a renewal that comes late is worth nothing."""
        return min(self.config.request_timeout, self.policy.renew_deadline / 2)

    def standing(self, now: float, problem: str = "") -> Leadership:
        """Who leads, as far as is known."""
        holder = "" if self.seen is None else self.seen.spec.holder_identity
        if self.renewed_at is None or now >= self.renewed_at + self.policy.renew_deadline:
            return Leadership(holder="" if holder == self.identity else holder, problem=problem)
        return Leadership(until=self.renewed_at + self.policy.renew_deadline, holder=self.identity, problem=problem)


def _turn(election: _Election) -> Operation[Leadership]:
    yield from step("lead", "look at the lease")
    outcome = yield from exchange(get_lease(election.config.namespace, election.name), election.timeout)
    now = yield from Monotonic()
    if isinstance(outcome, Response):
        election.lease = parse_lease(outcome.body)
        spec = election.lease.spec
        election.seen = Sighting(spec, now) if election.seen is None else election.seen.renewed(spec, now)
        if not election.seen.is_free_for(election.identity, now):
            election.renewed_at = None
            return election.standing(now)
    elif isinstance(outcome, Status) and outcome.is_not_found:
        election.lease = None
    else:
        return election.standing(now, str(outcome))
    return (yield from _take(election, now))


def _take(election: _Election, now: float) -> Operation[Leadership]:
    """`now` is from before the request: so long is it ours at least."""
    yield from step("lead", "take the lease")
    before = election.lease
    spec = lease_held_by(election.identity, before, policy=election.policy, wall=(yield from WallClock()))
    namespace, name = election.config.namespace, election.name
    if before is None:
        request = create_lease(namespace, name, spec)
    else:
        request = update_lease(namespace, name, spec, resource_version=before.metadata.resource_version)
    outcome = yield from exchange(request, election.timeout)
    later = yield from Monotonic()
    if isinstance(outcome, Response):
        election.lease = parse_lease(outcome.body)
        election.seen, election.renewed_at = Sighting(election.lease.spec, now), now
        return election.standing(later)
    lost_race = isinstance(outcome, Status) and (outcome.is_conflict or outcome.is_already_exists)
    return election.standing(later, "" if lost_race else str(outcome))


def _let_go(election: _Election) -> Operation[None]:
    """Best effort: a lease that is not let go runs out by itself."""
    now = yield from Monotonic()
    if election.lease is None or not election.standing(now).is_ours(now):
        return
    yield from step("lead", "let the lease go")
    version = election.lease.metadata.resource_version
    spec = lease_let_go(election.lease)
    request = update_lease(election.config.namespace, election.name, spec, resource_version=version)
    yield from exchange(request, election.timeout)
