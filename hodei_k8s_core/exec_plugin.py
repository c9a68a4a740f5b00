"""Exec credential plugins: what to run, with what environment, and whether the answer is good.

Source: k8s.io/client-go, plugin/pkg/client/auth/exec/exec.go; pkg/apis/clientauthentication/v1/types.go.
"""

from __future__ import annotations

from typing import Final

CLUSTER_EXTENSION: Final = "client.authentication.k8s.io/exec"
API_VERSIONS: Final = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
INTERACTIVE_MODES: Final = ("Never", "IfAvailable", "Always")
DEFAULT_INTERACTIVE: Final = {"client.authentication.k8s.io/v1beta1": "IfAvailable"}
"""Version v1 has no default: the field is required."""
