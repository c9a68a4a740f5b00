"""The labels and annotations that workers carry, the validation of a user's own, and selectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hodei_k8s_core.errors import Fault
from hodei_k8s_core.names import label_key_problem, label_value_problem
from hodei_k8s_core.validation import item, text_problem

APP: Final = "app"
APP_NAME: Final = "hodei-worker"
WORKER_ID: Final = "hodei.io/worker-id"
MANAGED: Final = "hodei.io/managed"
PROVIDER_ID: Final = "hodei.io/provider-id"

CREATION_TOKEN: Final = "hodei.io/creation-token"  # noqa: S105 - a key, not a secret
JOB_ID: Final = "hodei.io/job-id"
IDLE_SINCE: Final = "hodei.io/idle-since"
DRAINING: Final = "hodei.io/draining"
IDLE_TIMEOUT: Final = "hodei.io/idle-timeout"
TTL_AFTER_COMPLETION: Final = "hodei.io/ttl-after-completion"
COMPANIONS: Final = "hodei.io/companions"
SAFE_TO_EVICT: Final = "cluster-autoscaler.kubernetes.io/safe-to-evict"
DO_NOT_DISRUPT: Final = "karpenter.sh/do-not-disrupt"

NODE_ARCHITECTURE: Final = "kubernetes.io/arch"
CAPABILITY_PREFIX: Final = "capability.hodei.io/"

RESERVED_DOMAIN: Final = "hodei.io"
MAX_ANNOTATIONS_BYTES: Final = 256 * 1024
"""Of all keys and values together (TotalAnnotationSizeLimitB)."""


def is_reserved(key: str) -> bool:
    """The key belongs to Hodei: `hodei.io/...`, or a subdomain of it."""
    domain, slash, _ = key.lower().rpartition("/")
    return bool(slash) and f".{domain}".endswith(f".{RESERVED_DOMAIN}")


def label_faults(field: str, labels: object) -> list[Fault]:
    """What is wrong with the labels that a user wants on workers."""
    faults = selector_faults(field, labels)
    if isinstance(labels, Mapping):
        reserved = (key for key in labels if isinstance(key, str) and (key == APP or is_reserved(key)))
        faults += [Fault(item(field, key), "this key is reserved for Hodei's own labels") for key in reserved]
    return faults


def selector_faults(field: str, labels: object) -> list[Fault]:
    """What is wrong with keys and values that select something, such as nodes: no key is reserved there."""
    if not isinstance(labels, Mapping):
        return [Fault(field, f"must be a mapping of text to text, not {type(labels).__name__}")]
    faults = []
    for key, value in labels.items():
        key_problem = text_problem(key) or label_key_problem(key)
        value_problem = text_problem(value) or label_value_problem(value)
        faults += [Fault(item(field, key), f"the key is wrong: {key_problem}")] if key_problem else []
        faults += [Fault(item(field, key), f"the value is wrong: {value_problem}")] if value_problem else []
    return faults


def annotation_faults(field: str, annotations: object) -> list[Fault]:
    """What is wrong with the annotations that a user wants on workers."""
    if not isinstance(annotations, Mapping):
        return [Fault(field, f"must be a mapping of text to text, not {type(annotations).__name__}")]
    faults = []
    size = 0
    for key, value in annotations.items():
        # ValidateAnnotations: the rule of a label's key, except that the case does not matter.
        key_problem = text_problem(key) or label_key_problem(key.lower())
        value_problem = text_problem(value)
        if key_problem:
            faults.append(Fault(item(field, key), f"the key is wrong: {key_problem}"))
        elif is_reserved(key):
            faults.append(Fault(item(field, key), "this key is reserved for Hodei's own annotations"))
        if value_problem:
            faults.append(Fault(item(field, key), f"the value is wrong: {value_problem}"))
        if not key_problem and not value_problem:
            size += len(key.encode()) + len(value.encode())
    if size > MAX_ANNOTATIONS_BYTES:
        faults.append(
            Fault(field, f"all keys and values have {size} bytes, more than the {MAX_ANNOTATIONS_BYTES} allowed")
        )
    return faults


def capability_key(capability: str) -> str:
    """The label of nodes that have a capability."""
    return f"{CAPABILITY_PREFIX}{capability}"


def selector(labels: Mapping[str, str]) -> str:
    """A label selector that wants all of `labels`, which must be valid ones."""
    return ",".join(f"{key}={value}" for key, value in labels.items())


def managed_selector(provider_id: str) -> str:
    """Selects the workers of one provider."""
    return selector({MANAGED: "true", PROVIDER_ID: provider_id})
