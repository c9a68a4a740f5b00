"""Observers are told when credentials are refreshed, and until when they are good; never what they are."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from hodei_k8s_core.access.credentials import READ_INTERVAL
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import TransportError
from hodei_k8s_core.observations import CredentialRefreshed
from hodei_k8s_core.simulation import Cluster
from hodei_k8s_transport.access.keeper import CredentialKeeper
from hodei_k8s_transport.provider import KubernetesProvider
from tests.core.test_token_expiry import token
from tests.transport.access_cases import Clock, Plugin, access_to
from tests.transport.simulated_server import SimulatedServer

OLD, NEW = token(b'{"exp":1900000000}'), token(b'{"exp":1900003600}')


def test_a_token_that_rotates_is_told_with_its_end(tmp_path: Path) -> None:
    path, clock = tmp_path / "token", Clock()
    path.write_text(OLD)
    told: list[CredentialRefreshed] = []
    keeper = CredentialKeeper(access_to(tmp_path, {"tokenFile": "token"}), {}, clock, told.append)
    for content in (OLD, OLD, NEW):
        path.write_text(content)
        clock.now += 2 * READ_INTERVAL
        keeper.read_files()
    assert told == [CredentialRefreshed("files", True, 1.9e9), CredentialRefreshed("files", True, 1.9e9 + 3600)]
    assert OLD not in repr(told)


def test_a_file_without_a_token_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("")
    told: list[CredentialRefreshed] = []
    keeper = CredentialKeeper(access_to(tmp_path, {"tokenFile": "token"}), {}, Clock(), told.append)
    with pytest.raises(TransportError):
        keeper.read_files()
    assert told == [CredentialRefreshed("files", False)]


def test_a_plugin_that_answers_and_one_that_does_not(tmp_path: Path) -> None:
    plugin = Plugin(tmp_path, status='\\"expirationTimestamp\\": \\"2030-03-17T17:46:40Z\\",', then="exit 3")
    told: list[CredentialRefreshed] = []
    keeper = CredentialKeeper(access_to(tmp_path, plugin.user), {}, Clock(), told.append)
    keeper.read_files()
    from hodei_k8s_transport.access.exec_runner import run_plugin

    assert keeper.plugin is not None
    for expected in (True, False):
        outcome = run_plugin(keeper.plan_run(keeper.plugin), 20.0)
        if expected:
            keeper.accept(keeper.plugin, outcome)
        else:
            with pytest.raises(TransportError):
                keeper.accept(keeper.plugin, outcome)
    assert told[-2:] == [CredentialRefreshed("plugin", True, 1.9e9), CredentialRefreshed("plugin", False, 1.9e9)]


def test_an_observer_that_fails_spoils_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_told: Any) -> None:
        raise RuntimeError("no")

    keeper = CredentialKeeper(access_to(tmp_path, {"token": OLD}), {}, Clock(), fail)
    with caplog.at_level(logging.WARNING):
        keeper.read_files()
    assert keeper.credential.headers == (("authorization", f"Bearer {OLD}"),)
    assert "the observer failed" in caplog.text
    assert OLD not in caplog.text


def test_the_observer_of_a_provider_is_told(tmp_path: Path) -> None:
    told: list[Any] = []
    with SimulatedServer(Cluster()) as server:
        config = KubernetesConfig(kubeconfig_path=str(server.write_kubeconfig(tmp_path / "config")))
        with KubernetesProvider.connect(config, environ={}, observer=told.append) as provider:
            provider.list_workers()
    assert CredentialRefreshed("files", True) in told
