"""The paths of Kubernetes' API that we call, and the checks that belong before a request is made.

A name that would change the meaning of a path is refused: an empty one turns "delete this Pod" into "delete all Pods".
"""

from __future__ import annotations

from urllib.parse import quote

from hodei_k8s_core.errors import ConfigurationError, Fault


def namespace_path(namespace: str) -> str:
    """The path of a namespace. Raises `ConfigurationError`."""
    refuse(unusable_name("namespace", namespace))
    return f"/api/v1/namespaces/{quote(namespace, safe='')}"


def pods_path(namespace: str) -> str:
    """The path of all its Pods. Raises `ConfigurationError`."""
    return f"{namespace_path(namespace)}/pods"


def pod_path(namespace: str, name: str) -> str:
    """The path of one Pod. Raises `ConfigurationError`, for both names at once."""
    refuse((*unusable_name("namespace", namespace), *unusable_name("name", name)))
    return f"{pods_path(namespace)}/{quote(name, safe='')}"


def unusable_name(field: str, name: str) -> tuple[Fault, ...]:
    """What is wrong with `name` as a segment of a path."""
    # k8s.io/apimachinery, pkg/api/validation/path: what can be no segment of a path.
    if not name:
        return (Fault(field, "must not be empty"),)
    if name in (".", "..") or "/" in name or "%" in name:
        return (Fault(field, f"{name!r} must not be '.' or '..', nor contain '/' or '%'"),)
    return ()


def too_small(**numbers: tuple[int | None, int]) -> tuple[Fault, ...]:
    """Which of the fields `field=(value, least)` are below what they must be; None is not given."""
    return tuple(
        Fault(field, f"must be at least {least}, not {value}")
        for field, (value, least) in numbers.items()
        if value is not None and value < least
    )


def refuse(faults: tuple[Fault, ...]) -> None:
    """Raise `ConfigurationError` if there are faults."""
    if faults:
        raise ConfigurationError("this request cannot be made", faults)
