"""A log of numbered lines, read while everything between breaks: every number once, in order, on every host."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.log_entry import LogEntry
from hodei_k8s_core.spec import WorkerSpec
from tests.cluster.cutting import through_cutting_proxy
from tests.cluster.hosts import Host
from tests.cluster.lab import Kubectl, Lab

pytestmark = pytest.mark.anyio

MANY = 200_000
LONG_EVERY = 2_000
LONG = 40 * 1024


def numbers_up_to(last: int, *, pause_every: int = 0) -> str:
    """A script that writes every number, some as lines of 40 KiB, at full speed; and pauses 0.2 s now and then."""
    pause = f'if (i % {pause_every} == 0) {{ fflush(); system("sleep 0.2") }}' if pause_every else ""
    return (
        f"awk 'BEGIN {{ x = sprintf(\"%{LONG}s\", \"\"); for (i = 1; i <= {last}; i++) {{"
        f" if (i % {LONG_EVERY} == 0) print i \" \" x; else print i; {pause} }} }}'"
    )


def number_of(entry: Any) -> int:
    assert isinstance(entry, LogEntry), entry
    number, _, rest = entry.message.partition(" ")
    assert len(rest) == (LONG if int(number) % LONG_EVERY == 0 else 0)
    return int(number)


async def follow(provider: Any, handle: Any, **options: Any) -> list[int]:
    async with provider.follow_worker_logs(handle, **options) as entries:
        return [number_of(entry) async for entry in entries]


def assert_exact(numbers: list[int], last: int) -> None:
    missing = set(range(1, last + 1)) - set(numbers)
    assert not missing, f"{len(missing)} missing, from {min(missing)}"
    assert len(numbers) == last, f"{len(numbers) - last} twice"
    assert numbers == sorted(numbers)


async def test_at_full_speed_with_cut_connections(
    host: Host, kubeconfig: Path, tmp_path: Path, new_spec: Callable[..., WorkerSpec]
) -> None:
    with through_cutting_proxy(kubeconfig, tmp_path, cuts=12, between=(20_000, 6_000_000)) as (proxy, path):
        config = msgspec.structs.replace(host.config, kubeconfig_path=str(path))
        async with host.connect() as straight:
            handle = await straight.create_worker(new_spec(numbers_up_to(MANY, pause_every=20_000)))
            async with host.connect(config) as provider:
                numbers = await follow(provider, handle)
            await straight.destroy_worker(handle, grace_period=1)
        assert proxy.cut >= 5
    assert_exact(numbers, MANY)
