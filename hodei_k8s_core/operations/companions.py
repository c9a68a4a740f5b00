"""Make what a worker has beside its Pod, lift the gate that waits for it, and take it away again.

Every step can be repeated: by the same call after a lost reply, by a later one that adopts the Pod, by two at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hodei_k8s_core.companions import Companion, listed_companions
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Operation, Random, Sleep
from hodei_k8s_core.errors import ProviderError, ProvisioningFailed
from hodei_k8s_core.operations.calls import call
from hodei_k8s_core.operations.companion_requests import create_companion, delete_companion, lift_gate
from hodei_k8s_core.operations.deadline import step, with_deadline
from hodei_k8s_core.pod import Pod, parse_pod
from hodei_k8s_core.retry import backoff_delay

REMOVAL_LIMIT: Final = 5.0
"""Seconds that the removal of one companion may hold up the end of its worker."""


def make_companion(
    config: KubernetesConfig, pod: Pod, companion: Companion, manifest: Mapping[str, Any]
) -> Operation[None]:
    """Create it, while the Pod waits behind its gate. Raises what `calls.call` raises.

    Where the name is taken it is by this creation's own, but maybe for a Pod that is gone: the garbage collector would
    take that. Nothing uses it yet, so it is made anew.
    """
    what = f"create the {companion.kind} {companion.name} of the Pod {pod.metadata.name}"
    turn = 0
    while True:  # until the deadline: a turn means that its name was taken
        yield from step("create_worker", f"create the {companion.kind}")
        try:
            yield from call(create_companion(config.namespace, companion, manifest), config, what)
        except ProviderError as error:
            if error.status is None or not error.status.is_already_exists:
                raise
        else:
            return
        yield from _delete(config, companion)
        turn += 1
        delay = backoff_delay(turn, first=0.05, factor=2.0, maximum=2.0, jitter=0.5, chance=(yield from Random()))
        yield from Sleep(delay)


def release_pod(config: KubernetesConfig, pod: Pod) -> Operation[Pod]:
    """Lift the gate: the Pod can be scheduled. Raises: ProvisioningFailed when it is gone, and as `calls.call`."""
    name = pod.metadata.name
    yield from step("create_worker", "lift the scheduling gate")
    try:
        reply = yield from call(
            lift_gate(config.namespace, name, uid=pod.metadata.uid), config, f"let the Pod {name} start"
        )
    except ProviderError as error:
        if error.status is None or not (error.status.is_not_found or error.status.is_conflict):
            raise
        raise ProvisioningFailed(
            f"the Pod {name} was removed before it could start", status=error.status, retryable=True
        ) from None
    return parse_pod(reply.body)


def remove_companions(config: KubernetesConfig, pod: Pod) -> Operation[None]:
    """Delete what the Pod lists. What cannot be deleted now does not hold up its end: it goes with the Pod."""
    for companion in listed_companions(pod):
        yield from step("destroy_worker", f"delete the {companion.kind}")
        try:
            yield from with_deadline(_delete(config, companion), REMOVAL_LIMIT, what=f"delete the {companion.kind}")
        except ProviderError:
            continue


def _delete(config: KubernetesConfig, companion: Companion) -> Operation[None]:
    what = f"delete the {companion.kind} {companion.name}"
    try:
        yield from call(delete_companion(config.namespace, companion), config, what)
    except ProviderError as error:
        if error.status is None or not error.status.is_not_found:
            raise
