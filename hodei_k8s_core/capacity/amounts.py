"""Amounts of resources as the scheduler counts them: whole millicores for `cpu`, whole units for everything else.

Within a Pod the sums are exact (nanos); only its total is rounded up, as `Resource.Add` of the scheduler does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, TypeAlias

from hodei_k8s_core.errors import Internal
from hodei_k8s_core.quantity import Quantity, parse_quantity

Written: TypeAlias = Mapping[str, str | float]
"""Quantities as an object has them; a number is as good as its text."""
Nanos: TypeAlias = Mapping[str, int]
"""Exact amounts, in thousand-millionths of the unit."""
Amounts: TypeAlias = Mapping[str, int]
"""Millicores of `cpu`; bytes of `memory`, `ephemeral-storage` and huge pages; pieces of everything else."""

CPU: Final = "cpu"
MEMORY: Final = "memory"
DISK: Final = "ephemeral-storage"
PODS: Final = "pods"
HUGE_PAGES: Final = "hugepages-"
_BYTES: Final = (MEMORY, DISK)
_NANO: Final = 10**9
_NANOS_PER_MILLI: Final = 10**6


# A cluster repeats few texts many times: 50,000 Pods are about as many distinct quantities as there are kinds of Pods.
@lru_cache(maxsize=8192)
def nanos_of(text: str | float) -> int:
    """The exact amount that a quantity writes. Raises: Internal for a text that is none."""
    try:
        return parse_quantity(str(text)).nanos
    except ValueError as error:
        raise Internal(f"an amount of a resource cannot be read: {error}") from None


def exact(written: Written) -> dict[str, int]:
    """Every amount, exact. Raises: Internal."""
    return {name: nanos_of(text) for name, text in written.items()}


def rounded(name: str, nanos: int) -> int:
    """The amount of one resource as the scheduler counts it."""
    return -(-nanos // (_NANOS_PER_MILLI if name == CPU else _NANO))


def counted(nanos: Nanos) -> dict[str, int]:
    """Every amount as the scheduler counts it."""
    return {name: rounded(name, amount) for name, amount in nanos.items()}


def amounts(written: Written) -> dict[str, int]:
    """Quantities as the scheduler counts them. Raises: Internal."""
    return {name: rounded(name, nanos_of(text)) for name, text in written.items()}


def added(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    """Both together."""
    return _merged(first, second, lambda a, b: a + b)


def larger(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    """The larger one of each resource."""
    return _merged(first, second, max)


def smaller(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    """What neither exceeds: the smaller one of each resource that both name, and what only one does."""
    return _merged(first, second, min)


def left(whole: Amounts, taken: Amounts) -> dict[str, int]:
    """What is left of `whole`; below 0 where more is taken than there is."""
    return {name: amount - taken.get(name, 0) for name, amount in whole.items()}


def shown(name: str, amount: int) -> str:
    """An amount for people: `1500m` of cpu is `1.5`, bytes are `8Gi`, a share of an odd size is rounded down to Mi."""
    if name == CPU:
        return f"{amount / 1000:.3f}".rstrip("0").rstrip(".")
    if name in _BYTES or name.startswith(HUGE_PAGES):
        mebibytes = abs(amount) >> 20
        sized = mebibytes << 20 if mebibytes >= 100 else abs(amount)
        return f"{'-' if amount < 0 else ''}{Quantity.from_bytes(sized)}"
    return str(amount)


def _merged(first: Mapping[str, int], second: Mapping[str, int], combine: Callable[[int, int], int]) -> dict[str, int]:
    both = dict(first)
    for name, amount in second.items():
        both[name] = combine(both[name], amount) if name in both else amount
    return both
