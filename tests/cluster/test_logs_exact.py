"""A log of numbered lines, read while everything between breaks: every number once, in order, on every host."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import msgspec
import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.log_entry import GapReason, LogEntry, LogGap
from hodei_k8s_core.spec import WorkerSpec
from hodei_k8s_transport.provider import KubernetesProvider
from tests.cluster.cutting import through_cutting_proxy
from tests.cluster.hosts import Host
from tests.cluster.lab import Kubectl, Lab
from tests.cluster.node_log import node_log

pytestmark = [pytest.mark.anyio, pytest.mark.long]

MANY = 200_000
LONG_EVERY = 2_000
LONG = 40 * 1024
ROOT = Path(__file__).parents[2]


def numbers_up_to(last: int, *, pause_every: int = 0, seconds: float = 0.2) -> str:
    """A script that writes every number, some as lines of 40 KiB, at full speed but for a pause now and then."""
    pause = f'if (i % {pause_every} == 0) {{ fflush(); system("sleep {seconds}") }}' if pause_every else ""
    return (
        f'awk \'BEGIN {{ x = sprintf("%{LONG}s", ""); for (i = 1; i <= {last}; i++) {{'
        f' if (i % {LONG_EVERY} == 0) print i " " x; else print i; {pause} }} }}\''
    )


def number_of(entry: Any) -> int:
    assert isinstance(entry, LogEntry), entry
    number, _, rest = entry.message.partition(" ")
    assert len(rest) == (LONG if int(number) % LONG_EVERY == 0 else 0)
    return int(number)


async def follow(host: Host, config: KubernetesConfig, handle: Any, **options: Any) -> list[Any]:
    """Every item; on threads by one thread, since a thread for each item would take minutes."""
    if host.kind == "sync":
        return await anyio.to_thread.run_sync(follow_in_thread, config, handle, options)
    async with host.connect(config) as provider, provider.follow_worker_logs(handle, **options) as items:
        return [item async for item in items]


def follow_in_thread(config: KubernetesConfig, handle: Any, options: dict[str, Any]) -> list[Any]:
    with KubernetesProvider.connect(config) as provider, provider.follow_worker_logs(handle, **options) as items:
        return list(items)


def assert_exact(numbers: list[int], last: int) -> None:
    missing = set(range(1, last + 1)) - set(numbers)
    assert not missing, f"{len(missing)} missing, from {min(missing)}"
    assert len(numbers) == last, f"{len(numbers) - last} twice"
    assert numbers == sorted(numbers)


async def test_at_full_speed_with_cut_connections(
    host: Host, kubeconfig: Path, tmp_path: Path, new_spec: Callable[..., WorkerSpec]
) -> None:
    """200,000 lines, hundreds of them in one tick of the clock, 40 KiB some, and a burst before the exit."""
    with through_cutting_proxy(kubeconfig, tmp_path, cuts=8, between=(20_000, 5_000_000)) as (proxy, path):
        config = msgspec.structs.replace(host.config, kubeconfig_path=str(path))
        async with host.connect() as straight:
            handle = await straight.create_worker(new_spec(numbers_up_to(MANY, pause_every=30_000)))
            items = await follow(host, config, handle)
            written = await anyio.to_thread.run_sync(node_log, handle)
            await straight.destroy_worker(handle, grace_period=1)
        assert proxy.cut >= 4
    assert [item.message for item in items] == written
    # The runtime may have lost the very last bytes before the exit, which are those of a long line.
    assert_exact([number_of(item) for item in items[:-1]], MANY - 1)


async def test_two_streams_in_one_log(
    host: Host, kubeconfig: Path, tmp_path: Path, new_spec: Callable[..., WorkerSpec]
) -> None:
    """Lines of stdout and stderr reach the file out of order by their timestamps; none is lost or doubled for that."""
    last = 20_000
    write = f"awk 'BEGIN {{ for (i = 1; i <= {last}; i++) {{ print i; if (i % 4000 == 0) system(\"sleep 0.5\") }} }}'"
    with through_cutting_proxy(kubeconfig, tmp_path, cuts=6, between=(10_000, 600_000), seed=3) as (proxy, path):
        config = msgspec.structs.replace(host.config, kubeconfig_path=str(path))
        async with host.connect() as straight:
            handle = await straight.create_worker(new_spec(f"({write} | sed s/^/e/ >&2) & {write}; wait"))
            items = await follow(host, config, handle)
            await straight.destroy_worker(handle, grace_period=1)
        assert proxy.cut >= 3
    out = [int(item.message) for item in items if item.message[0] != "e"]
    err = [int(item.message[1:]) for item in items if item.message[0] == "e"]
    assert_exact(out, last)
    assert_exact(err, last)


async def test_a_reader_that_was_killed_is_continued_from_its_cursor(
    host: Host, tmp_path: Path, new_spec: Callable[..., WorkerSpec]
) -> None:
    last = 30_000
    notes = tmp_path / "numbers"
    config = json.dumps({"namespace": host.config.namespace, "provider_id": host.config.provider_id})
    async with host.connect() as provider:
        handle = await provider.create_worker(new_spec(numbers_up_to(last, pause_every=3_000, seconds=0.4)))
        read: list[tuple[int, str]] = []
        for round_ in range(4):
            size = notes.stat().st_size if notes.exists() else 0
            command = [
                sys.executable,
                "-m",
                "tests.cluster.log_reader",
                host.kind,
                config,
                handle.to_json(),
                str(notes),
            ]
            reader = subprocess.Popen([*command, *([read[-1][1]] if read else [])], cwd=ROOT)
            with anyio.move_on_after(60):
                while reader.poll() is None and (round_ == 3 or _size(notes) < size + 200_000):
                    await anyio.sleep(0.02)
            reader.kill()
            assert reader.wait() in ((0,) if round_ == 3 else (0, -9))
            read = _whole_notes(notes)
        await provider.destroy_worker(handle, grace_period=1)
    assert_exact([number for number, _ in read], last)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _whole_notes(path: Path) -> list[tuple[int, str]]:
    """What was written down; half a note is what a killed process leaves, and is taken away."""
    text = path.read_text()
    whole = text[: text.rindex("\n") + 1]
    path.write_text(whole)
    pairs = (line.split(" ") for line in whole.splitlines())
    return [(int(number), cursor) for number, cursor in pairs]


async def test_the_last_words_reach_a_follower_and_the_report(host: Host, new_spec: Callable[..., WorkerSpec]) -> None:
    script = "trap 'for i in 1 2 3 4 5; do echo bye $i; sleep 0.1; done; printf end; exit 7' TERM; echo hello;"
    async with host.connect() as provider:
        handle = await provider.create_worker(new_spec(f"{script} while :; do sleep 0.1; done"))
        await provider.wait_for_worker(handle, timeout=60)
        items: list[Any] = []

        async def read() -> None:
            items.extend(await follow(host, host.config, handle))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read)
            await anyio.sleep(1)
            report = await provider.destroy_worker(handle, report=True, grace_period=10)
    words = ["hello", *(f"bye {number}" for number in range(1, 6)), "end"]
    assert [line.message for line in report.lines] == words
    assert (report.exit_code, report.is_complete) == (7, True)
    assert [getattr(item, "message", item) for item in items] == words


async def test_a_follower_that_nobody_reads_has_the_last_words_after_the_worker_is_gone(
    host: Host, new_spec: Callable[..., WorkerSpec]
) -> None:
    """Its reader may be the task that destroys the worker."""
    script = "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.1; done"
    async with host.connect() as provider:
        handle = await provider.create_worker(new_spec(script))
        async with provider.follow_worker_logs(handle) as items:
            assert (await items.__anext__()).message == "hello"
            await provider.destroy_worker(handle, grace_period=5)
            assert [getattr(item, "message", item) async for item in items] == ["bye"]


async def test_a_fleet_in_one(host: Host, kubectl: Kubectl, new_spec: Callable[..., WorkerSpec]) -> None:
    """Workers come while it is read; each one's lines are all there, in order."""
    script = "for i in 1 2 3 4 5 6; do echo $i; sleep 0.3; done"
    got: dict[str, list[str]] = {}
    async with host.connect() as provider:
        labels = {"fleet": f"logs-{host.kind}"}
        handles = [await provider.create_worker(new_spec(script, labels=labels)) for _ in range(2)]
        async with provider.follow_fleet_logs(selector=f"fleet=logs-{host.kind}") as lines:
            while sum(map(len, got.values())) < 24:
                line = await lines.__anext__()
                got.setdefault(line.worker_id, []).append(line.message)
                if len(handles) < 4:
                    handles.append(await provider.create_worker(new_spec(script, labels=labels)))
        for handle in handles:
            await provider.destroy_worker(handle, grace_period=1)
    assert got == {handle.worker_id: list("123456") for handle in handles}


