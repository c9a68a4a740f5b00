"""Make the namespace of the workers, for whoever asks for that explicitly."""

from __future__ import annotations

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.effects import Operation
from hodei_k8s_core.errors import ProviderError
from hodei_k8s_core.operations.calls import call
from hodei_k8s_core.operations.deadline import with_deadline
from hodei_k8s_core.requests import create_namespace


def ensure_namespace(config: KubernetesConfig) -> Operation[bool]:
    """Create the configured namespace unless it exists; whether it was made now.

    Raises: AuthenticationFailed where that is not permitted, ConnectionFailed, Timeout.
    """
    what = f"create the namespace {config.namespace}"
    try:
        yield from with_deadline(
            call(create_namespace(config.namespace), config, what), config.operation_timeout, what=what
        )
    except ProviderError as error:
        if error.status is not None and error.status.is_already_exists:
            return False
        raise
    return True
