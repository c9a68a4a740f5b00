"""`Toleration`: a taint of nodes that workers put up with."""

from __future__ import annotations

from typing import Any, Final, Self

import msgspec

from hodei_k8s_core.errors import Fault
from hodei_k8s_core.names import label_key_problem, label_value_problem
from hodei_k8s_core.validation import fault_of, optional, raise_faults, text_problem, whole_number

EXISTS: Final = "Exists"
EQUAL: Final = "Equal"
OPERATORS: Final = (EXISTS, EQUAL)
EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
MAX_INT64: Final = 2**63 - 1


class Toleration(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One toleration of a Pod, valid by the API server's own rules (ValidateTolerations).

    `operator`: `Exists` or `Equal`. `effect`: `NoSchedule`, `PreferNoSchedule`, `NoExecute`, or "" for all of them. An
    empty `key` with `Exists` tolerates everything. `toleration_seconds`: how long a `NoExecute` taint is put up with.

    Raises: ConfigurationError with every fault.
    """

    key: str = ""
    operator: str = EQUAL
    value: str = ""
    effect: str = ""
    toleration_seconds: int | None = None

    def __post_init__(self) -> None:
        raise_faults("the toleration is not valid", _faults(self))

    @staticmethod
    def builder() -> TolerationBuilder:
        """Builds a toleration step by step."""
        return TolerationBuilder()

    def to_manifest(self) -> dict[str, Any]:
        """As a Pod's `spec.tolerations` has it."""
        fields = {"key": self.key, "operator": self.operator, "value": self.value, "effect": self.effect}
        manifest: dict[str, Any] = {name: value for name, value in fields.items() if value}
        if self.toleration_seconds is not None:
            manifest["tolerationSeconds"] = self.toleration_seconds
        return manifest


class TolerationBuilder:
    """`Toleration.builder().key("gpu").exists().effect("NoSchedule").build()`."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def key(self, key: str) -> Self:
        """The taint's key; "" for any."""
        return self._with("key", key)

    def operator(self, operator: str) -> Self:
        """`Exists` or `Equal`."""
        return self._with("operator", operator)

    def exists(self) -> Self:
        """Tolerate the key whatever its value."""
        return self.operator(EXISTS)

    def value(self, value: str) -> Self:
        """The taint's value, for the operator `Equal`."""
        return self._with("value", value)

    def effect(self, effect: str) -> Self:
        """`NoSchedule`, `PreferNoSchedule` or `NoExecute`; "" for all."""
        return self._with("effect", effect)

    def toleration_seconds(self, seconds: int | None) -> Self:
        """How long a `NoExecute` taint is put up with; None for ever."""
        return self._with("toleration_seconds", seconds)

    def build(self) -> Toleration:
        """The toleration. Raises: ConfigurationError with every fault."""
        return Toleration(**self._values)

    def _with(self, name: str, value: object) -> Self:
        self._values[name] = value
        return self


def _faults(toleration: Toleration) -> list[Fault]:
    texts = ("key", "operator", "value", "effect")
    found = [f for name in texts for f in fault_of(name, text_problem(getattr(toleration, name)))]
    seconds = optional(whole_number(-MAX_INT64, MAX_INT64))
    found += fault_of("toleration_seconds", seconds(toleration.toleration_seconds))
    return found or _rule_faults(toleration)


def _rule_faults(toleration: Toleration) -> list[Fault]:
    found = fault_of("key", label_key_problem(toleration.key) if toleration.key else None)
    if toleration.operator not in OPERATORS:
        found.append(Fault("operator", f"must be one of {', '.join(OPERATORS)}, not {toleration.operator!r}"))
    elif toleration.operator == EXISTS and toleration.value:
        found.append(Fault("value", "must be empty when the operator is Exists"))
    elif toleration.operator == EQUAL:
        found += fault_of("value", label_value_problem(toleration.value))
    if not toleration.key and toleration.operator == EQUAL:
        found.append(Fault("operator", "must be Exists when the key is empty, which means every key"))
    if toleration.effect and toleration.effect not in EFFECTS:
        found.append(Fault("effect", f"must be one of {', '.join(EFFECTS)}, or empty, not {toleration.effect!r}"))
    if toleration.toleration_seconds is not None and toleration.effect != "NoExecute":
        found.append(Fault("effect", "must be NoExecute when toleration_seconds is set"))
    return found
