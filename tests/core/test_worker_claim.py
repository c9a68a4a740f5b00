"""The volume that is a worker's own claim."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.spec.volume_spec import WorkerClaim, worker_claim_name

SOUND: dict[str, Any] = {"name": "data", "size": 1}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("name", value) for value in ("", "A", None)),
        *(("size", value) for value in (0, -1, 1.5, None, "1Gi")),
        *(("storage_class", value) for value in ("", "A B", 3)),
        *(("access_mode", value) for value in ("", "ReadOnlyMany", "RWO", None)),
        ("mount_path", "relative"),
    ],
)
def test_each_fault_names_its_field(field: str, value: object) -> None:
    with pytest.raises(ConfigurationError) as caught:
        WorkerClaim(**SOUND | {field: value})
    assert [fault.field for fault in caught.value.faults] == [field]


def test_its_name_begins_like_the_pods() -> None:
    assert worker_claim_name("hodei-worker-w1", "data") == "hodei-worker-w1-data"
