"""Tools of a request that Google runs, and bills beside tokens."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from tollhouse.core.hosted_tools import HostedTool
from tollhouse.core.members import Members
from tollhouse.core.raw_members import UNREAD
from tollhouse.formats.gemini.contents import objects
from tollhouse.formats.gemini.parameters import COUNTED_SEARCHES, OWN_TOOLS, UNBILLED
from tollhouse.formats.gemini.spelling import under

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def hosted_tools(members: Members) -> Iterator[HostedTool]:
    """One that is not known is taken for one that is billed: it needs a price by its name."""
    raw = members.get("tools")
    if raw is None or bytes(memoryview(raw)[:4]) == b"null":
        return
    try:
        tools = msgspec.json.decode(raw)
    except UNREAD:
        tools = [None]
    listed = objects(tools)
    if isinstance(tools, list) and len(listed) < len(tools):
        yield HostedTool("unknown", "tools")
        return
    strange = [(at, name) for at, tool in enumerate(listed) for name, value in tool.items() if _asks(name, value)]
    if not strange:
        return
    has_own = isinstance(tools, list) and any(under(tool, "functionDeclarations") for tool in listed)
    for at, name in strange:
        plain = _plain(name)
        yield HostedTool(
            plain[:40],
            f"tools[{at}].{name[:40]}",
            is_search=plain in _SEARCHES,
            place=(at, name) if has_own else None,
        )


def _asks(name: str, value: object) -> bool:
    return value is not None and value is not False and _plain(name) not in _NOT_BILLED


def _plain(name: str) -> str:
    return _HUMP.sub("_", name[:80]).lower().replace("-", "_")


_SEARCHES: Final = frozenset(map(_plain, COUNTED_SEARCHES))
_NOT_BILLED: Final = frozenset(map(_plain, UNBILLED | OWN_TOOLS))
