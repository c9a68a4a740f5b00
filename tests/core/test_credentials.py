"""When a file is read again, when a plugin runs again, and what is a new generation."""

from __future__ import annotations

import pytest

from hodei_k8s_core.access.cluster_access import BasicAuth
from hodei_k8s_core.access.credentials import (
    READ_INTERVAL,
    Holding,
    after_reading,
    after_running,
    basic_headers,
    bearer_headers,
    must_read,
    must_run,
    token_in_file,
)
from hodei_k8s_core.access.impersonation import impersonation_headers
from hodei_k8s_core.secret import Secret

NOW = 1000.0


@pytest.mark.parametrize(
    ("read_at", "due"),
    [
        (None, True),
        (NOW, False),
        (NOW - READ_INTERVAL + 1, False),
        (NOW - READ_INTERVAL, True),
        (NOW + 1, True),  # the clock was set back
    ],
)
def test_files_are_read_again(read_at: float | None, due: bool) -> None:
    assert must_read(Holding(1, read_at), NOW) is due


@pytest.mark.parametrize(
    ("answered", "expires_at", "due"),
    [
        (False, None, True),
        (True, None, False),
        (True, NOW + 1, False),
        (True, NOW, False),
        (True, NOW - 0.001, True),
    ],
)
def test_a_plugin_runs_again(answered: bool, expires_at: float | None, due: bool) -> None:
    assert must_run(Holding(1, 0.0, answered, expires_at), NOW) is due


def test_the_first_look_at_files_is_a_generation_even_of_nothing() -> None:
    assert after_reading(Holding(), NOW, changed=False) == Holding(1, NOW)


def test_files_that_say_the_same_are_no_new_generation() -> None:
    holding = Holding(3, 0.0, answered=True, expires_at=5.0)

    assert after_reading(holding, NOW, changed=False) == Holding(3, NOW, answered=True, expires_at=5.0)
    assert after_reading(holding, NOW, changed=True).generation == 4


def test_every_answer_of_a_plugin_is_a_new_generation() -> None:
    assert after_running(Holding(1, NOW), 7.0) == Holding(2, NOW, answered=True, expires_at=7.0)
    assert after_running(Holding(2, NOW, answered=True, expires_at=7.0), None) == Holding(3, NOW, answered=True)


@pytest.mark.parametrize(
    ("text", "token"),
    [("abc", "abc"), (" abc\r\n", "abc"), ("", None), (" \n", None), ("a\nb", None), ("é", None), ("a b", "a b")],
)
def test_the_token_in_a_file(text: str, token: str | None) -> None:
    assert token_in_file(text) == (Secret(token) if token else None)


def test_headers() -> None:
    assert bearer_headers(Secret("abc")) == (("authorization", "Bearer abc"),)
    assert bearer_headers(None) == ()
    assert basic_headers(BasicAuth("Aladdin", Secret("open sesame"))) == (
        ("authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),  # the example of RFC 7617
    )
    assert basic_headers(BasicAuth("ü", Secret("ß"))) == (("authorization", "Basic w7w6w58="),)


def test_impersonation_of_nobody() -> None:
    assert impersonation_headers("", "1", ["g"], {"a": ["b"]}) == ()


def test_impersonation_with_a_name_alone() -> None:
    assert impersonation_headers("jané") == (("impersonate-user", "jané"),)


@pytest.mark.parametrize(
    ("key", "name"),
    [("scopes", "scopes"), ("a/b", "a%2fb"), ("100%", "100%25"), ("é x", "%c3%a9%20x"), ("A.b_C~", "a.b_c~")],
)
def test_keys_of_extra_values(key: str, name: str) -> None:
    assert impersonation_headers("x", extra={key: ["v"]})[1:] == ((f"impersonate-extra-{name}", "v"),)
