"""Credentials for the tasks of one event loop: one refreshes, the others wait for it; a cancelled one hands over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import anyio.to_thread

from hodei_k8s_core.access.certificate import Certificate
from hodei_k8s_core.access.cluster_access import ExecPlugin
from hodei_k8s_transport.access.credential import Credential
from hodei_k8s_transport.access.exec_runner import run_plugin_async
from hodei_k8s_transport.access.keeper import CredentialKeeper


class RefreshingAsyncCredentials:
    """An `AsyncCredentialSource`. Files are read in a thread, since they may be on a slow mount.

    Who waits for a refresh is woken with all the others: a lock that is handed from one to the next takes a turn of the
    event loop for each, and with hundreds of callers those were as long as a request may take.
    """

    def __init__(self, keeper: CredentialKeeper, exec_timeout: float) -> None:
        self._keeper = keeper
        self._exec_timeout = exec_timeout
        self._refresh: anyio.Event | None = None

    @property
    def certificate(self) -> Certificate | None:
        """The client certificate at hand, where there is one whose end can be read."""
        return self._keeper.certificate

    async def current(self) -> Credential:
        """The credential to use now. Raises: `TransportError`."""
        keeper = self._keeper
        seen = keeper.attempts
        while (usable := keeper.usable) is None:
            if await self._others_refresh():
                keeper.raise_shared_failure(seen)
                continue
            with self._refreshing():
                if keeper.files_are_due:
                    await anyio.to_thread.run_sync(keeper.read_files)
                if keeper.plugin is not None and keeper.plugin_is_due:
                    await self._run(keeper.plugin)
                # A plugin may give what is due again at once: it is used all the same.
                return keeper.credential
        return usable

    async def renew(self, refused: int) -> Credential | None:
        """The generation after the one that was refused, or None. Raises: `TransportError`."""
        keeper = self._keeper
        seen = keeper.attempts
        while keeper.generation == refused:
            if await self._others_refresh():
                keeper.raise_shared_failure(seen)
                continue
            with self._refreshing():
                await anyio.to_thread.run_sync(keeper.read_files)
                if keeper.plugin is not None:
                    await self._run(keeper.plugin)
            return keeper.credential if keeper.generation != refused else None
        return keeper.credential

    async def _others_refresh(self) -> bool:
        """Whether a refresh was under way, which is over now."""
        if self._refresh is None:
            return False
        await self._refresh.wait()
        return True

    @contextmanager
    def _refreshing(self) -> Iterator[None]:
        """Also over when it is cancelled: one of those who wait goes on then."""
        over = self._refresh = anyio.Event()
        try:
            yield
        finally:
            self._refresh = None
            over.set()

    async def _run(self, plugin: ExecPlugin) -> None:
        outcome = await run_plugin_async(self._keeper.plan_run(plugin), self._exec_timeout)
        await anyio.to_thread.run_sync(self._keeper.accept, plugin, outcome)
