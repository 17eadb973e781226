"""What a request asks the provider to run: whether it reads more than was sent, and what of it is billed beside tokens.

Read in the price lists of OpenAI, xAI, OpenRouter, Mistral, Groq, Zhipu, Moonshot and Qwen. A tool that is not known is
taken for one that is billed: it needs a price by its name.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from msgspec import Raw

from tollhouse.core.hosted_tools import ESCAPED_LETTER, USES_HELD, HostedTool, uses
from tollhouse.core.members import Members
from tollhouse.core.raw_members import decoded
from tollhouse.core.usage import SEARCHES_MAX

SEARCHES: Final = frozenset(
    (
        *("web_search", "web_search_premium", "file_search", "x_search", "collections_search", "image_search"),
        *("google_search", "google_search_retrieval", "google_maps", "enterprise_web_search", "browser_search"),
        *("live_search", "retrieval", "document_library", "document_search", "news_search", "parallel_search"),
    )
)
"""Tools, without their dates, whose uses are counted as searches."""
UNBILLED: Final = frozenset(
    (
        *("mcp", "computer", "computer_use", "tool_search", "programmatic_tool_calling", "url_context", "open_url"),
        *("visit_website", "null"),
    )
)
"""Tools that a vendor runs, and bills by their tokens alone."""
SEARCH_MEMBERS: Final = frozenset(
    (
        *("websearchoptions", "searchparameters", "enablesearch", "plugins", "websearch", "websearchenabled"),
        *("enablewebsearch", "onlinesearch", "searchenabled", "usesearch"),
    )
)
"""Members, folded, by which a search is asked for beside `tools`."""
RESULTS_A_SEARCH: Final = 5
"""Of a search that is billed by its results (OpenRouter): what it finds where nobody says how many."""
_LIVE_SOURCES: Final = 20
_FREE_PLUGINS: Final = frozenset(("response-healing", "context-compression", "auto-router", "moderation", "fusion"))

_OWN_TOOLS: Final = frozenset(("function", "custom", "local_shell", "apply_patch"))
"""Tools that the caller runs: what they give comes back in the next body."""
_OF_OWN_TOOLS: Final = frozenset(
    (
        *("type", "function", "custom", "name", "description", "parameters", "strict", "format", "cache_control"),
        "defer_loading",
    )
)
"""What such a tool is described by. Another member may name one that the provider runs (`google_search`)."""
_OF_A_FUNCTION: Final = frozenset(
    ("name", "description", "parameters", "strict", "arguments", "returns", "return", "response", "format", "type")
)
"""What is said of it where it lies in the tool, as in a chat."""
_NAME: Final = re.compile(r"(?:_preview)?(?:_[0-9]{4}_?[0-9]{2}_?[0-9]{2})?\Z")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BRINGING: Final = ("additional_tools", "tool_search_output")
"""Items of a response's input that bring tools with them."""
_MARKS: Final = tuple(name.encode() for name in _BRINGING)


def run_there(raw: Raw) -> int:
    """How many tools are, or may be, ones that the provider runs."""
    if bytes(memoryview(raw)[:5]) in (b"null", b"false"):
        return 0
    tools = decoded(raw, list[dict[str, Raw]])
    return 1 if tools is None else len(tools) - sum(map(_runs_here, tools))


def hosted_tools(members: Members) -> Iterator[HostedTool]:
    """What of `tools` is billed by its use. What is no list of objects may be; a word is the provider's to refuse."""
    tools = decoded(members["tools"], list[dict[str, Any]])
    if tools is None:
        if bytes(memoryview(members["tools"])[:1]) in (b"{", b"["):
            yield HostedTool("unknown", "tools")
        return
    choice = bytes(members.get("tool_choice", b""))
    has_own = any(_kind(tool) in _OWN_TOOLS for tool in tools)
    most = uses(decoded(members["max_tool_calls"], object)) if "max_tool_calls" in members else USES_HELD
    for at, tool in enumerate(tools):
        kind = _kind(tool)
        wanted = choice[:1] in (b"{", b"[") and kind.encode(errors="replace") in choice
        place = (at, "") if has_own and not wanted else None
        yield from _billed(tool, f"tools[{at}]", place, most)


