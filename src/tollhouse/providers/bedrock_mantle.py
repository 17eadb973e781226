"""Amazon Bedrock's other host, `https://bedrock-mantle.REGION.api.aws`, which serves models that `bedrock-runtime` does
not, with tools that it runs itself. For keys and signatures see `aws_call`.

Which path serves a model depends on the model (docs: Responses API): OpenAI's own from GPT-5 on stand below
`/openai/v1`, all others, its open ones too, below `/v1`.
"""

import re
from collections.abc import Collection
from typing import Final

from tollhouse.core.catalogue import TextFormat
from tollhouse.core.operation import Operation
from tollhouse.providers.aws_call import check_address, check_key, sign, speaking, with_betas
from tollhouse.providers.aws_errors import read_bedrock_error
from tollhouse.providers.base_path import above
from tollhouse.providers.betas import SCOPES
from tollhouse.providers.kind import ChooseTarget, Kind, UpstreamTarget
from tollhouse.providers.targets import choose

_BETAS: Final = (
    *("claude-code-20250219", "compact-2026-01-12", "computer-use-2025-01-24", "computer-use-2025-11-24"),
    *("context-1m-2025-08-07", "context-management-2025-06-27", "dangerous-tool-use-2026-09-03", "effort-2025-11-24"),
    *("fine-grained-tool-streaming-2025-05-14", "interleaved-thinking-2025-05-14", "output-128k-2025-02-19"),
    *("per-turn-control-2026-07-01", "structured-outputs-2025-11-13", "thinking-binding-controls-2026-08-01"),
    *("thinking-display-updates-2026-08-18", "token-efficient-tools-2025-02-19", "tool-examples-2025-10-29"),
    *("tool-search-tool-2025-10-19", "web-search-2025-03-05"),
)
_OF_OPENAI: Final = re.compile(r"(?:[a-z]{2,6}\.)?openai\.gpt-(?!oss)", re.ASCII)


def _below(prefix: str) -> ChooseTarget:
    """The endpoints of models whose paths in OpenAI's formats begin so."""
    return choose(
        text={
            "anthropic_messages": "/anthropic/v1/messages",
            "openai_chat": f"{prefix}/chat/completions",
            "openai_responses": f"{prefix}/responses",
        },
        others={},
        refused={"anthropic_messages": SCOPES},
    )


_most: Final = _below("/v1")
_openais: Final = _below("/openai/v1")


def target(operation: Operation, model: str, stream: bool, speaks: Collection[TextFormat]) -> UpstreamTarget | None:
    """See `Kind.target`."""
    found = _openais if _OF_OPENAI.match(model) else _most
    return found(operation, model, stream, speaking(model, speaks))


KIND: Final = Kind(
    name="bedrock_mantle",
    title="Amazon Bedrock (Mantle)",
    example="https://bedrock-mantle.us-east-1.api.aws",
    check_address=check_address,
    base_path=above(("/anthropic/v1", "/openai/v1", "/v1")),
    speaks=("anthropic_messages", "openai_chat", "openai_responses"),
    target=target,
    make_headers=with_betas(_BETAS),
    sign=sign,
    read_error=read_bedrock_error,
    check_key=check_key,
    models_path="",
)
