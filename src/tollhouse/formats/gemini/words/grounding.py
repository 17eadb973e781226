"""Where a text comes from: pages of a search (`groundingMetadata`) and texts that are repeated (`citationMetadata`).

Google counts the place of a citation in bytes of UTF-8.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Raw, structs

from tollhouse.core.conversation import Citation
from tollhouse.core.provider_json import Object, encode
from tollhouse.core.sound_text import sound_text
from tollhouse.formats.gemini.contents import object_under, objects, text_under
from tollhouse.formats.gemini.signatures import OWN
from tollhouse.formats.gemini.spelling import under

_CITATIONS_MAX: Final = 1_000
_QUOTED_MAX: Final = 2_000
"""Citations that are told, and characters of the text that each repeats."""


def read_citations(candidate: Object, text: str) -> tuple[Citation, ...]:
    """Of a candidate whose text, or the part of it that cites, is `text`."""
    found: list[Citation] = []
    grounding = object_under(candidate, "groundingMetadata")
    pages = [
        object_under(one, "web") or object_under(one, "maps") for one in objects(under(grounding, "groundingChunks"))
    ]
    for support in objects(under(grounding, "groundingSupports")):
        segment, indices = object_under(support, "segment"), under(support, "groundingChunkIndices")
        for at in indices if isinstance(indices, list) else ():
            if type(at) is int and 0 <= at < len(pages) and (page := pages[at]) and len(found) < _CITATIONS_MAX:
                found.append(_citation({**support, "web": page}, segment, page))
    repeated = object_under(candidate, "citationMetadata")
    for one in objects(under(repeated, "citations")) or objects(under(repeated, "citationSources")):
        if len(found) < _CITATIONS_MAX:
            found.append(_citation(one, one, one))
    return _in_characters(found, text)


def _citation(raw: Object, segment: Object, page: Object) -> Citation:
    return Citation(
        format=OWN,
        raw=Raw(encode(raw)),
        url=text_under(page, "uri"),
        title=sound_text(text_under(page, "title")),
        quoted=sound_text(text_under(segment, "text")),
        start=_place(segment, "startIndex", 0),
        end=_place(segment, "endIndex", None),
    )


def _place(segment: Object, name: str, absent: int | None) -> int | None:
    value = under(segment, name)
    return value if type(value) is int and value >= 0 else absent


def _in_characters(citations: Sequence[Citation], text: str) -> tuple[Citation, ...]:
    """Places in bytes, as places in characters of the text."""
    if text.isascii():
        return tuple(citations)
    data, before, characters = text.encode(errors="replace"), 0, 0
    places: dict[int | None, int | None] = {None: None}
    for place in sorted(place for one in citations for place in (one.start, one.end) if place is not None):
        characters += len(data[before:place].decode(errors="ignore"))
        before = max(before, place)
        places[place] = characters
    return tuple(structs.replace(one, start=places[one.start], end=places[one.end]) for one in citations)


def write_grounding(texts: Iterable[tuple[str, Sequence[Citation]]]) -> Object:
    """The citations of texts as `groundingMetadata`; empty: none names a page."""
    chunks: list[Object] = []
    supports: list[Object] = []
    numbers: dict[tuple[str, str], int] = {}
    for text, citations in texts:
        named = [citation for citation in citations if citation.url][: _CITATIONS_MAX - len(supports)]
        places = _in_bytes(text, named)
        for citation in named:
            key = (citation.url, citation.title)
            if key not in numbers:
                numbers[key] = len(chunks)
                chunks.append({"web": {"uri": citation.url, "title": citation.title or citation.url}})
            segment = _segment(citation, text, places)
            supports.append({"segment": segment, "groundingChunkIndices": [numbers[key]]})
    return {"groundingChunks": chunks, "groundingSupports": supports} if chunks else {}


def _in_bytes(text: str, citations: Sequence[Citation]) -> dict[int, int]:
    """The places of citations, in characters of the text, as places in bytes."""
    places: dict[int, int] = {}
    before = size = 0
    for place in sorted(place for one in citations for place in (one.start, one.end) if place is not None):
        if before <= place <= len(text):
            size += len(text[before:place].encode(errors="replace"))
            before = place
            places[place] = size
    return places


def _segment(citation: Citation, text: str, places: dict[int, int]) -> Object:
    segment: Object = {}
    start, end = citation.start, citation.end
    if start is not None and end is not None and start in places and end in places and start <= end:
        if start:
            segment["startIndex"] = places[start]
        segment["endIndex"] = places[end]
        segment["text"] = text[start:end][:_QUOTED_MAX]
    elif citation.quoted:
        segment["text"] = citation.quoted
    return segment
