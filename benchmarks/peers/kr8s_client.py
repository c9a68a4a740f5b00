"""`kr8s`, whose objects are the JSON as it came: what its calls do with a reply, without the network."""

from __future__ import annotations

import json
from typing import Any

from kr8s.asyncio.objects import Pod


def view_list(body: bytes) -> dict[str, Any]:
    return {pod.name: pod for pod in map(Pod, json.loads(body)["items"])}


def view_events(chunks: list[bytes]) -> dict[str, Any]:
    pods = (Pod(json.loads(line)["object"]) for line in b"".join(chunks).decode().splitlines())
    return {pod.name: pod for pod in pods}
