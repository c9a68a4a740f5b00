"""The environment of a worker: every name once."""

from __future__ import annotations

from hodei_k8s_core.manifest.expansion import escape_expansion
from hodei_k8s_core.secret import Secret
from hodei_k8s_core.spec.worker_spec import WorkerSpec


def environment(spec: WorkerSpec) -> list[dict[str, str]]:
    """`env`: Hodei's own variables first; a worker's variable of the same name does not replace them."""
    provided = {"HODEI_WORKER_ID": spec.worker_id, "HODEI_SERVER_ADDRESS": spec.server_address}
    if spec.otp_token:
        otp = spec.otp_token
        provided["HODEI_OTP_TOKEN"] = otp.reveal() if isinstance(otp, Secret) else otp
    provided["HODEI_WORKER_MODE"] = "ephemeral"
    values = {**provided, **spec.environment, **provided}
    return [{"name": name, "value": escape_expansion(value)} for name, value in values.items()]
