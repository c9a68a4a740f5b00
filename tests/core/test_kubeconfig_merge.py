"""Which files count, and how several become one."""

from __future__ import annotations

from typing import Any

import pytest

from hodei_k8s_core.access.cluster_access import Material, TokenFile
from hodei_k8s_core.access.kubeconfig_merge import KubeconfigPaths, kubeconfig_paths, merge_documents
from hodei_k8s_core.errors import ConfigurationError
from hodei_k8s_core.secret import Secret
from tests.core.kubeconfigs import config, document, exec_stanza, load


@pytest.mark.parametrize(
    ("explicit", "kubeconfig", "paths"),
    [
        (None, None, ("/home/dev/.kube/config",)),
        (None, "", ("/home/dev/.kube/config",)),
        ("", None, ("/home/dev/.kube/config",)),
        (None, "/a", ("/a",)),
        (None, "/b:/a", ("/b", "/a")),
        (None, ":/a::/b:/a:", ("/a", "/b")),
        (None, ":", ()),
        (None, "relative", ("relative",)),
    ],
)
def test_paths(explicit: str | None, kubeconfig: str | None, paths: tuple[str, ...]) -> None:
    environ = {"KUBECONFIG": kubeconfig} if kubeconfig is not None else {}

    assert kubeconfig_paths(explicit, environ, list_separator=":", home="/home/dev") == KubeconfigPaths(paths)


def test_an_explicit_path_counts_alone_and_must_exist() -> None:
    found = kubeconfig_paths("/x", {"KUBECONFIG": "/a"}, list_separator=":", home="/home/dev")

    assert found == KubeconfigPaths(("/x",), is_explicit=True)


def test_another_system_has_another_separator() -> None:
    found = kubeconfig_paths(None, {"KUBECONFIG": "C:\\a;D:\\b"}, list_separator=";", home="")

    assert found.paths == ("C:\\a", "D:\\b")


def test_without_a_home_there_is_no_default() -> None:
    assert kubeconfig_paths(None, {}, list_separator=":", home="").paths == ()


def test_the_first_file_wins_per_name_and_whole() -> None:
    first = config({"server": "https://first"}, {"as": "first"}, {"namespace": None})
    second = config({"server": "https://second", "tls-server-name": "x"}, {"token": "t"}, {"namespace": "second"})

    access = load(first, second)

    assert access.server == "https://first"
    assert access.trust.server_name is None
    assert access.identity.token is None
    assert access.namespace == "default"


def test_what_only_a_later_file_has_is_added() -> None:
    access = load({"contexts": config()["contexts"]}, {"clusters": config()["clusters"]}, config(user={"token": "t"}))

    assert access.identity.token == Secret("t")
    assert (access.origin.context_file, access.origin.cluster_file, access.origin.user_file) == (
        "/0/config",
        "/1/config",
        "/2/config",
    )


@pytest.mark.parametrize(
    ("currents", "namespace"),
    [(("a", "b"), "a"), (("", "b"), "b"), ((None, "b"), "b"), (("b", ""), "b")],
)
def test_the_first_current_context_that_is_not_empty(currents: tuple[Any, Any], namespace: str) -> None:
    contexts = [{"name": name, "context": {"cluster": "dev", "user": "dev", "namespace": name}} for name in ("a", "b")]
    first, second = ({**config(), "contexts": contexts, "current-context": current} for current in currents)

    assert load(first, second).namespace == namespace


def test_relative_paths_start_from_the_file_of_their_stanza() -> None:
    access = load(
        {"contexts": config()["contexts"], "current-context": "dev"},
        {"clusters": config({"certificate-authority": "ca"})["clusters"]},
        {"users": config(user={"client-certificate": "c", "client-key": "k", "tokenFile": "t"})["users"]},
    )

    certificate, token = access.identity.certificate, access.identity.token
    assert access.trust.ca is not None
    assert access.trust.ca.path == "/1/ca"
    assert certificate is not None
    assert (certificate.certificate.path, certificate.key.path) == ("/2/c", "/2/k")
    assert token == TokenFile(Material('/2/config: users["dev"].user.tokenFile', "/2/t"))


def test_a_plugin_next_to_the_file_of_its_user() -> None:
    access = load({**config(), "users": []}, {"users": config(user=exec_stanza(command="./p"))["users"]})

    assert access.identity.plugin is not None
    assert access.identity.plugin.command == "/1/p"


def test_empty_files_are_empty_configurations() -> None:
    assert load("", config(), "# nothing\n", "{}", "null").server == "https://k8s.example:6443"


def test_no_file_is_an_empty_configuration() -> None:
    assert merge_documents([]).contexts == {}


def test_unknown_fields_and_nulls_count_for_nothing() -> None:
    whole = {**config(), "preferences": {"colors": True}, "extensions": None, "more": [1]}
    whole["clusters"][0]["cluster"] |= {"proxy-url": None, "unknown": {"a": 1}, "extensions": None}
    whole["users"][0] = {"name": "dev", "user": None, "1": 2}

    assert load(whole).proxy is None


def test_an_item_that_is_null_has_no_name() -> None:
    assert "" in merge_documents([document("users: [~]")]).users


def test_a_name_may_stand_in_two_files_and_not_twice_in_one() -> None:
    assert load(config(), config()).server == "https://k8s.example:6443"
    with pytest.raises(ConfigurationError, match=r'/1/config: clusters\["dev"\]: the name stands twice in this file'):
        load(config(), {**config(), "clusters": config()["clusters"] * 2})
