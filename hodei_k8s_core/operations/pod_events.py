"""The events about one Pod, by its uid: they say more where they can be read, and nothing depends on them."""

from __future__ import annotations

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Operation
from hodei_k8s_core.errors import Internal
from hodei_k8s_core.event_list import Event, parse_event_list
from hodei_k8s_core.http import Response
from hodei_k8s_core.operations.calls import exchange
from hodei_k8s_core.requests import list_events


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
