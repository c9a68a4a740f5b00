"""The rules of volumes, by the names of their fields: the API server's own (core/validation)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from hodei_k8s_core.errors import Fault
from hodei_k8s_core.names import data_key_problem, dns_label_problem, dns_subdomain_problem
from hodei_k8s_core.spec.resource_requirements import MAX_INT64
from hodei_k8s_core.validation import (
    Problem,
    bool_problem,
    fault_of,
    item,
    optional,
    text_problem,
    text_that,
    type_problem,
    whole_number,
)

ACCESS_MODES: Final = ("ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany", "ReadOnlyMany")


def absolute_path_problem(path: str) -> str | None:
    """The API's rules for a mount path (no ':') and a host path (no '..'), and that both are absolute."""
    if not path.startswith("/"):
        return f"must be an absolute path, not {path!r}"
    if ":" in path or ".." in path.split("/"):
        return f"must contain neither ':' nor '..': {path!r}"
    return None


def mount_path_problem(path: str) -> str | None:
    """Empty means the path by default."""
    return absolute_path_problem(path) if path else None


def relative_path_problem(path: str) -> str | None:
    """A path below the mount (ValidateLocalNonReservedPath)."""
    if not path or path.startswith(("/", "..")) or ".." in path.split("/"):
        return f"must be a path below the mount, without '..', not {path!r}"
    return None


def _access_mode_problem(text: str) -> str | None:
    return None if text in ACCESS_MODES else f"must be one of {', '.join(ACCESS_MODES)}, not {text!r}"


_NAME: Final = text_that(dns_subdomain_problem)
_CHECKS: Final[dict[str, Problem]] = {
    "name": text_that(dns_label_problem),
    "claim_name": _NAME,
    "config_map": _NAME,
    "secret": _NAME,
    "path": text_that(absolute_path_problem),
    "size_limit": optional(whole_number(1)),
    "size": whole_number(1, MAX_INT64),
    "storage_class": optional(text_that(lambda text: dns_subdomain_problem(text) if text else None)),
    "access_mode": text_that(_access_mode_problem),
    "read_only": bool_problem,
    "in_memory": bool_problem,
    "optional": bool_problem,
    "mode": optional(whole_number(0, 0o777)),
    "mount_path": text_that(mount_path_problem),
}


def volume_faults(volume: msgspec.Struct) -> list[Fault]:
    """Everything that is wrong with one volume, or one source of a projected one."""
    found = []
    for name in volume.__struct_fields__:
        value = getattr(volume, name)
        if name in _CHECKS:
            found += fault_of(name, _CHECKS[name](value))
        elif name == "items":
            found += _items_faults(name, value)
    return found


def _items_faults(field: str, items: object) -> list[Fault]:
    """What is wrong with keys and the paths of their files."""
    if not isinstance(items, Mapping):
        return [Fault(field, type_problem(items, "a mapping of keys to paths"))]
    found = []
    seen: set[str] = set()
    for key, path in items.items():
        problem = text_problem(key) or data_key_problem(key) or text_that(relative_path_problem)(path)
        if problem is None and path in seen:
            problem = f"the path {path!r} is taken by another key"
        found += fault_of(item(field, key), problem)
        seen |= {path} if isinstance(path, str) else set()
    return found
