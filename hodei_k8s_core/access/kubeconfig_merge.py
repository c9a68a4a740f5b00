"""Which kubeconfig files count, and how several become one.

Source: k8s.io/client-go, tools/clientcmd/loader.go (`NewDefaultClientConfigLoadingRules`, `Load`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from hodei_k8s_core.access.kubeconfig_document import Kubeconfig, KubeconfigDocument, parse_document
from hodei_k8s_core.errors import ConfigurationError, Fault


class KubeconfigPaths(msgspec.Struct, frozen=True):
    """The files to read, in order of precedence. `is_explicit`: asked for by name, so it must exist."""

    paths: tuple[str, ...]
    is_explicit: bool = False


def kubeconfig_paths(
    explicit: str | None, environ: Mapping[str, str], *, list_separator: str, home: str
) -> KubeconfigPaths:
    """An explicit path counts alone; else those of KUBECONFIG; else `~/.kube/config` (none without a home).

    `list_separator`: the system's, `:` or `;`.
    """
    if explicit:
        return KubeconfigPaths((explicit,), is_explicit=True)
    if listed := environ.get("KUBECONFIG"):
        return KubeconfigPaths(tuple(dict.fromkeys(filter(None, listed.split(list_separator)))))
    return KubeconfigPaths((f"{home}/.kube/config",) if home else ())


def merge_documents(documents: Iterable[KubeconfigDocument]) -> Kubeconfig:
    """Parse and merge. Raises: `ConfigurationError` with the faults of every file."""
    parsed: list[Kubeconfig] = []
    faults: list[Fault] = []
    refused: list[str] = []
    for document in documents:
        try:
            parsed.append(parse_document(document))
        except ConfigurationError as error:
            faults += error.faults
            refused.append(document.path)
    if faults:
        raise ConfigurationError(f"not a usable kubeconfig: {', '.join(refused)}", faults)
    return _merged(parsed)


def _merged(files: Sequence[Kubeconfig]) -> Kubeconfig:
    """The first file wins: per name, whole; and the first `current-context` that is not empty."""
    current = next((file for file in files if file.current_context), Kubeconfig())
    last_to_first = files[::-1]
    return Kubeconfig(
        current_context=current.current_context,
        current_context_path=current.current_context_path,
        clusters={name: stanza for file in last_to_first for name, stanza in file.clusters.items()},
        users={name: stanza for file in last_to_first for name, stanza in file.users.items()},
        contexts={name: stanza for file in last_to_first for name, stanza in file.contexts.items()},
    )
