"""Our kubeconfig rules against the real `kubectl`: what a configuration says, and whether it is valid at all.

What it says comes from `kubectl config view`, which needs no server. Whether it is valid is judged by a request, since
`config view` checks other things than a request does. Every case costs a start of kubectl; there are about sixty.
"""

from __future__ import annotations

import base64
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hodei_k8s_core.access.cluster_access import ClusterAccess, TokenFile
from hodei_k8s_core.errors import ConfigurationError, TransportError
from hodei_k8s_core.http import Request
from hodei_k8s_transport.access.connect import build_endpoint, load_access, sync_credentials
from hodei_k8s_transport.access.files import read_material
from hodei_k8s_transport.access.tls import read_tls_material
from hodei_k8s_transport.channels.httpx_channel import HttpxChannel
from tests.cluster.kubeconfig_changes import CHANGES, Config, Real, kubectl, write_config

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(os.environ.get("HODEI_K8S_TEST") != "1", reason="HODEI_K8S_TEST=1 turns cluster tests on"),
    pytest.mark.skipif("KUBECONFIG" not in os.environ, reason="KUBECONFIG names no cluster"),
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on PATH"),
]

# What a configuration says -------------------------------------------------------------------------------------------

NAMES = ("a", "b")


def random_files(rng: random.Random, root: Path) -> list[Path]:
    """One to three files in directories of their own, each with some of the stanzas, and paths of every kind."""
    paths = []
    for index in range(rng.randint(1, 3)):
        directory = root / f"d{index}"
        directory.mkdir()
        for name in ("ca.crt", "tls.crt", "tls.key"):
            (directory / name).write_text(f"{name} of {index}\n")
        config = {
            "clusters": [{"name": n, "cluster": random_cluster(rng, index, directory)} for n in some(rng)],
            "users": [{"name": n, "user": random_user(rng, index, directory)} for n in some(rng)],
            "contexts": [
                {
                    "name": n,
                    "context": {"cluster": rng.choice(NAMES), "user": rng.choice(NAMES)} | random_namespace(rng),
                }
                for n in some(rng)
            ],
            "current-context": rng.choice(["", *NAMES]),
        }
        path = directory / "config"
        path.write_text(json.dumps(config) if rng.random() < 0.9 else "")
        paths.append(path)
    return paths


def some(rng: random.Random) -> list[str]:
    return [name for name in NAMES if rng.random() < 0.9]


def random_namespace(rng: random.Random) -> Config:
    return rng.choice([{}, {"namespace": f"ns{rng.randint(0, 9)}"}])


def random_cluster(rng: random.Random, index: int, directory: Path) -> Config:
    trust: Config = rng.choice(
        [
            {},
            {"certificate-authority": "ca.crt"},
            {"certificate-authority": "./x/../ca.crt"},
            {"certificate-authority": str(directory / "ca.crt")},
            {"certificate-authority-data": base64.b64encode(f"data {index}".encode()).decode()},
            {"insecure-skip-tls-verify": True},
        ]
    )
    return {"server": f"https://cluster-{index}-{rng.randint(0, 9)}:6443{rng.choice(['', '/k8s/clusters/x'])}", **trust}


def random_user(rng: random.Random, index: int, directory: Path) -> Config:
    data = base64.b64encode(f"pem {index}".encode()).decode()
    return rng.choice(
        [
            {"token": f"token-{index}"},
            {"username": f"user-{index}", "password": "secret"},
            {"client-certificate": "tls.crt", "client-key": str(directory / "tls.key")},
            {"client-certificate-data": data, "client-key-data": data},
            {"client-certificate": "tls.crt", "client-key": "tls.key", "token": f"both-{index}"},
        ]
    )


def said_by_kubectl(environ: dict[str, str], arguments: list[str]) -> Config | None:
    done = kubectl("config", "view", "--minify", "--flatten", "--raw", "-o", "json", *arguments, **environ)
    if done.returncode:
        return None
    view = json.loads(done.stdout)
    cluster, context = view["clusters"][0]["cluster"], view["contexts"][0]["context"]
    user = view["users"][0]["user"]
    return {
        "server": cluster["server"],
        "ca": cluster.get("certificate-authority-data"),
        "insecure": cluster.get("insecure-skip-tls-verify", False),
        "token": user.get("token"),
        "username": user.get("username"),
        "certificate": user.get("client-certificate-data"),
        "key": user.get("client-key-data"),
        "namespace": context.get("namespace", "default"),
    }


