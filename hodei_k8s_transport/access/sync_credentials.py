"""Credentials for threads: one refreshes, the others wait for it."""

from __future__ import annotations

import threading

from hodei_k8s_core.access.certificate import Certificate
from hodei_k8s_core.access.cluster_access import ExecPlugin
from hodei_k8s_transport.access.credential import Credential
from hodei_k8s_transport.access.exec_runner import run_plugin
from hodei_k8s_transport.access.keeper import CredentialKeeper


class RefreshingCredentials:
    """A `CredentialSource`. `exec_timeout`: seconds for one run of a plugin."""

    def __init__(self, keeper: CredentialKeeper, exec_timeout: float) -> None:
        self._keeper = keeper
        self._exec_timeout = exec_timeout
        self._lock = threading.Lock()

    @property
    def certificate(self) -> Certificate | None:
        """The client certificate at hand, where there is one whose end can be read."""
        return self._keeper.certificate

    def current(self) -> Credential:
        """The credential to use now. Raises: `TransportError`."""
        keeper = self._keeper
        if (usable := keeper.usable) is not None:
            return usable
        seen = keeper.attempts
        with self._lock:
            keeper.raise_shared_failure(seen)
            if keeper.files_are_due:
                keeper.read_files()
            if keeper.plugin is not None and keeper.plugin_is_due:
                self._run(keeper.plugin)
            return keeper.credential

    def renew(self, refused: int) -> Credential | None:
        """The generation after the one that was refused, or None. Raises: `TransportError`."""
        keeper = self._keeper
        seen = keeper.attempts
        with self._lock:
            if keeper.generation == refused:
                keeper.raise_shared_failure(seen)
                keeper.read_files()
                if keeper.plugin is not None:
                    self._run(keeper.plugin)
            return keeper.credential if keeper.generation != refused else None

    def _run(self, plugin: ExecPlugin) -> None:
        self._keeper.accept(plugin, run_plugin(self._keeper.plan_run(plugin), self._exec_timeout))
