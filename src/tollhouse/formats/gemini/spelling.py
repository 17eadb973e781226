"""Names of members: Google's JSON is written in camelCase, and read in snake_case as well (`generation_config`).

Both stand for one member, so a body may have one of them. Free JSON (schemas, arguments, results) is never looked into.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final, TypeVar

from tollhouse.core.failure import BadRequest

_T = TypeVar("_T")
_HUMP: Final = re.compile("([A-Z])")
SHOWN_MAX: Final = 40
"""Characters of a caller's name that a refusal repeats."""


@cache
def snake(name: str) -> str:
    return _HUMP.sub(lambda hump: "_" + hump[1].lower(), name)


def under(one: Mapping[str, _T], name: str) -> _T | None:
    """The member of this name (in camelCase), however it is spelled; None where there is none."""
    found = one.get(name)
    return one.get(snake(name)) if found is None else found


def spelled(one: Mapping[str, object], name: str) -> str:
    """The name as it is written there."""
    return name if name in one or snake(name) not in one else snake(name)


def unknown(one: Iterable[str], known: frozenset[str]) -> list[str]:
    """The members that are none of these (in camelCase)."""
    return [name for name in one if name not in known and name not in _snakes(known)]


def require_plain(one: Mapping[str, object], known: frozenset[str], where: str = "") -> None:
    """Raises BadRequest where a member stands in both spellings, or in one that is neither: one provider would read it,
    and another would not."""
    for name in one:
        plain = _folded(known).get(name.casefold().replace("_", "").replace("-", ""))
        if plain is None or name == plain:
            continue
        shown = where + name[:SHOWN_MAX]
        if name != snake(plain):
            raise BadRequest(f"'{shown}' is read as '{where}{plain}' by some providers: write it so.", param=shown)
        if plain in one:
            raise BadRequest(f"'{where}{plain}' stands there twice, also as '{shown}'.", param=shown)


@cache
def _snakes(known: frozenset[str]) -> frozenset[str]:
    return frozenset(map(snake, known))


@cache
def _folded(known: frozenset[str]) -> Mapping[str, str]:
    return {name.casefold(): name for name in known}
