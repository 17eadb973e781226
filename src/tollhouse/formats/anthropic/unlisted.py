"""Members of a request by what each can do to the cost of the call.

Nothing here is trusted to lower a cost. What names other models is dropped; what makes a provider bill otherwise needs
a price of its own, or the call is refused; what reads more or writes more is held for.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

import msgspec
from msgspec import Raw, Struct

from tollhouse.core.failure import BadRequest, UnsupportedParameter
from tollhouse.core.hosted_tools import ESCAPED_LETTER, USES_HELD, HostedTool, uses
from tollhouse.core.members import Members
from tollhouse.formats.anthropic.tool_changes import added_by_messages

HARMLESS: Final = frozenset(
    (
        *("model", "messages", "max_tokens", "system", "tools", "tool_choice", "stream", "metadata", "stop_sequences"),
        *("temperature", "top_p", "top_k", "thinking", "output_config", "output_format", "cache_control"),
        "diagnostics",
    )
)
"""Members that are documented, and cost nothing beyond their bytes and the cap, or are read elsewhere."""
TIERS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "service_tier": frozenset(("auto", "standard_only", "standard", "default")),
        "speed": frozenset(("standard",)),
        "inference_geo": frozenset(("global", "not_available")),
    }
)
"""Members that change what the provider bills, with the values that do not."""
UNBILLED_TOOLS: Final = (
    *("custom", "bash", "text_editor", "computer", "memory", "browser_toolset", "computer_toolset"),
    *("web_fetch", "tool_search_tool_bm25", "tool_search_tool_regex", "tool_search_tool", "mcp_toolset"),
)
"""Tools, without their dates, that cost nothing beside the tokens. Any other one, as a search, is billed by its use."""
_OWN: Final = ("", "null", "custom", "bash", "text_editor", "computer", "memory")
"""Tools, without their dates, that the caller runs."""
_READS_MORE: Final = frozenset(("container", "mcp_servers"))
_DATE: Final = re.compile(r"_[0-9]{8}\Z")
_COMPACTS: Final = b"compact"  # within `context_management`: rounds beside the answer, which are billed
_OTHER_MODELS: Final = ("fallbacks", "model", "models", "modelid", "modelids")
_DECIDING: Final = frozenset((*HARMLESS, *TIERS, *_READS_MORE, "context_management"))
_ABSENT: Final = (b"null", b"false")


class OtherMembers(Struct):
    """`tier`: what the provider is asked to bill by, and the member that says so (`tier_param`). `hosted`: tools that
    it is to run, and bills by their use. `reads_more`: the input is not all here. `writes_more`: only the longest
    answer bounds the output. `dropped`: members that do not go on, in small letters."""

    tier: str = ""
    tier_param: str = ""
    hosted: tuple[HostedTool, ...] = ()
    reads_more: bool = False
    writes_more: bool = False
    dropped: tuple[str, ...] = ()


NONE: Final = OtherMembers()


def unlisted(members: Members) -> OtherMembers:
    """Read what is not harmless, and drop from `members` what names other models.

    Raises BadRequest for a member that decides the cost and is not spelled as it is, UnsupportedParameter for two tiers
    at once.
    """
    strange = members.keys() - HARMLESS
    typed = "tools" in members and b'"type"' in bytes(members["tools"])
    adds = "messages" in members and _adds_tools(bytes(members["messages"]))
    if not strange and not typed and not adds:
        return NONE
    found = OtherMembers()
    if typed:
        found.hosted = tuple(_hosted_tools(members))
    if adds:
        found.hosted += tuple(_added_tools(members["messages"]))
    for name in [name for name in members if name in strange]:
        if bytes(memoryview(members[name])[:5]) not in _ABSENT:
            _read(found, members, name)
    return found


def _read(found: OtherMembers, members: Members, name: str) -> None:
    raw, plain = members[name], name.casefold()
    if name not in _DECIDING and plain in _DECIDING:
        shown = name[:40]
        raise BadRequest(f"'{shown}' is read as '{plain}' by some providers: write it so.", param=shown)
    if plain.replace("_", "").replace("-", "").endswith(_OTHER_MODELS):
        del members[name]
        found.dropped = (*found.dropped, plain)
    elif name in TIERS:
        _read_tier(found, name, raw)
    elif name == "context_management":
        compacts = _COMPACTS in bytes(raw)
        found.reads_more, found.writes_more = found.reads_more or compacts, found.writes_more or compacts
    else:
        found.reads_more = True
        found.writes_more = found.writes_more or name not in _READS_MORE


def _hosted_tools(members: Members) -> Iterator[HostedTool]:
    """Tools that are billed by their use need a price by their name, or by the search."""
    try:
        tools = msgspec.json.decode(members["tools"], type=list[dict[str, Raw]])
    except (msgspec.DecodeError, RecursionError):
        yield HostedTool("unknown", "tools")
        return
    kinds = [_DATE.sub("", bytes(tool.get("type", b"")).decode().strip('"').casefold()) for tool in tools]
    has_own = any(kind in _OWN for kind in kinds)
    choice = bytes(members.get("tool_choice", b""))
    for at, (kind, tool) in enumerate(zip(kinds, tools, strict=True)):
        if not kind or kind in ("null", *UNBILLED_TOOLS):
            continue
        name = bytes(tool.get("name", b""))
        wanted = bool(name) and name in choice
        yield HostedTool(
            kind[:40],
            f"tools[{at}]",
            is_search=kind == "web_search",
            most=uses(_value(tool["max_uses"])) if "max_uses" in tool else USES_HELD,
            place=(at, "") if has_own and not wanted else None,
        )


def _adds_tools(messages: bytes) -> bool:
    return b"tool_addition" in messages or ESCAPED_LETTER.search(messages) is not None


def _added_tools(messages: Raw) -> Iterator[HostedTool]:
    """Those that messages add while the conversation lasts; none of them can be left out."""
    for tool in added_by_messages(_value(messages)):
        kind = _DATE.sub("", str(tool.get("type") or "").casefold())
        if kind and kind not in UNBILLED_TOOLS:
            yield HostedTool(kind[:40], "messages", is_search=kind == "web_search", most=uses(tool.get("max_uses")))


def _value(raw: Raw) -> object:
    try:
        value: object = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    return value


def _read_tier(found: OtherMembers, name: str, raw: Raw) -> None:
    value = _value(raw)
    if isinstance(value, str) and value.casefold() in TIERS[name]:
        return
    _take_tier(found, value.casefold() if isinstance(value, str) and value else name, name)


def _take_tier(found: OtherMembers, tier: str, param: str) -> None:
    if found.tier not in ("", tier):
        raise UnsupportedParameter(
            f"'{param}' beside '{found.tier_param}': a call has one price, so name one of them.", param=param
        )
    found.tier, found.tier_param = tier, found.tier_param or param
