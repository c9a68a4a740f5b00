"""The API server of the day gives the answers to which tests/core holds the simulated one (see tests/conformance)."""

from __future__ import annotations

import os
from pathlib import Path

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_transport.connect import open_channel
from tests.conformance import recorded
from tests.conformance.real import answers


def test_the_recorded_answers(kubeconfig: Path, namespace: str) -> None:
    channel, _ = open_channel(KubernetesConfig(kubeconfig_path=str(kubeconfig)), os.environ)
    try:
        told = answers(channel, namespace)
    finally:
        channel.close()
    differing = [
        f"{name} #{number}: {ours} and not {theirs}"
        for name, expected in recorded().items()
        for number, (ours, theirs) in enumerate(zip(told[name], expected, strict=True))
        if ours != theirs
    ]
    assert not differing, "\n".join(differing)
