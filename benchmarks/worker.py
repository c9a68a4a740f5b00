"""A worker to create, as plain values: what a host knows before it chooses a library."""

from __future__ import annotations

import random
from dataclasses import dataclass

from benchmarks.data import SEED

NAMESPACE = "hodei-workers"
PROVIDER_ID = "kubernetes"
SERVICE_ACCOUNT = "worker"
PULL_SECRET = "registry"
POOL = "ci"
SERVER = "https://hodei.example.com:8443"
COMMAND = ("hodei-agent", "--once")


@dataclass(frozen=True)
class Worker:
    """Cores come in steps of 10 m, memory in MiB that are no whole GiB: their canonical text is plain."""

    id: str
    image: str
    team: str
    otp: str
    token: str
    milli_cores: int
    mebibytes: int
    environment: dict[str, str]


def workers(amount: int) -> list[Worker]:
    chance = random.Random(SEED)
    return [_worker(chance, number) for number in range(amount)]


def _worker(chance: random.Random, number: int) -> Worker:
    return Worker(
        id=f"{chance.getrandbits(64):016x}",
        image=f"registry.example.com/ci/worker:{chance.randrange(1000)}",
        team=f"team-{chance.randrange(50)}",
        otp=f"{chance.getrandbits(128):032x}",
        token=f"{chance.getrandbits(128):032x}",
        milli_cores=10 * chance.randrange(5, 99),
        mebibytes=2 * chance.randrange(64, 2048) + 1,
        environment={"BUILD": str(number), "REPOSITORY": f"git@example.com:{number}.git", "PRICE": "$5 (five)"},
    )


def labels_of(worker: Worker) -> dict[str, str]:
    """What the Pod carries; so do the next functions, for whoever has to write it down by hand."""
    return {
        "app": "hodei-worker",
        "hodei.io/worker-id": worker.id,
        "hodei.io/managed": "true",
        "hodei.io/provider-id": PROVIDER_ID,
        "team": worker.team,
    }


def annotations_of(worker: Worker) -> dict[str, str]:
    return {
        "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
        "karpenter.sh/do-not-disrupt": "true",
        "hodei.io/idle-timeout": "300",
        "hodei.io/ttl-after-completion": "300",
        "hodei.io/creation-token": worker.token,
    }


def environment_of(worker: Worker) -> dict[str, str]:
    return {
        "HODEI_WORKER_ID": worker.id,
        "HODEI_SERVER_ADDRESS": SERVER,
        "HODEI_OTP_TOKEN": worker.otp,
        "HODEI_WORKER_MODE": "ephemeral",
        **worker.environment,
    }


def quantities_of(worker: Worker) -> dict[str, str]:
    return {"cpu": f"{worker.milli_cores}m", "memory": f"{worker.mebibytes}Mi", "ephemeral-storage": "1Gi"}
