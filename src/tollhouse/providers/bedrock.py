"""Amazon Bedrock by its endpoints in the vendors' own formats: Messages, Chat Completions and Responses, with events as
the vendors write them. `aws_call` says what a key is; `bedrock_invoke` is the older way to its Claude models."""

from typing import Final

from tollhouse.providers.aws_call import check_key, make_headers, sign
from tollhouse.providers.aws_errors import read_bedrock_error
from tollhouse.providers.base_path import above
from tollhouse.providers.kind import Kind
from tollhouse.providers.targets import choose

KIND: Final = Kind(
    name="bedrock",
    title="Amazon Bedrock",
    base_path=above(("/anthropic/v1", "/openai/v1")),
    speaks=("anthropic_messages", "openai_chat", "openai_responses"),
    target=choose(
        text={
            "anthropic_messages": "/anthropic/v1/messages",
            "openai_chat": "/openai/v1/chat/completions",
            "openai_responses": "/openai/v1/responses",
        },
        others={},
    ),
    make_headers=make_headers,
    sign=sign,
    read_error=read_bedrock_error,
    check_key=check_key,
    models_path="",
)
