"""What the runtime says of a failed pull -> whether it is refused for good, and whose fault that is.

The texts are the runtime's and the registry's (containerd, CRI-O, Docker; the codes of the OCI distribution
specification), passed through by the kubelet: only known words are trusted, everything else may pass.
"""

from __future__ import annotations

from typing import Final

import msgspec

from hodei_k8s_core.verdict import Blame


class PullFailure(msgspec.Struct, frozen=True):
    """`refused`: pulling again gives the same answer. `what`: a clause for people."""

    what: str
    blame: Blame
    refused: bool


_WRONG_PLATFORM: Final = PullFailure("the image is not made for this platform", Blame.IMAGE, refused=True)
_ABSENT: Final = PullFailure("the registry has no such image", Blame.IMAGE, refused=True)
_ABSENT_OR_PRIVATE: Final = PullFailure(
    "the registry has no such image, or it is private and the pull secrets do not open it", Blame.IMAGE, refused=True
)
_NOT_ALLOWED: Final = PullFailure("the registry does not accept the credentials", Blame.CONFIGURATION, refused=True)
_THROTTLED: Final = PullFailure("the registry limits how often images are pulled", Blame.PLATFORM, refused=False)
_UNTRUSTED: Final = PullFailure("the node does not trust the registry's connection", Blame.OPERATOR, refused=False)
_UNREACHABLE: Final = PullFailure("the registry could not be reached", Blame.PLATFORM, refused=False)
_NO_SPACE: Final = PullFailure("the node has no room for the image", Blame.PLATFORM, refused=False)
_FAULTY: Final = PullFailure("the registry could not answer", Blame.PLATFORM, refused=False)
_OTHER: Final = PullFailure("the image could not be pulled", Blame.IMAGE, refused=False)

_MARKS: Final[tuple[tuple[tuple[str, ...], PullFailure], ...]] = (
    (("no match for platform", "no matching manifest", "no image found in manifest list"), _WRONG_PLATFORM),
    (("toomanyrequests", "too many requests", "rate limit"), _THROTTLED),
    (("no space left on device", "disk quota exceeded"), _NO_SPACE),
    (("x509:", "http response to https client"), _UNTRUSTED),
    (
        (
            *("connection refused", "i/o timeout", "no such host", "connection timed out", "timeout exceeded"),
            *("no route to host", "network is unreachable", "tls handshake timeout", "deadline exceeded"),
            "connection reset",
        ),
        _UNREACHABLE,
    ),
    (
        ("repository does not exist or may", "insufficient_scope", "access to the resource is denied"),
        _ABSENT_OR_PRIVATE,
    ),
    (("manifest unknown", "name unknown", "manifest_unknown", "name_unknown", " not found"), _ABSENT),
    ((" unauthorized", "authentication required", "no basic auth", " denied", " forbidden"), _NOT_ALLOWED),
    (("internal server error", "bad gateway", "service unavailable", "gateway time", ": eof"), _FAULTY),
)
"""Words of a message, in lower case -> what they mean; the first that fits counts."""


def read_pull_failure(message: str) -> PullFailure:
    """What the message of `ErrImagePull` or `ImagePullBackOff` means."""
    # The image's name is in it too, and may hold any of the words: what is between quotes says nothing, and a word
    # above has a space or a colon where a name has none.
    text = "".join(message.lower().split('"')[::2])
    return next((meaning for marks, meaning in _MARKS if any(mark in text for mark in marks)), _OTHER)
