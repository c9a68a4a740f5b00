"""Every Pod that a selector sees, page by page and at one version, as a cursor that sends nothing itself.

A version that expires between two pages begins the list again, all in one reply, as client-go's pager does
(`FullListIfExpired`): a slow reader would meet the same expiry in pages for ever. The continuation that the server
offers in that 410 is never taken: it shows the rest at another version, so a watch from there would miss what changed
in the first part meanwhile.
"""

from __future__ import annotations

import msgspec

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.http import Request
from hodei_k8s_core.pod import Pod, parse_pod_list
from hodei_k8s_core.requests import list_pods, next_page

PAGE_SIZE = 500
ALL_IN_ONE = 0


class Page(msgspec.Struct, frozen=True):
    """Some of the Pods in view at `version`; a page can be empty.

    `begins`: what earlier pages said does not count. `ends`: a Pod that was in no page since `begins` is not in view.
    """

    pods: tuple[Pod, ...]
    version: str
    begins: bool
    ends: bool


class ListCursor:
    """Where a list is: `request` is what to ask next, `take` what its reply says. `page_size` 0: all in one reply."""

    def __init__(
        self,
        config: KubernetesConfig,
        *,
        label_selector: str = "",
        field_selector: str = "",
        page_size: int = PAGE_SIZE,
    ) -> None:
        self._namespace = config.namespace
        self._labels = label_selector
        self._fields = field_selector
        self._begins, self._version, self._token = True, "", ""
        self._first = self._first_request(page_size)

    @property
    def request(self) -> Request:
        """The next page."""
        return self._first if self._begins else next_page(self._first, self._token)

    @property
    def is_under_way(self) -> bool:
        """At least one page was taken, and more are to come."""
        return not self._begins

    def take(self, body: bytes) -> Page | None:
        """The page that a reply holds; None when it is not at the version of the pages before, and all begins again.

        Raises: Internal for what is no list of Pods.
        """
        page = parse_pod_list(body)
        begins, version = self._begins, page.resource_version
        if not begins and version != self._version:
            self.begin_again()
            return None
        self._begins, self._version, self._token = not page.continue_token, version, page.continue_token
        return Page(page.items, version, begins=begins, ends=not page.continue_token)

    def begin_again(self) -> None:
        """The version of the list has expired between two pages."""
        self._begins, self._version, self._token = True, "", ""
        self._first = self._first_request(ALL_IN_ONE)

    def _first_request(self, page_size: int) -> Request:
        return list_pods(self._namespace, label_selector=self._labels, field_selector=self._fields, limit=page_size)
