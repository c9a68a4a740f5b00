"""When a certificate expires, by its bytes and in words."""

from __future__ import annotations

import base64
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hodei_k8s_core.access.certificate import Certificate, expiry_in_der, expiry_in_pem
from hodei_k8s_core.api_status import Status
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault

OCTOBER: Final = 1_790_812_800.0  # 2026-10-01T00:00:00Z
DAY: Final = 86_400.0


def der(tag: int, *content: bytes) -> bytes:
    """One element, its length in as few bytes as X.690 wants."""
    data = b"".join(content)
    if len(data) < 0x80:
        return bytes((tag, len(data))) + data
    size = (len(data).bit_length() + 7) // 8
    return bytes((tag, 0x80 + size)) + len(data).to_bytes(size, "big") + data


def certificate(
    until: str = "261001000000Z", tag: int = 0x17, *, version: bool = True, serial: int = 8, issuer: int = 40
) -> bytes:
    """The fields up to the validity as they are in a certificate, and some behind it."""
    validity = der(0x30, der(0x17, b"260101000000Z"), der(tag, until.encode()))
    fields = [
        der(0xA0, der(0x02, b"\x02")) if version else b"",
        der(0x02, bytes(serial)),
        der(0x30, bytes(12)),
        der(0x30, bytes(issuer)),
        validity,
        der(0x30, bytes(90)),
    ]
    return der(0x30, der(0x30, *fields), der(0x30, bytes(12)), der(0x03, bytes(71)))


def pem(data: bytes) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(data).decode()}-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("until", "tag", "seconds"),
    [
        ("261001000000Z", 0x17, OCTOBER),
        ("20261001000000Z", 0x18, OCTOBER),
        ("700101000001Z", 0x17, 1.0),
        ("491231235959Z", 0x17, 2_524_607_999.0),
        ("99991231235959Z", 0x18, 253_402_300_799.0),
        ("261001000000", 0x17, None),
        ("2610010000Z", 0x17, None),
        ("261301000000Z", 0x17, None),
        ("261001000000Z", 0x18, None),
        ("261001000000Z", 0x13, None),
        ("26100100000\u00e9Z", 0x17, None),
    ],
)
def test_both_forms_of_a_time(until: str, tag: int, seconds: float | None) -> None:
    assert expiry_in_der(certificate(until, tag)) == seconds


@pytest.mark.parametrize("version", [True, False])
@pytest.mark.parametrize(("serial", "issuer"), [(1, 2), (20, 127), (20, 128), (20, 300), (20, 70_000)])
def test_the_fields_before_it_are_as_long_as_they_are(version: bool, serial: int, issuer: int) -> None:
    assert expiry_in_der(certificate(version=version, serial=serial, issuer=issuer)) == OCTOBER


def test_a_bundle_is_as_good_as_its_first_certificate() -> None:
    text = f"# of the client\n{pem(certificate())}{pem(certificate('991231235959Z'))}"
    assert expiry_in_pem(text) == OCTOBER


@pytest.mark.parametrize("text", ["", "hunter", pem(b""), pem(b"AAAA"), pem(certificate())[:-30]])
def test_what_is_no_certificate_has_no_end(text: str) -> None:
    assert expiry_in_pem(text) is None


def test_padding_that_is_wrong() -> None:
    assert expiry_in_pem("-----BEGIN CERTIFICATE-----\nAAAAA\n-----END CERTIFICATE-----") is None


def test_a_certificate_that_is_cut_off_has_no_end() -> None:
    data = certificate()
    assert {expiry_in_der(data[:size]) for size in range(len(data))} == {None}


@given(data=st.binary(max_size=300), at=st.integers(0, 250))
def test_any_bytes_are_read_without_an_error(data: bytes, at: int) -> None:
    """Whole ones, and in the place of a certificate's own."""
    expiry_in_der(data)
    whole = certificate()
    expiry_in_der(whole[:at] + data + whole[at + len(data) :])


OURS = Certificate("the client certificate (x)", OCTOBER)


@pytest.mark.parametrize(
    ("now", "told", "soon"),
    [
        (OCTOBER - 8 * DAY, "the client certificate (x) expires on 2026-10-01T00:00:00Z", False),
        (OCTOBER - 6 * DAY, "the client certificate (x) expires on 2026-10-01T00:00:00Z", True),
        (OCTOBER + 1, "the client certificate (x) expired on 2026-10-01T00:00:00Z", True),
    ],
)
def test_it_is_told_with_its_date(now: float, told: str, soon: bool) -> None:
    assert OURS.told(now) == told
    assert OURS.ends_soon(now) is soon


@pytest.mark.parametrize(
    ("failure", "explained"),
    [
        (Status(401, "Unauthorized"), True),
        (TransportError(TransportFault.TLS, Delivery.NOT_SENT), True),
        (TransportError(TransportFault.CLOSED, Delivery.MAYBE_SENT), True),
        (TransportError(TransportFault.REFUSED, Delivery.NOT_SENT), False),
        (Status(403, "Forbidden"), False),
        (None, False),
    ],
    ids=repr,
)
def test_what_a_certificate_that_has_expired_explains(failure: Status | TransportError | None, explained: bool) -> None:
    assert OURS.explains(failure, OCTOBER + 1) is explained
    assert not OURS.explains(failure, OCTOBER - 1)
