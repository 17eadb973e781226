"""How many searches a vendor ran for an answer, as it reports them: in the report of usage, or by the items of a
response.

Figures that are none are not believed, and count for nothing: what was asked for by a member is charged all the same.
"""

from typing import Final

from msgspec import structs

from tollhouse.core.figures import Report, Unbelievable, figure, within
from tollhouse.core.usage import SEARCHES_MAX, Usage
from tollhouse.formats.openai.chunk import Object

_FIGURES: Final = (
    *("num_search_queries", "web_search_requests", "search_queries_count", "search_count", "num_sources_used"),
    "num_searches",
)
"""Perplexity, LiteLLM, xAI's live search."""
_OBJECTS: Final = ("server_tool_use", "prompt_tokens_details", "input_tokens_details", "web_search")
"""Anthropic and OpenRouter; LiteLLM; Zhipu."""
_BY_TOOL: Final = ("server_side_tool_usage_details", "server_side_tool_usage")
"""xAI's: calls by the tool."""
_SEARCH_ITEMS: Final = ("web_search_call", "file_search_call", "x_search_call", "collections_search_call")
_NEVER: Final = ("open_page", "find_in_page", "find")
"""Of an item of a search, what looks at a page that was found: it is not billed."""
_UNDONE: Final = ("failed", "in_progress", "searching")


def in_report(reported: Report) -> int:
    """By a report of usage."""
    for name in _BY_TOOL:
        by_tool = within(reported, name)
        told = sum(_figure(by_tool, tool) for tool in by_tool if "search" in tool.casefold())
        if told:
            return told
    for name in _FIGURES:
        if told := _figure(reported, name):
            return told
    for place in _OBJECTS:
        inside = within(reported, place)
        for name in (*_FIGURES, "count"):
            if told := _figure(inside, name):
                return told
    return _figure(within(within(reported, "plugins"), "search"), "count")


def in_items(items: list[Object]) -> int:
    """By the items of a response; those that only look at a page of what was found are none."""
    return sum(map(_is_search, items))


def in_response(response: Report, items: list[Object], seen: int = 0) -> int:
    """By a whole response: `tool_usage` says what is billed of searches of the web, where it stands. seen: searches
    that its stream told, which its last event may leave out."""
    told = within(response, "tool_usage").get("web_search")
    told = told.get("num_requests") if isinstance(told, dict) else told
    if type(told) is not int or not 0 <= told <= SEARCHES_MAX:
        return max(in_items(items), seen)
    return told + sum(1 for item in items if item.get("type") == "file_search_call")


def with_searches(usage: Usage | None, searches: int) -> Usage | None:
    """A report and what the items of its answer tell, whichever is more."""
    if usage is None or searches <= usage.searches:
        return usage
    return structs.replace(usage, searches=searches)


def _is_search(item: Object) -> bool:
    if item.get("type") not in _SEARCH_ITEMS or item.get("status") in _UNDONE:
        return False
    action = item.get("action")
    return not (isinstance(action, dict) and action.get("type") in _NEVER)


def _figure(place: Report, name: str) -> int:
    try:
        told = figure(place, name) or 0
    except Unbelievable:
        return 0
    return told if told <= SEARCHES_MAX else 0
