"""What the access to a cluster reads from files: kubeconfigs, a Pod's service account, certificates and tokens."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from hodei_k8s_core.access.cluster_access import ClusterAccess, Material, TokenFile
from hodei_k8s_core.access.kubeconfig import ServiceAccountMount
from hodei_k8s_core.access.kubeconfig_document import KubeconfigDocument
from hodei_k8s_core.access.kubeconfig_merge import KubeconfigPaths, kubeconfig_paths
from hodei_k8s_core.errors import ConfigurationError, Fault

SERVICE_ACCOUNT_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount"


def find_kubeconfigs(explicit: str | os.PathLike[str] | None, environ: Mapping[str, str]) -> KubeconfigPaths:
    """The kubeconfig files to read, by `kubectl`'s precedence."""
    home = environ.get("HOME") or environ.get("USERPROFILE") or ""
    path = os.fspath(explicit) if explicit is not None else None
    return kubeconfig_paths(path, environ, list_separator=os.pathsep, home=home)


def read_kubeconfigs(found: KubeconfigPaths) -> list[KubeconfigDocument]:
    """Their content; what is missing is skipped, unless it was asked for by name.

    Raises: `ConfigurationError` with every file that cannot be read.
    """
    documents: list[KubeconfigDocument] = []
    faults: list[Fault] = []
    for path in found.paths:
        try:
            documents.append(KubeconfigDocument(os.path.abspath(path), Path(path).read_bytes()))  # noqa: PTH100 - `..` by the letter, as Go does
        except FileNotFoundError:
            if found.is_explicit:
                faults.append(Fault(path, "does not exist"))
        except OSError as error:
            faults.append(Fault(path, f"cannot be read: {error.strerror}"))
    if faults:
        raise ConfigurationError("a kubeconfig cannot be read", faults)
    return documents


def find_service_account(directory: str) -> ServiceAccountMount | None:
    """What is mounted there for a Pod's service account, or None where no token is."""
    mount = Path(directory)
    try:
        if not (mount / "token").is_file():
            return None
        has_ca = (mount / "ca.crt").is_file()
        namespace = (mount / "namespace").read_text()
    except PermissionError:
        return None
    except (OSError, UnicodeDecodeError):
        namespace = ""
    return ServiceAccountMount(directory, has_ca=has_ca, namespace=namespace)


def read_material(material: Material) -> str:
    """The text of a certificate, key or token. Raises: `ConfigurationError` that names the field."""
    if material.data is not None:
        return material.data.reveal()
    try:
        return Path(material.path).read_bytes().decode("utf-8", "surrogateescape")
    except OSError as error:
        fault = Fault(material.field, f"{material.path} cannot be read: {error.strerror}")
        raise ConfigurationError("a file that the kubeconfig names cannot be read", [fault]) from None


def check_files(access: ClusterAccess) -> None:
    """Every file that the access names can be read now. Raises: `ConfigurationError` with all that cannot."""
    faults: list[Fault] = []
    for material in _materials(access):
        try:
            read_material(material)
        except ConfigurationError as error:
            faults += error.faults
    if faults:
        raise ConfigurationError("a file that the kubeconfig names cannot be read", faults)


def _materials(access: ClusterAccess) -> Iterator[Material]:
    if access.trust.ca:
        yield access.trust.ca
    if access.identity.certificate:
        yield access.identity.certificate.certificate
        yield access.identity.certificate.key
    if isinstance(access.identity.token, TokenFile) and access.identity.token.fallback is None:
        yield access.identity.token.file
