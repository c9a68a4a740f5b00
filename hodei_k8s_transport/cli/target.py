"""The options before the command: which cluster, and whose workers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hodei_k8s_core.config import KubernetesConfig

Namespace = Annotated[str | None, typer.Option("--namespace", "-n", help="Where the workers are.")]
Context = Annotated[str | None, typer.Option("--context", help="The context of the kubeconfig.")]
Kubeconfig = Annotated[Path | None, typer.Option("--kubeconfig", help="The kubeconfig file.")]
ProviderId = Annotated[str | None, typer.Option("--provider-id", help="Whose workers they are.")]
Record = Annotated[
    Path | None, typer.Option("--record", metavar="FILE", help="Write every exchange, without secrets, to a file.")
]


class Target:
    """Which cluster and whose workers: the options before the command, over the environment."""

    def __init__(
        self,
        namespace: str | None,
        context: str | None,
        kubeconfig: Path | None,
        provider_id: str | None,
        record: Path | None,
    ) -> None:
        self._given: dict[str, Any] = {
            "namespace": namespace,
            "context": context,
            "kubeconfig_path": None if kubeconfig is None else str(kubeconfig),
            "provider_id": provider_id,
        }
        self.record = record

    @property
    def given(self) -> dict[str, Any]:
        """The settings that options gave."""
        return {name: value for name, value in self._given.items() if value is not None}

    def config(self, environ: Mapping[str, str]) -> KubernetesConfig:
        """The settings of the environment, with what was given on the command line in their place."""
        from msgspec.structs import replace

        from hodei_k8s_transport.environment_files import config_from_env

        return replace(config_from_env(environ), **self.given)


def target_of(context: typer.Context) -> Target:
    """What the options before the command said."""
    target = context.find_object(Target)
    if target is None:
        raise RuntimeError("the command was not reached through the app")
    return target
