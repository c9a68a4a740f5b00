"""Logs of the simulated API server; refusals are worded as the real 1.36 words them."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.http import Response
from hodei_k8s_core.simulation import Behaviour, CannotStart, Cluster, Unschedulable, Waits, image_cannot_be_pulled
from tests.core.simulation_requests import ask, create, delete, log, refusal

TALKS = Behaviour(schedule=0, pull=0, start=0, logs=((0.0, "one"), (1.5, "two é"), (3.25, "three")))


def cluster_with(behaviour: Behaviour, **more: Any) -> Cluster:
    cluster = Cluster(behaviours=lambda _: behaviour)
    ask(cluster, create(**more))
    return cluster


def text(cluster: Cluster, now: float, **query: str) -> str:
    reply = cluster.handle(log(**query), now)
    assert isinstance(reply, Response)
    assert reply.status == 200, reply.body
    assert reply.header("content-type") == "text/plain"
    return reply.body.decode()


def test_a_log_grows_with_time() -> None:
    cluster = cluster_with(TALKS)
    assert text(cluster, 0.0) == "one\n"
    assert text(cluster, 2.0) == "one\ntwo é\n"
    assert text(cluster, 9.0, container="worker") == "one\ntwo é\nthree\n"


def test_timestamps_have_nine_digits() -> None:
    cluster = cluster_with(TALKS)
    assert text(cluster, 2.0, timestamps="true") == (
        "2026-09-21T14:13:20.000000000Z one\n2026-09-21T14:13:21.500000000Z two é\n"
    )


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"tailLines": "1"}, ["three"]),
        ({"tailLines": "0"}, []),
        ({"tailLines": "9"}, ["one", "two é", "three"]),
        ({"sinceSeconds": "8"}, ["two é", "three"]),
        ({"sinceTime": "2026-09-21T14:13:20Z"}, ["one", "two é", "three"]),
        ({"sinceTime": "2026-09-21T14:13:21Z"}, ["two é", "three"]),
        ({"sinceTime": "2026-09-21T14:13:21.9Z"}, ["two é", "three"]),
        ({"sinceTime": "2026-09-21T16:13:22+02:00"}, ["three"]),
        ({"sinceTime": "2026-09-21T14:13:21Z", "tailLines": "1"}, ["three"]),
        ({"tailLines": ""}, ["one", "two é", "three"]),
    ],
)
def test_a_part_of_a_log(query: dict[str, str], shown: list[str]) -> None:
    assert text(cluster_with(TALKS), 9.0, **query).splitlines() == shown


def test_limit_bytes_cuts_anywhere() -> None:
    assert text(cluster_with(TALKS), 9.0, limitBytes="5") == "one\nt"


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ({"container": "zzz"}, 400, "container zzz is not valid for pod a"),
        (
            {"tailLines": "-1"},
            422,
            'PodLogOptions "a" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
        ),
        (
            {"sinceSeconds": "0"},
            422,
            'PodLogOptions "a" is invalid: sinceSeconds: Invalid value: 0: must be greater than 0',
        ),
        (
            {"limitBytes": "0"},
            422,
            'PodLogOptions "a" is invalid: limitBytes: Invalid value: 0: must be greater than 0',
        ),
        ({"tailLines": "x"}, 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
        (
            {"sinceTime": "abc"},
            400,
            'parsing time "abc" as "2006-01-02T15:04:05Z07:00": cannot parse "abc" as "2006"',
        ),
        (
            {"sinceTime": "2026-09-21T14:13:21"},
            400,
            (
                'parsing time "2026-09-21T14:13:21" as "2006-01-02T15:04:05Z07:00": '
                'cannot parse "2026-09-21T14:13:21" as "2006"'
            ),
        ),
        (
            {"sinceSeconds": "0", "sinceTime": "2026-09-21T14:13:21Z"},
            422,
            (
                'PodLogOptions "a" is invalid: []: Forbidden: at most one of `sinceTime` or `sinceSeconds` '
                "may be specified"
            ),
        ),
        ({"previous": "true"}, 400, 'previous terminated container "worker" in pod "a" not found'),
    ],
)
def test_refusals(query: dict[str, str], code: int, message: str) -> None:
    assert refusal(cluster_with(TALKS), log(**query), 1.0)[::2] == (code, message)


def test_an_unscheduled_pod_has_an_empty_204() -> None:
    cluster = cluster_with(Behaviour(fail=Unschedulable()))
    for query in ({}, {"follow": "true"}, {"previous": "true"}):
        reply = cluster.handle(log(**query), 9.0)
        assert isinstance(reply, Response)
        assert (reply.status, reply.body) == (204, b"")


@pytest.mark.parametrize(
    ("behaviour", "now", "reason"),
    [
        (Behaviour(pull=100), 9.0, "ContainerCreating"),
        (Behaviour(fail=image_cannot_be_pulled("x")), 1.0, "image can't be pulled"),
        (Behaviour(fail=image_cannot_be_pulled("x")), 11.0, "trying and failing to pull image"),
        (Behaviour(fail=Waits((("ErrImageNeverPull", ""),))), 1.0, "ErrImageNeverPull"),
    ],
)
def test_a_container_that_waits_has_no_log(behaviour: Behaviour, now: float, reason: str) -> None:
    message = f'container "worker" in pod "a" is waiting to start: {reason}'
    assert refusal(cluster_with(behaviour), log(), now) == (400, "BadRequest", message)


def test_a_program_that_never_ran_has_an_empty_log() -> None:
    assert text(cluster_with(Behaviour(fail=CannotStart())), 9.0) == ""


def test_several_containers_must_be_named() -> None:
    spec = {"containers": [{"name": "worker", "image": "x"}, {"name": "proxy", "image": "x"}]}
    cluster = cluster_with(TALKS, spec=spec)
    assert refusal(cluster, log(), 1.0)[2] == (
        "a container name must be specified for pod a, choose one of: [worker proxy]"
    )
    assert text(cluster, 1.0, container="proxy") == "one\n"


def test_the_previous_log_is_that_of_the_run_before() -> None:
    cluster = cluster_with(Behaviour(logs=((0.0, "run"),), exit_code=1, run=1), spec={"restartPolicy": "Always"})
    first = text(cluster, 1.4, timestamps="true")
    assert text(cluster, 2.0, timestamps="true", previous="true") == first
    second = text(cluster, 2.0, timestamps="true")
    assert second != first
    assert text(cluster, 6.0, timestamps="true") == second, "while it waits for its next run"
    assert text(cluster, 6.0, timestamps="true", follow="true") == second


# --- following


def follow(cluster: Cluster, now: float, **query: str) -> Any:
    stream = cluster.handle(log(follow="true", **query), now)
    assert not isinstance(stream, Response)
    assert dict(stream.headers)["content-type"] == "text/plain"
    return stream


def test_a_followed_log_gives_lines_as_they_come() -> None:
    cluster = cluster_with(TALKS)
    stream = follow(cluster, 0.0)
    assert stream.read(0.0) == b"one\n"
    assert stream.read(1.0) is None
    assert stream.next_event_at(1.0) == 1.5
    assert stream.read(4.0).decode() == "two é\nthree\n"
    assert stream.next_event_at(4.0) is None
    assert stream.read(99.0) is None


def test_a_followed_log_can_begin_with_a_tail() -> None:
    cluster = cluster_with(TALKS)
    stream = follow(cluster, 2.0, tailLines="1", timestamps="true")
    assert stream.read(9.0) == (b"2026-09-21T14:13:21.500000000Z two \xc3\xa9\n2026-09-21T14:13:23.250000000Z three\n")
    assert follow(cluster, 9.0, tailLines="0").read(9.0) is None
    assert follow(cluster, 9.0, sinceTime="2026-09-21T14:13:22Z").read(9.0) == b"three\n"


def test_a_followed_log_ends_with_its_container_and_its_last_words() -> None:
    cluster = cluster_with(Behaviour(logs=((0, "one"), (60, "never")), on_term=("bye",), term=1))
    stream = follow(cluster, 2.0)
    assert stream.read(2.0) == b"one\n"
    ask(cluster, delete(), 3.0)
    assert stream.read(3.0) == b"bye\n"
    assert stream.read(3.9) is None
    cluster.advance(4.0)
    assert stream.read(4.0) == b""
    cluster.advance(99.0)
    assert stream.read(99.0) == b""


def test_a_followed_log_ends_when_the_record_is_removed() -> None:
    cluster = cluster_with(TALKS)
    stream = follow(cluster, 1.0)
    ask(cluster, delete(gracePeriodSeconds=0), 2.0)
    assert stream.read(9.0).decode() == "one\ntwo é\n"
    assert stream.read(9.0) == b""


def test_a_followed_log_of_a_run_that_was_followed_by_another() -> None:
    cluster = cluster_with(
        Behaviour(logs=((0.0, "run"),), exit_code=1, run=1, ready=0), spec={"restartPolicy": "Always"}
    )
    stream = follow(cluster, 1.0)
    cluster.advance(2.1)
    assert stream.read(2.1) == b"run\n"
    assert stream.read(2.1) == b""


def test_a_followed_log_ends_after_its_limit() -> None:
    stream = follow(cluster_with(TALKS), 0.0, limitBytes="5")
    assert stream.read(0.0) == b"one\n"
    assert stream.read(2.0) == b"t"
    assert stream.read(2.0) == b""


def test_following_what_has_ended_gives_all_of_it() -> None:
    cluster = cluster_with(Behaviour(logs=((0.0, "done"),), exit_code=0))
    assert text(cluster, 9.0, follow="true") == "done\n"
