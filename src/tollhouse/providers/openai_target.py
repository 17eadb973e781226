"""Where the OpenAI format's operations stand below a base URL."""

from typing import Final

from tollhouse.core.catalogue import TextFormat
from tollhouse.formats.openai.words.models_known import reasons
from tollhouse.providers.kind import ChooseTarget
from tollhouse.providers.targets import choose

target: Final[ChooseTarget] = choose(
    text={"openai_chat": "/chat/completions", "openai_responses": "/responses"},
    others={
        "completions": "/completions",
        "embeddings": "/embeddings",
        "moderations": "/moderations",
        "rerank": "/rerank",
        "images": "/images/generations",
        "speech": "/audio/speech",
        "image_edits": "/images/edits",
        "image_variations": "/images/variations",
        "transcriptions": "/audio/transcriptions",
        "translations": "/audio/translations",
    },
)
"""See `Kind.target`. The model and whether to stream stand in the body."""


def translated_to(model: str) -> TextFormat | None:
    """See `Kind.translated_to`. Models that think take functions beside an effort as responses alone, and give their
    thoughts back there."""
    return "openai_responses" if reasons(model) else None
