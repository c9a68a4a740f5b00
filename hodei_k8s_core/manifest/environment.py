"""The environment of a container: every name once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hodei_k8s_core.companions import OTP_KEY, Companion
from hodei_k8s_core.manifest.expansion import escape_expansion
from hodei_k8s_core.manifest.given import given
from hodei_k8s_core.secret import Secret
from hodei_k8s_core.spec.environment_source import (
    ConfigMapKey,
    EnvironmentKey,
    EnvironmentSource,
    SecretKey,
    WholeConfigMap,
)
from hodei_k8s_core.spec.worker_spec import WorkerSpec

OTP_VARIABLE: Final = "HODEI_OTP_TOKEN"


def worker_environment(spec: WorkerSpec, otp_secret: Companion | None) -> list[dict[str, Any]]:
    """`env`: Hodei's own variables first; a worker's variable of the same name does not replace them.

    `otp_secret`: where the OTP is, None for here.
    """
    provided = {"HODEI_WORKER_ID": spec.worker_id, "HODEI_SERVER_ADDRESS": spec.server_address}
    references: dict[str, EnvironmentKey] = {}
    if otp_secret is not None:
        references[OTP_VARIABLE] = SecretKey(secret=otp_secret.name, key=OTP_KEY)
    elif spec.otp_token:
        otp = spec.otp_token
        provided[OTP_VARIABLE] = otp.reveal() if isinstance(otp, Secret) else otp
    provided["HODEI_WORKER_MODE"] = "ephemeral"
    own = {name: value for name, value in spec.environment.items() if name not in references}
    references |= {name: key for name, key in spec.environment_from.items() if name not in {**provided, **references}}
    return variables({**provided, **own, **provided}, references)


def variables(values: Mapping[str, str], references: Mapping[str, EnvironmentKey]) -> list[dict[str, Any]]:
    """`env` of values, and of what the kubelet reads, which it does not expand."""
    written = [{"name": name, "value": escape_expansion(value)} for name, value in values.items()]
    return written + [
        {"name": name, "valueFrom": _reference(key)} for name, key in references.items() if name not in values
    ]


def environment_source(source: EnvironmentSource) -> dict[str, Any]:
    """One of `envFrom`. What has a name in `env` is not replaced (core/v1, Container.EnvFrom: "Values defined by an
    Env with a duplicate key will take precedence"), so that no source can change what is Hodei's.
    """
    is_config_map = isinstance(source, WholeConfigMap)
    name = source.config_map if isinstance(source, WholeConfigMap) else source.secret
    reference = {"name": name} | given({"optional": source.optional})
    return given({"prefix": source.prefix}) | {"configMapRef" if is_config_map else "secretRef": reference}


def _reference(key: EnvironmentKey) -> dict[str, Any]:
    rest = {"key": key.key} | given({"optional": key.optional})
    if isinstance(key, ConfigMapKey):
        return {"configMapKeyRef": {"name": key.config_map} | rest}
    return {"secretKeyRef": {"name": key.secret} | rest}
