"""What is connected to and by whose word, for messages: no secret, however the settings were given."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from hodei_k8s_core.access.certificate import Certificates
from hodei_k8s_core.access.cluster_access import ClusterAccess
from hodei_k8s_core.secret import Secret


class Target(msgspec.Struct, frozen=True):
    """`server`: the URL. `origin`: where the settings came from. `proxy`: scheme, host and port, or "" for none.

    `certificates`: of its connections; None where they are not ours to know.
    """

    server: str
    origin: str
    proxy: str = ""
    certificates: Certificates | None = None

    @property
    def is_encrypted(self) -> bool:
        return self.server.startswith("https://")

    def __str__(self) -> str:
        return f"{self.server}{' through ' if self.proxy else ''}{self.proxy}, as {self.origin}"


def target_of(access: ClusterAccess, proxy: Secret | None, certificates: Certificates | None = None) -> Target:
    """`proxy`: the URL that was chosen for this access; what it holds of name and password is left out."""
    shown = _without_password(proxy.reveal()) if proxy else ""
    return Target(access.server, str(access.origin), shown, certificates)


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
