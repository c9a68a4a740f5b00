"""Kubernetes' JSON into typed structs: strict about types, while null is as good as absent.

The Go structs behind the API write null for empty times, lists and maps, and where depends on the version. The structs
here do not allow for it: what they read is decoded as it stands, and only what that refuses is decoded again without
its nulls, so that the usual reply pays nothing.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeAlias, TypeVar

import msgspec

from hodei_k8s_core.errors import Internal

T = TypeVar("T")

_MAX_INT64: Final = 2**63 - 1
Integer: TypeAlias = Annotated[int, msgspec.Meta(ge=-_MAX_INT64 - 1, le=_MAX_INT64)]
"""Every whole number of the API fits; a larger one would only overflow where it is used."""


class ListMeta(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """What every list has; see metav1.ListMeta."""

    resource_version: str = ""
    continue_token: str = msgspec.field(default="", name="continue")
    remaining_item_count: Integer | None = None


def decode_object(decoder: msgspec.json.Decoder[T], data: bytes | msgspec.Raw, kinds: tuple[str, ...]) -> T:
    """The object that `data` holds; `kinds` is what it may be called, the first one in errors.

    Raises: Internal, with the path of the fault (`$.status.phase`) and nothing of the content.
    """
    try:
        return decoder.decode(data)
    except msgspec.ValidationError:
        return _decode_without_nulls(decoder.type, data, kinds)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise _not_readable(kinds, error) from None


def refuse_kind(kind: str, kinds: tuple[str, ...]) -> Internal:
    """The error for an object that is well-formed and something else."""
    # A kind is a Go identifier; anything else would be content that has no place in an error.
    found = _with_article(kind) if kind.isidentifier() and kind.isascii() and len(kind) <= 63 else "something else"
    return Internal(f"the server's reply is not {_with_article(kinds[0])} but {found}")


def _with_article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "AEIOU" else f"a {noun}"


def _decode_without_nulls(type_: type[T], data: bytes | msgspec.Raw, kinds: tuple[str, ...]) -> T:
    try:
        value = _without_nulls(msgspec.json.decode(data))
        kind = value.get("kind", "") if isinstance(value, dict) else ""
        if isinstance(kind, str) and kind not in ("", *kinds):
            raise refuse_kind(kind, kinds)
        return msgspec.convert(value, type_)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise _not_readable(kinds, error) from None


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_without_nulls(part) for part in value]
    return value


def _not_readable(kinds: tuple[str, ...], error: Exception) -> Internal:
    return Internal(f"the server's reply is not a readable {kinds[0]}: {_reason(error)}")


def _reason(error: Exception) -> str:
    """What is wrong, and where. A UnicodeError, and msgspec's word on an unexpected value, would quote the content."""
    if not isinstance(error, msgspec.DecodeError):
        return "it is nested too deeply, or is not UTF-8"
    problem, at, path = str(error).rpartition(" - at ")
    return f"invalid value{at}{path}" if problem.startswith("Invalid ") else str(error)
