"""Settings whose texts are in files."""

from __future__ import annotations

from pathlib import Path

import pytest

from hodei_k8s_core.config import KubernetesConfig
from hodei_k8s_core.config.profile import Profile
from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_transport import config_from_env

TEMPLATE, PROFILES = "HODEI_K8S_POD_TEMPLATE", "HODEI_K8S_PROFILES"


def faults(environ: dict[str, str]) -> dict[str, str]:
    with pytest.raises(ConfigurationError) as caught:
        config_from_env(environ)
    return {fault.field: fault.problem for fault in caught.value.faults}


def test_without_files_it_is_from_env() -> None:
    environ = {"HODEI_K8S_NAMESPACE": "ci", f"{TEMPLATE}_FILE": "", TEMPLATE: "spec: {}"}
    assert config_from_env(environ) == KubernetesConfig(namespace="ci", pod_template={"spec": {}})


def test_the_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text("spec:\n  priorityClassName: é\n", encoding="utf-8")
    (tmp_path / "profiles.toml").write_text('[gpu]\nimage = "x"\n')
    environ = {f"{TEMPLATE}_FILE": str(tmp_path / "pod.yaml"), f"{PROFILES}_FILE": str(tmp_path / "profiles.toml")}
    assert config_from_env(environ) == KubernetesConfig(
        pod_template={"spec": {"priorityClassName": "é"}}, profiles={"gpu": Profile({"image": "x"})}
    )
    assert set(environ) == {f"{TEMPLATE}_FILE", f"{PROFILES}_FILE"}


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"a: \xe9")
    told = faults(
        {f"{TEMPLATE}_FILE": str(tmp_path), f"{PROFILES}_FILE": str(tmp_path / "latin"), "HODEI_K8S_NAMESPACE": "A"}
    )
    assert set(told) == {f"{TEMPLATE}_FILE", f"{PROFILES}_FILE", "namespace (HODEI_K8S_NAMESPACE)"}
    assert told[f"{TEMPLATE}_FILE"] == "cannot be read: Is a directory"
    assert told[f"{PROFILES}_FILE"] == "is not a file of UTF-8 text"


def test_a_setting_is_given_once(tmp_path: Path) -> None:
    told = faults({f"{TEMPLATE}_FILE": str(tmp_path / "x"), TEMPLATE: "spec: {}"})
    assert told == {f"{TEMPLATE}_FILE": f"must not be set together with {TEMPLATE}"}


def test_what_is_wrong_in_a_file_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text("kind: Job")
    (field,) = faults({f"{TEMPLATE}_FILE": str(tmp_path / "pod.yaml")})
    assert field == f"pod_template.kind ({TEMPLATE})"
