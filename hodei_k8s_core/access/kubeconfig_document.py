"""One kubeconfig file: bytes to typed stanzas, with every fault named by file, stanza and field.

As in kubectl, a text must be a text (an unquoted number as a token is an error), null counts as absent, unknown fields
are ignored, and a fault anywhere in the file is a fault, also where the context never looks.
Source: k8s.io/client-go, tools/clientcmd/api/v1/types.go, conversion.go.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import msgspec

from hodei_k8s_core.errors import ConfigurationError, Fault
from hodei_k8s_core.secret import Secret
from hodei_k8s_core.yaml_text import YamlFault, parse_yaml

S = TypeVar("S")


class KubeconfigDocument(msgspec.Struct, frozen=True):
    """A kubeconfig file as it was read. `path`: absolute; relative paths in the file start from its directory."""

    path: str
    data: bytes

    def __repr__(self) -> str:
        return f"<KubeconfigDocument {self.path} ({len(self.data)} bytes)>"


class _Stanza(msgspec.Struct, frozen=True, rename="kebab"):
    """The fields of a stanza as written. No repr: they may be secret."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Extension(_Stanza, frozen=True):
    name: str | None = None
    extension: Any = None


class ClusterStanza(_Stanza, frozen=True):
    server: str | None = None
    tls_server_name: str | None = None
    insecure_skip_tls_verify: bool | None = None
    certificate_authority: str | None = None
    certificate_authority_data: str | None = None
    proxy_url: str | None = None
    disable_compression: bool | None = None
    extensions: list[Extension] | None = None


class ExecVariable(_Stanza, frozen=True):
    name: str | None = None
    value: str | None = None


class ExecStanza(_Stanza, frozen=True, rename="camel"):
    command: str | None = None
    args: list[str] | None = None
    env: list[ExecVariable] | None = None
    api_version: str | None = None
    install_hint: str | None = None
    provide_cluster_info: bool | None = None
    interactive_mode: str | None = None


class AuthProviderStanza(_Stanza, frozen=True):
    name: str | None = None


class UserStanza(_Stanza, frozen=True):
    client_certificate: str | None = None
    client_certificate_data: str | None = None
    client_key: str | None = None
    client_key_data: str | None = None
    token: str | None = None
    token_file: str | None = msgspec.field(default=None, name="tokenFile")
    impersonate: str | None = msgspec.field(default=None, name="as")
    impersonate_uid: str | None = msgspec.field(default=None, name="as-uid")
    impersonate_groups: list[str] | None = msgspec.field(default=None, name="as-groups")
    impersonate_extra: dict[str, list[str] | None] | None = msgspec.field(default=None, name="as-user-extra")
    username: str | None = None
    password: str | None = None
    auth_provider: AuthProviderStanza | None = None
    exec: ExecStanza | None = None


class ContextStanza(_Stanza, frozen=True):
    cluster: str | None = None
    user: str | None = None
    namespace: str | None = None


class Placed(msgspec.Struct, Generic[S], frozen=True):
    """A stanza with the file that it came from. `where` begins the name of each of its fields."""

    stanza: S
    path: str
    where: str

    def field(self, name: str) -> str:
        return f"{self.where}.{name}"


class Kubeconfig(msgspec.Struct, frozen=True, kw_only=True):
    """One file, or several merged."""

    current_context: str = ""
    current_context_path: str = ""
    clusters: dict[str, Placed[ClusterStanza]] = {}
    users: dict[str, Placed[UserStanza]] = {}
    contexts: dict[str, Placed[ContextStanza]] = {}

    def __repr__(self) -> str:
        return f"<Kubeconfig contexts={sorted(self.contexts)}>"


class _NamedCluster(_Stanza, frozen=True):
    name: str | None = None
    cluster: ClusterStanza | None = None


class _NamedUser(_Stanza, frozen=True):
    name: str | None = None
    user: UserStanza | None = None


class _NamedContext(_Stanza, frozen=True):
    name: str | None = None
    context: ContextStanza | None = None


