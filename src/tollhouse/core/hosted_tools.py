"""Tools that a provider runs for a call and bills beside its tokens: searches, containers, pictures of another model.

A format finds them in a request, the price says whether they are sold (`billing.hosted_tools`), and the gateway leaves
out what is not where the caller can do without: see `docs/money.md`.
"""

import re
from collections.abc import Collection
from typing import Final

import msgspec
from msgspec import Raw, Struct

from tollhouse.core.members import Members
from tollhouse.core.usage import SEARCHES_MAX

USES_HELD: Final = 10
"""Searches that are held for where a caller names no number: what a few turns of a model make."""

ESCAPED_LETTER: Final = re.compile(rb"\\u00[4-7]")
"""In a body that has one, a name may stand that its bytes do not show. Clients escape other signs (`<`, controls)."""


class HostedTool(Struct, frozen=True):
    """`name`: as a service tier is called that prices it, in small letters. `param`: where it stands.

    is_search: its uses are counted, and a price by the search sells it. most: uses that are held for. least: uses that
    are charged where nobody reports any. place: in `tools`, and of which member, if it is only one of several; None: it
    stands elsewhere, or something else in the request needs it.
    """

    name: str
    param: str
    is_search: bool = False
    most: int = USES_HELD
    least: int = 0
    place: tuple[int, str] | None = None


def uses(named: object) -> int:
    """How many uses a caller allows; what is no such number says nothing."""
    return min(named, SEARCHES_MAX) if type(named) is int and named > 0 else USES_HELD


def leave_out(members: Members, tools: Collection[HostedTool]) -> None:
    """Take tools, each with a place, out of `tools`."""
    listed = msgspec.json.decode(members["tools"], type=list[Raw])
    gone: dict[int, set[str]] = {}
    for tool in tools:
        assert tool.place is not None
        at, name = tool.place
        gone.setdefault(at, set()).add(name)
    kept = []
    for at, one in enumerate(listed):
        if at not in gone:
            kept.append(one)
        elif "" not in gone[at]:
            inside = msgspec.json.decode(one, type=dict[str, Raw])
            left = {name: raw for name, raw in inside.items() if name not in gone[at]}
            if left:
                kept.append(Raw(msgspec.json.encode(left)))
    members["tools"] = Raw(msgspec.json.encode(kept))
