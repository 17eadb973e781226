"""Searches that Google ran for an answer: each different query of a candidate, as Gemini 3 bills them, and its look
into maps. Repeated and empty queries are not billed.

Each event of a stream may tell all queries so far, or more of them.
"""

from typing import Final

from tollhouse.core.provider_json import Object
from tollhouse.core.usage import SEARCHES_MAX
from tollhouse.formats.gemini.contents import object_under, objects, texts
from tollhouse.formats.gemini.spelling import under

_QUERIES: Final = ("webSearchQueries", "imageSearchQueries", "retrievalQueries")
_MAPS: Final = "maps"


def note(queries: set[str], candidate: Object) -> None:
    """Add what a candidate, or a piece of one, tells of its searches."""
    grounding = object_under(candidate, "groundingMetadata")
    if not grounding or len(queries) > SEARCHES_MAX:
        return
    for name in _QUERIES:
        queries.update(f"{name} {query}" for query in texts(under(grounding, name)) if query.strip())
    if any(_MAPS in chunk for chunk in objects(under(grounding, "groundingChunks"))):
        queries.add(_MAPS)


def count(candidates: list[Object]) -> int:
    queries: set[str] = set()
    for candidate in candidates:
        note(queries, candidate)
    return len(queries)