class _File(_Stanza, frozen=True):
    kind: str | None = None
    api_version: str | None = msgspec.field(default=None, name="apiVersion")
    current_context: str | None = None
    clusters: list[Any] | None = None
    users: list[Any] | None = None
    contexts: list[Any] | None = None


_DATA_FIELDS: dict[Any, tuple[str, ...]] = {
    ClusterStanza: ("certificate_authority_data",),
    UserStanza: ("client_certificate_data", "client_key_data"),
    ContextStanza: (),
}


def parse_document(document: KubeconfigDocument) -> Kubeconfig:
    """The stanzas of one file. Raises: `ConfigurationError` with every fault of the file."""
    path = document.path
    try:
        tree = parse_yaml(document.data)
    except YamlFault as fault:
        raise _refused(path, [Fault(path, str(fault))]) from None
    faults: list[Fault] = []
    file = _convert({} if tree is None else tree, _File, path, path + ":", faults) or _File()
    faults += _foreign_kinds(file, path)
    parsed = Kubeconfig(
        current_context=file.current_context or "",
        current_context_path=path if file.current_context else "",
        clusters=_stanzas(file.clusters, _NamedCluster, ClusterStanza, "cluster", path, faults),
        users=_stanzas(file.users, _NamedUser, UserStanza, "user", path, faults),
        contexts=_stanzas(file.contexts, _NamedContext, ContextStanza, "context", path, faults),
    )
    if faults:
        raise _refused(path, faults)
    return parsed


def decode_base64(text: str) -> bytes:
    """Standard base64 with its padding, as Go reads it: line ends inside are ignored. Raises: `ValueError`."""
    return binascii.a2b_base64(text.replace("\r", "").replace("\n", "").encode("ascii"), strict_mode=True)


def decode_material(text: str) -> Secret:
    """PEM that is wrapped in base64. Raises: `ValueError`."""
    return Secret(decode_base64(text).decode("utf-8", "surrogateescape"))


def _refused(path: str, faults: list[Fault]) -> ConfigurationError:
    return ConfigurationError(f"{path} is not a usable kubeconfig", faults)


def _foreign_kinds(file: _File, path: str) -> Iterator[Fault]:
    if file.kind not in (None, "", "Config"):
        yield Fault(f"{path}: kind", f'is "{file.kind}", and a kubeconfig\'s is "Config"')
    if file.api_version not in (None, "", "v1"):
        yield Fault(f"{path}: apiVersion", f'is "{file.api_version}", and a kubeconfig\'s is "v1"')


def _stanzas(
    items: list[Any] | None, wrapper: type[Any], kind: type[S], key: str, path: str, faults: list[Fault]
) -> dict[str, Placed[S]]:
    found: dict[str, Placed[S]] = {}
    for index, item in enumerate(items or ()):
        name = item.get("name") if isinstance(item, dict) else None
        label = f'"{name}"' if isinstance(name, str) else str(index)
        place = f"{path}: {key}s[{label}]"
        named = _convert({} if item is None else item, wrapper, place, place, faults)
        if named is None:
            continue
        placed = Placed(getattr(named, key) or kind(), path, f"{place}.{key}")
        faults += _bad_data(placed, _DATA_FIELDS[kind])
        if (named.name or "") in found:
            faults.append(Fault(place, "the name stands twice in this file"))
        found[named.name or ""] = placed
    return found


def _bad_data(placed: Placed[Any], names: tuple[str, ...]) -> Iterator[Fault]:
    for name in names:
        try:
            decode_base64(getattr(placed.stanza, name) or "")
        except ValueError:
            yield Fault(placed.field(name.replace("_", "-")), "is not base64")


def _convert(tree: Any, kind: type[S], path: str, prefix: str, faults: list[Fault]) -> S | None:
    """msgspec says where a type is wrong as ` - at `$.a.b``; that becomes part of the field's name."""
    try:
        return msgspec.convert(tree, kind)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at `$")
        field = (prefix + where.rstrip("`")).replace(":.", ": ") if where else path
        faults.append(Fault(field, problem[:1].lower() + problem[1:].replace(" | null", "")))
        return None
