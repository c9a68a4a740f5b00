"""The Pod Security Standard that workers are made to pass."""

from __future__ import annotations

import enum


class SecurityProfile(enum.Enum):
    """How strictly a worker is confined (kubernetes.io/docs/concepts/security/pod-security-standards)."""

    RESTRICTED = "restricted"
    BASELINE = "baseline"
    PRIVILEGED = "privileged"
