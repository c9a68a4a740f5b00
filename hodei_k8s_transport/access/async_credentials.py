"""Credentials for the tasks of one event loop: one refreshes, the others wait for it; a cancelled one hands over."""

from __future__ import annotations

import anyio
import anyio.to_thread

from hodei_k8s_core.access.certificate import Certificate
from hodei_k8s_core.access.cluster_access import ExecPlugin
from hodei_k8s_transport.access.credential import Credential
from hodei_k8s_transport.access.exec_runner import run_plugin_async
from hodei_k8s_transport.access.keeper import CredentialKeeper


class RefreshingAsyncCredentials:
    """An `AsyncCredentialSource`. Files are read in a thread, since they may be on a slow mount."""

    def __init__(self, keeper: CredentialKeeper, exec_timeout: float) -> None:
        self._keeper = keeper
        self._exec_timeout = exec_timeout
        self._lock = anyio.Lock()

    @property
    def certificate(self) -> Certificate | None:
        """The client certificate at hand, where there is one whose end can be read."""
        return self._keeper.certificate

    async def current(self) -> Credential:
        """The credential to use now. Raises: `TransportError`."""
        keeper = self._keeper
        if (usable := keeper.usable) is not None:
            return usable
        seen = keeper.attempts
        async with self._lock:
            keeper.raise_shared_failure(seen)
            if keeper.files_are_due:
                await anyio.to_thread.run_sync(keeper.read_files)
            if keeper.plugin is not None and keeper.plugin_is_due:
                await self._run(keeper.plugin)
            return keeper.credential

    async def renew(self, refused: int) -> Credential | None:
        """The generation after the one that was refused, or None. Raises: `TransportError`."""
        keeper = self._keeper
        seen = keeper.attempts
        async with self._lock:
            if keeper.generation == refused:
                keeper.raise_shared_failure(seen)
                await anyio.to_thread.run_sync(keeper.read_files)
                if keeper.plugin is not None:
                    await self._run(keeper.plugin)
            return keeper.credential if keeper.generation != refused else None

    async def _run(self, plugin: ExecPlugin) -> None:
        outcome = await run_plugin_async(self._keeper.plan_run(plugin), self._exec_timeout)
        await anyio.to_thread.run_sync(self._keeper.accept, plugin, outcome)
