"""What a call of the LLM API asks for, and in which dialect it is asked and answered."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

Operation = Literal[
    "chat",
    "completions",
    "responses",
    "embeddings",
    "moderations",
    "rerank",
    "images",
    "speech",
    "image_edits",
    "image_variations",
    "transcriptions",
    "translations",
]
Dialect = str
"""The name of a dialect: `openai`, `anthropic`, `gemini`. What it writes: `core.dialect`."""

WIRE_FORMATS: Final[Mapping[Operation, str]] = MappingProxyType(
    {
        "chat": "openai_chat",
        "completions": "openai_completions",
        "responses": "openai_responses",
        "embeddings": "openai_embeddings",
        "moderations": "openai_moderations",
        "rerank": "rerank",
        "images": "openai_images",
        "speech": "openai_speech",
        "image_edits": "openai_image_edits",
        "image_variations": "openai_image_variations",
        "transcriptions": "openai_transcriptions",
        "translations": "openai_translations",
    }
)
"""The wire format in which callers of OpenAI's dialect ask for each operation."""
TEXT_OPERATIONS: Final[tuple[Operation, ...]] = ("chat", "completions", "responses")
"""What a model is for of which nobody says anything else."""
TRANSLATED: Final[frozenset[str]] = frozenset(
    ("openai_chat", "openai_completions", "openai_responses", "anthropic_messages", "gemini_content")
)
"""Formats of conversations that have core words: what is asked for in one can be asked of a provider in another."""

TRANSLATED_VECTORS: Final = frozenset(("openai_embeddings", "gemini_embeddings"))
"""Likewise of calls for vectors."""


def is_served(operation: Operation, wire: str) -> bool:
    """Whether a provider's endpoint of the format `wire` can serve an operation."""
    own = WIRE_FORMATS[operation]
    return wire == own or any(own in group and wire in group for group in (TRANSLATED, TRANSLATED_VECTORS))
