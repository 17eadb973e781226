"""Responses in core words: what tests of them share."""

import json
from typing import Any

from msgspec import json as msgspec_json
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from tollhouse.core.cleaning import NOTHING_KNOWN
from tollhouse.core.conversation import Conversation, stand_ins
from tollhouse.core.pairing import pair_calls
from tollhouse.core.reply import ReplyEvent
from tollhouse.core.words import AnswerContext
from tollhouse.formats.openai import request as requests
from tollhouse.formats.openai.words.by_operation import WORDS

RESPONSES = WORDS["responses"]
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
CALL = {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": '{"a":1}'}


def asked(**members: Any) -> Conversation:
    body = {"model": "m", "input": "Hello", **members}
    conversation = RESPONSES.read_request(requests.read("responses", json.dumps(body).encode()))
    pair_calls(conversation)
    return conversation


def sent(conversation: Conversation, **more: Any) -> Any:
    options = {"model": "up", "stream": False, "include_usage": False, **more}
    return msgspec_json.decode(RESPONSES.write_request(conversation, **options))


def context(**members: Any) -> AnswerContext:
    request = requests.read("responses", json.dumps({"model": "m", "input": "Hello", **members}).encode())
    request.stand_ins = stand_ins(RESPONSES.read_request(request))
    return AnswerContext(request_id="req_1", created=7, request=request)


def events_of(stream: bytes, piece: int = 0) -> list[ReplyEvent]:
    reader = RESPONSES.read_stream(NOTHING_KNOWN)
    events: list[ReplyEvent] = []
    for at in range(0, len(stream), piece or len(stream)):
        if not reader.is_complete:
            events += reader.feed(stream[at : at + (piece or len(stream))])
    return events if reader.is_complete else events + reader.finish()


def written(events: list[ReplyEvent], **members: Any) -> list[Any]:
    """The events as they are sent, each of which the official client understands; numbered without a gap."""
    writer = RESPONSES.write_stream(context(**members))
    stream = b"".join(map(writer.write, events))
    found = []
    for number, block in enumerate(stream.split(b"\n\n")[:-1]):
        name, data = block.split(b"\n")
        event = msgspec_json.decode(data.removeprefix(b"data: "))
        assert name == b"event: " + event["type"].encode()
        assert event["sequence_number"] == number
        EVENT.validate_python(event)
        found.append(event)
    return found