async def test_while_the_api_server_is_killed_and_the_kubelet_stands_still(
    host: Host, lab: Lab, new_spec: Callable[..., WorkerSpec]
) -> None:
    last = 40_000
    config = msgspec.structs.replace(host.config, silence_limit=5.0)
    async with host.connect() as provider:
        handle = await provider.create_worker(new_spec(numbers_up_to(last, pause_every=2_000, seconds=0.8)))
        await provider.wait_for_worker(handle, timeout=60)
        items: list[Any] = []

        async def read() -> None:
            items.extend(await follow(host, config, handle))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read)
            await anyio.sleep(2)
            await anyio.to_thread.run_sync(lab.kill, "apiserver")
            await anyio.to_thread.run_sync(lab.start, "apiserver")
            await anyio.sleep(1)
            await anyio.to_thread.run_sync(lab.pause, "kubelet")
            await anyio.sleep(6)
            await anyio.to_thread.run_sync(lab.resume, "kubelet")
        written = await anyio.to_thread.run_sync(node_log, handle)
        await provider.destroy_worker(handle, grace_period=1)
    assert [item.message for item in items] == written
    assert_exact([number_of(item) for item in items[:-1]], last - 1)


@pytest.fixture
def small_log_files(lab: Lab, kubeconfig: Path) -> Iterator[None]:
    """The kubelet rotates logs at 1 MiB, and looks every 3 seconds."""
    settings = kubeconfig.parent / "kubelet.json"
    before = settings.read_text()
    small = {"containerLogMaxSize": "1Mi", "containerLogMonitorInterval": "3s"}
    settings.write_text(json.dumps({**json.loads(before), **small}))
    try:
        lab.stop("kubelet")
        lab.start("kubelet")
        yield
    finally:
        settings.write_text(before)
        lab.stop("kubelet")
        lab.start("kubelet")


