"""What is written in Anthropic's format, held against the types that its SDK ships."""

import json
from pathlib import Path
from typing import Any

import anthropic
import pytest
from anthropic import types
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming, MessageCreateParamsStreaming
from pydantic import TypeAdapter

from tests.formats.anthropic_samples import EVERY_EVENT, PLAIN
from tests.translation.golden_case import cases
from tollhouse.core.sse import Splitter
from tollhouse.core.stream_relay import StreamRelay
from tollhouse.formats.anthropic.message_stream import MessageStream

SENT = [
    case / "upstream_request.json"
    for case in cases()
    if case.parent.name.endswith("--anthropic_messages") and (case / "upstream_request.json").exists()
]
TOLD = [
    case
    for case in cases()
    if case.parent.name.startswith("anthropic_messages--") and not (case / "refused.json").exists()
]
EVENT: TypeAdapter[Any] = TypeAdapter(types.RawMessageStreamEvent)
BODIES: dict[type, TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in (MessageCreateParamsStreaming, MessageCreateParamsNonStreaming)
}


@pytest.mark.parametrize("path", SENT, ids=lambda path: f"{path.parent.parent.name}/{path.parent.name}")
def test_what_is_sent_is_of_the_types_of_the_sdk(path: Path) -> None:
    body = json.loads(path.read_text())
    kind = MessageCreateParamsStreaming if body.get("stream") else MessageCreateParamsNonStreaming
    BODIES[kind].validate_python(body)
    known = {name for one in kind.__mro__ for name in getattr(one, "__annotations__", {})} | set(kind.__annotations__)
    assert body.keys() <= known | set(types.message_create_params.MessageCreateParamsBase.__annotations__) | {
        *("temperature", "top_p", "top_k", "stream")
    }


def accumulated(stream: bytes) -> types.Message | None:
    """What the SDK makes of a stream: each event is of its types, and their sum a message."""
    blocks: dict[int, dict[str, Any]] = {}
    begun: dict[str, Any] | None = None
    for one in Splitter().feed(stream):
        said = json.loads(one.data)
        if one.name == b"error":
            assert set(said) == {"type", "error", "request_id"}
            return None
        if one.name == b"ping":
            continue
        found = EVENT.validate_python(said)
        assert found.type == said["type"] == one.name.decode()
        if found.type == "message_start":
            assert begun is None
            begun = said["message"]
        elif found.type == "content_block_start":
            assert found.index == len(blocks), "blocks follow one another"
            blocks[found.index] = said["content_block"]
        elif found.type == "message_delta":
            assert begun is not None
            begun |= said["delta"] | {"usage": {**begun["usage"], **said["usage"]}}
    assert begun is not None
    return types.Message.model_validate({**begun, "content": [blocks[index] for index in sorted(blocks)]})


@pytest.mark.parametrize("case", TOLD, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_what_a_caller_gets_is_of_the_types_of_the_sdk(case: Path) -> None:
    stream = case / "outbound.sse"
    if stream.exists():
        accumulated(stream.read_bytes())
    elif (case / "outbound.json").exists():
        body = json.loads((case / "outbound.json").read_text())
        if body["type"] == "error":
            assert set(body) == {"type", "error", "request_id"}
        else:
            message = types.Message.model_validate(body)
            assert message.stop_reason is not None


@pytest.mark.parametrize("sent", [PLAIN, EVERY_EVENT])
def test_what_is_relayed_is_of_the_types_of_the_sdk(sent: bytes) -> None:
    stream = StreamRelay(MessageStream(), count=len)
    out = stream.feed(sent)
    message = accumulated(out + stream.seal("0.000001", "req_1"))
    assert message is not None
    assert message.stop_reason in ("end_turn", "tool_use")


def test_the_sdk_is_one_that_knows_what_is_tested() -> None:
    assert tuple(map(int, anthropic.__version__.split(".")[:2])) >= (2, 14)
