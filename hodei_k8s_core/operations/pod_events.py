"""The events about Pods: they say more where they can be read, and nothing depends on them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Operation
from hodei_k8s_core.errors import Internal
from hodei_k8s_core.event_list import Event, parse_event_list
from hodei_k8s_core.http import Response
from hodei_k8s_core.operations.calls import exchange
from hodei_k8s_core.requests import list_events, list_events_of_pods, next_page
from hodei_k8s_core.verdict import Evidence, Verdict

PAGE_SIZE: Final = 500
MOST_PAGES: Final = 20
"""10,000 events: a namespace that has more is one where their list would cost more than it tells."""


class EventsOfMany(msgspec.Struct, frozen=True):
    """By the Pod's uid. `unreadable`: why not all could be read, or ""."""

    by_uid: dict[str, tuple[Event, ...]] = {}
    unreadable: str = ""


def read_events(config: KubernetesConfig, uid: str) -> Operation[tuple[Event, ...] | str]:
    """The events about the Pod with that uid; or why they could not be read, as text.

    One request and no repetition: whoever needs them asks again later.
    """
    outcome = yield from exchange(list_events(config.namespace, involved_uid=uid), config.request_timeout)
    if not isinstance(outcome, Response):
        return str(outcome)
    try:
        return parse_event_list(outcome.body).items
    except Internal as error:
        return str(error)


def read_events_of_many(config: KubernetesConfig, uids: Collection[str]) -> Operation[EventsOfMany]:
    """The events about the Pods with these uids, from one list of the namespace's, page by page; no repetition."""
    found: dict[str, list[Event]] = {}
    request = first = list_events_of_pods(config.namespace, limit=PAGE_SIZE)
    unreadable = f"the namespace has more than {PAGE_SIZE * MOST_PAGES} of them"
    for _ in range(MOST_PAGES):
        outcome = yield from exchange(request, config.request_timeout)
        if not isinstance(outcome, Response):
            unreadable = str(outcome)
            break
        try:
            page = parse_event_list(outcome.body)
        except Internal as error:
            unreadable = str(error)
            break
        for event in page.items:
            if event.involved_object.uid in uids:
                found.setdefault(event.involved_object.uid, []).append(event)
        if not page.continue_token:
            unreadable = ""
            break
        request = next_page(first, page.continue_token)
    return EventsOfMany({uid: tuple(events) for uid, events in found.items()}, unreadable)


def noting(verdict: Verdict | None, unreadable: str) -> Verdict | None:
    """The verdict with the evidence that is missing; `unreadable`: why, "" for nothing."""
    if verdict is None or not unreadable:
        return verdict
    note = Evidence("events", f"could not be read: {unreadable}")
    return msgspec.structs.replace(verdict, evidence=(*verdict.evidence, note))