@pytest.mark.parametrize("host", ["asyncio"], indirect=True)
async def test_what_a_rotation_took_is_a_gap_and_the_rest_is_exact(
    small_log_files: None, host: Host, config: KubernetesConfig, new_spec: Callable[..., WorkerSpec]
) -> None:
    """One reader follows; another stops for some rotations, and goes on from its cursor."""
    last = 120_000
    script = numbers_up_to(last, pause_every=6_000, seconds=1)
    async with host.connect() as provider:
        handle = await provider.create_worker(new_spec(script))
        await provider.wait_for_worker(handle, timeout=60)
        first: list[Any] = []
        with anyio.move_on_after(6):
            async with provider.follow_worker_logs(handle) as items:
                async for item in items:
                    first.append(item)
        await anyio.sleep(9)
        began = time.monotonic()
        rest = await follow(host, config, handle, since=first[-1].cursor)
        await provider.destroy_worker(handle, grace_period=1)
    assert time.monotonic() - began < 60
    gaps = [item for item in rest if isinstance(item, LogGap)]
    assert [gap.reason for gap in gaps] == [GapReason.ROTATED] * len(gaps) != []
    before = [number_of(item) for item in first]
    assert before == list(range(1, len(before) + 1))
    after = [number_of(item) for item in rest if isinstance(item, LogEntry)]
    assert after == sorted(set(after))
    assert after[-1] == last
    breaks = [(a, b) for a, b in zip([before[-1], *after], after, strict=False) if b != a + 1]
    assert len(breaks) <= len(gaps), breaks
