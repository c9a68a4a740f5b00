"""What a worker has beside its Pod: by which names, with which content, and how the Pod tells of it."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.companions import (
    Companion,
    companions_of,
    is_gated,
    listed_companions,
    otp_secret,
    without_mark,
    written_companions,
)
from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.errors import WorkerAlreadyExists
from hodei_k8s_core.manifest import build_worker_pod, companion_manifests, encode_worker_pod
from hodei_k8s_core.names import dns_subdomain_problem
from hodei_k8s_core.pod import Pod, parse_pod
from hodei_k8s_core.spec.volume_spec import PersistentVolume, WorkerClaim
from hodei_k8s_core.spec.worker_spec import WorkerSpec
from tests.core.companion_cases import CLAIMED, RICH, SECRET, SECRETLY
from tests.core.operation_cases import CONFIG, SPEC, TOKEN
from tests.core.thoroughness import examples

PLAIN = WorkerSpec(worker_id="w1", image="job:1")
OTP = "HODEI_OTP_TOKEN"


def pod_of(spec: WorkerSpec, config: KubernetesConfig = SECRETLY, token: str = TOKEN) -> dict[str, Any]:
    return build_worker_pod(spec, config, creation_token=token)


def stored(spec: WorkerSpec, config: KubernetesConfig = SECRETLY, token: str = TOKEN, **meta: Any) -> Pod:
    """The Pod as the server gives it back."""
    pod = pod_of(spec, config, token)
    return parse_pod(msgspec.json.encode({**pod, "metadata": {**pod["metadata"], "uid": "uid-1", **meta}}))


def variable(pod: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in pod["spec"]["containers"][0]["env"] if one["name"] == name)
    return found


def names_of(pod: dict[str, Any]) -> list[str]:
    return sorted(one["name"] for one in pod["spec"]["containers"][0]["env"])


# --- which, and by which names


def test_a_worker_has_what_its_spec_and_the_settings_ask_for() -> None:
    assert [str(one) for one in companions_of(RICH, SECRETLY, TOKEN)] == [
        f"secrets/{SECRET}",
        f"persistentvolumeclaims/{CLAIMED}",
    ]
    assert [str(one) for one in companions_of(RICH, CONFIG, TOKEN)] == [f"persistentvolumeclaims/{CLAIMED}"]
    assert [str(one) for one in companions_of(SPEC, SECRETLY, TOKEN)] == [f"secrets/{SECRET}"]


@pytest.mark.parametrize(("spec", "config"), [(SPEC, CONFIG), (PLAIN, SECRETLY), (PLAIN, CONFIG)])
def test_a_plain_worker_has_nothing_and_waits_for_nothing(spec: WorkerSpec, config: KubernetesConfig) -> None:
    pod = pod_of(spec, config)
    assert companions_of(spec, config, TOKEN) == ()
    assert "schedulingGates" not in pod["spec"]
    assert "hodei.io/companions" not in pod["metadata"]["annotations"]
    assert not is_gated(stored(spec, config))


def test_each_creation_has_names_of_its_own() -> None:
    names = {str(one) for token in ("", "a", "b", "A\n/") for one in companions_of(RICH, SECRETLY, token)}
    assert len(names) == 8
    assert "secrets/hodei-worker-w1-otp" in names  # without a token, as in a dry run


def test_names_of_two_workers_never_meet() -> None:
    """`a` with a volume `b-c` and `a-b` with a volume `c` would, if names were only joined."""
    one = msgspec.structs.replace(PLAIN, worker_id="a", volumes=(WorkerClaim(name="b-c", size=1),))
    other = msgspec.structs.replace(PLAIN, worker_id="a-b", volumes=(WorkerClaim(name="c", size=1),))
    assert companions_of(one, CONFIG, "token-1") != companions_of(other, CONFIG, "token-2")


def test_a_name_without_its_mark_is_that_of_any_creation() -> None:
    one, other = (written_companions(companions_of(RICH, SECRETLY, token)) for token in ("a", "b"))
    assert one != other
    assert without_mark(one) == without_mark(other)
    assert without_mark(one) == "secrets/hodei-worker-w1-*-otp persistentvolumeclaims/hodei-worker-w1-*-data"
    assert without_mark("some-0123456789-thing") == "some-0123456789-thing"


def test_the_longest_names_are_valid() -> None:
    spec = WorkerSpec(worker_id="w" * 63, image="a", otp_token="o", volumes=(WorkerClaim(name="v" * 63, size=1),))
    assert [dns_subdomain_problem(one.name) for one in companions_of(spec, SECRETLY, "ü" * 1000)] == [None, None]


# --- the Pod


def test_the_pod_lists_them_and_waits_behind_a_gate() -> None:
    pod = pod_of(RICH)
    assert pod["spec"]["schedulingGates"] == [{"name": "hodei.io/companions"}]
    listed = pod["metadata"]["annotations"]["hodei.io/companions"]
    assert listed == f"secrets/{SECRET} persistentvolumeclaims/{CLAIMED}"
    assert listed_companions(stored(RICH)) == companions_of(RICH, SECRETLY, TOKEN)
    assert is_gated(stored(RICH))


def test_the_otp_comes_from_the_secret_and_is_not_in_the_pod() -> None:
    pod = pod_of(RICH)
    assert variable(pod, OTP) == {
        "name": OTP,
        "valueFrom": {"secretKeyRef": {"name": SECRET, "key": "otp-token"}},
    }
    assert b"otp-1" not in encode_worker_pod(RICH, SECRETLY, creation_token=TOKEN)
    names = [
        sorted(one["name"] for one in made["spec"]["containers"][0]["env"]) for made in (pod, pod_of(RICH, CONFIG))
    ]
    assert names[0] == names[1]


def test_the_workers_own_claim_is_mounted_by_its_name() -> None:
    pod = pod_of(RICH)
    assert pod["spec"]["volumes"] == [{"name": "data", "persistentVolumeClaim": {"claimName": CLAIMED}}]
    assert pod["spec"]["containers"][0]["volumeMounts"] == [{"name": "data", "mountPath": "/mnt/data"}]


@pytest.mark.parametrize(
    "told",
    ["", "secrets/kube-root", "secrets/hodei-worker-w10-otp", "pods/hodei-worker-w1-x", "secrets", "a/b/c", "secrets/"],
)
def test_what_is_not_named_after_the_pod_is_not_believed_to_be_its_own(told: str) -> None:
    """Whoever may only annotate Pods must not get our permission to delete."""
    assert listed_companions(stored(PLAIN, annotations={"hodei.io/companions": told})) == ()


def test_a_claim_that_exists_is_no_companion() -> None:
    spec = msgspec.structs.replace(PLAIN, volumes=(PersistentVolume(name="data", claim_name=CLAIMED),))
    assert companions_of(spec, SECRETLY, TOKEN) == ()


def test_another_gate_is_not_ours() -> None:
    pod = parse_pod(b'{"kind":"Pod","metadata":{"name":"a"},"spec":{"schedulingGates":[{"name":"kueue.x-k8s.io/a"}]}}')
    assert not is_gated(pod)


# --- their content


def test_a_secret_is_owned_immutable_and_labelled() -> None:
    (secret, manifest), _ = companion_manifests(RICH, stored(RICH))
    assert (secret.kind, str(secret)) == ("Secret", f"secrets/{SECRET}")
    assert manifest == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": SECRET,
            "labels": {
                "app": "hodei-worker",
                "hodei.io/worker-id": "w1",
                "hodei.io/managed": "true",
                "hodei.io/provider-id": "tests",
            },
            "ownerReferences": [
                {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "name": "hodei-worker-w1",
                    "uid": "uid-1",
                    "controller": False,
                    "blockOwnerDeletion": False,
                }
            ],
        },
        "type": "Opaque",
        "immutable": True,
        "data": {"otp-token": "b3RwLTE="},
    }


@settings(max_examples=examples(100), deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_an_otp_is_in_its_secret_letter_for_letter(otp: str) -> None:
    spec = msgspec.structs.replace(SPEC, otp_token=otp)
    ((_, manifest),) = companion_manifests(spec, stored(spec))
    assert b64decode(manifest["data"]["otp-token"]).decode() == otp


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({"size": 2**30}, {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}),
        (
            {"size": 1500, "storage_class": "fast", "access_mode": "ReadWriteMany"},
            {
                "accessModes": ["ReadWriteMany"],
                "resources": {"requests": {"storage": "1500"}},
                "storageClassName": "fast",
            },
        ),
    ],
)
def test_a_claim_asks_for_what_the_spec_says(fields: dict[str, Any], asked: dict[str, Any]) -> None:
    spec = msgspec.structs.replace(PLAIN, volumes=(WorkerClaim(name="data", **fields),))
    ((claim, manifest),) = companion_manifests(spec, stored(spec))
    assert (claim.kind, manifest["kind"], manifest["spec"]) == ("PersistentVolumeClaim",) * 2 + (asked,)


def test_the_pod_decides_and_not_the_settings_of_today() -> None:
    """It may be adopted by a provider with other settings."""
    assert [str(one) for one, _ in companion_manifests(RICH, stored(RICH, CONFIG))] == [
        f"persistentvolumeclaims/{CLAIMED}"
    ]


@pytest.mark.parametrize("spec", [PLAIN, SPEC], ids=["neither", "without the claim"])
def test_a_pod_of_another_spec_is_not_completed(spec: WorkerSpec) -> None:
    with pytest.raises(WorkerAlreadyExists, match="another spec") as caught:
        companion_manifests(spec, stored(RICH))
    assert CLAIMED in str(caught.value)


def test_no_repr_shows_the_otp() -> None:
    secret = otp_secret(RICH, SECRETLY, TOKEN)
    assert secret is not None
    assert "otp-1" not in repr(secret) + written_companions((secret,)) + repr(Companion("secrets", "x"))
