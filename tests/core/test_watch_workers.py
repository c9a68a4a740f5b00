"""What a watch on a fleet tells its host: changes, and how old the picture is."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import SILENCE, StopRequested
from hodei_k8s_core.errors import ConfigurationError, ConnectionFailed, Delivery, TransportError, TransportFault
from hodei_k8s_core.operations import watch_workers
from hodei_k8s_core.simulation.driver import Throw
from hodei_k8s_core.simulation.faults import ExpireVersions, LoseReply, Rule, StallStream
from hodei_k8s_core.simulation.wire import EPOCH
from hodei_k8s_core.simulation.world import World
from hodei_k8s_core.verdict import Category
from hodei_k8s_core.worker_change import Freshness, WatchHealth, WorkerChange
from tests.core.fleet_history import CONFIG, NAMES, Critic, Fleet, pod_json, running, watch_until
from tests.core.watch_script import EXPIRED, OPEN, After, Script, line, page, status

BROKEN = TransportError(TransportFault.CLOSED, Delivery.ANSWERED, "cut")
REFUSED = TransportError(TransportFault.REFUSED, Delivery.NOT_SENT, "down")
QUIET = After(0.5, SILENCE)
A, B = NAMES[:2]


class Enough(Exception):
    """The script is at its end."""


def watched(*replies: Any, config: KubernetesConfig = CONFIG, **options: Any) -> Script:
    script = Script(*replies, Enough())
    with pytest.raises(Enough):
        script.run(watch_workers(config, **options))
    return script


def item(name: str, version: int, uid: str = "u1", **more: Any) -> dict[str, Any]:
    value = running(pod_json(name, uid, **more))
    return {"kind": "Pod", **value, "metadata": {**value["metadata"], "resourceVersion": str(version)}}


def told(items: list[Any]) -> list[str]:
    return [
        f"{one.kind.value} {one.worker_id}{' gone' if one.gone else ''}"
        if isinstance(one, WorkerChange)
        else one.freshness.value
        for one in items
    ]


def test_all_workers_and_then_that_the_picture_is_whole() -> None:
    script = watched(
        page(item(A, 1), token="t"), page(item(B, 2)), OPEN, line("DELETED", item(A, 101)), status(404, "NotFound")
    )
    assert told(script.emitted) == ["added w0", "added w1", "synced", "removed w0 gone"]


def test_the_selector_is_the_providers_and_the_hosts_own() -> None:
    script = watched(page(), selector="team=a,gpu", namespace="elsewhere")
    request = script.asked[0].request
    assert request.path == "/api/v1/namespaces/elsewhere/pods"
    assert request.parameter("labelSelector") == "hodei.io/managed=true,hodei.io/provider-id=tests,team=a,gpu"


def test_another_namespace_must_be_one() -> None:
    with pytest.raises(ConfigurationError):
        Script().run(watch_workers(CONFIG, namespace="Not_a_name"))


def test_what_cannot_begin_is_told() -> None:
    with pytest.raises(ConnectionFailed):
        Script(*[REFUSED] * CONFIG.retry.max_attempts).run(watch_workers(CONFIG))


def test_a_break_is_told_with_its_reason_and_the_age_of_the_picture() -> None:
    news = line("ADDED", item(A, 101))
    script = watched(page(), OPEN, After(30, news), After(5, BROKEN), REFUSED, REFUSED, OPEN, QUIET)
    assert told(script.emitted) == ["synced", "added w0", "reconnecting", "stale", "synced"]
    lost, stale = script.emitted[2], script.emitted[3]
    assert (lost.because, lost.since) == (f"broken: {BROKEN}", EPOCH + 30)
    assert (stale.because, stale.since) == (f"failed: {REFUSED}", EPOCH + 30)
    assert script.emitted[4].since > EPOCH + 35


def test_another_reason_is_told_and_the_same_is_not() -> None:
    timeout = TransportError(TransportFault.TIMEOUT, Delivery.MAYBE_SENT, "slow")
    script = watched(page(), OPEN, BROKEN, REFUSED, REFUSED, timeout, OPEN, QUIET)
    assert told(script.emitted) == ["synced", "reconnecting", "stale", "stale", "synced"]


def test_silence_makes_the_picture_as_old_as_the_last_news() -> None:
    script = watched(page(), OPEN, After(CONFIG.silence_limit, SILENCE), OPEN)
    assert script.emitted[1] == WatchHealth(freshness=Freshness.RECONNECTING, since=EPOCH, because="silent")


def test_an_expired_version_is_reconnecting_until_the_last_page() -> None:
    again = [page(item(A, 1), token="t", version="200"), page(item(B, 2), version="200")]
    script = watched(page(item(A, 1)), OPEN, EXPIRED, *again)
    assert told(script.emitted) == ["added w0", "synced", "reconnecting", "added w1", "synced"]
    assert script.emitted[2].because.startswith("expired")


def test_a_connection_whose_version_has_expired_never_was_a_good_one() -> None:
    script = watched(page(), OPEN, QUIET, BROKEN, OPEN, EXPIRED, page(version="200"))
    assert told(script.emitted) == ["synced", "reconnecting", "reconnecting", "synced"]


def test_the_servers_own_end_of_a_watch_is_no_news() -> None:
    script = watched(page(item(A, 1)), OPEN, After(30, b""), OPEN, After(30, b""), OPEN)
    assert told(script.emitted) == ["added w0", "synced"]


def test_a_stop_ends_it_and_lets_go_of_the_connection() -> None:
    world = World()
    Fleet(world.cluster).create(A)
    outcome = world.run(watch_workers(CONFIG), on_emit=lambda items: Throw(StopRequested()))
    assert outcome.result is None
    assert told(outcome.emitted) == ["added w0", "synced"]
    assert outcome.bodies_left == 0


def during(world: World, seconds: float = 60.0, **how: Any) -> Critic:
    critic = Critic(Fleet(world.cluster))
    watch_until(world, seconds, critic.take, **how)
    return critic


def test_a_label_that_is_taken_off_is_out_of_view_and_a_deletion_is_gone() -> None:
    world = World()
    fleet = Fleet(world.cluster)
    for name in (A, B):
        fleet.create(name)
    world.at(10, lambda _: fleet.leave(A))
    world.at(20, lambda _: fleet.remove(B))
    critic = Critic(fleet)
    watch_until(world, 40, critic.take)
    assert told(critic.items)[3:] == ["removed w0", "removed w1 gone"]


def test_the_same_after_a_list_again() -> None:
    """A list shows neither: each of the few is looked at."""
    world = World(faults=[Rule("watch", "pods", ExpireVersions(), nth=2)])
    fleet = Fleet(world.cluster)
    for name in (A, B):
        fleet.create(name)
    world.at(10, lambda cluster: (cluster.cut_streams(), fleet.leave(A), fleet.remove(B)))
    critic = Critic(fleet)
    watch_until(world, 40, critic.take)
    assert told(critic.items)[3:] == ["reconnecting", "reconnecting", "removed w0", "removed w1 gone", "synced"]
    assert [one.because.split(":")[0] for one in critic.items[3:5] if isinstance(one, WatchHealth)] == [
        "broken",
        "expired",
    ]


def test_of_many_at_once_one_list_tells_who_is_gone() -> None:
    world = World(faults=[Rule("watch", "pods", ExpireVersions(), nth=2)])
    world.cluster.denied = frozenset({("get", "pods")})  # no look at each of them
    fleet = Fleet(world.cluster)
    many = [f"hodei-worker-m{n:02}" for n in range(15)]
    for name in many:
        fleet.create(name)
    world.at(10, lambda cluster: (cluster.cut_streams(), fleet.leave(many[3]), *map(fleet.remove, many[4:])))
    critic = Critic(fleet)
    watch_until(world, 40, critic.take, page_size=500)
    removed = told(critic.items)[-13:-1]
    assert removed == ["removed m03", *(f"removed m{n:02} gone" for n in range(4, 15))]


def test_a_removal_that_cannot_be_looked_into_is_only_out_of_view() -> None:
    world = World()
    fleet = Fleet(world.cluster)
    fleet.create(A)
    world.cluster.denied = frozenset({("get", "pods")})
    world.at(10, lambda _: fleet.remove(A))
    critic = Critic(fleet)
    watch_until(world, 40, critic.take)
    assert told(critic.items)[2:] == ["removed w0"]


def test_a_worker_that_cannot_start_in_time_is_told_without_any_event() -> None:
    """Only time passes; the ages are by the server's clock, whatever the host's says."""
    world = World()
    Fleet(world.cluster).create(A)
    critic = during(world, 900)
    [change] = [one for one in critic.items if isinstance(one, WorkerChange) and one.info.verdict is not None]
    assert change.info.verdict.category is Category.STARTUP_TIMEOUT
    assert critic.view.count_by_verdict() == {Category.STARTUP_TIMEOUT: 1}


def test_the_servers_clock_is_what_ages_are_measured_by() -> None:
    """Its date is an hour ahead of the host's clock."""
    headers = (("date", "Mon, 21 Sep 2026 15:13:20 GMT"),)
    body = msgspec.structs.replace(page(pod_version(A)), headers=headers)
    script = watched(body)
    [added] = [one for one in script.emitted if isinstance(one, WorkerChange)]
    assert added.info.verdict is not None
    assert added.info.verdict.category is Category.STARTUP_TIMEOUT


def pod_version(name: str) -> dict[str, Any]:
    return {"kind": "Pod", **pod_json(name, "u1")}


def test_nothing_is_lost_when_the_server_stops_answering_and_comes_back() -> None:
    faults = [Rule("watch", "pods", StallStream(), nth=1), Rule("watch", "pods", LoseReply(), nth=2, times=4)]
    world = World(faults=faults)
    fleet = Fleet(world.cluster)
    fleet.create(A)
    world.at(5, lambda _: fleet.start(A))
    world.at(6, lambda _: fleet.create(B))
    critic = Critic(fleet)
    watch_until(world, 120, critic.take)
    assert told(critic.items) == ["added w0", "synced", "reconnecting", "stale", "changed w0", "added w1", "synced"]


def test_each_batch_is_told_at_once() -> None:
    """The changes of one chunk are one Emit, and what is empty is none."""
    two = line("ADDED", item(A, 101)) + line("ADDED", item(B, 102))
    script = Script(page(), OPEN, two, line("MODIFIED", item(A, 103)), Enough())
    batches: list[int] = []
    with pytest.raises(Enough):
        script.run(watch_workers(CONFIG), on_emit=lambda items: batches.append(len(items)))
    assert batches == [1, 2]
