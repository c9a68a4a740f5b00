"""Wait for the next run of a container, by a watch: nothing is asked for as long as nothing happens."""

from __future__ import annotations

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Operation
from hodei_k8s_core.operations.container_run import container_run, never_runs_again
from hodei_k8s_core.operations.sightings import sightings, watch_one
from hodei_k8s_core.pod import Pod


def wait_for_run(config: KubernetesConfig, pod: Pod, name: str, finished: str) -> Operation[Pod | None]:
    """The Pod once the container `name` has another run than `finished`, or none can come; None when it is gone."""
    what = "wait for the container to start"
    version = pod.metadata.resource_version
    watch = watch_one(config, pod.metadata.name, what=what, version=version, patience=config.outage_limit)
    while True:
        for sighting in sightings((yield from watch.next_batch()), pod.metadata.uid):
            if sighting.gone or (sighting.pod is not None and _has_news(sighting.pod, name, finished)):
                yield from watch.let_go()
                return None if sighting.gone else sighting.pod


def _has_news(pod: Pod, name: str, finished: str) -> bool:
    run = container_run(pod, name)
    return never_runs_again(pod) or (run is not None and run.container != finished)
