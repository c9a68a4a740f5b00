"""Identities of the real cluster for a test: service accounts with what they may do, tokens, and the kubeconfigs."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.permissions import Feature, configured_features, rbac_manifests
from hodei_k8s_transport.cli.rbac_yaml import rbac_yaml
from tests.cluster.kubeconfig_changes import Real, write_config
from tests.cluster.lab import Kubectl


class Accounts:
    """What a test does with the identities of a cluster. `directory` holds its kubeconfigs and scripts."""

    def __init__(self, directory: Path, kubectl: Kubectl, config: KubernetesConfig) -> None:
        self.real = Real(directory)
        self.directory = directory
        self.kubectl = kubectl
        self.config = config

    def permitted(self, name: str, features: set[Feature] | None = None) -> str:
        """A service account that may do what these features need: what `hodei-k8s rbac` prints, applied as it is."""
        wanted = set(configured_features(self.config)) if features is None else features
        text = rbac_yaml(rbac_manifests(self.config, wanted, account=name), wanted)
        assert list(yaml.safe_load_all(text)) == rbac_manifests(self.config, wanted, account=name)
        self.kubectl("apply", "--filename", "-", stdin=text)
        return name

    def token(self, account: str, *, bound_to_secret: str = "") -> str:
        bound = ("--bound-object-kind", "Secret", "--bound-object-name", bound_to_secret) if bound_to_secret else ()
        return self.kubectl("create", "token", account, *bound).strip()

    def secret(self) -> str:
        name = f"bound-{secrets.token_hex(4)}"
        self.kubectl("create", "secret", "generic", name)
        return name

    def environ(self, user: dict[str, Any], change: Callable[[dict[str, Any]], None] | None = None) -> dict[str, str]:
        """The environment for a kubeconfig with that user, and the real cluster (as `change` leaves it)."""
        cluster = dict(self.real.cluster)
        if change is not None:
            change(cluster)
        path = self.directory / f"config-{secrets.token_hex(4)}"
        write_config(path, cluster, user)
        return {"KUBECONFIG": str(path), "PATH": os.environ["PATH"], "HOME": str(self.directory)}

    def user_of(self, account: str) -> str:
        return f"system:serviceaccount:{self.config.namespace}:{account}"

    def plugin(self, token: str, *, seconds: int) -> tuple[dict[str, Any], Path]:
        """A plugin whose token is to be used for so many seconds, and the file with a line for each run."""
        runs = self.directory / f"runs-{secrets.token_hex(4)}"
        runs.touch()
        status = f'{{"token": "{token}", "expirationTimestamp": "\'$(date -u -d "+{seconds} seconds" +%FT%TZ)\'"}}'
        answer = f'{{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": {status}}}'
        path = self.directory / f"plugin-{secrets.token_hex(4)}"
        path.write_text(f"#!/bin/sh\necho run >>{runs}\necho '{answer}'\n")
        path.chmod(0o700)
        version = "client.authentication.k8s.io/v1"
        return {"exec": {"command": str(path), "apiVersion": version, "interactiveMode": "Never"}}, runs


async def who(provider: Any) -> str:
    """For whom the server takes the provider."""
    report = await provider.audit(features=())
    step = next(step for step in report.steps if step.name == "authentication")
    assert step.status.value == "ok", step
    return str(step.detail.removeprefix("the server takes us for ").partition(" (")[0])


def service_account_mount(directory: Path, token: str, ca: str, namespace: str) -> str:
    """What the kubelet mounts into a Pod, laid out below a root of the test's own."""
    mount = directory / "var" / "run" / "secrets" / "kubernetes.io" / "serviceaccount"
    mount.mkdir(parents=True)
    for name, text in (("token", token), ("ca.crt", ca), ("namespace", namespace)):
        (mount / name).write_text(text)
    return str(mount)
