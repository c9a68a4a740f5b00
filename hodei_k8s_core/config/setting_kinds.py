"""The kinds of settings: how each is read from text, written as text, and checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from hodei_k8s_core.config.node_pool import NodePool
from hodei_k8s_core.config.pod_template import template_faults
from hodei_k8s_core.config.setting import Kind, as_it_is
from hodei_k8s_core.config.setting_text import (
    convert,
    format_map,
    format_number,
    parse_bool,
    parse_document,
    parse_json,
    parse_list,
    parse_map,
    parse_number,
    parse_profile,
    parse_tolerations,
    parse_whole,
    read_items,
    to_json,
    to_manifests,
)
from hodei_k8s_core.errors import Fault
from hodei_k8s_core.labels import annotation_faults, label_faults, selector_faults
from hodei_k8s_core.names import dns_subdomain_problem
from hodei_k8s_core.quantity import parse_quantity
from hodei_k8s_core.spec.affinity import affinity_faults
from hodei_k8s_core.spec.host_names import DNS_POLICIES, DnsConfig, HostAlias, dns_policy_problem
from hodei_k8s_core.spec.readiness_probe import ReadinessProbe
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.spec.toleration import Toleration
from hodei_k8s_core.spec.topology_spread import TopologySpread, spread_faults
from hodei_k8s_core.validation import (
    Problem,
    bool_problem,
    fault_of,
    instance,
    optional,
    sequence_faults,
    text_that,
)

NONE: Final = "none"
"""How an optional number is unset in text."""
HTTP_KINDS: Final = ("h11", "httpx")
OTP_DELIVERIES: Final = ("env", "secret")


def text(check: Problem, written: str = "text") -> Kind:
    """A text that `check` allows."""
    return Kind(written=written, faults=_from(check))


def optional_text(check: Problem) -> Kind:
    """A text, or None when it is unset."""
    return Kind(written="text", faults=_from(optional(check)))


def choice(words: tuple[str, ...]) -> Kind:
    """One of a few words."""
    written = ", ".join(words)
    return text(text_that(lambda text: None if text in words else f"must be one of {written}"), written)


def seconds(check: Problem) -> Kind:
    """A duration in seconds."""
    return Kind(written="seconds", parse=parse_number, format=format_number, faults=_from(check))


def ratio(check: Problem) -> Kind:
    """A number without a unit."""
    return Kind(written="number", parse=parse_number, format=format_number, faults=_from(check))


def whole(check: Problem) -> Kind:
    """A whole number."""
    return Kind(written="whole number", parse=parse_whole, faults=_from(check))


def optional_whole(check: Problem) -> Kind:
    """A whole number, or the word `none`."""
    return Kind(
        written="whole number or none",
        parse=lambda text: None if text.lower() == NONE else parse_whole(text),
        format=lambda value: NONE if value is None else str(value),
        faults=_from(optional(check)),
    )


def size(check: Problem) -> Kind:
    """A size in bytes, as a number or a quantity."""
    return Kind(written="bytes or quantity", parse=lambda text: parse_quantity(text).bytes, faults=_from(check))


def _from(check: Problem) -> Callable[[str, object], list[Fault]]:
    return lambda field, value: fault_of(field, check(value))


def _quantity_problem(text: str) -> str | None:
    try:
        amount = parse_quantity(text)
    except ValueError as error:
        return str(error)
    return None if amount.nanos > 0 else f"must be more than 0, not {text}"


def _memory_problem(text: str) -> str | None:
    problem = _quantity_problem(text)
    if problem is None and not parse_quantity(text).is_whole:
        return f"{text!r} is no whole number of bytes (m means thousandths; mebibytes are Mi)"
    return problem


def _json(
    written: str,
    *,
    faults: Callable[[str, object], list[Fault]],
    read: Callable[[Any], object] = as_it_is,
    write: Callable[[Any], object] = as_it_is,
) -> Kind:
    """What is written in JSON, and empty text where there is nothing."""
    return Kind(
        written=written,
        parse=lambda text: read(parse_json(text)),
        format=lambda value: to_json(write(value)) if value not in (None, ()) else "",
        read=read,
        write=write,
        faults=faults,
    )


def _sequence_of(check: Problem) -> Callable[[str, object], list[Fault]]:
    return lambda field, value: sequence_faults(field, value, check)


CPU: Final = text(text_that(_quantity_problem), "quantity")
MEMORY: Final = text(text_that(_memory_problem), "quantity")
BOOL: Final = Kind(
    written="true, false, 1 or 0", parse=parse_bool, format=lambda value: str(value).lower(), faults=_from(bool_problem)
)
PROFILE: Final = Kind(
    written=", ".join(p.value for p in SecurityProfile),
    parse=parse_profile,
    format=lambda value: value.value,
    write=lambda value: value.value,
    faults=_from(instance(SecurityProfile)),
)
HTTP: Final = choice(HTTP_KINDS)
OTP_DELIVERY: Final = choice(OTP_DELIVERIES)
NAMES: Final = Kind(
    written="name,name2",
    parse=parse_list,
    format=",".join,
    write=list,
    faults=_sequence_of(text_that(dns_subdomain_problem)),
)
_MAP_WRITTEN: Final = "key=value,key2=value2 or a JSON object"
LABELS: Final = Kind(written=_MAP_WRITTEN, parse=parse_map, format=format_map, faults=label_faults)
ANNOTATIONS: Final = Kind(written=_MAP_WRITTEN, parse=parse_map, format=format_map, faults=annotation_faults)
NODE_SELECTOR: Final = Kind(written=_MAP_WRITTEN, parse=parse_map, format=format_map, faults=selector_faults)
TOLERATIONS: Final = Kind(
    written="key=value:Effect,key2:Effect or a JSON list, as in a Pod",
    parse=parse_tolerations,
    format=lambda value: to_json(to_manifests(value)) if value else "",
    read=lambda value: read_items(value, Toleration),
    write=to_manifests,
    faults=_sequence_of(instance(Toleration)),
)
NODE_POOLS: Final = _json(
    "JSON list of {name, cpu, memory, disk, devices, labels, taints, architecture, pods, maxNodes}",
    read=lambda value: read_items(value, NodePool),
    write=lambda value: [pool.to_dict() for pool in value],
    faults=_sequence_of(instance(NodePool)),
)
AFFINITY: Final = _json("JSON, as in a Pod", faults=affinity_faults)
PROBE: Final = _json(
    "JSON, as in a Pod",
    read=ReadinessProbe.from_manifest,
    write=lambda value: value.to_manifest(),
    faults=_from(optional(instance(ReadinessProbe))),
)
TOPOLOGY_SPREAD: Final = _json(
    "JSON list, as in a Pod",
    read=lambda value: read_items(value, TopologySpread),
    write=to_manifests,
    faults=spread_faults,
)
DNS_POLICY: Final = Kind(written=", ".join(DNS_POLICIES), faults=_from(optional(text_that(dns_policy_problem))))
DNS_CONFIG: Final = _json(
    "JSON, as in a Pod",
    read=lambda value: convert(value, DnsConfig),
    write=lambda value: value.to_manifest(),
    faults=_from(optional(instance(DnsConfig))),
)
HOST_ALIASES: Final = _json(
    "JSON list, as in a Pod",
    read=lambda value: read_items(value, HostAlias),
    write=to_manifests,
    faults=_sequence_of(instance(HostAlias)),
)
POD_TEMPLATE: Final = Kind(
    written="a Pod, as JSON or YAML",
    parse=parse_document,
    format=lambda value: to_json(value) if value is not None else "",
    faults=template_faults,
)
