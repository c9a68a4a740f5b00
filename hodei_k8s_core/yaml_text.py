"""YAML to plain values as kubectl's parser (goyaml v2) sees it.

PyYAML follows YAML 1.1 further than goyaml does: it reads an unquoted `12:30` as a number and `2026-11-24` as a date,
where goyaml keeps the text. A token may look like either. PyYAML is imported when there is something to parse.
Source of the rules: go.yaml.in/yaml/v2, resolve.go; sigs.k8s.io/yaml, yaml.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

_SCALARS = (
    ("bool", r"y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON|n|N|no|No|NO|false|False|FALSE|off|Off|OFF", "yYtToOnNfF"),
    ("int", r"[-+]?(?:0x[0-9a-fA-F_]+|0b[01_]+|0o?[0-7_]+|[1-9][0-9_]*|0)", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9_]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+."),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
)
_OPENING = ("SequenceStartEvent", "MappingStartEvent")
_CLOSING = ("SequenceEndEvent", "MappingEndEvent")
MAX_DEPTH = 100
MAX_SIZE = 1_000_000
"""Values, with every alias counted as what it stands for."""
TOO_DEEP = "nested too deeply"
_OF_LIBYAML = {"exceeded maximum nesting depth": TOO_DEEP}
"""What newer ones say before we do: their scanner reads ahead."""
_BOOLS = {"y": True, "n": False}
_QUOTED = re.compile(r"(['\"]).*\1")


class YamlFault(Exception):
    """The text is no YAML. The message says where, and quotes nothing: what stands there may be a secret."""


def parse_yaml(data: bytes) -> Any:
    """The first document as dicts with text keys, lists and scalars; None when there is none.

    Raises: `YamlFault`.
    """
    import yaml

    loader_class = _loader_class()
    try:
        if problem := _shape_problem(yaml.parse(data, Loader=loader_class)):
            raise YamlFault(problem)
        return next(iter(yaml.load_all(data, Loader=loader_class)), None)
    except yaml.MarkedYAMLError as error:
        problem = _QUOTED.sub("…", error.problem or "not YAML")
        raise YamlFault(_place(error.problem_mark) + _OF_LIBYAML.get(problem, problem)) from None
    except yaml.YAMLError:
        raise YamlFault("not text in UTF-8 or UTF-16, or with control characters") from None
    except ValueError:
        raise YamlFault("a value does not fit its explicit tag") from None


def _shape_problem(events: Iterable[Any]) -> str:
    """Why the document must not be composed, or "".

    libyaml's composer recurses on the C stack, where too deep is a crash and no exception; and what aliases expand to
    can be far larger than the file.
    """
    open_anchors: list[str | None] = []
    sizes: list[int] = [0]
    size_of: dict[str | None, int] = {}
    for event in events:
        kind, anchor = type(event).__name__, getattr(event, "anchor", None)
        if kind == "AliasEvent":
            if anchor in open_anchors:
                return "an alias stands inside of what it stands for"
            sizes[-1] += size_of.get(anchor, 1)
        elif kind in _OPENING:
            open_anchors.append(anchor)
            sizes.append(1)
        elif kind in _CLOSING:
            size_of[open_anchors.pop()] = sizes[-1]
            sizes[-2:] = [sizes[-2] + sizes[-1]]
        elif kind == "DocumentEndEvent":
            break
        else:
            sizes[-1] += 1
        if len(open_anchors) > MAX_DEPTH:
            return TOO_DEEP
        if sizes[-1] > MAX_SIZE:
            return "its aliases expand too far"
    return ""


def _place(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""


@cache
def _loader_class() -> Any:
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc] # the C loader is there or not
        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own name; filled below

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002
            return {_key(key): value for key, value in super().construct_mapping(node, deep).items()}

        def construct_yaml_bool(self, node: Any) -> bool:
            text = self.construct_scalar(node).lower()
            return _BOOLS.get(text, text in ("yes", "true", "on"))

    for tag, pattern, first in _SCALARS:
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"(?:{pattern})\Z"), list(first))
    Loader.add_constructor("tag:yaml.org,2002:bool", Loader.construct_yaml_bool)
    for tag in ("timestamp", "merge"):  # a tag that is written out, or `<<` as a value
        Loader.add_constructor(f"tag:yaml.org,2002:{tag}", Loader.construct_yaml_str)
    return Loader


def _key(key: Any) -> str:
    """Keys become text, as in JSON."""
    return str(key).lower() if isinstance(key, bool) else str(key)
