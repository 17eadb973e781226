"""References within a JSON Schema, as Gemini follows them: it knows `#/$defs/NAME` alone, with nothing beside it.

What is small is written where it is referred to; else it gets a name in `$defs`. What is not there says nothing
("reference to undefined schema", google-gemini/gemini-cli#13326).
"""

from typing import Any, Final

from tollhouse.core.provider_json import Object

_INLINED_MAX: Final = 4 * 1024
_COPIED_ALL_MAX: Final = 256 * 1024
"""Characters of a definition that is written where it is referred to, and of all that are written more than once."""
_COUNTED_ALL_MAX: Final = 2 * 1024 * 1024
"""Characters that are counted to know how large definitions are. Beyond it all are large."""
_DEFINED: Final = "#/$defs/"
DEFINITIONS: Final = ("$defs", "definitions")
_HOPS_MAX: Final = 10


class References:
    """names: of what is to be written below `$defs`, in order; more may come while that is done."""

    def __init__(self, root: Object) -> None:
        self._root = root
        self._left = _COPIED_ALL_MAX
        self._uncounted = _COUNTED_ALL_MAX
        self._found: dict[str, Object | None] = {}
        self._sizes: dict[tuple[str, bool], int] = {}
        self._copies: dict[str, str | None] = {}
        self.named: dict[str, object] = {}
        for place in DEFINITIONS:
            there = root.get(place)
            self.named = {**(there if isinstance(there, dict) else {}), **self.named}
        self.names = list(self.named)

    def whole(self) -> Object:
        """The root, without its definitions. One that only refers to a definition is that definition."""
        root = self._root
        for _ in range(_HOPS_MAX):
            found = self._look_up(root.get("$ref"))
            if found is None or found is self._root:
                break
            root = {**found, **{name: value for name, value in root.items() if name != "$ref"}}
        return {name: value for name, value in root.items() if name not in DEFINITIONS}

    def followed(self, schema: Object, *, is_part: bool = False) -> Object:
        """A schema in place of one that refers to another. is_part: of one that is made of several."""
        reference = schema["$ref"]
        beside = {name: value for name, value in schema.items() if name[:1] != "$"}
        found = self._look_up(reference)
        if found is None or not isinstance(reference, str):
            return beside
        name = reference.removeprefix(_DEFINED)
        if not is_part and not beside and name != reference and "/" not in name:
            return {"$ref": reference}
        size = self._size(reference, found, whole=is_part)
        if size <= min(self._left if is_part else _INLINED_MAX, self._left):
            self._left -= size
            return {**found, **beside}
        copied = self._name_of(reference, found)
        return beside if copied is None else {"$ref": _DEFINED + _escaped(copied)}

    def _name_of(self, reference: str, found: Object) -> str | None:
        """None: there is no room for another copy."""
        for place in DEFINITIONS:
            name = _plain(reference.removeprefix(f"#/{place}/"))
            if self.named.get(name) is found:
                return name
        if reference not in self._copies:
            size = self._size(reference, found, whole=True)
            self._copies[reference] = self._copy(reference, found) if size <= self._left else None
            self._left -= size if size <= self._left else 0
        return self._copies[reference]

    def _copy(self, reference: str, found: Object) -> str:
        name = _plain(reference.rpartition("/")[2]).strip("#") or "root"
        while name in self.named:
            name = f"{name}_{len(self.named)}"
        self.named[name] = {one: value for one, value in found.items() if one not in DEFINITIONS}
        self.names.append(name)
        return name

    def _look_up(self, reference: object) -> Object | None:
        if not isinstance(reference, str):
            return None
        if reference not in self._found:
            found: Any = self._root if reference == "#" or reference.startswith("#/") else None
            for step in reference[2:].split("/") if reference != "#" else ():
                found = found.get(_plain(step)) if isinstance(found, dict) else None
            self._found[reference] = found if isinstance(found, dict) else None
        return self._found[reference]

    def _size(self, reference: str, found: Object, *, whole: bool) -> int:
        """Characters of a definition, more than fit where it has too many. Where it is not taken whole, one that refers
        to others has too many."""
        key = (reference, whole)
        if key not in self._sizes:
            most = min(_COPIED_ALL_MAX if whole else _INLINED_MAX, self._uncounted)
            self._sizes[key] = size = _size_of(found, most, refers=whole)
            self._uncounted -= min(size, most)
        return self._sizes[key]


def _plain(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _size_of(value: object, most: int, *, refers: bool) -> int:
    """Counted up to `most`; beyond it where it is more."""
    size, left = 0, [value]
    while left and size <= most:
        one = left.pop()
        size += len(one) + 2 if isinstance(one, str) else 8
        if isinstance(one, dict):
            if "$ref" in one and not refers:
                break
            size += sum(len(name) + 4 for name in one)
            left += one.values()
        elif isinstance(one, list):
            left += one
    else:
        return size if size <= most and not left else _COPIED_ALL_MAX + 1
    return _COPIED_ALL_MAX + 1
