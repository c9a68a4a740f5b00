"""`Setting`: one row of the table of settings; `Kind`: how such a setting is read, written and checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from hodei_k8s_core.errors import Fault

VARIABLE_PREFIX: Final = "HODEI_K8S_"
_VARIABLES: Final = {"kubeconfig_path": "KUBECONFIG", "image_pull_secrets": "IMAGE_PULL_SECRET"}
"""The variables that are not called like their setting."""


def as_it_is(value: Any) -> Any:
    """The value itself."""
    return value


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """`parse` and `format`: as text, in a variable. `read` and `write`: as a document has it, where that is no text.

    `parse` and `read` raise ValueError or ConfigurationError for what they cannot read; `faults` checks a value of any
    type. `written`: the form of the text, for people.
    """

    written: str
    parse: Callable[[str], object] = str
    format: Callable[[Any], str] = str
    read: Callable[[Any], object] = as_it_is
    write: Callable[[Any], object] = as_it_is
    faults: Callable[[str, object], list[Fault]]

    def from_document(self, value: object) -> object:
        """Of a document's value, which may be the text of the variable as well. Raises: as `read` and `parse`."""
        if isinstance(value, str):
            return self.parse(value)
        return None if value is None else self.read(value)


class Setting(msgspec.Struct, frozen=True):
    """One row. `doc`: one line for people."""

    field: str
    kind: Kind
    doc: str

    @property
    def variable(self) -> str:
        """The environment variable."""
        return VARIABLE_PREFIX + _VARIABLES.get(self.field, self.field.replace(".", "_").upper())