def brought_tools(raw: Raw) -> Iterator[HostedTool]:
    """The same of items in an input that bring tools."""
    for at, item in enumerate(decoded(raw, list[Any]) or []):
        if isinstance(item, dict) and item.get("type") in _BRINGING:
            for tool in _objects(item.get("tools")):
                yield from _billed(tool, f"input[{at}].tools", None, USES_HELD)


def brings_tools(body: bytes) -> bool:
    """Whether any item may: by its type, whose letters may be escapes."""
    return any(mark in body for mark in _MARKS) or ESCAPED_LETTER.search(body) is not None


def asked_by_member(name: str, plain: str, raw: Raw) -> Iterator[HostedTool]:
    """What one of `SEARCH_MEMBERS` asks for, at the least and at the most. plain: its name, folded."""
    value = decoded(raw, object)
    if value is None or value is False:
        return
    if plain == "plugins":
        yield from _plugins(name, value)
        return
    inside: dict[str, Any] = value if isinstance(value, dict) else {}
    if inside.get("mode") == "off" or inside.get("enable") is False or inside.get("enabled") is False:
        return
    most = USES_HELD
    if plain == "searchparameters":  # by the source
        most = uses(inside["max_search_results"]) if "max_search_results" in inside else _LIVE_SOURCES
    yield HostedTool("web_search", name, is_search=True, most=most, least=1)


def _plugins(name: str, value: object) -> Iterator[HostedTool]:
    for plugin in _objects(value) if isinstance(value, list) else [{}]:
        kind = str(plugin.get("id", "web"))[:32].casefold()
        if plugin.get("enabled") is False or kind in _FREE_PLUGINS:
            continue
        results = plugin.get("max_results")
        found = results if type(results) is int and results > 0 else RESULTS_A_SEARCH
        least = min(SEARCHES_MAX, -(-found // RESULTS_A_SEARCH))
        is_search = kind in ("web", "exa", "search")
        yield HostedTool(
            "web_search" if is_search else kind.replace("-", "_"),
            name,
            is_search=is_search,
            most=max(least, USES_HELD),
            least=least if is_search else 0,
        )


def _billed(
    tool: dict[str, Any], param: str, place: tuple[int, str] | None, most: int, depth: int = 0
) -> Iterator[HostedTool]:
    kind = _kind(tool)
    if kind in _OWN_TOOLS or kind in UNBILLED:
        return
    if kind == "shell":
        environment = tool.get("environment")
        if not isinstance(environment, dict) or environment.get("type") == "local":
            return
    if kind == "namespace":
        for inner in _objects(tool.get("tools")) if depth == 0 else ():
            yield from _billed(inner, param, None, most, depth + 1)
        return
    yield HostedTool(kind[:40], param, is_search=kind in SEARCHES, most=most, place=place)


def _kind(tool: dict[str, Any]) -> str:
    """What a tool is called without its date and without whose it is; of one without a type, the member that is none of
    a function's."""
    kind = tool.get("type")
    if kind in ("function", "custom"):
        beside = sorted(map(_plain, tool.keys() - _OF_OWN_TOOLS))
        return next((name for name in beside if name in SEARCHES), str(kind))
    if kind is None:
        strange = sorted(tool.keys() - _OF_OWN_TOOLS - {"input_schema"})
        return _plain(strange[0]) if strange and not ("name" in tool or "function" in tool) else "function"
    if kind == "builtin_function":  # Moonshot's
        inner = tool.get("function")
        kind = str(inner.get("name")).lstrip("$") if isinstance(inner, dict) else "builtin_function"
    return _plain(kind) if isinstance(kind, str) else "unknown"


def _plain(kind: str) -> str:
    snake = _HUMP.sub("_", kind[:80]).rpartition(":")[2].casefold().replace("-", "_")
    return _NAME.sub("", _NAME.sub("", snake)) or "unknown"


def _runs_here(tool: dict[str, Raw]) -> bool:
    kind = bytes(tool.get("type", b"")).decode(errors="replace").strip('"')
    if kind not in _OWN_TOOLS or not _OF_OWN_TOOLS.issuperset(tool):
        return False
    inside = tool.get("function") or tool.get("custom")
    if inside is None:
        return True
    members = decoded(inside, dict[str, Raw])
    return members is not None and _OF_A_FUNCTION.issuperset(members)


def _objects(value: object) -> Iterable[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
