"""A service from the environment: which clusters it names, what is logged of them, and that every fault is told."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.simulation import Cluster
from hodei_k8s_core.spec import WorkerSpec
from hodei_k8s_transport.service.async_provisioning_service import AsyncProvisioningService
from hodei_k8s_transport.service.configured import configured_clusters, enabled_clusters
from hodei_k8s_transport.service.metrics import Metrics
from hodei_k8s_transport.service.provisioning_service import ProvisioningService
from hodei_k8s_transport.testing.never_suspending import NeverSuspending
from tests.transport.sides import AsyncSide, SyncSide
from tests.transport.simulated_server import SimulatedServer
from tests.transport.test_provisioning_service import cluster_with_a_node

TOML = """
[[clusters]]
provider_id = "one"
kubeconfig_path = "{one}"
labels = {{ team = "a" }}
[clusters.retry]
max_attempts = 1

[[clusters]]
provider_id = "two"
kubeconfig_path = "{two}"
"""
YAML = """
clusters:
- provider_id: one
  kubeconfig_path: {one}
  labels: {{team: a}}
  retry: {{max_attempts: 1}}
- provider_id: two
  kubeconfig_path: {two}
"""


@pytest.fixture
def kubeconfigs(tmp_path: Path) -> Iterator[dict[str, str]]:
    with contextlib.ExitStack() as stack:
        servers = {name: stack.enter_context(SimulatedServer(cluster_with_a_node())) for name in ("one", "two")}
        yield {name: str(server.write_kubeconfig(tmp_path / name)) for name, server in servers.items()}


def environment(tmp_path: Path, text: str, name: str = "clusters.toml") -> dict[str, str]:
    (tmp_path / name).write_text(text)
    return {"HODEI_K8S_ENABLED": "1", "HODEI_K8S_CLUSTERS": str(tmp_path / name)}


@contextlib.asynccontextmanager
async def service_on(side: SyncSide | AsyncSide, environ: dict[str, str], **options: Any) -> AsyncIterator[Any]:
    if isinstance(side, SyncSide):
        with ProvisioningService.from_env(environ, **options) as service:
            yield service
    else:
        async with AsyncProvisioningService.from_env(environ, **options) as other:
            yield other


def test_without_the_switch_there_is_no_provider(side: SyncSide | AsyncSide, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with service_on(side, {"HODEI_K8S_NAMESPACE": "ci"}) as service:
            assert service.providers == {}

    with caplog.at_level(logging.INFO):
        side.run(main)
    assert "no provider is on" in caplog.text


def test_one_cluster_by_variables(
    side: SyncSide | AsyncSide, kubeconfigs: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    environ = {"HODEI_K8S_ENABLED": "1", "HODEI_K8S_KUBECONFIG": kubeconfigs["one"], "HODEI_K8S_PROVIDER_ID": "ci"}
    registry = CollectorRegistry()

    async def main() -> None:
        async with service_on(side, environ, metrics=Metrics(registry)) as service:
            assert list(service.providers) == ["ci"]
            created = NeverSuspending(service) if isinstance(side, SyncSide) else service
            await created.provision(WorkerSpec(worker_id="w1", image="job:1"))

    with caplog.at_level(logging.INFO):
        side.run(main)
    assert "provider ci is on: kubernetes, namespace hodei-workers, http://127.0.0.1:" in caplog.text
    assert "; healthy" in caplog.text
    labels = {"provider_id": "ci"}
    assert registry.get_sample_value("hodei_k8s_pods_created_total", labels) == 1
    assert registry.get_sample_value("hodei_k8s_circuit_state", {**labels, "state": "closed"}) == 1


@pytest.mark.parametrize(("name", "text"), [("c.toml", TOML), ("c.yaml", YAML)])
def test_several_from_a_file(
    side: SyncSide | AsyncSide, tmp_path: Path, kubeconfigs: dict[str, str], name: str, text: str
) -> None:
    environ = environment(tmp_path, text.format_map(kubeconfigs), name) | {"HODEI_K8S_NAMESPACE": "ci"}
    one, two = enabled_clusters(environ)
    assert (one.retry.max_attempts, dict(one.labels), two.retry.max_attempts) == (1, {"team": "a"}, 6)
    assert (one.namespace, two.namespace) == ("ci", "ci")

    async def main() -> None:
        async with service_on(side, environ) as service:
            assert list(service.providers) == ["one", "two"]

    side.run(main)


def test_one_that_cannot_be_reached_keeps_none_from_starting(
    side: SyncSide | AsyncSide, tmp_path: Path, kubeconfigs: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with SimulatedServer(Cluster()) as gone:
        gone.write_kubeconfig(Path(kubeconfigs["two"]))
    environ = environment(tmp_path, TOML.format_map(kubeconfigs)) | {"HODEI_K8S_RETRY_MAX_ATTEMPTS": "1"}

    async def main() -> None:
        async with service_on(side, environ) as service:
            assert list(service.providers) == ["one", "two"]

    with caplog.at_level(logging.INFO):
        side.run(main)
    records = {record.getMessage().split()[1]: record for record in caplog.records if "is on" in record.getMessage()}
    assert records["one"].levelno == logging.INFO
    assert records["two"].levelno == logging.WARNING
    assert "unhealthy" in records["two"].getMessage()


def refused(environ: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigurationError) as error, ProvisioningService.from_env(environ):
        pass
    return [str(fault) for fault in error.value.faults]


def test_every_fault_of_every_cluster_is_told(tmp_path: Path) -> None:
    text = '[[clusters]]\nnamespace = "No Name"\n[[clusters]]\ngrace_period = -1\n'
    told = refused(environment(tmp_path, text))
    assert [fault.partition(":")[0] for fault in told] == ["clusters[0].namespace", "clusters[1].grace_period"]


def test_every_kubeconfig_that_makes_no_sense_is_told(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("{}")
    text = TOML.format(one=tmp_path / "one", two=tmp_path / "absent")
    told = refused(environment(tmp_path, text))
    assert any(fault.startswith("one.") for fault in told)
    assert any(fault.startswith("two.") for fault in told)


def test_two_of_one_id_are_refused(tmp_path: Path, kubeconfigs: dict[str, str]) -> None:
    text = TOML.format_map(kubeconfigs).replace('"two"', '"one"', 1)
    assert "'one' is the id of two providers" in refused(environment(tmp_path, text))[0]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("c.toml", b"clusters = [", "is not what its name says"),
        ("c.yaml", b"a: [", "no YAML (line "),
        ("c.yaml", b"\xff\xfe\x00", "no file of UTF-8"),
        ("c.yaml", b"", "must be a list of tables"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    (tmp_path / name).write_bytes(content)
    (fault,) = refused({"HODEI_K8S_ENABLED": "1", "HODEI_K8S_CLUSTERS": str(tmp_path / name)})
    assert problem in fault


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (fault,) = refused({"HODEI_K8S_ENABLED": "1", "HODEI_K8S_CLUSTERS": str(tmp_path / "x.yaml")})
    assert "cannot be read" in fault
    assert "HODEI_K8S_ENABLED: is 'on'; it is 1 or 0" in refused({"HODEI_K8S_ENABLED": "on"})


def test_what_is_configured_without_the_switch() -> None:
    (config,) = configured_clusters({"HODEI_K8S_NAMESPACE": "ci"})
    assert config.namespace == "ci"
