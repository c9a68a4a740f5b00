"""The table of variants is complete, and each is a Pod that reads back, takes its place, and is the caller's own."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hodei_k8s_core.capacity.candidate import read_candidate
from hodei_k8s_core.capacity.node_fit import Wanted
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.manifest import build_worker_pod, encode_worker_pod
from hodei_k8s_core.pod import parse_pod
from hodei_k8s_core.spec.volume_spec import VolumeSpec
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from tests.core.test_pod_manifest import scribbled
from tests.manifest_variants import FIELDS, variants

VARIANTS = variants(KubernetesConfig())


def test_every_field_of_a_worker_and_every_kind_of_volume_is_in_the_table() -> None:
    asked = {field for fields in FIELDS.values() for field in fields}
    assert asked == set(WorkerSpec.__struct_fields__) - {"worker_id", "image", "profile"}
    assert {type(volume) for fields in FIELDS.values() for volume in fields.get("volumes", ())} == set(
        VolumeSpec.__args__
    )


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant(name: str) -> None:
    spec, config = VARIANTS[name]
    before = encode_worker_pod(spec, config)
    made = build_worker_pod(spec, config)
    assert msgspec.json.decode(before) == made
    assert Wanted.of(read_candidate(made)).requests
    pod = parse_pod(before)
    assert [container.name for container in pod.spec.containers] == ["worker"]
    assert empty_parts(made) == []
    scribbled(made)
    assert encode_worker_pod(spec, config) == before


def empty_parts(value: Any, path: str = "") -> list[str]:
    """Nulls, which the API takes for absent, and lists and mappings without a meaning of their own."""
    if isinstance(value, dict):
        return [found for key, part in value.items() for found in empty_parts(part, f"{path}.{key}")]
    if isinstance(value, list):
        return [found for n, part in enumerate(value) for found in empty_parts(part, f"{path}[{n}]")]
    return [path] if value is None else []
