"""Rules about containers that wait: images, configuration, the runtime, and what crashes again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from hodei_k8s_core.diagnosis.case import Case, Examination, of_end, of_event, of_waiting, sentence, trouble
from hodei_k8s_core.diagnosis.endings import ended_badly, init_ended
from hodei_k8s_core.diagnosis.registry_message import read_pull_failure
from hodei_k8s_core.diagnosis.stages import prepared_since
from hodei_k8s_core.pod import ContainerStatus
from hodei_k8s_core.verdict import Blame, Category
from hodei_k8s_core.worker_info import signal_name

Rule: TypeAlias = Callable[[Case, ContainerStatus, str], Examination | None]

BACK_OFFS: Final = (10.0, 20.0, 40.0, 80.0, 160.0)
LONGEST_BACK_OFF: Final = 300.0
"""Seconds between two pulls of the kubelet (pkg/kubelet/kubelet.go: backOffPeriod, MaxImageBackOff)."""
_PULL_MESSAGE: Final = "Failed to pull image"
_CAUSE_KNOWN: Final = ("ErrImagePull", "RegistryUnavailable", "SignatureValidationFailed")
_MADE_LATER: Final = " not found"
_PASSES: Final = ("failed to sync ", "timed out waiting")


def container_waits(case: Case) -> Examination | None:
    """The first container that waits for something that it may not get."""
    found = (_look(case, status) for status in _that_count(case))
    return next((examination for examination in found if examination is not None), None)


def _that_count(case: Case) -> Iterator[ContainerStatus]:
    """As long as one container has not started, any of them holds the Pod in Pending; later only the worker counts."""
    if case.is_pending:
        yield from case.pod.status.init_container_statuses
        yield from case.pod.status.container_statuses
    else:
        yield case.worker


def _look(case: Case, container: ContainerStatus) -> Examination | None:
    waiting = container.state.waiting
    rule = None if waiting is None else _RULES.get(waiting.reason)
    return None if rule is None or waiting is None else rule(case, container, waiting.message)


def _not_pulled(case: Case, container: ContainerStatus, message: str) -> Examination:
    """The image could not be pulled (yet): for good where the registry says so, else after some more attempts."""
    told = case.events_of("Failed")
    pulls = [event for event in told if event.message.startswith(_PULL_MESSAGE)]
    evidence = [of_waiting(container), *map(of_event, pulls[:1])]
    # Before 1.32 a back-off does not tell what it follows, but the event does.
    silent = not any(mark in message for mark in _CAUSE_KNOWN) and "Back-off" in message
    failure = read_pull_failure(pulls[0].message if silent and pulls else message)
    patience = back_off_sum(case.policy.image_retries) - (case.now - prepared_since(case))
    attempts = sum(event.count for event in pulls)
    given_up = attempts > case.policy.image_retries if pulls else patience <= 0
    terminal = failure.refused or given_up
    often = f", {attempts} times" if attempts > 1 else ""
    return trouble(
        Category.IMAGE_UNAVAILABLE,
        failure.blame,
        sentence(f"{failure.what}{often}", message),
        *evidence,
        terminal=terminal,
        retryable=not failure.refused,
        recheck_after=None if terminal else max(1.0, patience),
        wants_events=not failure.refused and (patience <= 0 or silent),
    )


def back_off_sum(retries: int) -> float:
    """Seconds that the kubelet waits before so many repeated pulls."""
    return sum(BACK_OFFS[:retries]) + LONGEST_BACK_OFF * max(0, retries - len(BACK_OFFS))


def _never_pulled(case: Case, container: ContainerStatus, message: str) -> Examination:  # noqa: ARG001 - as every rule
    what = sentence("the image is not on its node and must not be pulled", message)
    evidence = of_waiting(container)
    return trouble(Category.IMAGE_UNAVAILABLE, Blame.IMAGE, what, evidence, terminal=True, retryable=False)


def _image_is_invalid(case: Case, container: ContainerStatus, message: str) -> Examination:  # noqa: ARG001
    what = sentence("the image's name is not one", message)
    return trouble(Category.IMAGE_INVALID, Blame.IMAGE, what, of_waiting(container), terminal=True, retryable=False)


def _image_is_refused(case: Case, container: ContainerStatus, message: str) -> Examination:  # noqa: ARG001
    what = sentence("the image's signature is not valid", message)
    return trouble(Category.IMAGE_INVALID, Blame.IMAGE, what, of_waiting(container), terminal=True, retryable=False)


def _config_is_wrong(case: Case, container: ContainerStatus, message: str) -> Examination | None:
    """A Secret or ConfigMap is missing, or a setting contradicts the image."""
    if any(mark in message for mark in _PASSES):
        return _runtime_trouble(case, container, message)
    left = case.policy.settle - case.age
    if _MADE_LATER in message and left > 0:  # its creator may be about to make it
        return Examination(recheck_after=left)
    what = sentence("its configuration cannot be used", message)
    return trouble(
        Category.CONFIG_INVALID, Blame.CONFIGURATION, what, of_waiting(container), terminal=True, retryable=False
    )


def _runtime_trouble(case: Case, container: ContainerStatus, message: str) -> Examination:  # noqa: ARG001
    what = sentence("its node cannot make the container, and tries again", message)
    evidence = of_waiting(container)
    return trouble(Category.START_FAILED, Blame.PLATFORM, what, evidence, terminal=False, retryable=True)


def _cannot_be_made(case: Case, container: ContainerStatus, message: str) -> Examination:
    if "no command specified" not in message:
        return _runtime_trouble(case, container, message)
    what = "the image has no program of its own, and no command was given"
    evidence = of_waiting(container)
    return trouble(Category.START_FAILED, Blame.IMAGE, what, evidence, terminal=True, retryable=False)


def _crashes(case: Case, container: ContainerStatus, message: str) -> Examination:
    """It ended, was restarted, and ended again; how it ended last says why."""
    end = container.last_state.terminated
    terminal = container.restart_count >= case.policy.restarts
    is_init = any(status is container for status in case.pod.status.init_container_statuses)
    if end is not None and is_init:
        return init_ended(container, end, terminal=terminal)
    if end is not None and end.reason == "OOMKilled":
        return ended_badly(container, end, terminal=terminal)
    how = message if end is None else f"it ended with exit code {end.exit_code}"
    return trouble(
        Category.CRASH_LOOP,
        Blame.WORKER,
        sentence(f"it was restarted {container.restart_count} times and ends again", how),
        of_waiting(container),
        *(() if end is None else (of_end(container, end),)),
        terminal=terminal,
        retryable=False,
        exit_code=None if end is None else end.exit_code,
        signal="" if end is None else signal_name(end),
        termination_message="" if end is None else end.message,
    )


_RULES: Final[dict[str, Rule]] = {
    "ErrImagePull": _not_pulled,
    "ImagePullBackOff": _not_pulled,
    "RegistryUnavailable": _not_pulled,
    "ImageInspectError": _runtime_trouble,
    "ErrImageNeverPull": _never_pulled,
    "InvalidImageName": _image_is_invalid,
    "SignatureValidationFailed": _image_is_refused,
    "CreateContainerConfigError": _config_is_wrong,
    "CreateContainerError": _cannot_be_made,
    "RunContainerError": _runtime_trouble,
    "PreCreateHookError": _runtime_trouble,
    "PreStartHookError": _runtime_trouble,
    "PostStartHookError": _runtime_trouble,
    "CreatePodSandboxError": _runtime_trouble,
    "ConfigPodSandboxError": _runtime_trouble,
    "CrashLoopBackOff": _crashes,
}
"""The reasons of the kubelet (pkg/kubelet/images/types.go, pkg/kubelet/container/sync_result.go)."""
