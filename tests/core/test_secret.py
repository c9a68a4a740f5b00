"""A secret shows nowhere by accident."""

from __future__ import annotations

import traceback

import msgspec
import pytest

from hodei_k8s_core.secret import Secret

HIDDEN = Secret("hunter2")


class Holder(msgspec.Struct, frozen=True):
    token: Secret


@pytest.mark.parametrize(
    "shown",
    [
        repr(HIDDEN),
        str(HIDDEN),
        f"{HIDDEN}",
        f"{HIDDEN!r}",
        f"{HIDDEN:>40}",
        "%s" % HIDDEN,  # noqa: UP031
        repr([HIDDEN]),
        repr(Holder(HIDDEN)),
        "".join(traceback.format_exception_only(ValueError(HIDDEN))),
    ],
)
def test_no_way_of_showing_it_shows_it(shown):
    assert "hunter2" not in shown
    assert "Secret" in shown


def test_it_is_revealed_when_asked():
    assert HIDDEN.reveal() == "hunter2"


def test_it_cannot_be_encoded_by_accident():
    with pytest.raises(TypeError):
        msgspec.json.encode(Holder(HIDDEN))


def test_secrets_are_values():
    assert Secret("hunter2") == HIDDEN
    assert Secret("other") != HIDDEN
    assert HIDDEN != "hunter2"
    assert len({HIDDEN, Secret("hunter2"), Secret("other")}) == 2
    assert bool(HIDDEN)
    assert not Secret("")
