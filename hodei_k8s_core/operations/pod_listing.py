"""Every Pod that a selector sees, page by page, at one version."""

from __future__ import annotations

import msgspec

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Operation
from hodei_k8s_core.errors import ProviderError
from hodei_k8s_core.operations.calls import call
from hodei_k8s_core.pod import Pod, parse_pod_list
from hodei_k8s_core.requests import list_pods, next_page

PAGE_SIZE = 500


class Listing(msgspec.Struct, frozen=True):
    """Every Pod that is in view, at one version."""

    pods: tuple[Pod, ...]
    version: str


def list_whole(config: KubernetesConfig, what: str, label_selector: str, field_selector: str) -> Operation[Listing]:
    """All pages of a list at one version; when the version expires between two pages, from the beginning."""
    first = list_pods(config.namespace, label_selector=label_selector, field_selector=field_selector, limit=PAGE_SIZE)
    restarts = 0
    request = first
    pods: list[Pod] = []
    while True:
        try:
            reply = yield from call(request, config, what)
        except ProviderError as error:
            if request is first or error.status is None or not error.status.is_expired or restarts >= 3:
                raise
            restarts += 1
            request, pods = first, []
            continue
        page = parse_pod_list(reply.body)
        pods.extend(page.items)
        if not page.continue_token:
            return Listing(tuple(pods), page.resource_version)
        request = next_page(first, page.continue_token)
