"""Accelerators by resource and label: whose they are, and what a piece is."""

from __future__ import annotations

import pytest

from hodei_k8s_core.accelerators import Accelerator, accelerator_of, vendor_of

GKE_SHARING = "cloud.google.com/gke-gpu-sharing-strategy"


@pytest.mark.parametrize(
    ("resource", "labels", "expected"),
    [
        ("nvidia.com/gpu", {}, ("nvidia", "", "whole")),
        ("nvidia.com/gpu", {"nvidia.com/gpu.product": "A100"}, ("nvidia", "A100", "whole")),
        ("nvidia.com/gpu", {"cloud.google.com/gke-accelerator": "nvidia-l4"}, ("nvidia", "nvidia-l4", "whole")),
        ("nvidia.com/mig-1g.5gb", {"nvidia.com/gpu.product": "A100"}, ("nvidia", "A100", "slice")),
        ("nvidia.com/gpu", {"nvidia.com/gpu.product": "A100-MIG-1g.5gb"}, ("nvidia", "A100-MIG-1g.5gb", "slice")),
        ("nvidia.com/gpu", {"nvidia.com/gpu.product": "T4-SHARED"}, ("nvidia", "T4-SHARED", "time-sliced")),
        ("nvidia.com/gpu", {"nvidia.com/gpu.sharing-strategy": "time-slicing"}, ("nvidia", "", "time-sliced")),
        ("nvidia.com/gpu", {"nvidia.com/gpu.sharing-strategy": "mps"}, ("nvidia", "", "mps")),
        ("nvidia.com/gpu", {"nvidia.com/gpu.sharing-strategy": "none"}, ("nvidia", "", "whole")),
        (
            "nvidia.com/gpu",
            {GKE_SHARING: "time-sharing"},
            ("nvidia", "", "time-sliced"),
        ),
        ("nvidia.com/gpu.shared", {}, ("nvidia", "", "time-sliced")),
        ("amd.com/gpu", {"amd.com/gpu.product-name": "MI300X"}, ("amd", "MI300X", "whole")),
        ("amd.com/cpx_nps4", {}, ("amd", "", "slice")),
        ("gpu.intel.com/i915", {"gpu.intel.com/product": "Flex"}, ("intel", "Flex", "whole")),
        ("gpu.intel.com/xe", {}, ("intel", "", "whole")),
        ("habana.ai/gaudi", {}, ("habana", "", "whole")),
        ("aws.amazon.com/neuroncore", {}, ("aws", "", "whole")),
        ("google.com/tpu", {"cloud.google.com/gke-tpu-accelerator": "v5e"}, ("google", "v5e", "whole")),
    ],
)
def test_what_a_piece_is(resource: str, labels: dict[str, str], expected: tuple[str, str, str]) -> None:
    assert accelerator_of(resource, labels) == Accelerator(resource, *expected)


@pytest.mark.parametrize("resource", ["cpu", "nvidia.com/gpus", "gpu.intel.com/i915_monitoring", "example.com/gpu"])
def test_what_is_no_accelerator(resource: str) -> None:
    assert vendor_of(resource) is None
    assert accelerator_of(resource, {}) is None
