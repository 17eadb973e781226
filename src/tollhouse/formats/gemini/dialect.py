"""What callers of Gemini read besides the answers of operations."""

from typing import Final

from tollhouse.core.dialect import Action, DialectSpec
from tollhouse.formats.gemini import failure, models

_NOT_OFFERED: Final = ("predict", "predictLongRunning", "batchGenerateContent", "asyncBatchEmbedContent")
_SSE: Final = b"alt=sse"


def _framing(query: bytes) -> str:
    """A stream is a JSON array, unless events are asked for."""
    return "" if _SSE in query.split(b"&") else "array"


DIALECT: Final = DialectSpec(
    name="gemini",
    error_status=failure.status,
    error_body=failure.body,
    models=models.models,
    model=models.model,
    key_in_query=True,
    sent_by=frozenset((b"x-goog-api-key", b"x-goog-api-client")),
    prefixes=("/v1beta/",),
    actions={
        "generateContent": Action("chat"),
        "streamGenerateContent": Action("chat", True),
        "countTokens": Action("chat", counts=True),
        "embedContent": Action("embeddings"),
        "batchEmbedContents": Action("embeddings"),
        **dict.fromkeys(_NOT_OFFERED, Action()),
    },
    framing=_framing,
)
