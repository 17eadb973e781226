"""Where a text comes from: pages of a search (`groundingMetadata`) and texts that are repeated (`citationMetadata`).

Google counts the place of a citation in bytes of UTF-8.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Raw

from tollhouse.core.conversation import Citation
from tollhouse.core.provider_json import Object, encode
from tollhouse.formats.gemini.contents import object_under, objects, text_under
from tollhouse.formats.gemini.spelling import under
from tollhouse.formats.gemini.words.signatures import OWN
from tollhouse.formats.gemini.words.texts import sound_text

_CITATIONS_MAX: Final = 1_000


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
    wanted = sorted({place for one in citations for place in (one.start, one.end) if place is not None})
    data = text.encode(errors="replace")
    characters, before, places = 0, 0, dict[int, int]()
    for place in wanted:
        characters += len(data[before:place].decode(errors="ignore"))
        before = place
        places[place] = characters
    return tuple(
        Citation(
            format=one.format,
            raw=one.raw,
            url=one.url,
            title=one.title,
            quoted=one.quoted,
            start=None if one.start is None else places[one.start],
            end=None if one.end is None else places[one.end],
        )
        for one in citations
    )


def write_grounding(cited: Iterable[tuple[Citation, str]]) -> Object:
    """Citations, each with the text before its end as far as it is known, as `groundingMetadata`; empty: none names a
    page."""
    chunks: list[Object] = []
    supports: list[Object] = []
    numbers: dict[tuple[str, str], int] = {}
    for citation, text in cited:
        if not citation.url:
            continue
        key = (citation.url, citation.title)
        if key not in numbers:
            numbers[key] = len(chunks)
            chunks.append({"web": {"uri": citation.url, "title": citation.title or citation.url}})
        supports.append({"segment": _segment(citation, text), "groundingChunkIndices": [numbers[key]]})
    return {"groundingChunks": chunks, "groundingSupports": supports} if chunks else {}


def _segment(citation: Citation, text: str) -> Object:
    segment: Object = {}
    start, end = citation.start, citation.end
    if start is not None and end is not None and 0 <= start <= end <= len(text):
        if start:
            segment["startIndex"] = len(text[:start].encode(errors="replace"))
        segment["endIndex"] = len(text[:end].encode(errors="replace"))
        segment["text"] = text[start:end]
    elif citation.quoted:
        segment["text"] = citation.quoted
    return segment
