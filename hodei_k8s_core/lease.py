"""One leader among replicas, by a Lease: what a look at it means, as a pure decision.

As client-go's leader election: a Lease is another's until its holder has not renewed it for its duration *by our own
clock since we saw it change last*; the timestamps in it are never compared with a clock here, since clocks differ. Who
has it is the leader until its duration is over, counted from before the renewal was sent. An overlap is still possible
(a process that sleeps between the check and its request), so what a leader does must be harmless when it is done twice.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

import msgspec

from hodei_k8s_core.kubernetes_json import Integer, decode_object, refuse_kind
from hodei_k8s_core.server_time import format_rfc3339

_KIND: Final = ("Lease",)


class LeasePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds, as of kube-controller-manager: a lease lasts `duration`, is renewed every `retry_period`, and one that
    could not be renewed for `renew_deadline` is given up by its holder before others may take it."""

    duration: int = 15
    renew_deadline: float = 10.0
    retry_period: float = 2.0


class LeaseMeta(msgspec.Struct, frozen=True, rename="camel"):
    """The part of the metadata that is read."""

    name: str = ""
    resource_version: str = ""


class LeaseSpec(msgspec.Struct, frozen=True, rename="camel"):
    """Who has it, and since when; times as they are written."""

    holder_identity: str = ""
    lease_duration_seconds: Integer = 0
    acquire_time: str = ""
    renew_time: str = ""
    lease_transitions: Integer = 0


class Lease(msgspec.Struct, frozen=True):
    """A Lease, as far as it is read."""

    kind: str = ""
    metadata: LeaseMeta = LeaseMeta()
    spec: LeaseSpec = LeaseSpec()


_DECODER: Final = msgspec.json.Decoder(Lease)


def parse_lease(data: bytes) -> Lease:
    """The Lease that a reply holds. Raises: Internal for anything else."""
    lease = decode_object(_DECODER, data, _KIND)
    if lease.kind not in _KIND:
        raise refuse_kind(lease.kind, _KIND)
    return lease


def lease_name(provider_id: str) -> str:
    """The Lease of the processes that serve that provider: its own, and a name that Kubernetes takes."""
    plain = re.sub("[^a-z0-9-]+", "-", provider_id.lower()).strip("-")
    if plain != provider_id:  # two ids must not share a lease
        plain = f"{plain}-{hashlib.sha256(provider_id.encode()).hexdigest()[:8]}"
    return f"hodei-k8s-{plain}"


class Sighting(msgspec.Struct, frozen=True):
    """A Lease as it was seen, and since when (seconds, monotonic) it has been so."""

    spec: LeaseSpec
    since: float

    def renewed(self, spec: LeaseSpec, now: float) -> Sighting:
        """After another look."""
        return self if spec == self.spec else Sighting(spec, now)

    def is_free_for(self, identity: str, now: float) -> bool:
        """Nobody has it, we have it, or its holder has let it run out."""
        holder = self.spec.holder_identity
        return holder in ("", identity) or now >= self.since + self.spec.lease_duration_seconds


def lease_held_by(identity: str, before: Lease | None, *, policy: LeasePolicy, wall: float) -> dict[str, Any]:
    """The `spec` that takes or renews the lease; `wall`: seconds since the epoch, for people."""
    moment = format_rfc3339(float(int(wall))).replace("Z", ".000000Z")
    spec = LeaseSpec() if before is None else before.spec
    is_renewal = spec.holder_identity == identity
    return {
        "holderIdentity": identity,
        "leaseDurationSeconds": policy.duration,
        "acquireTime": (spec.acquire_time if is_renewal else "") or moment,
        "renewTime": moment,
        "leaseTransitions": spec.lease_transitions + (0 if is_renewal or before is None else 1),
    }


def lease_let_go(lease: Lease) -> dict[str, Any]:
    """The `spec` that lets the next one take it at once."""
    return {"holderIdentity": "", "leaseDurationSeconds": 1, "leaseTransitions": lease.spec.lease_transitions}
