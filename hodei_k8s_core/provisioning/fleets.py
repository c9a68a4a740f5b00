"""The workers of several providers: found, listed and ended, wherever they are."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from hodei_k8s_core.errors import ConfigurationError, Fault, ProviderError
from hodei_k8s_core.provisioning.provision import Call, Provisioning, ProvisioningDesk, ask_all
from hodei_k8s_core.worker import WorkerHandle, WorkerInfo


class FleetListing(msgspec.Struct, frozen=True):
    """The workers of several providers. `problems`: why one could not be asked, by its id; its workers are missing."""

    workers: tuple[WorkerInfo, ...]
    problems: Mapping[str, str] = {}


def find_everywhere(desk: ProvisioningDesk, worker_id: str) -> Provisioning[WorkerInfo | None]:
    """The worker of that id, wherever it is; None where no provider has one.

    Raises: ProviderError: nobody has it, and one could not be asked.
    """
    told = yield from ask_all(tuple(desk.circuits), "find_worker", worker_id)
    found = next((one for one in told if isinstance(one, WorkerInfo)), None)
    failure = next((one for one in told if isinstance(one, ProviderError)), None)
    if found is None and failure is not None:
        raise failure
    return found


def list_everywhere(desk: ProvisioningDesk) -> Provisioning[FleetListing]:
    """Every worker of every provider that can be asked."""
    ids = tuple(desk.circuits)
    told = yield from ask_all(ids, "list_workers")
    problems = {one: str(said) for one, said in zip(ids, told, strict=True) if isinstance(said, ProviderError)}
    workers = [info for said in told if not isinstance(said, ProviderError) for info in said]
    return FleetListing(tuple(workers), problems)


def terminate(desk: ProvisioningDesk, handle: WorkerHandle, grace_period: float | None) -> Provisioning[None]:
    """End a worker where it is; after that its id is free for any provider.

    Raises: ConfigurationError for a handle of none of these providers; as a provider's `destroy_worker`.
    """
    if handle.provider_id not in desk.circuits:
        problem = f"is {handle.provider_id!r}; the providers are {', '.join(desk.circuits) or 'none'}"
        raise ConfigurationError("the worker is not ended", [Fault("handle.provider_id", problem)])
    yield Call(handle.provider_id, "destroy_worker", (handle,), {"grace_period": grace_period})
    if desk.pins.get(handle.worker_id) == handle.provider_id:
        del desk.pins[handle.worker_id]


def terminate_everywhere(desk: ProvisioningDesk, worker_id: str, grace_period: float | None) -> Provisioning[None]:
    """End whichever worker has that id, in every cluster: also one whose creation had an unknown outcome.

    Raises: what the first provider raised that could not.
    """
    ids = tuple(desk.circuits)
    told = yield from ask_all(ids, "destroy_worker_by_id", worker_id, grace_period=grace_period)
    failure = next((said for said in told if isinstance(said, ProviderError)), None)
    if failure is not None:
        raise failure
    desk.pins.pop(worker_id, None)
