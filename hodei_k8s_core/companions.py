"""What a worker has beside its Pod: a Secret with its OTP, and claims of its own.

    create the Pod, with a gate ─▶ create its companions, owned by the Pod ─▶ lift the gate
    destroy: its companions ─▶ the Pod

The Pod comes first, since an owner's uid is known only then; the gate keeps it from a node until all is there. So
wherever a creator breaks off, there is nothing without an owner, and the garbage collector takes what goes with a Pod.
The Pod names its companions in an annotation and goes last: whoever destroys it can be followed by another at any step.

Their names are of one creation alone. A name that is taken was taken for this one, and nothing of an older worker with
the same id stands in the way of a new one; so no permission to read Secrets is needed to tell them apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Final

import msgspec

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.labels import COMPANIONS
from hodei_k8s_core.names import POD_NAME_PREFIX, pod_name, worker_claim_name
from hodei_k8s_core.pod import Pod
from hodei_k8s_core.spec.volume_spec import WorkerClaim
from hodei_k8s_core.spec.worker_spec import WorkerSpec

GATE: Final = COMPANIONS
"""The scheduling gate is called like the annotation that lists what it waits for."""
OTP_KEY: Final = "otp-token"
KIND_OF: Final = {"secrets": "Secret", "persistentvolumeclaims": "PersistentVolumeClaim"}
"""The resources that a companion can be."""
_MARK_LENGTH: Final = 10
_MARKED: Final = re.compile(rf"({POD_NAME_PREFIX}[-.a-z0-9]*?)-[0-9a-f]{{{_MARK_LENGTH}}}-")


class Companion(msgspec.Struct, frozen=True):
    """One object beside a Pod, as kubectl names it: `secrets/hodei-worker-w1-otp`."""

    resource: str
    name: str

    @property
    def kind(self) -> str:
        return KIND_OF[self.resource]

    def __str__(self) -> str:
        return f"{self.resource}/{self.name}"


def companions_of(spec: WorkerSpec, config: KubernetesConfig, creation_token: str) -> tuple[Companion, ...]:
    """What the worker has beside its Pod, by these settings."""
    otp = otp_secret(spec, config, creation_token)
    claims = (claim for claim, _ in worker_claims(spec, creation_token))
    return (*claims,) if otp is None else (otp, *claims)


def otp_secret(spec: WorkerSpec, config: KubernetesConfig, creation_token: str) -> Companion | None:
    """The Secret of the worker's OTP; None where it has no OTP, or gets it in another way."""
    if spec.otp_token is None or config.otp_delivery != "secret":
        return None
    return otp_secret_of(spec, creation_token)


def companion_stem(spec: WorkerSpec, creation_token: str) -> str:
    """How the names of this creation's companions begin. A token can be any text, so its hash stands for it."""
    name = pod_name(spec.worker_id)
    return f"{name}-{sha256(creation_token.encode()).hexdigest()[:_MARK_LENGTH]}" if creation_token else name


def without_mark(text: str) -> str:
    """A text with such names in it, as it would be of any creation."""
    return _MARKED.sub(r"\1-*-", text)


def written_companions(companions: tuple[Companion, ...]) -> str:
    """How a Pod's annotation lists them."""
    return " ".join(map(str, companions))


def listed_companions(pod: Pod) -> tuple[Companion, ...]:
    """What a Pod says that it has beside it. What is not called after the Pod is not believed to be its own."""
    entries = (entry.partition("/") for entry in pod.annotation(COMPANIONS).split())
    return tuple(
        Companion(resource, name)
        for resource, _, name in entries
        if resource in KIND_OF and name.startswith(f"{pod.metadata.name}-")
    )


def is_gated(pod: Pod) -> bool:
    """The Pod waits for its companions."""
    return any(gate.name == GATE for gate in pod.spec.scheduling_gates)


def worker_claims(spec: WorkerSpec, creation_token: str) -> Iterator[tuple[Companion, WorkerClaim]]:
    """The claims of the worker's own, each with the volume that it is."""
    for volume in spec.volumes:
        if isinstance(volume, WorkerClaim):
            name = worker_claim_name(companion_stem(spec, creation_token), volume.name)
            yield Companion("persistentvolumeclaims", name), volume


def otp_secret_of(spec: WorkerSpec, creation_token: str) -> Companion:
    """The Secret of the worker's OTP, if it has one."""
    return Companion("secrets", f"{companion_stem(spec, creation_token)}-otp")
