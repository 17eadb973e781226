"""What callers of Gemini read besides the answers of operations."""

from typing import Final

from tollhouse.core.dialect import DialectSpec
from tollhouse.formats.gemini import failure, models

DIALECT: Final = DialectSpec(
    name="gemini",
    error_status=failure.status,
    error_body=failure.body,
    models=models.models,
    model=models.model,
    key_in_query=True,
    sent_by=frozenset((b"x-goog-api-key", b"x-goog-api-client")),
    prefixes=("/v1beta/",),
    actions=frozenset(
        ("generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents")
    ),
)
