"""By which key the lists of a Pod are merged: the tags `patchStrategy` and `patchMergeKey` of Kubernetes' own types.

Source: k8s.io/api core/v1/types.go and k8s.io/apimachinery pkg/apis/meta/v1/types.go, the same in 1.34 and 1.36; what
1.37 adds is marked. A list that is not here is atomic: the patch's replaces the other whole (tolerations, command,
a volume's items). A field that is not here at all is merged as a map, or replaced: a field of a newer Kubernetes needs
no entry. The strategy `retainKeys` is a matter of who writes patches; who applies them obeys the directive anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec


class Field(msgspec.Struct, frozen=True):
    """How one field is merged, and what is known of the fields below it."""

    merge_key: str | None = None
    """Of a list: the key of its items; "" for a set of plain values; None for an atomic list."""
    fields: Mapping[str, Field] = {}


Fields: TypeAlias = Mapping[str, Field]


def _keyed(key: str, **fields: Field) -> Field:
    return Field(key, fields)


_SET_OF_VALUES: Final = Field("")

_OBJECT_META: Final = Field(fields={"ownerReferences": _keyed("uid"), "finalizers": _SET_OF_VALUES})
_CONTAINER: Final = _keyed(
    "name",
    ports=_keyed("containerPort"),
    env=_keyed("name"),
    volumeMounts=_keyed("mountPath"),
    volumeDevices=_keyed("devicePath"),
)
_CLAIM_TEMPLATE: Final = Field(fields={"metadata": _OBJECT_META})
_SPEC: Final = Field(
    fields={
        "volumes": _keyed("name", ephemeral=Field(fields={"volumeClaimTemplate": _CLAIM_TEMPLATE})),
        "initContainers": _CONTAINER,
        "containers": _CONTAINER,
        "ephemeralContainers": _CONTAINER,
        "imagePullSecrets": _keyed("name"),
        "hostAliases": _keyed("ip"),
        "topologySpreadConstraints": _keyed("topologyKey"),
        "schedulingGates": _keyed("name"),
        "resourceClaims": _keyed("name"),
        "evictionResponders": _keyed("name"),  # 1.37
    }
)
_STATUS: Final = Field(
    fields={
        "conditions": _keyed("type"),
        "hostIPs": _keyed("ip"),
        "podIPs": _keyed("ip"),
        "resourceClaimStatuses": _keyed("name"),
        "nodeAllocatableResourceClaimStatuses": _keyed(  # 1.37
            "resourceClaimName", mapping=_keyed("name"), overhead=_keyed("name")
        ),
    }
)

POD: Final[Fields] = {"metadata": _OBJECT_META, "spec": _SPEC, "status": _STATUS}
"""The fields of a Pod."""
