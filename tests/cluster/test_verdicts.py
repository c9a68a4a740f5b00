"""The scenarios of the recordings, live: the verdict, and how long after the API first shows the cause it is given."""

from __future__ import annotations

import json
import secrets
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.startup_policy import StartupPolicy
from hodei_k8s_core.errors import NotReady, ProviderError, ProvisioningTimeout
from hodei_k8s_core.manifest import build_worker_pod
from hodei_k8s_core.spec.security_profile import SecurityProfile
from hodei_k8s_core.spec.volume_spec import PersistentVolume
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from hodei_k8s_core.verdict import Category, Stage, Verdict
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo, WorkerState
from hodei_k8s_transport.provider import KubernetesProvider
from tests.cluster.hosts import Host
from tests.cluster.lab import Kubectl

Manifest = dict[str, Any]
Change = Callable[[Manifest], None]
NewSpec = Callable[..., WorkerSpec]

SLEEPS = "trap 'exit 0' TERM; while :; do sleep 0.1; done"
READY, ENDED = WorkerState.READY, WorkerState.TERMINATED
QUICK = StartupPolicy(schedule=2, settle=1, end=1, image_retries=0, restarts=1)
TOLD_WITHIN = 2.0  # seconds from the moment that the API shows the cause
LONGEST = 60.0


def worker(manifest: Manifest) -> Manifest:
    return manifest["spec"]["containers"][0]


def image(name: str, policy: str = "IfNotPresent") -> Change:
    return lambda pod: worker(pod).update(image=name, imagePullPolicy=policy)


def secret_in_env(pod: Manifest) -> None:
    reference = {"secretKeyRef": {"name": "absent", "key": "x"}}
    worker(pod).setdefault("env", []).append({"name": "X", "valueFrom": reference})


def secret_as_volume(pod: Manifest) -> None:
    pod["spec"].setdefault("volumes", []).append({"name": "s", "secret": {"secretName": "absent"}})
    worker(pod).setdefault("volumeMounts", []).append({"name": "s", "mountPath": "/s"})


def needs(**resources: str) -> Change:
    named = {name.replace("_", "/"): amount for name, amount in resources.items()}
    return lambda pod: worker(pod).update(resources={"requests": named, "limits": named})


def selects(pod: Manifest) -> None:
    pod["spec"]["nodeSelector"] = {"nowhere": "true"}


def sidecar(pod: Manifest) -> None:
    beside = {key: value for key, value in worker(pod).items() if key != "readinessProbe"}
    pod["spec"]["containers"].append({**beside, "name": "proxy", "command": ["sh", "-c", SLEEPS]})


def nothing(pod: Manifest) -> None:
    """As the specification says."""


# name: script, fields of the spec, change of the manifest, state waited for, category, what shows the cause in the Pod
FAILS: dict[str, tuple[str, dict[str, Any], Change, WorkerState, Category, str]] = {
    "command-not-found": (
        *("", {"command": ["/no/such/program"]}, nothing, READY),
        *(Category.START_FAILED, '"reason":"StartError"'),
    ),
    "deadline-exceeded": (
        *("sleep 60", {"max_lifetime": 3.0}, nothing, ENDED),
        *(Category.DEADLINE_EXCEEDED, '"reason":"DeadlineExceeded"'),
    ),
    "fails-exit-3": ("exit 3", {}, nothing, ENDED, Category.EXITED, '"exitCode":3'),
    "image-never-pull": (
        *("", {}, image("localhost/absent:1", "Never"), READY),
        *(Category.IMAGE_UNAVAILABLE, '"reason":"ErrImageNeverPull"'),
    ),
    "image-pull-error": (
        *("", {}, image("localhost:1/absent:1"), READY),
        *(Category.IMAGE_UNAVAILABLE, '"reason":"ErrImagePull"'),
    ),
    "invalid-image-name": (
        *("", {}, image("UPPER:::bad"), READY),
        *(Category.IMAGE_INVALID, '"reason":"InvalidImageName"'),
    ),
    "oom-killed": (
        *("tail /dev/zero", {}, needs(memory="16Mi"), ENDED),
        *(Category.OUT_OF_MEMORY, '"reason":"OOMKilled"'),
    ),
    # These are told when what is missing is late, which is no longer the API's time.
    "missing-pvc": (
        *("", {"volumes": [PersistentVolume(name="v", claim_name="absent")]}, nothing, READY),
        *(Category.VOLUME_UNAVAILABLE, '"reason":"Unschedulable"'),
    ),
    "missing-secret-env": (
        *("", {}, secret_in_env, READY),
        *(Category.CONFIG_INVALID, '"reason":"CreateContainerConfigError"'),
    ),
    # In the Pod nothing shows it at all: only events do, which are asked for after some seconds.
    "missing-secret-volume": ("", {}, secret_as_volume, READY, Category.VOLUME_UNAVAILABLE, '"ContainerCreating"'),
}
LATER = {"missing-pvc": 2.0, "missing-secret-env": 2.0, "missing-secret-volume": 8.0}

