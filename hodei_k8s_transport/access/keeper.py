"""The credential at hand and the steps that make the next one, without the waiting.

The sources (`sync_credentials`, `async_credentials`) hold a lock around a refresh and run plugins; everything else is
here, once. Looking at the current credential needs no lock: it is one frozen value, replaced whole.
"""

from __future__ import annotations

import logging
import ssl
import sys
import time
from collections.abc import Callable, Mapping

import msgspec

from hodei_k8s_core.access.certificate import Certificate, expiry_in_pem
from hodei_k8s_core.access.cluster_access import ClusterAccess, ExecPlugin, TokenFile
from hodei_k8s_core.access.credentials import (
    Holding,
    after_reading,
    after_running,
    basic_headers,
    bearer_headers,
    must_read,
    must_run,
    token_in_file,
)
from hodei_k8s_core.access.exec_plugin import (
    PluginOutcome,
    PluginReply,
    PluginRun,
    plan_run,
    plugin_failure,
    read_outcome,
)
from hodei_k8s_core.access.token_expiry import expiry_in_token
from hodei_k8s_core.errors import ConfigurationError, Delivery, TransportError, TransportFault
from hodei_k8s_core.observations import CredentialRefreshed
from hodei_k8s_core.secret import Secret
from hodei_k8s_transport.access.credential import Credential
from hodei_k8s_transport.access.files import read_material
from hodei_k8s_transport.access.refreshes import FILES, PLUGIN, RefreshObserver, tell_refresh
from hodei_k8s_transport.access.tls import KeyPair, TlsMaterial, make_context, read_tls_material

logger = logging.getLogger("hodei_k8s")


class _Held(msgspec.Struct, frozen=True):
    """One moment's credential and what it was made from. `files`: the TLS files' content, without a plugin's pair."""

    holding: Holding
    credential: Credential
    token: Secret | None
    files: TlsMaterial
    material: TlsMaterial
    reply: PluginReply


