"""Kubeconfigs for tests: one that works, and changes to it."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

from hodei_k8s_core.access.cluster_access import ClusterAccess
from hodei_k8s_core.access.kubeconfig import load_kubeconfig
from hodei_k8s_core.access.kubeconfig_document import KubeconfigDocument

PATH = "/home/dev/.kube/config"
CA_DATA = "Q0E="
CERTIFICATE_DATA = "Q0VSVA=="
KEY_DATA = "S0VZ"
EXEC_V1 = "client.authentication.k8s.io/v1"
EXEC_V1BETA1 = "client.authentication.k8s.io/v1beta1"

Config = dict[str, Any]


def exec_stanza(**more: Any) -> Config:
    return {"exec": {"command": "plugin", "apiVersion": EXEC_V1, "interactiveMode": "Never", **more}}


def config(cluster: Config | None = None, user: Config | None = None, context: Config | None = None) -> Config:
    """The contexts, clusters and users `dev`; the arguments are added to the stanzas, and None removes a field."""

    def with_changes(stanza: Config, changes: Config | None) -> Config:
        return {name: value for name, value in {**stanza, **(changes or {})}.items() if value is not None}

    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "dev",
        "clusters": [{"name": "dev", "cluster": with_changes({"server": "https://k8s.example:6443"}, cluster)}],
        "users": [{"name": "dev", "user": with_changes({}, user)}],
        "contexts": [{"name": "dev", "context": with_changes({"cluster": "dev", "user": "dev"}, context)}],
    }


def document(content: Config | str | bytes, path: str = PATH) -> KubeconfigDocument:
    """JSON is YAML."""
    if isinstance(content, dict):
        content = json.dumps(copy.deepcopy(content))
    return KubeconfigDocument(path, content.encode() if isinstance(content, str) else content)


def load(
    *contents: Config | str | bytes, context: str | None = None, environ: Mapping[str, str] | None = None
) -> ClusterAccess:
    """Files `/0/config`, `/1/config` … when there are several."""
    paths = [PATH] if len(contents) == 1 else [f"/{index}/config" for index in range(len(contents))]
    documents = [document(content, path) for content, path in zip(contents, paths, strict=True)]
    return load_kubeconfig(documents, environ or {}, context=context)
