"""What a provider can do, and what a job asks for."""

from __future__ import annotations

import pytest

from hodei_k8s_core.capabilities import JobRequirements, ProviderCapabilities, ResourceLimits
from hodei_k8s_core.capacity.cache import CapacityCache
from hodei_k8s_core.capacity.snapshot import Snapshot
from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.spec.worker_spec import Architecture


def test_the_words_of_the_domain() -> None:
    limits = ("max_cpu_cores", "max_memory_bytes", "max_disk_bytes", "max_gpu_count")
    assert ResourceLimits.__struct_fields__ == limits
    known = "max_resources gpu_support gpu_types architectures runtimes regions max_execution_time persistent_storage"
    assert ProviderCapabilities.__struct_fields__ == (*known.split(), "custom_networking", "features")
    asked = "resources architecture required_capabilities required_labels allowed_regions preferred_region timeout"
    assert JobRequirements.__struct_fields__ == (*asked.split(), "profile")


def test_requirements_share_nothing_with_what_was_given() -> None:
    labels, regions = {"a": "b"}, ["x"]
    made = JobRequirements(required_labels=labels, allowed_regions=regions, architecture=Architecture.ARM)
    labels["c"] = "d"
    regions.append("y")
    assert (made.required_labels, made.allowed_regions) == ({"a": "b"}, ("x",))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("resources", 3),
        ("architecture", "arm64"),
        ("required_capabilities", "docker"),
        ("required_capabilities", ["a/b"]),
        ("required_capabilities", ["-"]),
        ("required_labels", {"a b": "c"}),
        ("required_labels", ["a"]),
        ("allowed_regions", [""]),
        ("allowed_regions", ["a b"]),
        ("preferred_region", ""),
        ("timeout", 0),
        ("timeout", float("nan")),
    ],
)
def test_every_fault_names_its_field(field: str, value: object) -> None:
    with pytest.raises(ConfigurationError) as caught:
        JobRequirements(**{field: value})
    assert all(fault.field.startswith(f"requirements.{field}") for fault in caught.value.faults)


def test_a_snapshot_is_used_for_as_long_as_it_is_good() -> None:
    cache, snapshot = CapacityCache(30), Snapshot()
    assert cache.recent(0) is cache.undisturbed(0) is None
    cache.keep(snapshot, read_at=100, changes=cache.changes)
    assert cache.recent(129.9) is cache.undisturbed(129.9) is snapshot
    assert cache.recent(130) is None
    cache.note_change()
    assert cache.recent(110) is snapshot
    assert cache.undisturbed(110) is None


def test_a_change_while_it_is_read_is_not_in_it() -> None:
    cache, snapshot = CapacityCache(30), Snapshot()
    changes = cache.changes
    cache.note_change()
    cache.keep(snapshot, read_at=0, changes=changes)
    assert (cache.recent(1), cache.undisturbed(1)) == (snapshot, None)


def test_a_lifetime_of_nothing_keeps_nothing() -> None:
    cache = CapacityCache(0)
    cache.keep(Snapshot(), read_at=5, changes=0)
    assert cache.recent(5) is None
