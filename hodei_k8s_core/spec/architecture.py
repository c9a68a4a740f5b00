"""The processors that workers can run on."""

from __future__ import annotations

import enum


class Architecture(enum.Enum):
    """A node's processor, by the label `kubernetes.io/arch`."""

    AMD64 = "amd64"
    ARM64 = "arm64"
    ARM = "arm"
