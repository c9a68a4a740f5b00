"""Quantities: known answers from k8s.io/apimachinery's own rules, and laws that hold for all of them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.quantity import Quantity, QuantityFormat, parse_quantity
from tests.core.thoroughness import examples

lawful = settings(max_examples=examples(100), deadline=None)
NANOS = st.integers(-(10**40), 10**40)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("0", "0"),
        ("0Ki", "0"),
        ("0m", "0"),
        ("00.000", "0"),
        ("0e5", "0"),
        ("-0", "0"),
        ("1", "1"),
        ("+1", "1"),
        ("01", "1"),
        ("1.", "1"),
        (".5", "500m"),
        ("1.5", "1500m"),
        ("1.500", "1500m"),
        ("-1.5", "-1500m"),
        ("0.1", "100m"),
        ("100m", "100m"),
        ("1000m", "1"),
        ("1000", "1k"),
        ("1024", "1024"),
        ("1500k", "1500k"),
        ("1000000u", "1"),
        ("3000000000n", "3"),
        ("12k", "12k"),
        ("7M", "7M"),
        ("8G", "8G"),
        ("9T", "9T"),
        ("9P", "9P"),
        ("2E", "2E"),
        ("1000E", "1e21"),
        ("1Ki", "1Ki"),
        ("1024Mi", "1Gi"),
        ("1024Ki", "1Mi"),
        ("1024Gi", "1Ti"),
        ("1024Ti", "1Pi"),
        ("1024Pi", "1Ei"),
        ("1.5Gi", "1536Mi"),
        (".5Mi", "512Ki"),
        ("1.5Ei", "1536Pi"),
        ("1.Ki", "1Ki"),
        ("1000Ki", "1000Ki"),
        # A binary quantity below 1024, or with a fraction, is emitted as a decimal one.
        ("0.5Ki", "512"),
        ("-0.5Ki", "-512"),
        ("0.001Ki", "1024m"),
        ("1.0001Ki", "1024102400u"),
        ("-1.5Ki", "-1536"),
        ("-2Ki", "-2Ki"),
        # Parsing caps a binary quantity at the largest int64, not a decimal one.
        ("8Ei", "9223372036854775807"),
        ("9223372036854775807Ki", "9223372036854775807"),
        ("18446744073709551616", "18446744073709551616"),
        # Below 1n it rounds up, away from zero.
        ("0.1n", "1n"),
        ("-0.1n", "-1n"),
        ("1.2n", "2n"),
        ("0.0000000001", "1n"),
        ("0.0000000001Gi", "107374183n"),
        ("1e-12", "1e-9"),
        ("1e3", "1e3"),
        ("1E3", "1e3"),
        ("1e+3", "1e3"),
        ("10e2", "1e3"),
        ("1e2", "100"),
        ("5e0", "5"),
        ("1e21", "1e21"),
        ("1234e-4", "123400e-6"),
        ("1e1000", "10e999"),
        ("1e-1000", "1e-9"),
    ],
)
def test_the_canonical_form_is_the_api_servers(text: str, canonical: str):
    assert str(parse_quantity(text)) == canonical


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not a quantity"),
        (" 1", "is not a quantity"),
        ("1 ", "is not a quantity"),
        ("1\n", "is not a quantity"),
        ("1,5", "is not a quantity"),
        ("1.2.3", "is not a quantity"),
        ("--1", "is not a quantity"),
        ("0x10", "is not a quantity"),
        ("m", "is not a quantity"),
        ("Ki", "is not a quantity"),
        ("-", "is not a quantity"),
        (".", "is not a quantity"),
        ("\u0661", "is not a quantity"),
        ("1e1.5", "is not a quantity"),
        ("1K", "k is one"),
        ("1ki", "Ki is one"),
        ("1mi", "Mi is one"),
        ("512MB", "M is one"),
        ("512MiB", "Mi is one"),
        ("1i", "'i' is not a suffix"),
        ("1e", "'e' is not a suffix"),
        ("1ee3", "is not a quantity"),
        ("1eE", "'eE' is not a suffix"),
        ("1cores", "'cores' is not a suffix"),
        ("1e1001", "beyond 1000"),
        ("1e-1001", "beyond 1000"),
        ("1" * 257, "more than 256"),
    ],
)
def test_what_is_no_quantity_is_refused_with_the_fault(text: str, problem: str):
    with pytest.raises(ValueError, match=problem):
        parse_quantity(text)


@pytest.mark.parametrize(
    ("cores", "text"),
    [
        (0.1, "100m"),
        (0.3, "300m"),
        (1, "1"),
        (1.0, "1"),
        (2.5, "2500m"),
        (0.0001, "1m"),
        (1e-300, "1m"),
        (1.0001, "1001m"),
        (64, "64"),
        (1000.0, "1k"),
        (0, "0"),
        (0.0, "0"),
    ],
)
def test_cores_become_millicores_rounded_up(cores: float, text: str):
    assert str(Quantity.from_cores(cores)) == text


@pytest.mark.parametrize("cores", [-0.1, float("nan"), float("inf"), -1])
def test_cores_that_are_none_are_refused(cores: float):
    with pytest.raises(ValueError, match="not a finite number of cores"):
        Quantity.from_cores(cores)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0"),
        (1, "1"),
        (1023, "1023"),
        (1024, "1Ki"),
        (1500, "1500"),
        (1536, "1536"),
        (3 * 2**30, "3Gi"),
        (10**9, "1000000000"),
    ],
)
def test_bytes_stay_exact(size: int, text: str):
    assert str(Quantity.from_bytes(size)) == text


def test_a_negative_size_is_refused():
    with pytest.raises(ValueError, match="negative: -1"):
        Quantity.from_bytes(-1)


@pytest.mark.parametrize(
    ("text", "units", "millicores"),
    [("1n", 1, 1), ("1500m", 2, 1500), ("-1500m", -2, -1500), ("2", 2, 2000), ("1Ki", 1024, 1024000), ("1001u", 1, 2)],
)
def test_whole_numbers_are_rounded_away_from_zero(text: str, units: int, millicores: int):
    amount = parse_quantity(text)
    assert (amount.bytes, amount.millicores) == (units, millicores)


def test_amounts_are_compared_whatever_they_are_written_with():
    gibi = parse_quantity("1Gi")
    assert gibi == parse_quantity("1073741824") == parse_quantity("1024Mi")
    assert not gibi != parse_quantity("1024Mi")  # noqa: SIM202 - it is this operator that is asked
    assert gibi != parse_quantity("1G")
    assert hash(gibi) == hash(parse_quantity("1073741824"))
    assert gibi != parse_quantity("1G")
    assert gibi != "1Gi"
    assert parse_quantity("1G") < gibi <= gibi
    assert gibi > parse_quantity("1G")
    assert gibi >= gibi
    assert min(map(parse_quantity, ["1", "999m", "1k", "-1"])) == parse_quantity("-1")
    assert not parse_quantity("0Ki")
    assert parse_quantity("1n")


def test_arithmetic_keeps_the_first_format_unless_it_is_zero():
    assert str(parse_quantity("1Gi") + parse_quantity("1G")) == "2073741824"
    assert str(parse_quantity("1Gi") + parse_quantity("1Gi")) == "2Gi"
    assert str(parse_quantity("0") + parse_quantity("1Gi")) == "1Gi"
    assert str(parse_quantity("1Gi") - parse_quantity("512Mi")) == "512Mi"
    assert str(parse_quantity("100m") - parse_quantity("300m")) == "-200m"
    assert str(parse_quantity("100m") * 10) == "1"
    assert str(3 * parse_quantity("512Mi")) == "1536Mi"
    assert str(-parse_quantity("2Ki")) == "-2Ki"
    assert str(parse_quantity("1Ei") * 4096) == "4096Ei"


def test_a_binary_amount_below_one_goes_on_as_a_decimal_one():
    assert parse_quantity("0.0001Ki").format is QuantityFormat.DECIMAL_SI
    assert parse_quantity("1Ki").format is QuantityFormat.BINARY_SI


@lawful
@given(NANOS, st.sampled_from(QuantityFormat))
def test_the_canonical_form_reads_back_as_the_same_amount(nanos: int, format_: QuantityFormat):
    quantity = Quantity(nanos, format_)
    again = parse_quantity(str(quantity))
    if abs(nanos) <= (2**63 - 1) * 10**9:
        assert again == quantity
    assert str(parse_quantity(str(again))) == str(again)


@lawful
@given(st.decimals(-(10**12), 10**12, allow_nan=False, places=12), st.sampled_from(["n", "u", "m", "", "k", "M", "Ki"]))
def test_parsing_agrees_with_decimal_arithmetic(number: Decimal, suffix: str):
    factor = {"n": 1, "u": 10**3, "m": 10**6, "": 10**9, "k": 10**12, "M": 10**15, "Ki": 1024 * 10**9}[suffix]
    exact = number * factor
    got = parse_quantity(f"{number:f}{suffix}").nanos
    assert abs(exact) <= abs(got) < abs(exact) + 1
    assert got * exact >= 0


@lawful
@given(NANOS, NANOS, st.integers(-1000, 1000))
def test_arithmetic_is_exact(one: int, other: int, factor: int):
    a, b = Quantity(one), Quantity(other)
    assert (a + b - b) == a
    assert a * factor == Quantity(one * factor)
    assert (a < b) == (one < other)


@lawful
@given(st.floats(min_value=0, exclude_min=True, max_value=1e15, allow_nan=False))
def test_some_cores_are_never_none(cores: float):
    quantity = Quantity.from_cores(cores)
    assert str(quantity) != "0"
    exact = Fraction(repr(cores)) * 1000
    assert exact <= quantity.millicores < exact + 1


@lawful
@given(st.text(max_size=12))
def test_any_text_is_a_quantity_or_a_value_error(text: str):
    try:
        quantity = parse_quantity(text)
    except ValueError:
        return
    assert parse_quantity(str(quantity)) == quantity
