"""What observers are told of credentials: that they were read or made anew, or could not be. Never what they are."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, TypeAlias

from hodei_k8s_core.observations import CredentialRefreshed

RefreshObserver: TypeAlias = Callable[[CredentialRefreshed], None]
FILES: Final = "files"
PLUGIN: Final = "plugin"
_log = logging.getLogger("hodei_k8s")


def tell_refresh(observer: RefreshObserver | None, told: CredentialRefreshed) -> None:
    """Tell it; what the observer raises is logged, and is not the credential's trouble."""
    if observer is None:
        return
    try:
        observer(told)
    except Exception:  # noqa: BLE001
        _log.warning("the observer failed on a refreshed credential", exc_info=True)
