"""Where the OpenAI format's operations stand below a base URL."""

from typing import Final

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
