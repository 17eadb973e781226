"""Amazon Bedrock by its endpoints in the vendors' own formats: Messages, Chat Completions and Responses, with events as
the vendors write them. `aws_call` says what a key is; `bedrock_invoke` is the older way to its Claude models, and
`bedrock_mantle` the other host, which has most models below another path."""

from collections.abc import Collection
from typing import Final

from tollhouse.core.catalogue import TextFormat
from tollhouse.core.operation import Operation
from tollhouse.providers.aws_call import BETAS, check_address, check_key, sign, speaking, with_betas
from tollhouse.providers.aws_errors import read_bedrock_error
from tollhouse.providers.base_path import above
from tollhouse.providers.betas import SCOPES
from tollhouse.providers.kind import Kind, UpstreamTarget
from tollhouse.providers.targets import choose

_by_format: Final = choose(
    text={
        "anthropic_messages": "/anthropic/v1/messages",
        "openai_chat": "/openai/v1/chat/completions",
        "openai_responses": "/openai/v1/responses",
    },
    others={},
    refused={"anthropic_messages": SCOPES},
)


def target(operation: Operation, model: str, stream: bool, speaks: Collection[TextFormat]) -> UpstreamTarget | None:
    """See `Kind.target`."""
    return _by_format(operation, model, stream, speaking(model, speaks))


KIND: Final = Kind(
    name="bedrock",
    title="Amazon Bedrock",
    example="https://bedrock-runtime.us-east-1.amazonaws.com",
    check_address=check_address,
    base_path=above(("/anthropic/v1", "/openai/v1", "/v1")),
    speaks=("anthropic_messages", "openai_chat", "openai_responses"),
    target=target,
    make_headers=with_betas(BETAS),
    sign=sign,
    read_error=read_bedrock_error,
    check_key=check_key,
    models_path="",
)
