"""Amounts by Kubernetes' own rules (k8s.io/apimachinery, pkg/api/resource): exact, whole nanos, never a float.

Deliberate differences from the API server: it takes a suffix without a number ("m", "Ki") as 0, which is a typing
error more often than a wish, and strips blanks around an amount; it repeats some texts as they were typed ("1.500"),
where this always prints the canonical form ("1500m"); and it loses the exponent of amounts from 1000E, which this
prints as decimal exponents.
"""

from __future__ import annotations

import enum
import re
from decimal import Decimal
from typing import Final

import msgspec

_NANO: Final = 10**9
_CAP_OF_BINARY: Final = (2**63 - 1) * _NANO
"""ParseQuantity caps a binary quantity, silently, at the largest int64."""
_MAX_TEXT: Final = 256
_MAX_EXPONENT: Final = 1000
"""Ours: the API server has no limit, and a short text would make it (and us) compute with a billion digits."""

_TEXT: Final = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([a-zA-Z]*|[eE][+-]?[0-9]+)")
_DECIMAL_SUFFIXES: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_SUFFIXES: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIX_OF: Final = {exponent: suffix for suffix, exponent in _DECIMAL_SUFFIXES.items()}
_LIKELY_MEANT: Final = {"K": "k", "ki": "Ki", "mi": "Mi", "gi": "Gi", "ti": "Ti", "KB": "k", "MB": "M", "GB": "G"} | {
    f"{letter}iB": f"{letter}i" for letter in "KMGTPE"
}


class QuantityFormat(enum.Enum):
    """The family of suffixes that an amount was written with, and is printed with again."""

    DECIMAL_SI = "DecimalSI"
    BINARY_SI = "BinarySI"
    DECIMAL_EXPONENT = "DecimalExponent"


