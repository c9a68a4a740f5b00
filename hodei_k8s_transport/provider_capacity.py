"""What a provider for threads says of its cluster's capacity; one reading at a time."""

from __future__ import annotations

import threading
from abc import abstractmethod
from typing import Any, TypeVar

from hodei_k8s_core import operations
from hodei_k8s_core.capabilities import JobRequirements, ProviderCapabilities
from hodei_k8s_core.capacity.fulfillment import Fulfillment
from hodei_k8s_core.capacity.overview import CapacityReport
from hodei_k8s_core.effects import Operation
from hodei_k8s_transport.provider_base import ProviderBase

R = TypeVar("R")


class CapacityMethods(ProviderBase):
    """What was read is used for `capacity_lifetime` seconds; who asks while it is read waits for that."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._reading = threading.Lock()

    @abstractmethod
    def _run(self, operation: Operation[R]) -> R: ...

    def capabilities(self) -> ProviderCapabilities:
        """What workers can be here, as the cluster says; what could not be read is named in `features`.

        Raises: ConnectionFailed, AuthenticationFailed, Timeout.
        """
        with self._reading:
            return self._run(operations.capabilities(self._config, cache=self._capacity))

    def describe_capacity(self) -> CapacityReport:
        """The capabilities with all that they rest on: groups of nodes, head-room, accelerators, quotas.

        Raises: as `capabilities`.
        """
        with self._reading:
            return self._run(operations.describe_capacity(self._config, cache=self._capacity))

    def can_fulfill(self, requirements: JobRequirements) -> bool:
        """Whether such a worker can run here at some time: now, on a node to be added, or when others have ended.

        Also True where nothing that may be read speaks against it. Raises: as `capabilities`; ConfigurationError.
        """
        with self._reading:
            return self._run(operations.can_fulfill(self._config, requirements, cache=self._capacity))

    def explain_fulfillment(self, requirements: JobRequirements, *, confirm: bool = False) -> Fulfillment:
        """Whether such a worker fits, when, and why not: by node group and rule, and by how much.

        `confirm`: have the API server judge it too, by a dry run, which sees webhooks and policies; nothing is stored.

        Raises: as `can_fulfill`.
        """
        with self._reading:
            found = self._run(operations.explain_fulfillment(self._config, requirements, cache=self._capacity))
        if not confirm:
            return found
        return self._run(operations.confirm_fulfillment(self._config, requirements, found))
