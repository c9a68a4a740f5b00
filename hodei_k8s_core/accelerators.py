"""Accelerators by the resources that their vendors' device plugins offer, and the labels that tell their products.

What a resource is, it is here: a slice (MIG) and a share in time of a GPU are not a GPU.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Final

import msgspec


class Sharing(enum.Enum):
    """How much of a device one piece of a resource is."""

    WHOLE = "whole"
    SLICE = "slice"
    """A part with memory and compute of its own (NVIDIA MIG, Intel tiles)."""
    TIME_SLICED = "time-sliced"
    """A turn on a device that others use as well, without memory of its own."""
    MPS = "mps"
    """A share of a device by NVIDIA's multi-process service."""


class Vendor(msgspec.Struct, frozen=True):
    """`resource`: a regular expression of its resources. `products`: labels of nodes, of which the first counts."""

    name: str
    resource: str
    products: tuple[str, ...] = ()


VENDORS: Final[tuple[Vendor, ...]] = (
    Vendor(
        "nvidia",
        r"nvidia\.com/(gpu|mig-.+|gpu\.shared)",
        ("nvidia.com/gpu.product", "cloud.google.com/gke-accelerator", "karpenter.k8s.aws/instance-gpu-name"),
    ),
    Vendor(
        "amd",
        r"amd\.com/(gpu|[cdnq]px.*)",
        ("amd.com/gpu.product-name", "beta.amd.com/gpu.product-name", "amd.com/gpu.device-id"),
    ),
    Vendor("intel", r"gpu\.intel\.com/(i915|xe|millicores|tiles)", ("gpu.intel.com/product", "gpu.intel.com/family")),
    Vendor("habana", r"habana\.ai/gaudi", ("habana.ai/hpu.product",)),
    Vendor("aws", r"aws\.amazon\.com/neuron(core|device)?", ("karpenter.k8s.aws/instance-accelerator-name",)),
    Vendor("google", r"google\.com/tpu", ("cloud.google.com/gke-tpu-accelerator",)),
)
_PATTERNS: Final = tuple((vendor, re.compile(vendor.resource)) for vendor in VENDORS)
PRODUCT_LABELS: Final = tuple(label for vendor in VENDORS for label in vendor.products)
_SLICES: Final = re.compile(r"nvidia\.com/mig-.+|amd\.com/[cdnq]px.*|gpu\.intel\.com/tiles")
_STRATEGIES: Final = {"time-slicing": Sharing.TIME_SLICED, "mps": Sharing.MPS}
_SHARED_SUFFIX: Final = "-SHARED"


class Accelerator(msgspec.Struct, frozen=True, order=True):
    """One kind of accelerator as a node offers it. `product` is "" where no label tells it."""

    resource: str
    vendor: str
    product: str
    sharing: str


def vendor_of(resource: str) -> Vendor | None:
    """Whose accelerator the resource is, or None for one that is no accelerator that we know."""
    return next((vendor for vendor, pattern in _PATTERNS if pattern.fullmatch(resource)), None)


def accelerator_of(resource: str, labels: Mapping[str, str]) -> Accelerator | None:
    """The accelerator that a node with these labels offers as `resource`; None for a resource that is none."""
    vendor = vendor_of(resource)
    if vendor is None:
        return None
    product = next((labels[label] for label in vendor.products if labels.get(label)), "")
    sharing = _sharing(resource, labels, product)
    return Accelerator(resource, vendor.name, product.removesuffix(_SHARED_SUFFIX), sharing.value)


def _sharing(resource: str, labels: Mapping[str, str], product: str) -> Sharing:
    if _SLICES.fullmatch(resource):
        return Sharing.SLICE
    # NVIDIA's feature discovery: sharing-strategy since 0.14, before that replicas and a suffix of the product. GKE has
    # labels of its own.
    strategy = labels.get("nvidia.com/gpu.sharing-strategy") or labels.get("cloud.google.com/gke-gpu-sharing-strategy")
    if strategy in _STRATEGIES:
        return _STRATEGIES[strategy]
    is_shared = resource.endswith(".shared") or product.endswith(_SHARED_SUFFIX) or strategy == "time-sharing"
    if is_shared:
        return Sharing.TIME_SLICED
    return Sharing.SLICE if "-MIG-" in product else Sharing.WHOLE
