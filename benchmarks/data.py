"""What is read: made of the bytes of a real API server, with names, uids and times that never repeat.

The same numbers come out each time (one seed), so that two runs and two contestants see the same bytes.
"""

from __future__ import annotations

import datetime as dt
import random
import re
import uuid
from collections.abc import Iterator
from itertools import count, cycle

from tests.recordings import V1_36, load

SEED = 20261123
CHUNK = 64 * 1024
"""Bytes, as the channels hand them out at most."""

_IDENTITY = re.compile(
    rb'hodei-worker-[a-z0-9]+|"uid":"[-0-9a-f]{36}"|"resourceVersion":"[0-9]+"|containerd://[0-9a-f]{64}|10\.244\.0\.[0-9]+'
)
_KIND = b'"kind":"Pod","apiVersion":"v1",'


def pods(amount: int) -> list[bytes]:
    """Replies to GET: the Pods of all recorded scenarios in turn, each another one."""
    recorded = cycle([body.strip() for name in V1_36 for body in load(f"v1.36/{name}").bodies("get")])
    return [renamed(next(recorded), number) for number in range(amount)]


def pod_list(amount: int) -> bytes:
    """The reply to a list; its items have no kind, as a server writes them."""
    items = b",".join(pod.replace(_KIND, b"", 1) for pod in pods(amount))
    return b'{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"81234"},"items":[' + items + b"]}\n"


def watch(amount: int) -> list[bytes]:
    """The body of a watch, in chunks: the events of all recorded scenarios in turn."""
    steps = [step for name in V1_36 for step in load(f"v1.36/{name}").steps]
    recorded = cycle([told.line.encode() for step in steps for told in step.response.lines])
    return chunks(b"".join(renamed(next(recorded), number) + b"\n" for number in range(amount)))


def busy_log(amount: int) -> list[bytes]:
    """A log in chunks, as of a build: gaps from 10 µs to 1 s, each order of magnitude as often as another."""
    chance = random.Random(SEED)
    return _log(amount, (10_000 * 10 ** chance.uniform(0, 5) for _ in count()))


def quiet_log(amount: int) -> list[bytes]:
    """A log in chunks, as of a daemon: a line every second or so, so that none shares its second with another."""
    chance = random.Random(SEED)
    return _log(amount, (chance.uniform(0.8e9, 1.2e9) for _ in count()))


def chunks(body: bytes) -> list[bytes]:
    return [body[start : start + CHUNK] for start in range(0, len(body), CHUNK)]


def renamed(recorded: bytes, number: int) -> bytes:
    """The same object as another one: name, uid, version, container and address are its own."""
    chance = random.Random(SEED + number)
    unique = {
        b"hod": f"hodei-worker-{chance.getrandbits(32):08x}",
        b'"ui': f'"uid":"{uuid.UUID(int=chance.getrandbits(128), version=4)}"',
        b'"re': f'"resourceVersion":"{100_000 + number}"',
        b"con": f"containerd://{chance.getrandbits(256):064x}",
        b"10.": f"10.244.{number // 250 % 250}.{number % 250 + 1}",
    }
    return _IDENTITY.sub(lambda match: unique[match[0][:3]].encode(), recorded)


def _log(amount: int, gaps: Iterator[float]) -> list[bytes]:
    """Lines like those recorded in `succeeds` (`2026-11-23T14:00:59.390966186Z step 1`), of many lengths."""
    words = [line.split(b" ", 1)[1].decode() for line in load("v1.36/succeeds").bodies("logs")[0].splitlines()]
    chance = random.Random(SEED)
    moment = 1_795_442_459_390_941_881
    lines = []
    for number, gap in zip(range(amount), gaps, strict=False):
        moment += int(gap)
        second, nanosecond = divmod(moment, 1_000_000_000)
        stamp = f"{dt.datetime.fromtimestamp(second, dt.UTC):%Y-%m-%dT%H:%M:%S}.{nanosecond:09}Z"
        message = f"{chance.choice(words)} {number}: {'object ' * chance.randrange(12)}{chance.getrandbits(32):x}"
        lines.append(f"{stamp} {message}\n")
    return chunks("".join(lines).encode())
