"""Which cluster gets a worker: a function from what each of them offers to a ranking with reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from hodei_k8s_core.capabilities import JobRequirements
from hodei_k8s_core.capacity.fulfillment import Fit
from hodei_k8s_core.provisioning.circuit import CircuitState
from hodei_k8s_core.worker import Health, HealthStatus


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one provider at the moment of choosing.

    `fit`: when such a worker could run there. `why_not`: the reasons, for people. `regions`: its zones and regions.
    `head_room`: the part of its CPU or its memory, whichever is scarcer, that is free, from 0 to 1; None where it
    cannot be read. `startup_time`: seconds from create to ready, as observed. `problem`: why nothing could be asked, or
    "".
    """

    provider_id: str
    health: HealthStatus
    fit: Fit = Fit.UNKNOWN
    why_not: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    head_room: float | None = None
    startup_time: float = 15.0
    circuit: CircuitState = CircuitState.CLOSED
    problem: str = ""

    @property
    def was_asked(self) -> bool:
        """It answered when it was asked what it offers."""
        return self.circuit is not CircuitState.OPEN and not self.problem


class Choice(msgspec.Struct, frozen=True):
    """A provider that could make the worker, and what speaks for and against it."""

    provider_id: str
    reasons: tuple[str, ...]


class Ranking(msgspec.Struct, frozen=True):
    """The providers to try, the best first; and those that are not to be tried, each with the reason."""

    choices: tuple[Choice, ...]
    excluded: Mapping[str, str]

    def explain(self) -> list[str]:
        """One line for each provider, in the order of the ranking."""
        lines = [f"{n}. {choice.provider_id}: {', '.join(choice.reasons)}" for n, choice in enumerate(self.choices, 1)]
        return lines + [f"not {provider_id}: {reason}" for provider_id, reason in self.excluded.items()]


def rank(offers: Iterable[Offer], requirements: JobRequirements) -> Ranking:
    """The providers that could make such a worker, the best first.

    What decides, in this order: when it fits, that the circuit is closed, health, the preferred region, head-room (in
    tenths), and how soon workers start there; at last the provider's id, so that the order does not hang on chance.
    """
    excluded: dict[str, str] = {}
    possible: list[Offer] = []
    for offer in offers:
        obstacle = next((text for text in (find(offer) for find in _OBSTACLES) if text), "")
        if obstacle:
            excluded[offer.provider_id] = obstacle
        else:
            possible.append(offer)
    possible.sort(key=lambda offer: _order(offer, requirements))
    return Ranking(tuple(Choice(offer.provider_id, _reasons(offer, requirements)) for offer in possible), excluded)


_OBSTACLES: Final[tuple[Callable[[Offer], str], ...]] = (
    lambda offer: "its circuit is open" if offer.circuit is CircuitState.OPEN else "",
    lambda offer: f"nothing could be asked: {offer.problem}" if offer.problem else "",
    lambda offer: f"it is unhealthy: {offer.health.reason}" if offer.health.health is Health.UNHEALTHY else "",
    lambda offer: f"never fits: {'; '.join(offer.why_not) or 'no reason given'}" if offer.fit is Fit.NEVER else "",
)
_FITS: Final = {
    Fit.NOW: "fits now",
    Fit.UNKNOWN: "nothing known speaks against it",
    Fit.NEW_NODE: "fits on a node that an autoscaler adds",
    Fit.LATER: "fits when others have ended",
}
_FIT_ORDER: Final = tuple(_FITS)
_HEALTH_ORDER: Final = (Health.HEALTHY, Health.UNKNOWN, Health.DEGRADED)


def _order(offer: Offer, requirements: JobRequirements) -> tuple[int, bool, int, bool, int, float, str]:
    return (
        _FIT_ORDER.index(offer.fit),
        offer.circuit is not CircuitState.CLOSED,
        _HEALTH_ORDER.index(offer.health.health),
        not _is_preferred(offer, requirements),
        -_tenths(offer.head_room),
        offer.startup_time,
        offer.provider_id,
    )


def _is_preferred(offer: Offer, requirements: JobRequirements) -> bool:
    return requirements.preferred_region is not None and requirements.preferred_region in offer.regions


def _tenths(head_room: float | None) -> int:
    """Half full, where it is not known."""
    return 5 if head_room is None else int(head_room * 10)


def _reasons(offer: Offer, requirements: JobRequirements) -> tuple[str, ...]:
    told = [_FITS[offer.fit]]
    if offer.circuit is not CircuitState.CLOSED:
        told.append("its circuit is half open")
    if offer.health.reason:
        told.append(f"{offer.health.health.value}: {offer.health.reason}")
    if requirements.preferred_region is not None:
        where = "in" if _is_preferred(offer, requirements) else "not in"
        told.append(f"{where} the preferred region {requirements.preferred_region}")
    if offer.head_room is not None:
        told.append(f"{offer.head_room:.0%} free")
    told.append(f"starts in about {offer.startup_time:.0f} s")
    return tuple(told)
