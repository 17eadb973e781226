"""Claude on Amazon Bedrock by InvokeModel, for what the endpoints of kind `bedrock` do not serve: inference profiles
named by an ARN, and regions and models without them.

The path names the model (`us.anthropic.claude-sonnet-4-5-20250929-v1:0`, or an ARN) and whether the answer is streamed;
the body names a version of this service and, as `anthropic_beta`, what the header of that name lists. A stream comes in
AWS's own framing (`aws_event_stream`). `aws_call` says what a key is.

Source: AWS documentation, "Anthropic Claude Messages API" and "InvokeModelWithResponseStream".
"""

from collections.abc import Collection
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from tollhouse.core.catalogue import TextFormat
from tollhouse.core.operation import Operation
from tollhouse.providers.aws_call import BETAS, check_address, check_key, sign, with_betas
from tollhouse.providers.aws_errors import read_bedrock_error
from tollhouse.providers.aws_event_stream import CONTENT_TYPE, AwsEventStream
from tollhouse.providers.base_path import above
from tollhouse.providers.betas import SCOPES
from tollhouse.providers.kind import Kind, UpstreamTarget
from tollhouse.providers.targets import spoken

_FORMATS: Final[tuple[TextFormat, ...]] = ("anthropic_messages",)
_MEMBERS: Final = MappingProxyType({"anthropic_version": b'"bedrock-2023-05-31"', "model": None, "stream": None})
_LISTED: Final = MappingProxyType({"anthropic_beta": b"anthropic-beta"})


def target(operation: Operation, model: str, stream: bool, speaks: Collection[TextFormat]) -> UpstreamTarget | None:
    """See `Kind.target`."""
    if spoken(operation, speaks, _FORMATS) is None:
        return None
    path = f"/model/{quote(model, safe='')}/{'invoke-with-response-stream' if stream else 'invoke'}"
    return UpstreamTarget(path, "anthropic_messages", members=_MEMBERS, listed=_LISTED, refused=SCOPES)


KIND: Final = Kind(
    name="bedrock_invoke",
    title="Amazon Bedrock (InvokeModel)",
    example="https://bedrock-runtime.us-east-1.amazonaws.com",
    check_address=check_address,
    base_path=above(("/model",)),
    speaks=_FORMATS,
    target=target,
    make_headers=with_betas(BETAS),
    sign=sign,
    read_error=read_bedrock_error,
    framings=MappingProxyType({CONTENT_TYPE: AwsEventStream}),
    check_key=check_key,
    models_path="",
)
