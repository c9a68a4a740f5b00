"""Texts get through Kubernetes' expansion letter for letter."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.manifest import build_worker_pod
from hodei_k8s_core.manifest.expansion import escape_expansion
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from tests.core.thoroughness import examples

DEFAULTS = KubernetesConfig()


def spec(**fields: Any) -> WorkerSpec:
    return WorkerSpec(**{"worker_id": "w1", "image": "registry/worker:1", "server_address": "hodei:9090", **fields})


def pod_of(config: KubernetesConfig = DEFAULTS, **fields: Any) -> dict[str, Any]:
    return build_worker_pod(spec(**fields), config)


def worker_of(config: KubernetesConfig = DEFAULTS, **fields: Any) -> dict[str, Any]:
    (container,) = pod_of(config, **fields)["spec"]["containers"]
    assert isinstance(container, dict)
    return container


def expanded(text: str, variables: dict[str, str], *, by_character: bool) -> bytes:
    """What the kubelet makes of a text: expand.go, which reads what follows a `$` by character, and once by byte."""
    data, out, at = text.encode(), bytearray(), 0
    while at < len(data):
        byte, following = data[at : at + 1], data[at + 1 : at + 2]
        if byte != b"$" or not following:
            out += byte
            at += 1
        elif following == b"$":
            out += b"$"
            at += 2
        elif following == b"(":
            close = data.find(b")", at + 2)
            name = data[at + 2 : close].decode() if close > 0 else ""
            out += b"$(" if close < 0 else variables.get(name, f"$({name})").encode()
            at = at + 2 if close < 0 else close + 1
        else:
            out += b"$" + (following if by_character else chr(following[0]).encode())
            at += 2
    return bytes(out)


VARIABLES = {"HODEI_WORKER_ID": "expanded", "": "expanded", "A": "expanded"}
tricky = st.lists(
    st.sampled_from(["$", "$$", "$(", ")", "(", "A", "HODEI_WORKER_ID", "é", "😀", "\n", '"', "\x7f", " "]), max_size=12
).map("".join)


@settings(max_examples=examples(300), deadline=None)
@given(text=tricky | st.text(max_size=20).filter(lambda text: "\0" not in text))
def test_texts_arrive_letter_for_letter(text: str) -> None:
    container = worker_of(environment={"X": text}, command=[text], args=["--", text], otp_token=f"o{text}")
    values = {variable["name"]: variable["value"] for variable in container["env"]}
    arrive = (
        (values["X"], text),
        (values["HODEI_OTP_TOKEN"], f"o{text}"),
        (container["command"][0], text),
        (container["args"][1], text),
    )
    for written, meant in arrive:
        assert expanded(written, VARIABLES, by_character=True) == meant.encode()
        assert expanded(written, VARIABLES, by_character=False) == meant.encode()


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("", ""),
        ("plain", "plain"),
        ("$HOME", "$HOME"),
        ("cost: 5$", "cost: 5$"),
        ("$", "$"),
        ("$(A)", "$$(A)"),
        ("$(A", "$$(A"),
        ("$$", "$$$"),
        ("a$$b $(HODEI_WORKER_ID) $HOME", "a$$$b $$(HODEI_WORKER_ID) $HOME"),
        ("$é", "$$é"),
    ],
)
def test_only_what_would_change_is_escaped(text: str, escaped: str) -> None:
    assert escape_expansion(text) == escaped
    assert expanded(escaped, VARIABLES, by_character=False) == text.encode()


def test_unescaped_texts_would_not_arrive() -> None:
    assert expanded("$(A) $$ $(B) $(", VARIABLES, by_character=True) == b"expanded $ $(B) $("
    assert expanded("$\u00e9", VARIABLES, by_character=True) == "$\u00e9".encode()
    assert expanded("$\u00e9", VARIABLES, by_character=False) != "$\u00e9".encode()