def said_by_us(access: ClusterAccess) -> Config:
    material, identity = read_tls_material(access), access.identity
    assert not isinstance(identity.token, TokenFile)

    def encoded(text: str | None) -> str | None:
        return None if text is None else base64.b64encode(text.encode()).decode()

    return {
        "server": access.server,
        "ca": encoded(read_material(access.trust.ca) if access.trust.ca else None),
        "insecure": access.trust.insecure,
        "token": identity.token.reveal() if identity.token else None,
        "username": identity.basic.username if identity.basic else None,
        "certificate": encoded(material.pair.certificate.reveal() if material.pair else None),
        "key": encoded(material.pair.key.reveal() if material.pair else None),
        "namespace": access.namespace,
    }


@pytest.mark.parametrize("seed", range(18))
def test_a_merged_configuration_says_what_kubectl_says(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    paths = random_files(rng, tmp_path)
    listed = [str(path) for path in paths] + ["", str(tmp_path / "missing")]
    rng.shuffle(listed)
    environ = {"KUBECONFIG": os.pathsep.join(listed)}
    asked = rng.choice([None, None, *NAMES])
    explicit = rng.choice([None, None, None, str(paths[0])])
    arguments = [f"--context={asked}"] * bool(asked) + [f"--kubeconfig={explicit}"] * bool(explicit)

    theirs = said_by_kubectl(environ, arguments)

    try:
        access = load_access(kubeconfig_path=explicit, context=asked, environ=environ)
    except ConfigurationError:
        assert theirs is None
        return
    if theirs is None:  # `view --minify` refuses a missing user, where a request is anonymous
        assert said_by_us(access)["token"] is said_by_us(access)["certificate"] is None
    else:
        assert said_by_us(access) == theirs


# Whether it is valid -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Real:
    return Real(tmp_path_factory.mktemp("real"))


def kubectl_accepts(path: Path) -> bool:
    done = kubectl("get", "--raw", "/version", "--request-timeout=10s", KUBECONFIG=str(path))
    return done.returncode == 0


def we_accept(path: Path) -> bool:
    environ = {"KUBECONFIG": str(path), "PATH": os.environ["PATH"]}
    try:
        access = load_access(environ=environ)
        channel = HttpxChannel(build_endpoint(access, environ), sync_credentials(access, environ))
        try:
            return channel.send(Request("GET", "/version"), 10).is_success
        finally:
            channel.close()
    except (ConfigurationError, TransportError):
        return False


@pytest.mark.parametrize("name", CHANGES)
def test_a_configuration_is_valid_when_a_request_of_kubectl_succeeds(name: str, real: Real, tmp_path: Path) -> None:
    cluster, user = dict(real.cluster), dict(real.user)
    CHANGES[name](real, cluster, user)
    write_config(tmp_path / "config", cluster, user)

    assert we_accept(tmp_path / "config") == kubectl_accepts(tmp_path / "config")


def test_a_plugin_is_told_what_kubectl_tells_it(real: Real, tmp_path: Path) -> None:
    answer = json.dumps(real.credential())
    told = tmp_path / "told"
    script = real.file(
        "telling", f"#!/bin/sh\necho \"$KUBERNETES_EXEC_INFO $EXTRA\" >{told}\ncat <<'E'\n{answer}\nE\n", 0o700
    )
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"a": [1, 2.5, None], "b": {"c": "d"}}}
    user = real.plugin("", command=script, provideClusterInfo=True, env=[{"name": "EXTRA", "value": "more"}])
    cluster = {**real.cluster, "tls-server-name": "kubernetes", "disable-compression": True, "extensions": [extension]}
    write_config(tmp_path / "config", cluster, user)

    def information(accepts: Callable[[Path], bool]) -> tuple[Config, str]:
        assert accepts(tmp_path / "config")
        info, _, extra = told.read_text().rpartition(" ")
        return json.loads(info), extra

    assert information(we_accept) == information(kubectl_accepts)
