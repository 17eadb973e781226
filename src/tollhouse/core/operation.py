"""What a call of the LLM API asks for, and in which dialect it is asked and answered."""

from typing import Literal

Operation = Literal["chat", "completions", "responses", "embeddings", "moderations"]
Dialect = Literal["openai", "anthropic", "gemini"]
