"""One Pod over time: what the news of a watch say about it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.operations.pod_listing import ALL_IN_ONE, Page
from hodei_k8s_core.operations.pod_watch import Batch, PodWatch
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.watch_event import Deleted


def watch_one(
    config: KubernetesConfig, pod_name: str, *, what: str, version: str = "", patience: float | None = None
) -> PodWatch:
    """A watch on the one Pod of that name."""
    fields = f"metadata.name={pod_name}"
    return PodWatch(config, what=what, field_selector=fields, version=version, patience=patience, page_size=ALL_IN_ONE)


class Sighting(msgspec.Struct, frozen=True):
    """One look at a Pod: how it was (None: nothing was seen), and whether it is gone."""

    pod: Pod | None
    gone: bool


def sightings(batch: Batch, uid: str) -> Iterator[Sighting]:
    """What a batch of `watch_one` tells of the Pod `uid` ("" for whichever has the name), in order.

    A selector by name cannot lose a Pod that lives, so DELETED means gone; another uid means that ours is gone.
    """
    if isinstance(batch, Page):
        found = next((pod for pod in batch.pods if uid in ("", pod.metadata.uid)), None)
        yield Sighting(found, gone=found is None)
        return
    for event in batch:
        if uid not in ("", event.pod.metadata.uid):
            yield Sighting(None, gone=True)
        else:
            yield Sighting(event.pod, gone=isinstance(event, Deleted))
