"""`ProjectedVolume`: files of several Secrets and ConfigMaps, of the Pod itself, and tokens, in one folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from hodei_k8s_core.errors import Fault
from hodei_k8s_core.names import label_key_problem
from hodei_k8s_core.spec.volume_checks import relative_path_problem, volume_faults
from hodei_k8s_core.validation import (
    fault_of,
    instance,
    item,
    raise_faults,
    sequence_faults,
    text_problem,
    text_that,
    whole_number,
)

TEN_MINUTES: Final = 600
# validVolumeDownwardAPIFieldPathExpressions and validContainerResourceFieldPathExpressions of core/validation.
_FIELDS: Final = ("metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations", "metadata.uid")
_ONE_OF_FIELDS: Final = re.compile(r"metadata\.(labels|annotations)\['(.*)'\]")
_RESOURCES: Final = tuple(
    f"{kind}.{name}" for kind in ("limits", "requests") for name in ("cpu", "memory", "ephemeral-storage")
)


class ProjectedConfigMap(msgspec.Struct, frozen=True, kw_only=True, tag="config_map"):
    """Keys of a ConfigMap, as in a `ConfigMapVolume`. Raises: ConfigurationError with every fault."""

    config_map: str
    items: dict[str, str] = {}
    optional: bool = False

    def __post_init__(self) -> None:
        raise_faults("the source of the volume is not valid", volume_faults(self))
        msgspec.structs.force_setattr(self, "items", dict(self.items))


class ProjectedSecret(msgspec.Struct, frozen=True, kw_only=True, tag="secret"):
    """Keys of a Secret, as in a `SecretVolume`. Raises: ConfigurationError with every fault."""

    secret: str
    items: dict[str, str] = {}
    optional: bool = False

    def __post_init__(self) -> None:
        raise_faults("the source of the volume is not valid", volume_faults(self))
        msgspec.structs.force_setattr(self, "items", dict(self.items))


class DownwardFile(msgspec.Struct, frozen=True, kw_only=True, tag="downward"):
    """What the Pod says of itself, in the file `path`.

    `field`: `metadata.name`, `metadata.labels`, `metadata.annotations['x']` …, or a resource of the worker, such as
    `limits.memory`.

    Raises: ConfigurationError with every fault.
    """

    path: str
    field: str

    def __post_init__(self) -> None:
        found = fault_of("path", text_that(relative_path_problem)(self.path))
        raise_faults("the file is not valid", found + fault_of("field", text_that(_field_problem)(self.field)))

    @property
    def is_resource(self) -> bool:
        """It is one of the container's resources."""
        return self.field in _RESOURCES


class ServiceAccountToken(msgspec.Struct, frozen=True, kw_only=True, tag="token"):
    """A token of the worker's service account in the file `path`, renewed by the kubelet.

    `audience`: who is to accept it; "" for the API server. `expiration_seconds`: at least 600.

    Raises: ConfigurationError with every fault.
    """

    path: str = "token"
    audience: str = ""
    expiration_seconds: int = 3600

    def __post_init__(self) -> None:
        found = fault_of("path", text_that(relative_path_problem)(self.path))
        found += fault_of("audience", text_problem(self.audience))
        found += fault_of("expiration_seconds", whole_number(TEN_MINUTES, 2**32)(self.expiration_seconds))
        raise_faults("the token is not valid", found)


ProjectedSource = ProjectedConfigMap | ProjectedSecret | DownwardFile | ServiceAccountToken
_SOURCE: Final = instance(ProjectedSource, "a source of a projected volume")  # type: ignore[arg-type]


class ProjectedVolume(msgspec.Struct, frozen=True, kw_only=True, tag="projected"):
    """Several sources in one folder. `mode`: of the files, as 0o440; None for 0o644.

    Raises: ConfigurationError with every fault.
    """

    name: str
    sources: Sequence[ProjectedSource]
    mode: int | None = None
    mount_path: str = ""

    def __post_init__(self) -> None:
        raise_faults("the volume is not valid", _faults(self))
        msgspec.structs.force_setattr(self, "sources", tuple(self.sources))


def _faults(volume: ProjectedVolume) -> list[Fault]:
    found = volume_faults(volume)  # all but the sources
    wrong = sequence_faults("sources", volume.sources, _SOURCE)
    return found + wrong if wrong else found + _path_faults(volume.sources)


def _path_faults(sources: Sequence[ProjectedSource]) -> list[Fault]:
    """Two sources of one file (validateProjectionSources: conflicting duplicate paths)."""
    found = [] if sources else [Fault("sources", "must not be empty")]
    seen: set[str] = set()
    for index, source in enumerate(sources):
        found += [
            Fault(item("sources", index), f"the path {path!r} is taken") for path in _paths(source) if path in seen
        ]
        seen.update(_paths(source))
    return found


def _paths(source: ProjectedSource) -> Iterator[str]:
    if isinstance(source, ProjectedConfigMap | ProjectedSecret):
        yield from source.items.values()
    else:
        yield source.path


def _field_problem(text: str) -> str | None:
    one = _ONE_OF_FIELDS.fullmatch(text)
    if one is not None:
        # The rule of a label's key; that of an annotation does not look at the case.
        return label_key_problem(one[2].lower() if one[1] == "annotations" else one[2])
    allowed = (*_FIELDS, *_RESOURCES)
    return None if text in allowed else f"must be one of {', '.join(allowed)}, or a label or annotation, not {text!r}"
