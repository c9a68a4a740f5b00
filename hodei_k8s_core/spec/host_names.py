"""How a worker resolves names: the Pod's DNS policy and configuration, and entries of its hosts file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

import msgspec

from hodei_k8s_core.errors import Fault
from hodei_k8s_core.names import MAX_DNS_SUBDOMAIN, dns_subdomain_problem
from hodei_k8s_core.validation import (
    Problem,
    fault_of,
    filled_text_problem,
    instance,
    optional,
    raise_faults,
    sequence_faults,
    text_problem,
    text_that,
)

DNS_POLICIES: Final = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
NO_POLICY: Final = "None"
"""Everything comes from the configuration."""
# The limits of libc's resolver (core/validation, MaxDNSNameservers and others).
_MAX_NAMESERVERS: Final = 3
_MAX_SEARCHES: Final = 32
_MAX_SEARCH_TEXT: Final = 2048
_SEARCH_LABEL: Final = re.compile(r"_?[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?")


class DnsOption(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An option of the resolver, such as `ndots` with the value `2`."""

    name: str
    value: str | None = None


class DnsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Pod's `dnsConfig`, by the API server's own rules (validatePodDNSConfig).

    Raises: ConfigurationError with every fault.
    """

    nameservers: Sequence[str] = ()
    searches: Sequence[str] = ()
    options: Sequence[DnsOption] = ()

    def __post_init__(self) -> None:
        raise_faults("the DNS configuration is not valid", _dns_faults(self))
        for name in self.__struct_fields__:
            msgspec.structs.force_setattr(self, name, tuple(getattr(self, name)))

    def to_manifest(self) -> dict[str, Any]:
        """As a Pod's `spec.dnsConfig` has it."""
        options = [
            {"name": option.name} if option.value is None else {"name": option.name, "value": option.value}
            for option in self.options
        ]
        fields = {"nameservers": list(self.nameservers), "searches": list(self.searches), "options": options}
        return {name: value for name, value in fields.items() if value}


class HostAlias(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of the worker's hosts file.

    Raises: ConfigurationError with every fault.
    """

    ip: str
    hostnames: Sequence[str] = ()

    def __post_init__(self) -> None:
        found = fault_of("ip", text_that(_ip_problem)(self.ip))
        found += sequence_faults("hostnames", self.hostnames, text_that(dns_subdomain_problem))
        raise_faults("the host alias is not valid", found)
        msgspec.structs.force_setattr(self, "hostnames", tuple(self.hostnames))

    def to_manifest(self) -> dict[str, Any]:
        """As a Pod's `spec.hostAliases` has it."""
        return {"ip": self.ip} | ({"hostnames": list(self.hostnames)} if self.hostnames else {})


def dns_policy_problem(text: str) -> str | None:
    """A policy by its name, or what is wrong with it."""
    return None if text in DNS_POLICIES else f"must be one of {', '.join(DNS_POLICIES)}, not {text!r}"


def dns_faults(policy: str | None, config: DnsConfig | None) -> list[Fault]:
    """What is wrong with the two together: without a policy somebody must name a server."""
    if policy != NO_POLICY or (config is not None and config.nameservers):
        return []
    return [Fault("dns_policy", "None needs a name server in dns_config")]


def _ip_problem(text: str) -> str | None:
    """As Kubernetes has it since 1.36: no zone, no IPv4 address in IPv6's clothes (StrictIPCIDRValidation)."""
    try:
        address = ip_address(text)
    except ValueError:
        address = None
    if address is None or "%" in text or (isinstance(address, IPv6Address) and address.ipv4_mapped is not None):
        return f"must be an IP address, not {text!r}"
    return None


def _search_problem(text: str) -> str | None:
    """ValidateDNS1123SubdomainWithUnderScore; a dot at the end is allowed, and the root itself."""
    labels = text.removesuffix(".").split(".")
    if text == ".":
        return None
    if len(text) > MAX_DNS_SUBDOMAIN or not all(_SEARCH_LABEL.fullmatch(label) for label in labels):
        return f"must be a domain in lower case of at most {MAX_DNS_SUBDOMAIN} characters, not {text!r}"
    return None


def _option_problem(value: object) -> str | None:
    if not isinstance(value, DnsOption):
        return instance(DnsOption)(value)
    return filled_text_problem(value.name) or optional(text_problem)(value.value)


def _dns_faults(config: DnsConfig) -> list[Fault]:
    checks: dict[str, tuple[Problem, int | None]] = {
        "nameservers": (text_that(_ip_problem), _MAX_NAMESERVERS),
        "searches": (text_that(_search_problem), _MAX_SEARCHES),
        "options": (_option_problem, None),
    }
    found = []
    for name, (check, most) in checks.items():
        values = getattr(config, name)
        faults = sequence_faults(name, values, check)
        found += faults
        if not faults and most is not None and len(values) > most:
            found.append(Fault(name, f"must be at most {most}, not {len(values)}"))
    if not found and len(" ".join(config.searches)) > _MAX_SEARCH_TEXT:
        found.append(Fault("searches", f"must be at most {_MAX_SEARCH_TEXT} characters together"))
    return found
