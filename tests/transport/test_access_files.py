"""Which files are read for an access, and what is said when one cannot be."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest

from hodei_k8s_core.access.cluster_access import TokenFile
from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_transport.access.connect import build_endpoint, load_access, sync_credentials
from tests.transport.access_cases import access_to, write_kubeconfig

POD = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}


def faults(error: ConfigurationError) -> list[str]:
    return [str(fault) for fault in error.faults]


def config_for(server: str) -> str:
    return json.dumps(
        {
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "contexts": [{"name": "x", "context": {"cluster": "c"}}],
            "current-context": "x",
        }
    )


def test_the_default_file(tmp_path: Path) -> None:
    (tmp_path / ".kube").mkdir()
    write_kubeconfig(tmp_path / ".kube", {})

    access = load_access(environ={"HOME": str(tmp_path)})

    assert access.server == "https://k8s.example"
    assert access.origin.context_file == f"{tmp_path}/.kube/config"


def test_kubeconfig_lists_files_and_the_missing_ones_count_for_nothing(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("missing", "empty", "first", "second")]
    paths[1].touch()
    for path in paths[2:]:
        path.write_text(config_for(f"https://{path.name}"))
    environ = {"KUBECONFIG": os.pathsep.join(map(str, paths)), "HOME": "/nonexistent"}

    assert load_access(environ=environ).server == "https://first"
    assert load_access(environ=environ, kubeconfig_path=paths[3]).server == "https://second"


def test_a_relative_path_starts_from_where_we_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "token").write_text("t")
    write_kubeconfig(tmp_path / "sub", {"tokenFile": "token"})
    monkeypatch.chdir(tmp_path)

    access = load_access(environ={"KUBECONFIG": "sub/config"})

    assert isinstance(access.identity.token, TokenFile)
    assert access.identity.token.file.path == f"{tmp_path}/sub/token"


def test_a_file_that_is_asked_for_by_name_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_access(kubeconfig_path=tmp_path / "gone", environ={})

    assert faults(caught.value) == [f"{tmp_path}/gone: does not exist"]


def test_every_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    environ = {"KUBECONFIG": f"{tmp_path}{os.pathsep}{tmp_path}/file/below{os.pathsep}{tmp_path}/gone"}

    with pytest.raises(ConfigurationError) as caught:
        load_access(environ=environ)

    assert faults(caught.value) == [
        f"{tmp_path}: cannot be read: Is a directory",
        f"{tmp_path}/file/below: cannot be read: Not a directory",
    ]


def test_nothing_to_read_tells_where_it_looked() -> None:
    with pytest.raises(ConfigurationError, match=r"it is empty \(/nonexistent/.kube/config\), and this is not inside"):
        load_access(environ={"HOME": "/nonexistent"})


def test_every_file_that_a_kubeconfig_names_is_looked_for_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        access_to(
            tmp_path,
            {"tokenFile": "t", "client-certificate": "c", "client-key": "k"},
            {"certificate-authority": "ca"},
        )

    where, why = f"{tmp_path}/config", "cannot be read: No such file or directory"
    assert faults(caught.value) == [
        f'{where}: clusters["c"].cluster.certificate-authority: {tmp_path}/ca {why}',
        f'{where}: users["u"].user.client-certificate: {tmp_path}/c {why}',
        f'{where}: users["u"].user.client-key: {tmp_path}/k {why}',
        f'{where}: users["u"].user.tokenFile: {tmp_path}/t {why}',
    ]


def test_a_missing_token_file_is_no_fault_beside_a_token(tmp_path: Path) -> None:
    access = access_to(tmp_path, {"tokenFile": "gone", "token": "given"})

    assert sync_credentials(access, {}).current().headers == (("authorization", "Bearer given"),)


def mount(root: Path, **files: str) -> str:
    for name, text in files.items():
        (root / name.replace("_", ".")).write_text(text)
    return str(root)


def test_in_a_pod(tmp_path: Path) -> None:
    directory = mount(tmp_path, token="secret\n", ca_crt="ca", namespace="ours\n")

    access = load_access(environ=POD, service_account_directory=directory)

    assert access.server == "https://10.96.0.1:443"
    assert access.namespace == "ours"
    assert access.trust.ca is not None
    assert access.trust.ca.path == f"{tmp_path}/ca.crt"


def test_in_a_pod_with_the_least(tmp_path: Path) -> None:
    access = load_access(environ=POD, service_account_directory=mount(tmp_path, token="secret"))

    assert (access.namespace, access.trust.ca) == ("default", None)
    assert sync_credentials(access).current().headers == (("authorization", "Bearer secret"),)


def test_a_kubeconfig_beats_the_pod_and_an_empty_one_does_not(tmp_path: Path) -> None:
    directory = mount(tmp_path, token="secret")
    environ = POD | {"KUBECONFIG": str(write_kubeconfig(tmp_path, {}))}

    assert load_access(environ=environ, service_account_directory=directory).server == "https://k8s.example"
    (tmp_path / "config").write_text("")
    assert load_access(environ=environ, service_account_directory=directory).server == "https://10.96.0.1:443"


def test_not_in_a_pod_without_a_token(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="this is not inside a cluster"):
        load_access(environ=POD, service_account_directory=str(tmp_path))


def test_an_endpoint(tmp_path: Path) -> None:
    access = access_to(
        tmp_path,
        {"token": "t", "as": "someone"},
        {"server": "https://k8s.example/prefix/", "tls-server-name": "k", "disable-compression": True},
    )

    endpoint = build_endpoint(access, {"HTTPS_PROXY": "proxy:3128"}, user_agent="tests")

    assert endpoint.server == "https://k8s.example/prefix"
    assert (endpoint.server_name, endpoint.proxy, endpoint.compression) == ("k", "http://proxy:3128", False)
    assert endpoint.headers == (("user-agent", "tests"), ("impersonate-user", "someone"))
    assert endpoint.tls is not None


def test_plain_http_gets_no_credentials_and_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    access = access_to(tmp_path, {"token": "hunter"}, {"server": "http://127.0.0.1:8001"})

    endpoint = build_endpoint(access, {})

    assert endpoint.tls is None
    assert sync_credentials(access, {}).current().headers == ()
    assert [record.getMessage() for record in caplog.records] == [
        f'no credentials are sent to http://127.0.0.1:8001: it is plain http (context "x" ({tmp_path}/config))'
    ]


def test_one_warning_where_nothing_is_verified(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    access = access_to(tmp_path, {}, {"insecure-skip-tls-verify": True})

    with caplog.at_level(logging.WARNING):
        build_endpoint(access, {})
        sync_credentials(access, {}).current()

    assert [(record.name, record.getMessage()) for record in caplog.records] == [
        (
            "hodei_k8s",
            f'the certificate of https://k8s.example is not verified, as context "x" ({tmp_path}/config) says',
        )
    ]
