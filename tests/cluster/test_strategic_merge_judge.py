"""kubectl judges our strategic merge: generated Pods and patches, and the recorded table asked again. No cluster is
needed for it, only `kubectl`.
"""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.core.strategic_patches import case
from tests.core.test_strategic_merge import ANSWERS, merged_or_refused

pytestmark = pytest.mark.long

CASES = 300
LIMIT = 60.0  # seconds, for one call


def kubectl_patch(base: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any] | None:
    """What it prints; None where it refuses (or breaks off, as it does for a list of nulls)."""
    command = ["kubectl", "patch", "--local", "--filename", "-", "--type=strategic", "--output=json"]
    done = subprocess.run(
        [*command, "--patch", json.dumps(patch)],
        input=json.dumps(base),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    return None if done.returncode else json.loads(done.stdout)


def test_generated_patches() -> None:
    cases = [case(seed) for seed in range(CASES)]
    with ThreadPoolExecutor(2) as pool:
        theirs = list(pool.map(lambda made: kubectl_patch(*made), cases))
    ours = [merged_or_refused(*made) for made in cases]
    assert {seed for seed in range(CASES) if ours[seed] != theirs[seed]} == set()
    assert CASES / 2 < sum(merged is not None for merged in theirs) < CASES


def test_the_recorded_answers() -> None:
    with ThreadPoolExecutor(2) as pool:
        theirs = list(pool.map(lambda recorded: kubectl_patch(recorded.base, recorded.patch), ANSWERS.cases))
    assert [r.note for r, merged in zip(ANSWERS.cases, theirs, strict=True) if r.merged != merged] == []
