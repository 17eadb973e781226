"""Annotations of a text: where it comes from."""

from typing import Any

from msgspec import Raw, structs

from tollhouse.core.conversation import Citation
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.words.reasoning import OWN


def citations_of(annotations: object) -> tuple[Citation, ...]:
    """Those that name a page, in the form of a chat (within `url_citation`) or of a response."""
    found: list[Citation] = []
    for one in annotations if isinstance(annotations, list) else ():
        if isinstance(one, dict) and one.get("type") == "url_citation":
            found.append(citation_of(one))
    return tuple(found)


def citation_of(annotation: dict[str, Any]) -> Citation:
    inner = annotation.get("url_citation")
    said = inner if isinstance(inner, dict) else annotation
    return Citation(
        format=OWN,
        raw=Raw(chunks.encode(annotation)),
        url=_text(said.get("url")),
        title=_text(said.get("title")),
        quoted=_text(said.get("content")),
        start=_figure(said.get("start_index")),
        end=_figure(said.get("end_index")),
    )


def moved(citation: Citation, by: int) -> Citation:
    """The citation of a text before which so many characters were put."""
    if not by or citation.start is None or citation.end is None:
        return citation
    return structs.replace(citation, start=citation.start + by, end=citation.end + by)


def as_url_citation(citation: Citation) -> dict[str, object] | None:
    """What stands in an annotation of a page; None: there is no page."""
    if not citation.url:
        return None
    return {
        "url": citation.url,
        "title": citation.title or citation.url,
        "start_index": citation.start or 0,
        "end_index": citation.end or 0,
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _figure(value: object) -> int | None:
    return value if type(value) is int else None
