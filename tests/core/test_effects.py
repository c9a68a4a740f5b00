"""Each effect yields itself once and replies with what is sent in."""

from __future__ import annotations

import pytest

from hodei_k8s_core import effects
from hodei_k8s_core.effects import SILENCE
from hodei_k8s_core.errors import Delivery, TransportError, TransportFault
from hodei_k8s_core.http import Body, Request, Response
from hodei_k8s_core.observations import PodDestroyed

REQUEST = Request("GET", "/version")
CASES = [
    (effects.Send(REQUEST, 5.0), Response(200)),
    (effects.Open(REQUEST, 5.0), Body(200)),
    (effects.Read(Body(200), 5.0), b"x"),
    (effects.Read(Body(200), 5.0), SILENCE),
    (effects.Close(Body(200)), None),
    (effects.Sleep(1.0), None),
    (effects.Monotonic(), 1.5),
    (effects.WallClock(), 1.5),
    (effects.Random(), 0.5),
    (effects.SpendRetry(), True),
    (effects.Observe(PodDestroyed(1.0)), None),
    (effects.Emit([1, 2]), None),
]


def perform(effect):
    return (yield from effect)


@pytest.mark.parametrize(("effect", "reply"), CASES)
def test_an_effect_replies_with_what_is_sent_in(effect, reply):
    operation = perform(effect)
    assert next(operation) is effect
    with pytest.raises(StopIteration) as ended:
        operation.send(reply)
    assert ended.value.value is reply


@pytest.mark.parametrize(("effect", "reply"), CASES)
def test_what_is_thrown_in_arrives_at_the_yield(effect, reply):
    operation = perform(effect)
    next(operation)
    error = TransportError(TransportFault.CLOSED, Delivery.MAYBE_SENT)
    with pytest.raises(TransportError) as caught:
        operation.throw(error)
    assert caught.value is error


def test_every_effect_is_here():
    listed = {type(effect) for effect, _ in CASES}
    assert listed == {*effects.Effect.__args__, effects.Emit}


def test_effects_compare_as_values():
    assert effects.Sleep(1.0) == effects.Sleep(1.0) != effects.Sleep(2.0)


def test_silence_is_not_the_end_of_a_body():
    assert repr(SILENCE) == "SILENCE"
    assert SILENCE != b""
