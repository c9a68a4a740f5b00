"""The events of a container that starts, or cannot: type, reason and message, as recorded from kubelets of 1.36."""

from __future__ import annotations

from collections.abc import Sequence

REAL_PULL = 1.0
"""Seconds; a pull that takes longer is told as one, a shorter one found the image on the node."""
Told = tuple[str, str, str]

_WAITING: dict[str, tuple[Told, ...]] = {
    "ContainerCreating": (),
    "ErrImagePull": (
        ("Normal", "Pulling", 'Pulling image "{image}"'),
        ("Warning", "Failed", 'Failed to pull image "{image}": {message}'),
        ("Warning", "Failed", "Error: {reason}"),
    ),
    "ImagePullBackOff": (
        ("Normal", "BackOff", 'Back-off pulling image "{image}"'),
        ("Warning", "Failed", "Error: {reason}"),
    ),
    "ErrImageNeverPull": (("Warning", "ErrImageNeverPull", "{message}"), ("Warning", "Failed", "Error: {reason}")),
    "InvalidImageName": (("Warning", "InspectFailed", "{message}"), ("Warning", "Failed", "Error: {reason}")),
}
_OTHERWISE: tuple[Told, ...] = (
    ("Normal", "Pulled", 'Container image "{image}" already present on machine and can be accessed by the pod'),
    ("Warning", "Failed", "Error: {message}"),
)


def failure_events(image: str, reason: str, message: str) -> Sequence[Told]:
    """What is told of a container that waits."""
    told = {"image": image, "reason": reason, "message": message}
    return [(kind, of, text.format(**told)) for kind, of, text in _WAITING.get(reason, _OTHERWISE)]


def pulled_event(image: str, seconds: float) -> str:
    """That the image is there."""
    if seconds <= REAL_PULL:
        return f'Container image "{image}" already present on machine and can be accessed by the pod'
    took = f"in {seconds:g}s ({seconds:g}s including waiting)"
    return f'Successfully pulled image "{image}" {took}. Image size: 2007711 bytes.'


def creation_events(failure: str) -> Sequence[Told]:
    """That a container was made, and that it runs or cannot."""
    made = ("Normal", "Created", "Container created")
    return [made, ("Warning", "Failed", f"Error: {failure}") if failure else ("Normal", "Started", "Container started")]
