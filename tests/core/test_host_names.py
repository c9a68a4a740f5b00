"""How a worker resolves names: DNS policy and configuration, host aliases."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.manifest import build_worker_pod
from hodei_k8s_core.spec.host_names import DnsConfig, DnsOption, HostAlias
from hodei_k8s_core.spec.worker_spec import WorkerSpec

SERVERS = DnsConfig(nameservers=["10.0.0.10"])


def spec_of(config: KubernetesConfig, **fields: Any) -> dict[str, Any]:
    spec = build_worker_pod(WorkerSpec(worker_id="w1", image="i", **fields), config)["spec"]
    assert isinstance(spec, dict)
    return spec


def test_the_manifest_and_the_spec_before_the_configuration() -> None:
    config = KubernetesConfig(
        dns_policy="None",
        dns_config=DnsConfig(
            nameservers=["10.0.0.10"],
            searches=["a.b"],
            options=[DnsOption(name="ndots", value="2"), DnsOption(name="x")],
        ),
        host_aliases=[HostAlias(ip="10.1.1.1", hostnames=["db"])],
    )
    plain = spec_of(config)
    assert plain["dnsPolicy"] == "None"
    assert plain["dnsConfig"] == {
        "nameservers": ["10.0.0.10"],
        "searches": ["a.b"],
        "options": [{"name": "ndots", "value": "2"}, {"name": "x"}],
    }
    assert plain["hostAliases"] == [{"ip": "10.1.1.1", "hostnames": ["db"]}]
    own = spec_of(
        config, dns_policy="Default", dns_config=DnsConfig(searches=["c"]), host_aliases=[HostAlias(ip="::1")]
    )
    assert (own["dnsPolicy"], own["dnsConfig"]) == ("Default", {"searches": ["c"]})
    assert own["hostAliases"] == [{"ip": "::1"}]
    assert not {"dnsPolicy", "dnsConfig", "hostAliases"} & spec_of(KubernetesConfig()).keys()


def test_no_policy_needs_a_name_server_from_somewhere() -> None:
    assert spec_of(KubernetesConfig(dns_config=SERVERS), dns_policy="None")["dnsPolicy"] == "None"
    assert spec_of(KubernetesConfig(), dns_policy="None", dns_config=SERVERS)["dnsPolicy"] == "None"
    for fields in ({"dns_policy": "None"}, {"dns_policy": "None", "dns_config": DnsConfig(searches=["a"])}):
        with pytest.raises(ConfigurationError, match=r"spec\.dns_policy: None needs a name server"):
            spec_of(KubernetesConfig(), **fields)
    with pytest.raises(ConfigurationError, match=r"dns_policy: None needs a name server"):
        KubernetesConfig(dns_policy="None")


@pytest.mark.parametrize(
    ("fields", "faulty"),
    [
        ({"nameservers": ["10.0.0.256"]}, ["nameservers[0]"]),
        ({"nameservers": ["010.0.0.1"]}, ["nameservers[0]"]),
        ({"nameservers": ["fe80::1%eth0"]}, ["nameservers[0]"]),
        ({"nameservers": ["::ffff:10.0.0.1"]}, ["nameservers[0]"]),
        ({"nameservers": ["10.0.0.1"] * 4}, ["nameservers"]),
        ({"nameservers": "10.0.0.1"}, ["nameservers"]),
        ({"searches": ["A.b"]}, ["searches[0]"]),
        ({"searches": [""]}, ["searches[0]"]),
        ({"searches": ["a"] * 33}, ["searches"]),
        ({"searches": [".".join(["a" * 60] * 4)] * 9}, ["searches"]),
        ({"options": [{"name": "a"}]}, ["options[0]"]),
        ({"options": [DnsOption(name="")]}, ["options[0]"]),
        ({"options": [DnsOption(name="a", value="\0")]}, ["options[0]"]),
    ],
)
def test_what_is_wrong_with_dns(fields: dict[str, Any], faulty: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        DnsConfig(**fields)
    assert [fault.field for fault in caught.value.faults] == faulty


def test_what_is_right_with_dns() -> None:
    DnsConfig(
        nameservers=["10.0.0.1", "fd00::1"], searches=[".", "_tcp.a_b.c.", "a"], options=[DnsOption(name="edns0")]
    )


@pytest.mark.parametrize(
    ("fields", "faulty"),
    [
        ({"ip": ""}, ["ip"]),
        ({"ip": "localhost"}, ["ip"]),
        ({"ip": "1.1.1.1", "hostnames": ["a_b"]}, ["hostnames[0]"]),
        ({"ip": "1.1.1.1", "hostnames": "db"}, ["hostnames"]),
    ],
)
def test_what_is_wrong_with_an_alias(fields: dict[str, Any], faulty: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        HostAlias(**fields)
    assert [fault.field for fault in caught.value.faults] == faulty
