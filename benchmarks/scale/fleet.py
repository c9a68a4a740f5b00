"""The bytes that a fleet of any size sends: pages of a list, and the events of a watch after it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import cycle, islice

from benchmarks.data import chunks, renamed
from tests.recordings import V1_36, load

PAGE = 500
_WORKER_ID = re.compile(rb'"hodei\.io/worker-id":"[^"]*"')
_NAME = re.compile(rb"hodei-worker-[0-9a-f]{8}")
_KIND = b'"kind":"Pod","apiVersion":"v1",'
_VERSION = 1_000_000


def members(amount: int) -> Iterator[bytes]:
    """The Pods of all recorded scenarios in turn, each another worker."""
    recorded = cycle([body.strip() for name in V1_36 for body in load(f"v1.36/{name}").bodies("get")])
    return (_as_member(pod, number) for number, pod in zip(range(amount), recorded, strict=False))


def pages(amount: int) -> Iterator[bytes]:
    """The replies to a list, one after the other as they are asked for."""
    pods = members(amount)
    left = amount
    while items := list(islice(pods, PAGE)):
        left -= len(items)
        more = f',"continue":"at-{left}","remainingItemCount":{left}' if left else ""
        head = f'{{"kind":"PodList","apiVersion":"v1","metadata":{{"resourceVersion":"{_VERSION}"{more}}},"items":['
        yield head.encode() + b",".join(pod.replace(_KIND, b"", 1) for pod in items) + b"]}\n"


def whole_list(amount: int) -> bytes:
    """The reply to a list that is not asked for in pages."""
    items = b",".join(pod.replace(_KIND, b"", 1) for pod in members(amount))
    return b'{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1000000"},"items":[' + items + b"]}\n"


def events(amount: int, fleet: int) -> list[bytes]:
    """The body of a watch, in chunks: of `fleet` workers one after the other has turned into another scenario's."""
    recorded = [body.strip() for name in V1_36 for body in load(f"v1.36/{name}").bodies("get")]
    lines = []
    for number in range(amount):
        lap, place = divmod(number, fleet)
        pod = _as_member(recorded[(place + lap + 1) % len(recorded)], place)
        version = b'"resourceVersion":"%d"' % (_VERSION + number + 1)
        pod = re.sub(rb'"resourceVersion":"[0-9]+"', version, pod, count=1)
        lines.append(b'{"type":"MODIFIED","object":' + pod + b"}\n")
    return chunks(b"".join(lines))


def _as_member(pod: bytes, number: int) -> bytes:
    named = _NAME.sub(b"hodei-worker-w-%d" % number, renamed(pod, number))
    return _WORKER_ID.sub(b'"hodei.io/worker-id":"w-%d"' % number, named)