class CredentialKeeper:
    """Keeps one access' credential. One thread or task at a time may call what changes it.

    `clock`: seconds since the epoch. `observer` is told of each refresh, in the thread that makes it; what it raises is
    logged. Raises: `ConfigurationError` when the certificates cannot be read.
    """

    def __init__(
        self,
        access: ClusterAccess,
        environ: Mapping[str, str],
        clock: Callable[[], float] = time.time,
        observer: RefreshObserver | None = None,
    ) -> None:
        self._access = access
        self._environ = environ
        self._clock = clock
        self._observer = observer
        files = read_tls_material(access)
        self._held = _Held(Holding(), Credential(0), None, files, files, PluginReply())
        self._failure: TransportError | None = None
        self.attempts = 0

    @property
    def plugin(self) -> ExecPlugin | None:
        return self._access.identity.plugin

    @property
    def generation(self) -> int:
        return self._held.holding.generation

    @property
    def credential(self) -> Credential:
        return self._held.credential

    @property
    def certificate(self) -> Certificate | None:
        """The client certificate at hand, where there is one whose end can be read."""
        pair = self._held.material.pair
        ends = expiry_in_pem(pair.certificate.reveal()) if pair is not None else None
        return Certificate(f"the client certificate ({pair.field})", ends) if pair and ends is not None else None

    @property
    def expires_at(self) -> float | None:
        """When the first part of the credential at hand ends (seconds since the epoch), as far as they say."""
        held, certificate = self._held, self.certificate
        token = held.reply.token or held.token
        ends = (
            held.holding.expires_at,
            expiry_in_token(token.reveal()) if token else None,
            certificate.expires_at if certificate else None,
        )
        return min((end for end in ends if end is not None), default=None)

    @property
    def usable(self) -> Credential | None:
        """The credential, when nothing is due."""
        held = self._held
        return None if self._files_are_due(held) or self._plugin_is_due(held) else held.credential

    @property
    def files_are_due(self) -> bool:
        return self._files_are_due(self._held)

    @property
    def plugin_is_due(self) -> bool:
        return self._plugin_is_due(self._held)

    def _files_are_due(self, held: _Held) -> bool:
        return held.holding.generation == 0 or (_has_files(self._access) and must_read(held.holding, self._clock()))

    def _plugin_is_due(self, held: _Held) -> bool:
        return self.plugin is not None and must_run(held.holding, self._clock())

    def read_files(self) -> None:
        """Look at every file again; where one cannot be used, the last good content counts.

        Raises: `TransportError` when there was no good token yet.
        """
        held = self._held
        try:
            token = self._read_token(held.token)
        except TransportError:
            self._tell(FILES, succeeded=False)
            raise
        is_usable = True
        try:
            files = read_tls_material(self._access)
            material = _with_pair(files, held.reply, self.plugin)
            tls = self._context(material, held)
        except ConfigurationError as error:  # half-written, perhaps
            logger.warning("a certificate file cannot be used, the last good one counts: %s", error)
            files, material, tls = held.files, held.material, held.credential.tls
            is_usable = False
        changed = token != held.token or material != held.material
        holding = after_reading(held.holding, self._clock(), changed=changed)
        self._replace(holding, token, files, material, tls, held.reply)
        if holding.generation != held.holding.generation or not is_usable:
            self._tell(FILES, succeeded=is_usable)

    def plan_run(self, plugin: ExecPlugin) -> PluginRun:
        """What to run now. Raises: `TransportError`."""
        ca = self._held.files.ca
        return plan_run(
            plugin,
            self._access,
            self._environ,
            ca=ca.reveal().encode("utf-8", "surrogateescape") if ca else None,
            stdin_is_terminal=_stdin_is_terminal(),
        )

    def accept(self, plugin: ExecPlugin, outcome: PluginOutcome) -> None:
        """The plugin has run. Raises: `TransportError` when it gave no credential."""
        self.attempts += 1
        self._failure = None
        try:
            self._accept(plugin, read_outcome(plugin, outcome))
        except TransportError as error:
            self._failure = error
            self._tell(PLUGIN, succeeded=False)
            raise
        self._tell(PLUGIN, succeeded=True)

    def _accept(self, plugin: ExecPlugin, reply: PluginReply) -> None:
        held = self._held
        material = _with_pair(held.files, reply, plugin)
        try:
            tls = self._context(material, held)
        except ConfigurationError as error:
            raise plugin_failure(plugin, error.faults[0].problem) from None
        self._replace(after_running(held.holding, reply.expires_at), held.token, held.files, material, tls, reply)

    def raise_shared_failure(self, seen_attempts: int) -> None:
        """A run that ended while the caller waited counts for it too. `seen_attempts`: when it began to wait."""
        if self.attempts != seen_attempts and self._failure is not None:
            raise TransportError(self._failure.fault, self._failure.delivery, self._failure.detail)

    def _tell(self, source: str, *, succeeded: bool) -> None:
        tell_refresh(self._observer, CredentialRefreshed(source, succeeded, self.expires_at))

    def _replace(
        self,
        holding: Holding,
        token: Secret | None,
        files: TlsMaterial,
        material: TlsMaterial,
        tls: ssl.SSLContext | None,
        reply: PluginReply,
    ) -> None:
        basic = self._access.identity.basic
        headers = basic_headers(basic) if basic else bearer_headers(reply.token or token)
        self._held = _Held(holding, Credential(holding.generation, headers, tls), token, files, material, reply)

    def _context(self, material: TlsMaterial, held: _Held) -> ssl.SSLContext | None:
        """None stands for the endpoint's own, which the first material made; an equal context stays the same one, so
        that no connection is rebuilt.
        """
        if not self._access.is_encrypted:
            return None
        return held.credential.tls if material == held.material else make_context(material)

    def _read_token(self, last_good: Secret | None) -> Secret | None:
        source = self._access.identity.token
        if not isinstance(source, TokenFile):
            return source
        try:
            token = token_in_file(read_material(source.file))
            problem = f"{source.file.field}: {source.file.path} holds no token"
        except ConfigurationError as error:
            token, problem = None, str(error.faults[0])
        if token is not None:
            return token
        kept = last_good or source.fallback
        if kept is None:
            raise TransportError(TransportFault.CREDENTIALS, Delivery.NOT_SENT, problem)
        logger.warning("the last good token counts: %s", problem)
        return kept


def _with_pair(files: TlsMaterial, reply: PluginReply, plugin: ExecPlugin | None) -> TlsMaterial:
    if plugin is None or reply.certificate is None or reply.key is None:
        return files
    return msgspec.structs.replace(files, pair=KeyPair(plugin.field, reply.certificate, reply.key))


def _has_files(access: ClusterAccess) -> bool:
    """Something that may rotate is in a file."""
    pair, ca = access.identity.certificate, access.trust.ca
    materials = [ca, *((pair.certificate, pair.key) if pair else ())]
    return isinstance(access.identity.token, TokenFile) or any(material and material.path for material in materials)


def _stdin_is_terminal() -> bool:
    try:
        return sys.stdin.isatty()
    except (AttributeError, ValueError):  # no standard input, or a closed one
        return False
