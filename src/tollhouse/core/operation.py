"""What a call of the LLM API asks for, and in which dialect it is asked and answered."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

Operation = Literal["chat", "completions", "responses", "embeddings", "moderations"]
Dialect = str
"""The name of a dialect: `openai`, `anthropic`, `gemini`. What it writes: `core.dialect`."""

WIRE_FORMATS: Final[Mapping[Operation, str]] = MappingProxyType(
    {
        "chat": "openai_chat",
        "completions": "openai_completions",
        "responses": "openai_responses",
        "embeddings": "openai_embeddings",
        "moderations": "openai_moderations",
    }
)
"""The wire format in which callers ask for each operation. A provider is asked in the same one: nothing is translated
yet, so an offer serves an operation only where its provider takes that format."""
