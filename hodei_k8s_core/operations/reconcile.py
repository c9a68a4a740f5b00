"""Look at a fleet and plan what is to be taken away; and do what a plan says, as far as it still fits what is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from math import ceil

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Monotonic, Observe, Operation, WallClock
from hodei_k8s_core.errors import ConfigurationError, ConnectionFailed, Fault, ProviderError, Timeout
from hodei_k8s_core.labels import managed_selector
from hodei_k8s_core.observations import ReconcileAction, ReconcilePlanned
from hodei_k8s_core.operations.calls import call
from hodei_k8s_core.operations.deadline import step, with_deadline
from hodei_k8s_core.operations.pod_listing import list_whole
from hodei_k8s_core.pod import Pod, parse_pod
from hodei_k8s_core.reconcile.plan import Action, ActionOutcome, ActionResult, Plan
from hodei_k8s_core.reconcile.plan_reconcile import Existing, Wanted, check_provider_id, plan_reconcile
from hodei_k8s_core.requests import delete_pod, get_pod

WHAT = "look for what is to be reconciled"


def plan_fleet(config: KubernetesConfig, wanted: Wanted | None = None) -> Operation[Plan]:
    """What is to be done so that only `wanted` workers are there (`plan_reconcile`). Nothing is changed.

    Raises: ConfigurationError for the default provider_id; ConnectionFailed, AuthenticationFailed, Timeout.
    """
    check_provider_id(config.provider_id)
    return (yield from with_deadline(_plan(config, wanted), config.operation_timeout, what=WHAT))


def apply_plan(
    config: KubernetesConfig, plan: Plan, *, consent: bool = False, may_act: Callable[[float], bool] | None = None
) -> Operation[list[ActionResult]]:
    """Do what the plan says; one result for each action, in its order. The end of the workers is not waited for.

    Every removal carries the uid and the version that the plan saw, and a refusal is looked at: what has changed is
    left alone. An action that the server refuses does not keep the others from being tried; a server that does not
    answer does. `may_act`: asked before each removal, with the monotonic time, whether we still lead; None: nobody else
    is there to lead.

    Raises: ConfigurationError for a plan that needs `consent` and has none, before anything is sent.
    """
    check_provider_id(config.provider_id)
    if plan.consent_needed and not consent:
        raise ConfigurationError("the plan is not applied", [Fault("consent", plan.consent_needed)])
    results = []
    obstacle = ""
    for action in plan.actions:
        if action.kind.removes and may_act is not None and not may_act((yield from Monotonic())):
            obstacle = "this process does not lead any more"
        if action.kind.removes and obstacle:
            result = ActionResult(action=action, outcome=ActionOutcome.SKIPPED, error=obstacle)
        else:
            result, met = yield from _do(config, action)
            obstacle = obstacle or met
        yield from Observe(ReconcileAction(action.kind.value, result.outcome.value))
        results.append(result)
    return results


def _plan(config: KubernetesConfig, wanted: Wanted | None) -> Operation[Plan]:
    yield from step("reconcile", "list the Pods")
    read = yield from list_whole(config, WHAT, _with_date, label_selector=managed_selector(config.provider_id))
    told = [date for _, date in read if date is not None]
    now = max(told) if told else (yield from WallClock())
    existing = Existing(provider_id=config.provider_id, pods=[pod for pod, _ in read])
    plan = plan_reconcile(existing, wanted, now=now, policy=config.reconcile)
    planned = Counter(action.kind.value for action in plan.actions)
    yield from Observe(ReconcilePlanned(planned, bool(plan.consent_needed)))
    return plan


def _with_date(pod: Pod, date: float | None) -> tuple[Pod, float | None]:
    return pod, date


def _do(config: KubernetesConfig, action: Action) -> Operation[tuple[ActionResult, str]]:
    """How it went, and what then keeps the others from being tried, or ""."""
    if not action.kind.removes:
        return ActionResult(action=action, outcome=ActionOutcome.DONE), ""
    yield from step("reconcile", f"{action.kind.value}: {action.name}")
    try:
        outcome = yield from with_deadline(_remove(config, action), config.operation_timeout, what=_what(action))
    except ProviderError as error:
        failed = ActionResult(action=action, outcome=ActionOutcome.FAILED, error=str(error))
        return failed, failed.error if isinstance(error, (ConnectionFailed, Timeout)) else ""
    return ActionResult(action=action, outcome=outcome), ""


def _what(action: Action) -> str:
    return f"remove {action.name} from {action.resource}"


def _remove(config: KubernetesConfig, action: Action) -> Operation[ActionOutcome]:
    request = delete_pod(
        config.namespace,
        action.name,
        uid=action.uid,
        resource_version=action.resource_version,
        grace_period=ceil(config.grace_period),
    )
    try:
        yield from call(request, config, _what(action))
    except ProviderError as error:
        if error.status is None or not (error.status.is_not_found or error.status.is_conflict):
            raise
        return ActionOutcome.GONE if error.status.is_not_found else (yield from _look(config, action))
    return ActionOutcome.DONE


def _look(config: KubernetesConfig, action: Action) -> Operation[ActionOutcome]:
    """A conflict is not believed: a proxy or a repeated request can answer it too."""
    try:
        reply = yield from call(get_pod(config.namespace, action.name), config, f"look at {action.name}")
    except ProviderError as error:
        if error.status is None or not error.status.is_not_found:
            raise
        return ActionOutcome.GONE
    pod = parse_pod(reply.body)
    if pod.metadata.uid != action.uid:
        return ActionOutcome.GONE
    # Our own DELETE whose reply was lost has changed it, too.
    return ActionOutcome.DONE if pod.is_deleting else ActionOutcome.CHANGED