WELL: dict[str, tuple[str, Change, WorkerState]] = {
    "succeeds": ("echo done", nothing, ENDED),
    "sidecar-still-running": ("exit 0", sidecar, ENDED),
    "ready-then-running": (SLEEPS, nothing, READY),
}
NOWHERE = {
    "unschedulable-cpu": (needs(cpu="1000", memory="1Mi"), "Insufficient cpu"),
    "unschedulable-gpu": (needs(**{"nvidia.com_gpu": "1"}), "Insufficient nvidia.com/gpu"),
    "unschedulable-selector": (selects, "affinity/selector"),
}


class Lines(threading.Thread):
    """What the API shows of a Pod, line by line as it comes, each with its time: a watch of kubectl's own."""

    def __init__(self, kubectl: Kubectl, kubeconfig: Path, namespace: str, pod_name: str) -> None:
        super().__init__(daemon=True)
        path = f"/api/v1/namespaces/{namespace}/pods?watch=true&fieldSelector=metadata.name%3D{pod_name}"
        self._process = subprocess.Popen(
            ["kubectl", "--kubeconfig", str(kubeconfig), "get", "--raw", path], stdout=subprocess.PIPE, text=True
        )
        self._told: list[tuple[float, str]] = []

    def run(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._told.append((time.monotonic(), line))

    def first(self, mark: str) -> float:
        """When a line with `mark` came first."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            found = next((at for at, line in self._told if mark in line), None)
            if found is not None:
                return found
            time.sleep(0.05)
        raise AssertionError(f"the API did not show {mark}")

    def end(self) -> None:
        self._process.kill()
        self.join(5)
        self._process.wait(5)
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def quick(config: KubernetesConfig) -> KubernetesConfig:
    return msgspec.structs.replace(config, startup=QUICK)


@pytest.fixture
def provider(quick: KubernetesConfig) -> Iterator[KubernetesProvider]:
    with KubernetesProvider.connect(quick) as connected:
        yield connected


@pytest.fixture
def made(
    kubectl: Kubectl, kubeconfig: Path, quick: KubernetesConfig
) -> Iterator[Callable[[WorkerSpec, Change], tuple[WorkerHandle, Lines]]]:
    """Makes a worker whose Pod is changed before it is created; everything is removed at the end."""
    names: list[str] = []
    watches: list[Lines] = []

    def make(spec: WorkerSpec, change: Change) -> tuple[WorkerHandle, Lines]:
        pod = build_worker_pod(spec, quick)
        change(pod)
        name = pod["metadata"]["name"]
        watch = Lines(kubectl, kubeconfig, quick.namespace, name)
        watch.start()
        watches.append(watch)
        names.append(name)
        created = json.loads(kubectl("create", "--filename", "-", "--output", "json", stdin=json.dumps(pod)))
        metadata = {"namespace": quick.namespace, "pod_uid": created["metadata"]["uid"]}
        handle = WorkerHandle(
            worker_id=spec.worker_id,
            provider_resource_id=name,
            provider_id=quick.provider_id,
            created_at=0.0,
            metadata=metadata,
        )
        return handle, watch

    yield make
    for watch in watches:
        watch.end()
    if names:
        kubectl("delete", "pods", *names, "--ignore-not-found", "--force", "--grace-period=0", "--wait=false")


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Prints a measured time, whatever pytest captures."""

    def tell(name: str, verdict: Verdict, seconds: float) -> None:
        with capsys.disabled():
            print(f"\n  {name}: {verdict.category.value} {seconds * 1000:.0f} ms after the cause", end="", flush=True)

    return tell


def verdict_of(provider: KubernetesProvider, handle: WorkerHandle, until: WorkerState) -> Verdict:
    """The verdict that a wait ends with, one way or the other."""
    try:
        found = provider.wait_for_worker(handle, until=until, timeout=LONGEST).verdict
    except (NotReady, ProvisioningTimeout) as error:
        found = error.verdict
    assert found is not None
    return found


@pytest.mark.parametrize("name", FAILS)
def test_a_worker_that_fails_is_given_its_verdict_at_once(
    name: str, provider: KubernetesProvider, made: Any, new_spec: NewSpec, report: Callable[..., None]
) -> None:
    script, fields, change, until, category, mark = FAILS[name]
    handle, watch = made(new_spec(script, **fields), change)
    verdict = verdict_of(provider, handle, until)
    seconds = time.monotonic() - watch.first(mark)
    report(name, verdict, seconds)
    assert verdict.category is category, verdict
    assert verdict.terminal
    assert verdict.evidence
    assert seconds < LATER.get(name, 0.0) + TOLD_WITHIN


@pytest.mark.parametrize("name", NOWHERE)
def test_a_worker_that_fits_nowhere_has_its_time_and_the_causes(
    name: str, provider: KubernetesProvider, made: Any, new_spec: NewSpec, report: Callable[..., None]
) -> None:
    change, cause = NOWHERE[name]
    handle, watch = made(new_spec(SLEEPS), change)
    shown = watch.first('"reason":"Unschedulable"')
    described = provider.describe_worker(handle).verdict
    assert described is not None
    assert described.category is Category.UNSCHEDULABLE
    report(name, described, time.monotonic() - shown)
    verdict = verdict_of(provider, handle, READY)
    report(name, verdict, time.monotonic() - shown)
    assert (verdict.category, verdict.stage) == (Category.STARTUP_TIMEOUT, Stage.SCHEDULE)
    assert verdict.nodes is not None
    assert any(cause in told.reason for told in verdict.causes)
    assert time.monotonic() - shown < QUICK.schedule + TOLD_WITHIN


@pytest.mark.parametrize("name", WELL)
def test_nothing_is_wrong_with_what_goes_well(
    name: str, provider: KubernetesProvider, made: Any, new_spec: NewSpec
) -> None:
    script, change, until = WELL[name]
    handle, _ = made(new_spec(script), change)
    info = provider.wait_for_worker(handle, until=until, timeout=LONGEST)
    assert info.verdict is None
    assert info.timeline is not None
    assert {"created", "scheduled", "started"} <= set(info.timeline.reached)


def test_a_crash_loop(provider: KubernetesProvider, made: Any, new_spec: NewSpec, report: Callable[..., None]) -> None:
    handle, watch = made(new_spec("exit 1"), lambda pod: pod["spec"].update(restartPolicy="Always"))
    verdict = _soon(provider, handle, Category.CRASH_LOOP)
    report("restarts", verdict, time.monotonic() - watch.first('"reason":"CrashLoopBackOff"'))
    assert (verdict.terminal, verdict.exit_code) == (True, 1)


def test_what_a_finalizer_holds(
    provider: KubernetesProvider, kubectl: Kubectl, made: Any, new_spec: NewSpec, report: Callable[..., None]
) -> None:
    handle, watch = made(new_spec(SLEEPS), lambda pod: pod["metadata"].update(finalizers=["test.hodei.io/hold"]))
    provider.wait_for_worker(handle, timeout=LONGEST)
    kubectl("delete", "pod", handle.pod_name, "--wait=false", "--grace-period=1")
    try:
        verdict = _soon(provider, handle, Category.TERMINATING_STUCK)
        report("finalizer-blocks-delete", verdict, time.monotonic() - watch.first('"deletionTimestamp"'))
        assert verdict.finalizers == ("test.hodei.io/hold",)
    finally:
        kubectl("patch", "pod", handle.pod_name, "--type=merge", "--patch", '{"metadata":{"finalizers":null}}')


def _soon(provider: KubernetesProvider, handle: WorkerHandle, category: Category) -> Verdict:
    until = time.monotonic() + 30
    info: WorkerInfo | None = None
    while time.monotonic() < until:
        info = provider.describe_worker(handle)
        if info.verdict is not None and info.verdict.category is category:
            return info.verdict
        time.sleep(0.1)
    raise AssertionError(f"not {category} but {info}")


@pytest.mark.anyio
async def test_an_image_with_a_name_that_is_none_on_every_host(
    host: Host, quick: KubernetesConfig, made: Any, new_spec: NewSpec, report: Callable[..., None]
) -> None:
    handle, watch = made(new_spec(""), image("UPPER:::bad"))
    async with host.connect(quick) as provider:
        with pytest.raises(NotReady) as caught:
            await provider.wait_for_worker(handle, timeout=LONGEST)
    seconds = time.monotonic() - watch.first('"reason":"InvalidImageName"')
    assert caught.value.verdict is not None
    report(f"invalid-image-name, {host.kind}", caught.value.verdict, seconds)
    assert caught.value.verdict.category is Category.IMAGE_INVALID
    assert seconds < TOLD_WITHIN


def test_a_run_of_what_cannot_start_fails_at_once(
    provider: KubernetesProvider, new_spec: NewSpec, kubectl: Kubectl
) -> None:
    spec = new_spec("", image="localhost:1/absent:1")
    began = time.monotonic()
    with provider.run_worker(spec) as items, pytest.raises(NotReady) as caught:
        list(items)
    assert caught.value.verdict is not None
    assert caught.value.verdict.category is Category.IMAGE_UNAVAILABLE
    assert time.monotonic() - began < 15
    assert kubectl.json("get", "pods", "--selector", f"hodei.io/worker-id={spec.worker_id}")["items"] == []


@contextmanager
def own_namespace(kubectl: Kubectl) -> Iterator[tuple[str, Kubectl]]:
    name = f"hodei-test-{secrets.token_hex(4)}"
    kubectl("create", "namespace", name)
    inside = kubectl.in_namespace(name)
    try:
        until = time.monotonic() + 30
        while inside.run("get", "serviceaccount", "default").returncode and time.monotonic() < until:
            time.sleep(0.1)
        yield name, inside
    finally:
        kubectl("delete", "namespace", name, "--wait=false")


def test_what_is_refused_has_the_same_kind_of_verdict(
    kubectl: Kubectl, quick: KubernetesConfig, new_spec: NewSpec
) -> None:
    with own_namespace(kubectl) as (name, inside):
        inside("create", "quota", "none", "--hard=pods=0")
        there = msgspec.structs.replace(quick, namespace=name)
        with KubernetesProvider.connect(there) as provider:
            assert refusal(provider, new_spec(SLEEPS)).category is Category.QUOTA_EXCEEDED
        inside("delete", "quota", "none")
        kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
        lax = msgspec.structs.replace(there, security_profile=SecurityProfile.BASELINE)
        with KubernetesProvider.connect(lax) as provider:
            assert refusal(provider, new_spec(SLEEPS)).category is Category.ADMISSION_DENIED
        wrong = msgspec.structs.replace(there, service_account="absent")
        with KubernetesProvider.connect(wrong) as provider:
            assert refusal(provider, new_spec(SLEEPS)).category is Category.CONFIG_INVALID


def refusal(provider: KubernetesProvider, spec: WorkerSpec) -> Verdict:
    with pytest.raises(ProviderError) as caught:
        provider.create_worker(spec)
    assert caught.value.verdict is not None
    return caught.value.verdict


def test_who_waits_by_a_shared_view_is_told_what_only_events_tell(
    provider: KubernetesProvider,
    made: Callable[[WorkerSpec, Change], tuple[WorkerHandle, Lines]],
    new_spec: Callable[..., WorkerSpec],
    report: Callable[..., None],
) -> None:
    with provider.fleet() as fleet:
        handle, watch = made(new_spec(SLEEPS), secret_as_volume)
        with pytest.raises((NotReady, ProvisioningTimeout)) as caught:
            fleet.wait_for(handle, timeout=LONGEST)
        ended = time.monotonic()
    verdict = caught.value.verdict
    assert verdict is not None
    assert verdict.category is Category.VOLUME_UNAVAILABLE
    assert any("absent" in one.says for one in verdict.evidence)
    report("missing-secret-volume, by a view", verdict, ended - watch.first('"ContainerCreating"'))
