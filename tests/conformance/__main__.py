"""Writes down what the API server of the current kubeconfig answers."""

from __future__ import annotations

import os
import secrets
import sys
import time

import msgspec

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.http import Request
from hodei_k8s_core.requests import create_namespace
from hodei_k8s_transport.connect import open_channel
from tests.conformance import ANSWERS
from tests.conformance.real import LIMIT, answers


def main() -> None:
    namespace = f"hodei-test-sim-{secrets.token_hex(3)}"
    channel, _ = open_channel(KubernetesConfig(), os.environ)
    channel.send(create_namespace(namespace), LIMIT)
    account = Request("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/default")
    while channel.send(account, LIMIT).status != 200:
        time.sleep(0.1)
    try:
        told = answers(channel, namespace)
    finally:
        channel.send(Request("DELETE", f"/api/v1/namespaces/{namespace}"), LIMIT)
        channel.close()
    ANSWERS.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=1) + b"\n")
    sys.stdout.write(f"{sum(map(len, told.values()))} answers in {ANSWERS.name}\n")


if __name__ == "__main__":
    main()
