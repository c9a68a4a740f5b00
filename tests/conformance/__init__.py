"""The same exchanges with the simulated and with a real API server.

`scenarios` says what is asked, `shown` what of a reply counts. What a real 1.36 answered is in `v1.36.json`, written by
`python -m tests.conformance` (KUBECONFIG names the cluster). tests/core holds the simulator to it, tests/cluster the
server of the day: what both agree on is what operations may rely on. `DIFFERENCES` is what they do not, and why.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

ANSWERS = Path(__file__).parent / "v1.36.json"

DIFFERENCES = {
    "a change of a Pod's spec": "the real message goes on with a diff of Go's own form; nobody parses it",
    "a field that does not exist": "unknown fields are stored and not refused; the provider sends none",
    "a claim": "the protection controller's finalizer is not simulated: an unused claim goes at once",
    "managedFields": "who wrote which field is not kept; nobody reads it",
    "volumes": "the projected volume of the account's token is not added to Pods; nobody reads it",
    "uids and versions": "counted, and not random: the same in every run",
}
"""Nothing of this is read by the provider."""


def recorded() -> dict[str, list[Any]]:
    """Scenario → what each of its steps showed."""
    answers: dict[str, list[Any]] = msgspec.json.decode(ANSWERS.read_bytes())
    return answers
