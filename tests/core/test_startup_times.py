"""How long the next start will take, by those that were seen."""

from __future__ import annotations

import pytest

from hodei_k8s_core.startup_times import DEFAULT_STARTUP_TIME, ENOUGH, KEPT, REMEMBERED, StartupTimes


def seen(*seconds: float, image: str = "") -> StartupTimes:
    times = StartupTimes()
    for each in seconds:
        times.record(each, image)
    return times


@pytest.mark.parametrize(
    ("seconds", "percentile", "estimate"),
    [
        ((), 50, DEFAULT_STARTUP_TIME),
        ((), 90, DEFAULT_STARTUP_TIME),
        ((4,), 50, 4),
        ((4,), 90, 4),
        ((1, 3), 50, 2),
        ((9, 1, 5), 50, 5),
        (tuple(range(11)), 90, 9),
        (tuple(range(11)), 95, 9.5),
        (tuple(range(11)), 0, 0),
        (tuple(range(11)), 100, 10),
    ],
)
def test_the_estimate(seconds: tuple[float, ...], percentile: float, estimate: float) -> None:
    assert seen(*seconds).estimate(percentile=percentile) == estimate


def test_the_median_is_what_is_told_when_nothing_else_is_asked() -> None:
    assert seen(1, 2, 30).estimate() == 2


def test_an_image_counts_alone_when_there_is_enough_of_it() -> None:
    times = seen(*[100.0] * 20, image="big:1")
    for _ in range(ENOUGH - 1):
        times.record(2, "small:1")
    assert times.estimate("small:1") == 100
    times.record(2, "small:1")
    assert times.estimate("small:1") == 2
    assert times.estimate("small:1", 90) == 2
    assert times.estimate("big:1") == 100
    assert times.estimate("never-seen:1") == times.estimate() == 100


def test_what_is_long_ago_is_forgotten() -> None:
    times = seen(*[100.0] * KEPT)
    for _ in range(KEPT):
        times.record(1)
    assert times.estimate(percentile=100) == 1


@pytest.mark.parametrize("percentile", [-1, 100.5, float("nan")])
def test_a_percentile_is_one(percentile: float) -> None:
    with pytest.raises(ValueError, match="percentile"):
        seen(1).estimate(percentile=percentile)


def test_each_pod_counts_once_however_many_waited_for_it() -> None:
    times = StartupTimes()
    assert [times.record(seconds, "", uid) for seconds, uid in ((1, "a"), (9, "a"), (3, "b"), (9, "b"))] == [
        *(True, False),
        *(True, False),
    ]
    assert times.estimate() == 2


def test_that_a_pod_was_counted_is_remembered_for_long_and_not_for_ever() -> None:
    times = StartupTimes()
    for number in range(REMEMBERED):
        assert times.record(1, "", f"uid-{number}")
    assert not times.record(1, "", "uid-0")
    for number in range(REMEMBERED):
        assert times.record(1, "", f"new-{number}")
    assert times.record(1, "", "uid-0")
