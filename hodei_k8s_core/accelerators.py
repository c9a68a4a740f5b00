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
    """`resource`: a regular expression of its resources, and `gpu` the one that is meant when none is named.

    `products`: labels of nodes, of which the first counts. `called`: a regular expression of how its products' names
    begin, in any case of letters. `taints`: keys of taints that are usual on its nodes, beside the resource's own name.
    """

    name: str
    resource: str
    gpu: str
    products: tuple[str, ...] = ()
    called: str = ""
    taints: tuple[str, ...] = ()


_KARPENTER_GPU: Final = "karpenter.k8s.aws/instance-gpu-name"
_KARPENTER_ACCELERATOR: Final = "karpenter.k8s.aws/instance-accelerator-name"
# The first one is meant where a product's name does not tell.
VENDORS: Final[tuple[Vendor, ...]] = (
    Vendor(
        "nvidia",
        r"nvidia\.com/(gpu|mig-.+|gpu\.shared)",
        "nvidia.com/gpu",
        ("nvidia.com/gpu.product", "cloud.google.com/gke-accelerator", _KARPENTER_GPU),
        r"nvidia|tesla|geforce|quadro",
        # GKE, and the GPU operator's guides, with MIG and time slicing as well.
        ("nvidia.com/gpu",),
    ),
    Vendor(
        "amd",
        r"amd\.com/(gpu|[cdnq]px.*)",
        "amd.com/gpu",
        ("amd.com/gpu.product-name", "beta.amd.com/gpu.product-name", "amd.com/gpu.device-id", _KARPENTER_GPU),
        r"amd|(radeon )?instinct|radeon|mi\d{2,3}",
        ("amd.com/gpu",),
    ),
    Vendor(
        "intel",
        r"gpu\.intel\.com/(i915|xe|millicores|tiles)",
        "gpu.intel.com/i915",
        ("gpu.intel.com/product", "gpu.intel.com/family"),
        r"intel|(flex|max|arc)[-_ ]",
    ),
    Vendor(
        "habana", r"habana\.ai/gaudi", "habana.ai/gaudi", ("habana.ai/hpu.product", _KARPENTER_ACCELERATOR), "gaudi|hl-"
    ),
    Vendor(
        "aws",
        r"aws\.amazon\.com/neuron(core|device)?",
        "aws.amazon.com/neuron",
        (_KARPENTER_ACCELERATOR,),
        r"inferentia|trainium",
        ("aws.amazon.com/neuron",),
    ),
    Vendor("google", r"google\.com/tpu", "google.com/tpu", ("cloud.google.com/gke-tpu-accelerator",), "tpu"),
)
_PATTERNS: Final = tuple((vendor, re.compile(vendor.resource)) for vendor in VENDORS)
_CALLED: Final = tuple((vendor, re.compile(vendor.called, re.IGNORECASE)) for vendor in VENDORS)
PRODUCT_LABELS: Final = tuple(dict.fromkeys(label for vendor in VENDORS for label in vendor.products))
_SLICES: Final = re.compile(r"nvidia\.com/mig-.+|amd\.com/[cdnq]px.*|gpu\.intel\.com/tiles")
_STRATEGIES: Final = {"time-slicing": Sharing.TIME_SLICED, "mps": Sharing.MPS}
_SHARED_SUFFIX: Final = "-SHARED"


class Accelerator(msgspec.Struct, frozen=True, order=True):
    """One kind of accelerator as a node offers it. `product`, by which it can be asked for: "" where no label tells."""

    resource: str
    vendor: str
    product: str
    sharing: str


def vendor_of(resource: str) -> Vendor | None:
    """Whose accelerator the resource is, or None for one that is no accelerator that we know."""
    return next((vendor for vendor, pattern in _PATTERNS if pattern.fullmatch(resource)), None)


class Wanted(msgspec.Struct, frozen=True):
    """What a `gpu_type` stands for: a resource, and of `product` one of the labels has to tell the name."""

    resource: str
    product: str = ""
    labels: tuple[str, ...] = ()


def wanted_accelerator(gpu_type: str | None) -> Wanted:
    """A vendor's resource (`nvidia.com/mig-1g.5gb`) stands for itself; a product's name for its vendor's whole device.

    Which of the vendor's labels tells the product differs by cluster. The name is meant letter for letter: a share of
    a device has a name of its own (`Tesla-T4-SHARED`), and is had by that alone.
    """
    if gpu_type is None:
        return Wanted(VENDORS[0].gpu)
    if "/" in gpu_type:
        return Wanted(gpu_type)
    vendor = next((vendor for vendor, called in _CALLED if called.match(gpu_type)), VENDORS[0])
    return Wanted(vendor.gpu, gpu_type, vendor.products)


def usual_taints(resource: str) -> tuple[str, ...]:
    """The keys of taints that keep others from nodes with the resource: its name, and what its vendor's nodes have.

    The first is what Kubernetes' admission plugin ExtendedResourceToleration expects.
    """
    vendor = vendor_of(resource)
    return tuple(dict.fromkeys((resource, *(vendor.taints if vendor is not None else ()))))


def accelerator_of(resource: str, labels: Mapping[str, str]) -> Accelerator | None:
    """The accelerator that a node with these labels offers as `resource`; None for a resource that is none."""
    vendor = vendor_of(resource)
    if vendor is None:
        return None
    product = next((labels[label] for label in vendor.products if labels.get(label)), "")
    sharing = _sharing(resource, labels, product)
    return Accelerator(resource, vendor.name, product, sharing.value)


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
