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
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hodei_k8s_core.cluster_access import ClusterAccess, TokenFile
from hodei_k8s_core.errors import ConfigurationError, TransportError
from hodei_k8s_core.http import Request
from hodei_k8s_transport.access.connect import build_endpoint, load_access, sync_credentials
from hodei_k8s_transport.access.files import read_material
from hodei_k8s_transport.access.tls import read_tls_material
from hodei_k8s_transport.channels.httpx_channel import HttpxChannel

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(os.environ.get("HODEI_K8S_TEST") != "1", reason="HODEI_K8S_TEST=1 turns cluster tests on"),
    pytest.mark.skipif("KUBECONFIG" not in os.environ, reason="KUBECONFIG names no cluster"),
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on PATH"),
]

Config = dict[str, Any]


def kubectl(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["kubectl", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


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


class Real:
    """The cluster under test, as the stanzas of a kubeconfig with everything inline."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        flat = ("config", "view", "--minify", "--flatten", "--raw", "-o", "json")
        view = json.loads(kubectl(*flat, KUBECONFIG=os.environ["KUBECONFIG"]).stdout)
        self.cluster: Config = view["clusters"][0]["cluster"]
        self.user: Config = view["users"][0]["user"]
        self.ca_file = self.file("ca.crt", base64.b64decode(self.cluster["certificate-authority-data"]).decode())

    def file(self, name: str, text: str, mode: int = 0o600) -> str:
        path = self.directory / name
        path.write_text(text)
        path.chmod(mode)
        return str(path)

    def plugin(self, answer: Config | str, api_version: str = "v1", **more: Any) -> Config:
        text = answer if isinstance(answer, str) else json.dumps(answer)
        script = self.file("plugin", f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n", 0o700)
        version = f"client.authentication.k8s.io/{api_version}"
        return {"exec": {"command": script, "apiVersion": version, "interactiveMode": "Never", **more}}

    def credential(self, api_version: str = "v1") -> Config:
        """A plugin's answer that the server accepts: the administrator's certificate."""
        return {
            "kind": "ExecCredential",
            "apiVersion": f"client.authentication.k8s.io/{api_version}",
            "status": {
                "clientCertificateData": base64.b64decode(self.user["client-certificate-data"]).decode(),
                "clientKeyData": base64.b64decode(self.user["client-key-data"]).decode(),
            },
        }


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Real:
    return Real(tmp_path_factory.mktemp("real"))


Change = Callable[[Real, Config, Config], None]
"""Changes the stanzas of a cluster and a user that work."""


def only(user: Config, other: Config) -> None:
    user.clear()
    user.update(other)


def without(stanza: Config, *names: str) -> None:
    for name in names:
        del stanza[name]


CHANGES: dict[str, Change] = {
    "as it is": lambda real, cluster, user: None,
    "a CA with insecure": lambda real, cluster, user: cluster.update({"insecure-skip-tls-verify": True}),
    "a CA as file and data": lambda real, cluster, user: cluster.update({"certificate-authority": real.ca_file}),
    "a CA that is not there": lambda real, cluster, user: only(
        cluster, {"server": cluster["server"], "certificate-authority": "/nonexistent"}
    ),
    "a CA that is no PEM": lambda real, cluster, user: cluster.update({"certificate-authority-data": "aGVsbG8="}),
    "a CA that is no base64": lambda real, cluster, user: cluster.update({"certificate-authority-data": "a b"}),
    "the system's trust": lambda real, cluster, user: only(cluster, {"server": cluster["server"]}),
    "insecure": lambda real, cluster, user: only(
        cluster, {"server": cluster["server"], "insecure-skip-tls-verify": True}
    ),
    "another server name": lambda real, cluster, user: cluster.update({"tls-server-name": "kubernetes"}),
    "a wrong server name": lambda real, cluster, user: cluster.update({"tls-server-name": "example.org"}),
    "no server": lambda real, cluster, user: without(cluster, "server"),
    "a trailing slash": lambda real, cluster, user: cluster.update(server=cluster["server"] + "/"),
    "a query": lambda real, cluster, user: cluster.update(server=cluster["server"] + "/?a=b"),
    "a server without scheme": lambda real, cluster, user: cluster.update(
        server=cluster["server"].removeprefix("https://")
    ),
    "an ftp server": lambda real, cluster, user: cluster.update(server="ftp://127.0.0.1"),
    "a proxy of another kind": lambda real, cluster, user: cluster.update({"proxy-url": "ftp://127.0.0.1:1"}),
    "a server that is a number": lambda real, cluster, user: cluster.update(server=6443),
    "a certificate without key": lambda real, cluster, user: without(user, "client-key-data"),
    "a certificate of another key": lambda real, cluster, user: user.update(
        {"client-key-data": base64.b64encode(OTHER_KEY.encode()).decode()}
    ),
    "a certificate that is no PEM": lambda real, cluster, user: user.update({"client-certificate-data": "aGVsbG8="}),
    "a certificate and a token": lambda real, cluster, user: user.update(token="not-known"),
    "a token with username": lambda real, cluster, user: user.update(token="not-known", username="u", password="p"),
    "a token with a line end": lambda real, cluster, user: user.update(token="a\nb"),
    "a token file that is not there": lambda real, cluster, user: user.update(tokenFile="/nonexistent"),
    "an empty token file": lambda real, cluster, user: user.update(tokenFile=real.file("empty", "")),
    "a token file with username": lambda real, cluster, user: user.update(
        tokenFile=real.file("token", "t"), username="u", password="p"
    ),
    "groups without a user": lambda real, cluster, user: user.update({"as-groups": ["g"]}),
    "impersonation": lambda real, cluster, user: user.update(
        {"as": "someone", "as-uid": "1", "as-groups": ["system:authenticated"], "as-user-extra": {"a/b": ["c"]}}
    ),
    "exec v1": lambda real, cluster, user: only(user, real.plugin(real.credential())),
    "exec v1beta1 without mode": lambda real, cluster, user: only(
        user, real.plugin(real.credential("v1beta1"), "v1beta1", interactiveMode="")
    ),
    "exec v1 without mode": lambda real, cluster, user: only(user, real.plugin(real.credential(), interactiveMode="")),
    "exec that must be interactive": lambda real, cluster, user: only(
        user, real.plugin(real.credential(), interactiveMode="Always")
    ),
    "exec v1alpha1": lambda real, cluster, user: only(user, real.plugin(real.credential("v1alpha1"), "v1alpha1")),
    "exec of another version": lambda real, cluster, user: only(user, real.plugin(real.credential("v1beta1"))),
    "exec of half a pair": lambda real, cluster, user: only(
        user, real.plugin({**real.credential(), "status": {"clientKeyData": "k"}})
    ),
    "exec with auth-provider": lambda real, cluster, user: user.update(
        real.plugin(real.credential()) | {"auth-provider": {"name": "oidc"}}
    ),
    "exec in YAML": lambda real, cluster, user: only(user, real.plugin(as_yaml(real.credential()))),
    "exec with a token beside": lambda real, cluster, user: only(
        user, {"token": "not-known", **real.plugin(real.credential())}
    ),
}


def as_yaml(credential: Config) -> str:
    lines = [f"kind: {credential['kind']}", f"apiVersion: {credential['apiVersion']}", "status:"]
    for name, pem in credential["status"].items():
        lines += [f"  {name}: |", *(f"    {line}" for line in pem.splitlines())]
    return "\n".join(lines)


OTHER_KEY = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2
OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r
1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G
-----END PRIVATE KEY-----
"""


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


def write_config(path: Path, cluster: Config, user: Config) -> None:
    path.write_text(
        json.dumps(
            {
                "clusters": [{"name": "c", "cluster": cluster}],
                "users": [{"name": "u", "user": user}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "x",
            }
        )
    )


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
