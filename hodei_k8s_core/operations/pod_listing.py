"""Every Pod that a selector sees, page by page and at one version, as a cursor that sends nothing itself.

A version that expires between two pages begins the list again, all in one reply, as client-go's pager does
(`FullListIfExpired`): a slow reader would meet the same expiry in pages for ever. The continuation that the server
offers in that 410 is never taken: it shows the rest at another version, so a watch from there would miss what changed
in the first part meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Operation
from hodei_k8s_core.errors import ProviderError
from hodei_k8s_core.http import Request, Response
from hodei_k8s_core.operations.calls import call
from hodei_k8s_core.pod import Pod, parse_pod_list
from hodei_k8s_core.requests import list_pods, next_page
from hodei_k8s_core.server_time import server_date

T = TypeVar("T")
PAGE_SIZE = 500
ALL_IN_ONE = 0


class Page(msgspec.Struct, frozen=True):
    """Some of the Pods in view at `version`; a page can be empty. `date`: the server's clock then, where it was told.

    `begins`: what earlier pages said does not count. `ends`: a Pod that was in no page since `begins` is not in view.
    """

    pods: tuple[Pod, ...]
    version: str
    begins: bool
    ends: bool
    date: float | None = None


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

    def take(self, reply: Response) -> Page | None:
        """The page that a reply holds; None when it is not at the version of the pages before, and all begins again.

        Raises: Internal for what is no list of Pods.
        """
        page = parse_pod_list(reply.body)
        begins, version = self._begins, page.resource_version
        if not begins and version != self._version:
            self.begin_again()
            return None
        ends = not page.continue_token
        self._begins, self._version, self._token = ends, version, page.continue_token
        date = server_date(reply.headers)
        return Page(page.items, version, begins=begins, ends=ends, date=date)

    def begin_again(self) -> None:
        """The version of the list has expired between two pages."""
        self._begins, self._version, self._token = True, "", ""
        self._first = self._first_request(ALL_IN_ONE)

    def _first_request(self, page_size: int) -> Request:
        return list_pods(self._namespace, label_selector=self._labels, field_selector=self._fields, limit=page_size)


def list_whole(
    config: KubernetesConfig, what: str, read: Callable[[Pod, float | None], T], *, label_selector: str = ""
) -> Operation[list[T]]:
    """What `read` makes of every Pod in view and its page's `date`; a page is read when it comes, and forgotten."""
    cursor = ListCursor(config, label_selector=label_selector)
    found: list[T] = []
    while True:
        try:
            reply = yield from call(cursor.request, config, what)
        except ProviderError as error:
            if not (cursor.is_under_way and error.status is not None and error.status.is_expired):
                raise
            cursor.begin_again()
            continue
        page = cursor.take(reply)
        if page is None:
            continue
        found = [*([] if page.begins else found), *(read(pod, page.date) for pod in page.pods)]
        if page.ends:
            return found