class Quantity(msgspec.Struct, frozen=True, eq=False):
    """An exact amount: `nanos` is a thousand-millionth of the unit. `str()` is the canonical form.

    Compared by amount alone: `parse_quantity("1Gi") == parse_quantity("1073741824")`.
    """

    nanos: int
    format: QuantityFormat = QuantityFormat.DECIMAL_SI

    @classmethod
    def from_cores(cls, cores: float) -> Quantity:
        """CPU cores, in whole millicores, rounded up: 0.1 is `100m`, and what is more than 0 is never `0`.

        Raises: ValueError for what is not a finite number, or is negative.
        """
        if not 0 <= cores < float("inf"):
            msg = f"{cores!r} is not a finite number of cores from 0 up"
            raise ValueError(msg)
        # By way of its text, since the binary value of 0.1 is a little above a tenth and would round up to 101m.
        numerator, denominator = Decimal(str(cores)).as_integer_ratio()
        return cls(_divided_away_from_zero(numerator * 1000, denominator) * 10**6)

    @classmethod
    def from_bytes(cls, size: int) -> Quantity:
        """A size in bytes, exact: 1073741824 is `1Gi`, 1500 is `1500`. Raises: ValueError for a negative one."""
        if size < 0:
            msg = f"a size cannot be negative: {size}"
            raise ValueError(msg)
        return cls(size * _NANO, QuantityFormat.BINARY_SI)

    @property
    def bytes(self) -> int:
        """Whole units (bytes, cores, devices), rounded up, away from zero."""
        return _divided_away_from_zero(self.nanos, _NANO)

    @property
    def millicores(self) -> int:
        """Whole thousandths, rounded up, away from zero."""
        return _divided_away_from_zero(self.nanos, 10**6)

    @property
    def is_whole(self) -> bool:
        """There is no fraction of the unit."""
        return self.nanos % _NANO == 0

    def __str__(self) -> str:
        if self.nanos == 0:
            return "0"
        if self.format is QuantityFormat.BINARY_SI and self.is_whole and abs(self.nanos) >= 1024 * _NANO:
            return _binary_text(self.nanos // _NANO)
        return _decimal_text(self.nanos, exponents_only=self.format is QuantityFormat.DECIMAL_EXPONENT)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self.nanos == other.nanos

    def __ne__(self, other: object) -> bool:
        return not self == other  # msgspec's own would compare identities

    def __hash__(self) -> int:
        return hash((Quantity, self.nanos))

    def __lt__(self, other: Quantity) -> bool:
        return self.nanos < other.nanos

    def __le__(self, other: Quantity) -> bool:
        return self.nanos <= other.nanos

    def __bool__(self) -> bool:
        return self.nanos != 0

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(self.nanos + other.nanos, self._format_with(other))

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(self.nanos - other.nanos, self._format_with(other))

    def __mul__(self, factor: int) -> Quantity:
        return Quantity(self.nanos * factor, self.format)

    __rmul__ = __mul__

    def __neg__(self) -> Quantity:
        return Quantity(-self.nanos, self.format)

    def _format_with(self, other: Quantity) -> QuantityFormat:
        # Quantity.Add and Sub: a zero takes the other's format.
        return self.format if self.nanos else other.format


def parse_quantity(text: str) -> Quantity:
    """The amount that `text` writes, as the API server reads it. Below 1n it rounds away from zero.

    Raises: ValueError with what is wrong.
    """
    match = _TEXT.fullmatch(text[: _MAX_TEXT + 1])
    if len(text) > _MAX_TEXT:
        msg = f"a quantity of more than {_MAX_TEXT} characters"
        raise ValueError(msg)
    if match is None or not (match[2] or match[3]):
        msg = f"{text!r} is not a quantity: a number with an optional suffix, such as 500m, 2, 512Mi or 1e3"
        raise ValueError(msg)
    sign, whole, fraction, suffix = match[1], match[2], match[3] or "", match[4]
    nanos, format_ = _nanos(int(whole + fraction), len(fraction), suffix)
    return Quantity(-nanos if sign == "-" else nanos, format_)


def _nanos(digits: int, places: int, suffix: str) -> tuple[int, QuantityFormat]:
    """`digits` * 10**-`places`, times what `suffix` stands for."""
    if suffix in _BINARY_SUFFIXES:
        scaled = digits * 2 ** _BINARY_SUFFIXES[suffix]
        nanos = min(_at_scale(scaled, 9 - places), _CAP_OF_BINARY)
        # An amount below 1 goes on as a decimal one, whatever is added to it (ParseQuantity).
        return nanos, QuantityFormat.DECIMAL_SI if nanos < _NANO else QuantityFormat.BINARY_SI
    if suffix in _DECIMAL_SUFFIXES:
        return _at_scale(digits, _DECIMAL_SUFFIXES[suffix] + 9 - places), QuantityFormat.DECIMAL_SI
    return _at_scale(digits, _exponent(suffix) + 9 - places), QuantityFormat.DECIMAL_EXPONENT


def _exponent(suffix: str) -> int:
    """The number in `e3`. Raises: ValueError for a suffix that is none."""
    try:
        exponent = int(suffix[1:]) if suffix[0] in "eE" else None
    except ValueError:
        exponent = None
    if exponent is None:
        meant = f"; {_LIKELY_MEANT[suffix]} is one" if suffix in _LIKELY_MEANT else ""
        msg = f"{suffix!r} is not a suffix of a quantity{meant} (n u m k M G T P E, Ki Mi Gi Ti Pi Ei, or e3)"
        raise ValueError(msg)
    if abs(exponent) > _MAX_EXPONENT:
        msg = f"the exponent {exponent} is beyond {_MAX_EXPONENT}"
        raise ValueError(msg)
    return exponent


def _at_scale(digits: int, scale: int) -> int:
    return digits * 10**scale if scale >= 0 else _divided_away_from_zero(digits, 10**-scale)


def _divided_away_from_zero(value: int, divisor: int) -> int:
    return -(-value // divisor) if value >= 0 else value // divisor


def _binary_text(units: int) -> str:
    """With the largest binary suffix that leaves no fraction."""
    for suffix, bits in reversed(_BINARY_SUFFIXES.items()):
        if units % 2**bits == 0:
            return f"{units >> bits}{suffix}"
    return str(units)


def _decimal_text(nanos: int, *, exponents_only: bool) -> str:
    """With the largest exponent, a multiple of 3, that leaves no fraction."""
    mantissa, exponent = nanos, -9
    while mantissa % 1000 == 0:
        mantissa, exponent = mantissa // 1000, exponent + 3
    if exponent == 0:
        return str(mantissa)
    if exponents_only or exponent not in _DECIMAL_SUFFIX_OF:
        return f"{mantissa}e{exponent}"
    return f"{mantissa}{_DECIMAL_SUFFIX_OF[exponent]}"
