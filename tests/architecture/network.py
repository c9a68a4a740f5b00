"""Which connections NetworkPolicies allow, by their documentation, for policies that select by `matchLabels`.

A Pod that no policy of a direction selects is free in it; policies add up; both ends have to allow a connection.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec


class Peer(msgspec.Struct, frozen=True):
    """One end: a Pod in a namespace, with the labels of both; or an address outside, where `ip` is set."""

    namespace: str = ""
    labels: Mapping[str, str] = {}
    pod: Mapping[str, str] = {}
    ip: str = ""

    @property
    def namespace_labels(self) -> dict[str, str]:
        """With the one that the API server sets."""
        return {**self.labels, "kubernetes.io/metadata.name": self.namespace}


def reaches(policies: Sequence[dict[str, Any]], source: Peer, target: Peer, port: int, protocol: str) -> bool:
    """The connection is allowed by both ends."""
    ways = (("Egress", "egress", "to", source, target), ("Ingress", "ingress", "from", target, source))
    return all(
        _allowed(policies, (direction, rules, peers), end, other, port, protocol)
        for direction, rules, peers, end, other in ways
    )


def selected(policy: dict[str, Any], pod: Peer) -> bool:
    """The policy is for that Pod."""
    if pod.ip or policy["metadata"]["namespace"] != pod.namespace:
        return False
    return _matches(policy["spec"]["podSelector"], pod.pod)


def _allowed(
    policies: Sequence[dict[str, Any]], way: tuple[str, str, str], end: Peer, other: Peer, port: int, protocol: str
) -> bool:
    direction, rules, peers = way
    ours = [
        policy["spec"] for policy in policies if selected(policy, end) and direction in policy["spec"]["policyTypes"]
    ]
    if not ours:
        return True
    wanted = {"protocol": protocol, "port": port}
    return any(
        wanted in rule["ports"] and any(_is_peer(peer, other) for peer in rule[peers])
        for spec in ours
        for rule in spec.get(rules, [])
    )


def _is_peer(peer: dict[str, Any], other: Peer) -> bool:
    if "ipBlock" in peer:
        return bool(other.ip) and _in_block(peer["ipBlock"], other.ip)
    assert "namespaceSelector" in peer, "a podSelector alone means the policy's own namespace, which is not needed here"
    if other.ip or not _matches(peer["namespaceSelector"], other.namespace_labels):
        return False
    return _matches(peer.get("podSelector", {}), other.pod)


def _in_block(block: dict[str, Any], ip: str) -> bool:
    address = ipaddress.ip_address(ip)
    inside = address in ipaddress.ip_network(block["cidr"])
    return inside and not any(address in ipaddress.ip_network(one) for one in block.get("except", []))


def _matches(selector: dict[str, Any], labels: Mapping[str, str]) -> bool:
    assert selector.keys() <= {"matchLabels"}, "nothing else is understood here"
    wanted: dict[str, str] = selector.get("matchLabels", {})
    return wanted.items() <= labels.items()
