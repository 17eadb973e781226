"""What callers of Anthropic read besides the answers of operations."""

from typing import Final

from tollhouse.core.dialect import DialectSpec
from tollhouse.formats.anthropic import failure, models
from tollhouse.formats.anthropic.limit_headers import limit_headers

DIALECT: Final = DialectSpec(
    name="anthropic",
    error_status=failure.status,
    error_body=failure.body,
    models=models.models,
    model=models.model,
    limit_headers=limit_headers,
    sent_by=frozenset((b"anthropic-version",)),
    prefixes=("/v1/messages",),
)
