"""Small operations, to try the simulator with."""

from __future__ import annotations

from hodei_k8s_core.effects import SILENCE, Close, Open, Operation, Read, Send, Silence
from hodei_k8s_core.errors import ConnectionFailed, TransportError
from hodei_k8s_core.http import Request
from tests.core.simulation_requests import PODS, create, get


def adopting(name: str = "a") -> Operation[str]:
    """A create that is safe to repeat: the shape of the real one."""
    for _ in range(3):
        try:
            reply = yield from Send(create(name), 10.0)
            if reply.status == 201:
                return "created"
        except TransportError:
            pass
        try:
            found = yield from Send(get(f"{PODS}/{name}"), 10.0)
        except TransportError:
            continue
        if found.is_success:
            return "adopted"
    raise ConnectionFailed("gave up")


def reads(request: Request, silence_limit: float = 5.0, most: int = 50) -> Operation[list[bytes | Silence]]:
    """Everything that an open body gives, to its end, its failure or the first silence."""
    open_body = yield from Open(request, 5.0)
    got: list[bytes | Silence] = []
    while len(got) < most:
        chunk = yield from Read(open_body, silence_limit)
        got.append(chunk)
        if not chunk or chunk is SILENCE:
            break
    yield from Close(open_body)
    return got
