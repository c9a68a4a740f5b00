"""The cluster under test as a kubeconfig that works, and what can be changed in it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
