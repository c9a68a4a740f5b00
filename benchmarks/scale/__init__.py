"""Fleets of many sizes, and long logs: what a worker, an event and a line cost, and how that grows."""

from __future__ import annotations

from benchmarks.case import Case
from benchmarks.measure import Comparison
from benchmarks.scale.followers import FOLLOWERS
from benchmarks.scale.growth import GROWTH
from benchmarks.scale.long_log import LONG_LOG
from benchmarks.scale.views import VIEW_LIST, VIEW_WATCH

CASES: tuple[Case | Comparison, ...] = (VIEW_LIST, VIEW_WATCH, GROWTH, LONG_LOG, FOLLOWERS)
