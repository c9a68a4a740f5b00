"""base + patch -> the Pod that `kubectl patch --local --type=strategic` prints.

Source: k8s.io/apimachinery pkg/util/strategicpatch/patch.go, the same in 1.34 to 1.37. What looks odd there is here
too: null and `$patch` are resolved in what is merged, but stay in an item that a list gains; `$patch: replace` in a
field that the base lacks removes the field.

Deliberate differences: a field or type that this does not know is merged all the same, where kubectl refuses it (see
merge_keys); `$deleteFromPrimitiveList` of anything but a list of plain values is refused, where kubectl does something
else; and where kubectl's answer is a matter of luck (it deletes from a list and adds to it in either order), deletions
come first. The base holds no directive, and no value twice in a set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hodei_k8s_core.strategic_merge.element_order import InvalidPatch, arranged, identity_of_items
from hodei_k8s_core.strategic_merge.merge_keys import POD, Field, Fields
from hodei_k8s_core.validation import copied_json

_DIRECTIVE: Final = "$patch"
_RETAIN_KEYS: Final = "$retainKeys"
_DELETE_VALUES: Final = "$deleteFromPrimitiveList"
_ORDER: Final = "$setElementOrder"
_UNKNOWN: Final = Field()


def strategic_merge(base: Mapping[str, Any], patch: Mapping[str, Any], fields: Fields = POD) -> dict[str, Any]:
    """`base` as `patch` changes it; neither is touched, nor shared with the result. `fields`: those of a Pod.

    Raises: InvalidPatch for a directive that is none, and for lists whose items cannot be told apart.
    """
    return _merge_maps(_copied(base), _copied(patch), fields, "")


def _copied(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: copied_json(value) for key, value in document.items()}


def _merge_maps(base: dict[str, Any], patch: dict[str, Any], fields: Fields, path: str) -> dict[str, Any]:
    if _DIRECTIVE in patch:
        return _directed(patch, path)
    merged = _retained(base, patch, path)
    rest = {key: value for key, value in patch.items() if key != _RETAIN_KEYS}
    for key in [key for key in rest if key.startswith(_ORDER)]:
        name = _named(key, _ORDER, path)
        _order_list(merged, rest, rest.pop(key), name, fields.get(name, _UNKNOWN), _below(path, name))
    for key in [key for key in rest if key.startswith(_DELETE_VALUES)]:
        name = _named(key, _DELETE_VALUES, path)
        _delete_values(merged, rest.pop(key), name, _below(path, name))
    for name, value in rest.items():
        _merge_field(merged, name, value, fields.get(name, _UNKNOWN), _below(path, name))
    return merged


def _merge_field(merged: dict[str, Any], name: str, value: Any, field: Field, path: str) -> None:
    old = merged.get(name)
    if value is None or (type(old) is not type(value) and _is_directed(value)):
        merged.pop(name, None)
    elif type(old) is not type(value):
        merged[name] = _without_directives(_without_nulls(value))
    elif isinstance(value, dict):
        merged[name] = _merge_maps(merged[name], value, field.fields, path)
    elif isinstance(value, list):
        merged[name] = _merge_lists(merged[name], value, field, path)
    else:
        merged[name] = value


def _directed(patch: dict[str, Any], path: str) -> dict[str, Any]:
    directive = patch[_DIRECTIVE]
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != _DIRECTIVE}
    if directive == "delete":
        return {}
    raise InvalidPatch(path, f"{_DIRECTIVE} of a mapping must be replace or delete")


def _retained(base: dict[str, Any], patch: dict[str, Any], path: str) -> dict[str, Any]:
    """Of the base what `$retainKeys` names; without that directive all of it."""
    if _RETAIN_KEYS not in patch:
        return dict(base)
    keys = patch[_RETAIN_KEYS]
    if not isinstance(keys, list) or any(isinstance(key, (dict, list)) for key in keys):
        raise InvalidPatch(path, f"{_RETAIN_KEYS} must be a list of keys")
    for key, value in patch.items():
        is_set = value is not None and not key.startswith((_DELETE_VALUES, _ORDER, _RETAIN_KEYS))
        if is_set and key not in keys:
            raise InvalidPatch(path, f"{_RETAIN_KEYS} must name every key that the patch sets")
    return {key: value for key, value in base.items() if key in keys}


def _delete_values(merged: dict[str, Any], values: Any, name: str, path: str) -> None:
    if values is None:
        merged.pop(name, None)
        return
    if not isinstance(values, list):
        raise InvalidPatch(path, f"{_DELETE_VALUES} must be a list of plain values")
    old = merged.get(name)
    if isinstance(old, list) and (old or values):
        if _type_of_items([*old, *values], path) is dict:
            raise InvalidPatch(path, f"{_DELETE_VALUES} is for lists of plain values")
        merged[name] = [value for value in old if value not in values]


def _order_list(merged: dict[str, Any], patch: dict[str, Any], order: Any, name: str, field: Field, path: str) -> None:
    """`$setElementOrder`: merges the list that it is about, which `patch` then has no more, and puts it in order."""
    if not all(isinstance(found[name], list) for found in (merged, patch) if name in found):
        raise InvalidPatch(path, f"{_ORDER} needs a list there")
    if not isinstance(order, list):
        raise InvalidPatch(path, f"{_ORDER} must be a list")
    old, new = merged.get(name), patch.pop(name, None)
    if old is None and new is None:
        return
    identity = identity_of_items(field.merge_key or "", path)
    _check_order(new or [], order, field, path)
    _type_of_items([*(old or []), *(new or [])], path)
    if old is None:
        items, base_order = _without_directives(new), []
    elif new is None:
        items, base_order = old, old
    elif field.merge_key:
        items, base_order = _merge_lists(old, new, field, path), _base_order(old, new, field.merge_key, path)
    else:
        items, base_order = _merge_lists(old, new, field, path), old
    merged[name] = arranged(items, order, base_order, identity)


def _check_order(patch: list[Any], order: list[Any], field: Field, path: str) -> None:
    """Raises: InvalidPatch unless the items of the patch come in that order, and none is missing from it."""
    if not order:
        return
    identity = identity_of_items(field.merge_key or "", path)
    items = [item for item in patch if not (_is_directed(item) and item[_DIRECTIVE] == "delete")]
    at = 0
    for place in map(identity, order):
        while at < len(items) and _is_directed(items[at]):
            at += 1
        at += at < len(items) and identity(items[at]) == place
    if at < len(items):
        raise InvalidPatch(path, f"the patch's items are not in the order that {_ORDER} says")


def _merge_lists(base: list[Any], patch: list[Any], field: Field, path: str) -> list[Any]:
    if field.merge_key is None:
        return patch
    if not base and not patch:
        return base
    _type_of_items([*base, *patch], path)
    identity = identity_of_items(field.merge_key, path)
    if not field.merge_key:
        return arranged(list({identity(item): item for item in base + patch}.values()), patch, base, identity)
    kept, new = _kept(base, patch, field.merge_key, path)
    items = list(kept)
    for item in new:
        wanted = identity(item)
        at = next((index for index, old in enumerate(items) if _has(old, field.merge_key, wanted)), None)
        if at is None:
            items.append(item)
        else:
            items[at] = _merge_maps(items[at], item, field.fields, f"{path}[{at}]")
    return arranged(items, new, kept, identity)


def _kept(base: list[Any], patch: list[Any], key: str, path: str) -> tuple[list[Any], list[Any]]:
    """The items that `patch` merges into, and its items without directives."""
    identity = identity_of_items(key, path)
    kept, new, replaced = base, [], False
    for item in patch:
        if not _is_directed(item):
            new.append(item)
        elif item[_DIRECTIVE] == "delete":
            gone = identity(item)
            kept = [old for old in kept if not _has(old, key, gone)]
        elif item[_DIRECTIVE] == "replace":
            replaced = True
        else:
            raise InvalidPatch(path, f"{_DIRECTIVE} of an item must be replace or delete")
    # What replaces the list is merged with nothing: its items stay as they are.
    return (new, []) if replaced else (kept, new)


def _base_order(base: list[Any], patch: list[Any], key: str, path: str) -> list[Any]:
    """The order of the base where the list has an order set: new items take the places that deleted ones left.

    A slice of Go that lost items in place, and then gained some.
    """
    identity = identity_of_items(key, path)
    kept, new = _kept(base, patch, key, path)
    known = {identity(item) for item in kept}
    return (kept + [item for item in new if identity(item) not in known])[: len(base)]


def _type_of_items(items: Sequence[Any], path: str) -> type:
    """Raises: InvalidPatch unless they are all of one type, which is neither null nor a list."""
    types = {type(item) for item in items}
    if len(types) != 1 or types & {list, type(None)}:
        raise InvalidPatch(path, "the items of the list, old and new, must be there and of one type")
    return types.pop()


def _has(item: Any, key: str, identity: tuple[type, Any]) -> bool:
    return isinstance(item, dict) and key in item and (type(item[key]), item[key]) == identity


def _is_directed(value: Any) -> bool:
    return isinstance(value, dict) and _DIRECTIVE in value


def _without_nulls(value: Any) -> Any:
    """Those of mappings: a null in a list is an item."""
    if isinstance(value, dict):
        return {key: _without_nulls(part) for key, part in value.items() if part is not None}
    return [_without_nulls(part) for part in value] if isinstance(value, list) else value


def _without_directives(value: Any) -> Any:
    """Without every mapping that has a directive."""
    if isinstance(value, dict):
        return {key: _without_directives(part) for key, part in value.items() if not _is_directed(part)}
    if isinstance(value, list):
        return [_without_directives(part) for part in value if not _is_directed(part)]
    return value


def _named(key: str, prefix: str, path: str) -> str:
    """The list that a key such as `$setElementOrder/containers` is about."""
    found, slash, name = key.partition("/")
    if found != prefix or not slash:
        raise InvalidPatch(path, f"{prefix} needs the name of a list: {prefix}/name")
    return name


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
