"""Generated Pods and strategic merge patches for them: every directive, right ones and wrong ones.

What is left out is what kubectl itself does in one of two ways (deleting a value from a list and adding it), and the
deliberate differences that hodei_k8s_core/strategic_merge/merge.py names.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

Json: TypeAlias = dict[str, Any]
Made: TypeAlias = tuple[Json, Json]


class Text:
    """A plain value."""

    def __init__(self, *values: Any) -> None:
        self.values = values

    def base(self, chance: random.Random) -> Any:
        return chance.choice(self.values)

    def patch(self, chance: random.Random) -> Any:
        return None if chance.random() < 0.15 else chance.choice(self.values)

    def beside(self, chance: random.Random, name: str, patch: Json) -> Json:
        """The directives that stand beside the field `name` in the mapping."""
        return {}


class Atomic(Text):
    """A list that is replaced whole."""

    def base(self, chance: random.Random) -> Any:
        return chance.sample(self.values, chance.randint(0, len(self.values)))

    def patch(self, chance: random.Random) -> Any:
        return None if chance.random() < 0.1 else self.base(chance)

    def beside(self, chance: random.Random, name: str, patch: Json) -> Json:
        if chance.random() < 0.8 or not all(isinstance(value, str) for value in self.values):
            return {}
        return {f"$setElementOrder/{name}": order(chance, patch.get(name), self.values, lambda item: item)}


class ValueSet(Atomic):
    """A list of plain values that is merged."""

    def beside(self, chance: random.Random, name: str, patch: Json) -> Json:
        made: Json = {}
        added = patch.get(name) or []
        if chance.random() < 0.4:
            gone = [value for value in self.values if value not in added and chance.random() < 0.4]
            made[f"$deleteFromPrimitiveList/{name}"] = gone
        return made | super().beside(chance, name, patch)


class Struct:
    def __init__(self, **fields: Any) -> None:
        self.fields = fields

    def base(self, chance: random.Random) -> Json:
        return {name: field.base(chance) for name, field in self.fields.items() if chance.random() < 0.7}

    def patch(self, chance: random.Random) -> Any:
        if (drawn := chance.random()) < 0.04:
            return None if drawn < 0.02 else "not a mapping"
        made = self.members(chance, 0.4)
        if chance.random() < 0.08:
            made["$patch"] = chance.choice(["replace", "replace", "delete", "delete", "merge"])
        elif chance.random() < 0.12:
            kept = [name for name in made if not name.startswith("$")]
            kept += chance.sample(sorted(self.fields), chance.randint(0, min(2, len(self.fields))))
            made["$retainKeys"] = kept if chance.random() < 0.9 else kept[1:]
        return made

    def members(self, chance: random.Random, share: float) -> Json:
        made: Json = {name: field.patch(chance) for name, field in self.fields.items() if chance.random() < share}
        for name, field in self.fields.items():
            made |= field.beside(chance, name, made)
        return shuffled(chance, made)

    def beside(self, chance: random.Random, name: str, patch: Json) -> Json:
        return {}


class Keyed(Struct):
    """A list of mappings that is merged by a key."""

    def __init__(self, key: str, names: Sequence[Any], **fields: Any) -> None:
        super().__init__(**fields)
        self.key, self.names = key, names

    def base(self, chance: random.Random) -> Any:
        names = chance.sample(self.names, chance.randint(0, len(self.names)))
        if names and chance.random() < 0.05:
            names.append(names[0])
        return [{self.key: name} | Struct.base(self, chance) for name in names]

    def patch(self, chance: random.Random) -> Any:
        if chance.random() < 0.05:
            return None
        items = [
            self.item(chance, name) for name in chance.sample(self.names, chance.randint(0, min(3, len(self.names))))
        ]
        if chance.random() < 0.06:
            items.insert(chance.randint(0, len(items)), {"$patch": chance.choice(["replace", "replace", "merge"])})
        return items

    def item(self, chance: random.Random, name: Any) -> Json:
        if chance.random() < 0.25:
            return {self.key: name, "$patch": "delete"}
        made = self.members(chance, 0.5)
        if chance.random() < 0.15:
            kept = [member for member in made if not member.startswith("$")]
            made["$retainKeys"] = [self.key, *kept, *chance.sample(sorted(self.fields), min(1, len(self.fields)))]
        return made if chance.random() < 0.02 else {self.key: name} | made

    def beside(self, chance: random.Random, name: str, patch: Json) -> Json:
        if chance.random() < 0.7:
            return {}
        ordered = order(chance, patch.get(name), self.names, lambda item: item.get(self.key))
        return {f"$setElementOrder/{name}": [{self.key: value} for value in ordered]}


def order(chance: random.Random, patch: Any, names: Sequence[Any], name_of: Callable[[Any], Any]) -> list[Any]:
    """As a rule one that holds the patch's items in their order, and some others."""
    if chance.random() < 0.05:
        return []
    there = [name_of(item) for item in patch or [] if "$patch" not in item]
    others = [name for name in names if name not in there and chance.random() < 0.6]
    if chance.random() < 0.08:
        return chance.sample(names, len(names) - 1)
    for name in others:
        there.insert(chance.randint(0, len(there)), name)
    return [name for name in there if name is not None]


