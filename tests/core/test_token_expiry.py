"""When a token expires, where it says so itself."""

from __future__ import annotations

import base64

import pytest

from hodei_k8s_core.access.token_expiry import expiry_in_token


def token(payload: bytes, head: str = "e30") -> str:
    return f"{head}.{base64.urlsafe_b64encode(payload).decode().rstrip('=')}.c2ln"


@pytest.mark.parametrize("claims", [b'{"exp":1900000000}', b'{"aud":["api"],"exp":1900000000.0,"sub":"x"}'])
def test_a_token_that_says_it(claims: bytes) -> None:
    assert expiry_in_token(token(claims)) == 1_900_000_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "opaque",
        "two.parts",
        "a.b.c.d",
        "e30.!!!.c2ln",
        "e30.a.c2ln",
        token(b"no json"),
        token(b"\xff\xfe"),
        token(b"[1]"),
        token(b'{"exp":"soon"}'),
        token(b'{"iat":1}'),
    ],
)
def test_one_that_does_not(text: str) -> None:
    assert expiry_in_token(text) is None
