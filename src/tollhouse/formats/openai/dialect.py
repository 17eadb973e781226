"""What callers of OpenAI read besides the answers of operations."""

from typing import Final

from tollhouse.core.dialect import DialectSpec
from tollhouse.formats.openai import failure, models

DIALECT: Final = DialectSpec(
    name="openai",
    error_status=failure.status,
    error_body=failure.body,
    models=models.models,
    model=models.model,
)