def shuffled(chance: random.Random, made: Mapping[str, Any]) -> Json:
    keys = list(made)
    chance.shuffle(keys)
    return {key: made[key] for key in keys}


NAMES: Final = ["a", "b", "c", "d"]
LABELS: Final = Struct(team=Text("x", "y"), stage=Text("1", "2"))
META: Final = {
    "labels": LABELS,
    "annotations": LABELS,
    "finalizers": ValueSet("e/1", "e/2", "e/3", "e/4"),
    "ownerReferences": Keyed("uid", ["u1", "u2", "u3"], kind=Text("A", "B"), controller=Text(True, False)),
}
FIELD: Final = Struct(fieldPath=Text("status.podIP", "metadata.name"))
CONTAINER: Final = {
    "image": Text("i:1", "i:2"),
    "command": Atomic("sh", "-c", "x"),
    "env": Keyed("name", ["A", "B", "C", "D"], value=Text("1", "2"), valueFrom=Struct(fieldRef=FIELD)),
    "ports": Keyed("containerPort", [80, 81, 82], protocol=Text("TCP", "UDP"), hostPort=Text(1, 2)),
    "volumeMounts": Keyed("mountPath", ["/a", "/b", "/c"], name=Text("v", "w"), readOnly=Text(True, False)),
    "volumeDevices": Keyed("devicePath", ["/dev/a", "/dev/b", "/dev/c"], name=Text("v", "w")),
    "resources": Struct(limits=Struct(cpu=Text("1", "2"), memory=Text("1Gi", "2Gi")), claims=Atomic({"name": "r"})),
    "securityContext": Struct(
        runAsUser=Text(1, 2), capabilities=Struct(drop=Atomic("ALL", "KILL")), privileged=Text(True, False)
    ),
}
POD: Final = Struct(
    metadata=Struct(**META),
    spec=Struct(
        containers=Keyed("name", NAMES, **CONTAINER),
        initContainers=Keyed("name", NAMES[:3], **CONTAINER),
        ephemeralContainers=Keyed("name", NAMES[:3], targetContainerName=Text("a", "b"), env=CONTAINER["env"]),
        volumes=Keyed(
            "name",
            NAMES,
            emptyDir=Struct(medium=Text("", "Memory"), sizeLimit=Text("1Gi", "2Gi")),
            configMap=Struct(name=Text("m", "n"), items=Atomic({"key": "k", "path": "p"}, {"key": "l", "path": "q"})),
            ephemeral=Struct(volumeClaimTemplate=Struct(metadata=Struct(**META), spec=Struct(volumeName=Text("p")))),
        ),
        imagePullSecrets=Keyed("name", NAMES),
        hostAliases=Keyed("ip", ["1.1.1.1", "1.1.1.2", "1.1.1.3"], hostnames=Atomic("h", "i")),
        topologySpreadConstraints=Keyed("topologyKey", NAMES[:3], maxSkew=Text(1, 2), matchLabelKeys=Atomic("k", "l")),
        schedulingGates=Keyed("name", NAMES[:3]),
        resourceClaims=Keyed("name", NAMES[:3], resourceClaimName=Text("r"), resourceClaimTemplateName=Text("t")),
        readinessGates=Atomic({"conditionType": "a"}, {"conditionType": "b"}),
        tolerations=Atomic({"key": "k", "operator": "Exists"}, {"key": "l", "value": "v"}),
        nodeSelector=LABELS,
        restartPolicy=Text("Never", "Always"),
        securityContext=Struct(fsGroup=Text(1, 2), supplementalGroups=Atomic(1, 2, 3), sysctls=Atomic({"name": "s"})),
        dnsConfig=Struct(nameservers=Atomic("1.1.1.1", "1.1.1.2"), options=Atomic({"name": "o", "value": "1"})),
    ),
    status=Struct(
        phase=Text("Running", "Pending"),
        conditions=Keyed("type", ["Ready", "Initialized", "PodScheduled"], status=Text("True", "False")),
        podIPs=Keyed("ip", ["1.1.1.1", "1.1.1.2"]),
        hostIPs=Keyed("ip", ["1.1.1.1", "1.1.1.2"]),
        resourceClaimStatuses=Keyed("name", NAMES[:3], resourceClaimName=Text("r", "s")),
    ),
)


def case(seed: int) -> Made:
    """A Pod and a patch for it."""
    chance = random.Random(seed)
    made = Struct.base(POD, chance)
    base = {"apiVersion": "v1", "kind": "Pod"} | made | {"metadata": {"name": "p"} | made.get("metadata", {})}
    return base, POD.members(chance, 0.6)
