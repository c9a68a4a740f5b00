"""What a provider for asyncio and trio says of its cluster's capacity; one reading at a time."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, TypeVar

import anyio

from hodei_k8s_core import operations
from hodei_k8s_core.capabilities import JobRequirements, ProviderCapabilities
from hodei_k8s_core.capacity.fulfillment import Fulfillment
from hodei_k8s_core.capacity.overview import CapacityReport
from hodei_k8s_core.effects import Operation
from hodei_k8s_transport.provider_base import ProviderBase

R = TypeVar("R")


class AsyncCapacityMethods(ProviderBase):
    """What was read is used for `capacity_lifetime` seconds; who asks while it is read waits for that."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._reading = anyio.Lock()

    @abstractmethod
    async def _run(self, operation: Operation[R]) -> R: ...

    async def capabilities(self) -> ProviderCapabilities:
        """What workers can be here, as the cluster says; what could not be read is named in `features`.

        Raises: ConnectionFailed, AuthenticationFailed, Timeout.
        """
        async with self._reading:
            return await self._run(operations.capabilities(self._config, cache=self._capacity))

    async def describe_capacity(self) -> CapacityReport:
        """The capabilities with all that they rest on: groups of nodes, head-room, accelerators, quotas.

        Raises: as `capabilities`.
        """
        async with self._reading:
            return await self._run(operations.describe_capacity(self._config, cache=self._capacity))

    async def can_fulfill(self, requirements: JobRequirements) -> bool:
        """Whether such a worker can run here at some time: now, on a node to be added, or when others have ended.

        Also True where nothing that may be read speaks against it. Raises: as `capabilities`; ConfigurationError.
        """
        async with self._reading:
            return await self._run(operations.can_fulfill(self._config, requirements, cache=self._capacity))

    async def explain_fulfillment(self, requirements: JobRequirements, *, confirm: bool = False) -> Fulfillment:
        """Whether such a worker fits, when, and why not: by node group and rule, and by how much.

        `confirm`: have the API server judge it too, by a dry run, which sees webhooks and policies; nothing is stored.

        Raises: as `can_fulfill`.
        """
        async with self._reading:
            found = await self._run(operations.explain_fulfillment(self._config, requirements, cache=self._capacity))
        if not confirm:
            return found
        return await self._run(operations.confirm_fulfillment(self._config, requirements, found))
