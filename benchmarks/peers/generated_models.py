"""The Pod in the models that OpenAPI Generator writes: the same names in `kubernetes` and in `kubernetes_asyncio`."""

from __future__ import annotations

from typing import Any

from benchmarks.worker import (
    COMMAND,
    NAMESPACE,
    POOL,
    PULL_SECRET,
    SERVICE_ACCOUNT,
    Worker,
    annotations_of,
    environment_of,
    labels_of,
    quantities_of,
)


def pod(models: Any, worker: Worker) -> Any:
    """A `V1Pod` of the module `models`."""
    return models.V1Pod(
        api_version="v1",
        kind="Pod",
        metadata=models.V1ObjectMeta(
            name=f"hodei-worker-{worker.id}",
            namespace=NAMESPACE,
            labels=labels_of(worker),
            annotations=annotations_of(worker),
        ),
        spec=models.V1PodSpec(
            restart_policy="Never",
            active_deadline_seconds=3600,
            termination_grace_period_seconds=30,
            automount_service_account_token=False,
            enable_service_links=False,
            service_account_name=SERVICE_ACCOUNT,
            security_context=models.V1PodSecurityContext(
                run_as_non_root=True,
                run_as_user=1000,
                fs_group=1000,
                seccomp_profile=models.V1SeccompProfile(type="RuntimeDefault"),
            ),
            image_pull_secrets=[models.V1LocalObjectReference(name=PULL_SECRET)],
            node_selector={"pool": POOL},
            tolerations=[models.V1Toleration(key="pool", operator="Equal", value=POOL, effect="NoSchedule")],
            containers=[_container(models, worker)],
        ),
    )


def _container(models: Any, worker: Worker) -> Any:
    resources = quantities_of(worker)
    return models.V1Container(
        name="worker",
        image=worker.image,
        command=list(COMMAND),
        env=[models.V1EnvVar(name=name, value=value) for name, value in environment_of(worker).items()],
        resources=models.V1ResourceRequirements(requests=resources, limits=resources),
        security_context=models.V1SecurityContext(
            allow_privilege_escalation=False, capabilities=models.V1Capabilities(drop=["ALL"])
        ),
    )
