"""OpenAI itself. It reads both names of a chat's cap, and refuses a body that has both
(`invalid_parameter_combination`): one is sent, the caller's own or the newer."""

from typing import Final

from tollhouse.providers.headers import with_bearer
from tollhouse.providers.kind import CAPS, Kind
from tollhouse.providers.openai_errors import read_error
from tollhouse.providers.openai_target import target, translated_to

KIND: Final = Kind(
    name="openai",
    title="OpenAI",
    base_url="https://api.openai.com/v1",
    speaks=("openai_chat", "openai_responses"),
    target=target,
    translated_to=translated_to,
    caps={**CAPS, "chat": ("max_completion_tokens",)},
    make_headers=with_bearer,
    read_error=read_error,
)
