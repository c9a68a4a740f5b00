"""Where a JSON document shows secrets, by the rules of Kubernetes' objects.

The document is not written anew: places are found in the bytes as they came, so spacing, order and escapes stay, and
what is masked is the inside of strings and the digits of numbers. A string that holds a JSON document itself
(`kubectl.kubernetes.io/last-applied-configuration`) is searched by the same rules, to any depth. `managedFields` holds
names of fields and keys of lists, never an environment's value, so it needs no rule.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from typing import Final, Protocol

import msgspec

from hodei_k8s_transport.channels.recording.json_spans import Array, Document, Node, Object, Text
from hodei_k8s_transport.channels.recording.scrub_text import Span, is_secret_variable


class Rules(Protocol):
    """What makes a text secret: `known` finds declared secrets only, `in_text` also what its surroundings tell."""

    def known(self, data: bytes) -> list[Span]: ...
    def in_text(self, data: bytes) -> list[Span]: ...


_TOKEN_FIELDS: Final = frozenset(
    {"token", "password", "authorization", "bearerToken", "idToken", "accessToken", "refreshToken", "clientKeyData"}
    | {"client-key-data", "id-token", "access-token", "refresh-token", "client-secret", "auth", "_json_key"}
)
"""Fields of a TokenRequest, a TokenReview, an ExecCredential, a kubeconfig and a Docker config, wherever they stand."""

_SECRET_DATA: Final = ("data", "stringData")


class Findings(msgspec.Struct):
    """What one document shows: the places, and the values of its secret environment variables."""

    spans: list[Span]
    values: list[bytes]


def find_in_json(data: bytes, rules: Rules, *, kind: str = "") -> Findings | None:
    """The secrets of a document, or None when `data` is no JSON object or array.

    `kind` is the document's own where it does not say it (a patch).
    """
    document = Document.parse(data)
    if document is None:
        return None
    found = Findings([], [])
    for span in rules.known(data):
        found.spans += _snapped(document, span)
    harmless: set[bytes] = set()
    for text in document.texts:
        raw = data[text.start : text.end]
        # Most strings of a list are the same few keys and values over and over.
        if raw in harmless:
            continue
        spans = list(_find_in_text(document, text, rules, found))
        found.spans += spans
        if not spans:
            harmless.add(raw)
    _Walk(document, found).visit(document.root, kind)
    return found


def _find_in_text(document: Document, text: Text, rules: Rules, found: Findings) -> Iterator[Span]:
    decoded = document.decode(text)
    nested = find_in_json(decoded.data, rules) if decoded.data[:1] in (b"{", b"[") else None
    if nested is not None:
        found.values += nested.values
    for span in rules.in_text(decoded.data) if nested is None else nested.spans:
        yield Span(*decoded.place(span.start, span.end), span.filler)


def _snapped(document: Document, span: Span) -> Iterator[Span]:
    """What can be masked of a span that was found in the bytes without regard to the structure."""
    first = max(0, bisect.bisect_right(document.leaves, span.start, key=lambda leaf: leaf.start) - 1)
    for leaf in document.leaves[first:]:
        if leaf.start >= span.end:
            return
        start, end = max(leaf.start, span.start), min(leaf.end, span.end)
        if start >= end:
            continue
        if isinstance(leaf, Text):
            yield Span(*document.decode(leaf).snap(start, end))
        else:
            yield from (Span(at, at + 1, ord("9")) for at in range(start, end) if document.data[at] in b"0123456789")


class _Walk:
    """The rules that look at where in an object a value stands."""

    def __init__(self, document: Document, found: Findings) -> None:
        self._document = document
        self._found = found

    def visit(self, node: Node, kind: str) -> None:
        if isinstance(node, Array):
            for item in node.items:
                self.visit(item, kind)
            self._mask_flag_values(node)
        elif isinstance(node, Object):
            self._visit_object(node, kind)

    def _visit_object(self, node: Object, inherited: str) -> None:
        members = {self._document.text_of(key): value for key, value in node.members}
        kind = self._text(members.get("kind")) or inherited
        for name, value in members.items():
            if name in _TOKEN_FIELDS:
                self._mask(value)
            if kind == "Secret" and name in _SECRET_DATA:
                self._mask(value)
        self._mask_named_value(members, kind)
        # The items of a typed list do not say their kind (a SecretList's items are Secrets).
        of_item = kind.removesuffix("List")
        for name, value in members.items():
            self.visit(value, of_item if name == "items" else "")

    def _mask_named_value(self, members: dict[str, Node], kind: str) -> None:
        value = members.get("value")
        if is_secret_variable(self._text(members.get("name"))) and isinstance(value, Text):
            self._found.values.append(self._document.decode(value).data)
            self._mask(value)
        # An operation of a JSON patch: {"op": "add", "path": "/data/x", "value": ...}
        if kind == "Secret" and "op" in members and value is not None:
            self._mask(value)

    def _mask_flag_values(self, node: Array) -> None:
        """`["--token", "…"]`: the value of a command's flag."""
        for flag, value in zip(node.items, node.items[1:], strict=False):
            if (
                self._text(flag).startswith("-")
                and "=" not in self._text(flag)
                and is_secret_variable(self._text(flag))
            ):
                self._mask(value)

    def _mask(self, node: Node | None) -> None:
        """Every text in there, whole."""
        if isinstance(node, Text):
            self._found.spans.append(Span(node.start, node.end))
        elif isinstance(node, Array):
            for item in node.items:
                self._mask(item)
        elif isinstance(node, Object):
            for _, value in node.members:
                self._mask(value)

    def _text(self, node: Node | None) -> str:
        return self._document.text_of(node) if isinstance(node, Text) else ""
