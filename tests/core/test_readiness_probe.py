"""Readiness probes: exactly one way to ask, and the manifest that the kubelet reads."""

from __future__ import annotations

import pytest

from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.spec.readiness_probe import HttpProbe, ReadinessProbe

DEFAULTS = {
    "initialDelaySeconds": 0,
    "periodSeconds": 10,
    "timeoutSeconds": 1,
    "failureThreshold": 3,
    "successThreshold": 1,
}
MANIFESTS = [
    (ReadinessProbe(exec=["cat", "/ready"]), {"exec": {"command": ["cat", "/ready"]}} | DEFAULTS),
    (
        ReadinessProbe(http=HttpProbe(port=8080)),
        {"httpGet": {"path": "/", "port": 8080, "scheme": "HTTP"}} | DEFAULTS,
    ),
    (
        ReadinessProbe(
            http=HttpProbe(path="/ready?full=1", port=1, scheme="HTTPS"), period_seconds=2, timeout_seconds=3
        ),
        {"httpGet": {"path": "/ready?full=1", "port": 1, "scheme": "HTTPS"}}
        | DEFAULTS
        | {"periodSeconds": 2, "timeoutSeconds": 3},
    ),
    (
        ReadinessProbe(tcp=65535, initial_delay_seconds=1, failure_threshold=4, success_threshold=5),
        {"tcpSocket": {"port": 65535}}
        | DEFAULTS
        | {"initialDelaySeconds": 1, "failureThreshold": 4, "successThreshold": 5},
    ),
]


@pytest.mark.parametrize(("probe", "manifest"), MANIFESTS)
def test_a_probe_becomes_a_containers_and_back(probe, manifest):
    assert probe.to_manifest() == manifest
    assert ReadinessProbe.from_manifest(manifest) == probe


@pytest.mark.parametrize(
    ("make", "fields", "faulty"),
    [
        (ReadinessProbe, {}, ["exec, http, tcp"]),
        (ReadinessProbe, {"tcp": 1, "exec": ["a"]}, ["exec, http, tcp"]),
        (ReadinessProbe, {"exec": []}, ["exec"]),
        (ReadinessProbe, {"exec": "cat /ready"}, ["exec"]),
        (ReadinessProbe, {"exec": ["a", 3, "b\0"]}, ["exec[1]", "exec[2]"]),
        (ReadinessProbe, {"tcp": 0}, ["tcp"]),
        (ReadinessProbe, {"tcp": 65536}, ["tcp"]),
        (ReadinessProbe, {"tcp": "http"}, ["tcp"]),
        (ReadinessProbe, {"http": {"port": 80}}, ["http"]),
        (
            ReadinessProbe,
            {
                "tcp": 80,
                "initial_delay_seconds": -1,
                "period_seconds": 0,
                "timeout_seconds": 0.5,
                "failure_threshold": "3",
                "success_threshold": 2**31,
            },
            ["failure_threshold", "initial_delay_seconds", "period_seconds", "success_threshold", "timeout_seconds"],
        ),
        (HttpProbe, {"port": 0, "path": "ready", "scheme": "http"}, ["path", "port", "scheme"]),
        (HttpProbe, {"port": None, "path": None, "scheme": None}, ["path", "port", "scheme"]),
        (HttpProbe, {"port": 80, "path": ""}, ["path"]),
    ],
)
def test_every_fault_is_told(make, fields, faulty):
    with pytest.raises(ConfigurationError) as caught:
        make(**fields)
    assert sorted(fault.field for fault in caught.value.faults) == faulty


def test_more_than_one_way_names_them():
    with pytest.raises(ConfigurationError, match="exactly one must be given, not exec and tcp"):
        ReadinessProbe(exec=["a"], tcp=1)


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        ({"grpc": {"port": 1}}, "grpc"),
        ({"tcpSocket": {"port": "http"}}, "tcpSocket.port"),
        ({"httpGet": {"port": 1, "host": "x"}}, "host"),
        ([], "object"),
        ("x", "object"),
        ({"httpGet": {"port": 0}}, "port"),
        ({}, "exactly one"),
    ],
)
def test_a_manifest_that_is_not_understood_is_refused(manifest, problem: str):
    with pytest.raises(ConfigurationError, match=problem):
        ReadinessProbe.from_manifest(manifest)


def test_the_command_is_copied():
    command = ["a"]
    probe = ReadinessProbe(exec=command)
    command.append("b")
    assert probe.exec == ("a",)
