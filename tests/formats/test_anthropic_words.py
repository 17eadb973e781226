"""Answers to and from core words, whole and as streams: each block, event and reason to end."""

import json
from collections.abc import Iterable

import pytest

from tests.formats.anthropic_samples import (
    CITED,
    EVERY_BLOCK,
    EVERY_EVENT,
    PICTURE,
    PLAIN,
    REPORT,
    SIGNATURE,
    assistant,
    block,
    delta,
    encoded,
    end,
    event,
    message,
    request,
    start,
    text,
    texts,
    user,
)
from tollhouse.core.cleaning import NOTHING_KNOWN
from tollhouse.core.conversation import (
    MediaPart,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    TextPart,
    ToolCall,
)
from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.reply import (
    ArgumentsAdded,
    Began,
    CitationAdded,
    Finish,
    Finished,
    OpaqueAdded,
    PartBegan,
    PartEnded,
    Reply,
    ReplyChoice,
    ReplyEvent,
    StreamEnded,
    TextAdded,
    UsageTold,
)
from tollhouse.core.sse import Splitter
from tollhouse.core.usage import Usage
from tollhouse.core.words import AnswerContext
from tollhouse.formats.anthropic import request as requests
from tollhouse.formats.anthropic.gathering import GatheredMessage
from tollhouse.formats.anthropic.wire import WIRE
from tollhouse.formats.anthropic.words import WORDS

CONTEXT = AnswerContext(request_id="req_1", created=1_790_000_000, request=requests.read(encoded(request())))
SIGNED = Opaque(WIRE, SIGNATURE)
FOREIGN = Opaque("gemini_content", "c2lnbg==")


def said(*parts: object) -> list[Part]:
    return [TextPart(text=part) if isinstance(part, str) else part for part in parts]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("stop_sequence", "stop_sequence"),
        ("tool_use", "tool_calls"),
        ("pause_turn", "pause"),
        ("refusal", "refusal"),
        ("something_new", "stop"),
    ],
)
def test_every_reason_to_end_is_read(reason: str, finish: Finish) -> None:
    reply = WORDS.read_reply(encoded(message(text("Zoll"), stop=reason)), NOTHING_KNOWN)
    assert reply.choices[0].finish == finish
    assert Finished(finish=finish) in read_events(start() + texts("Zoll") + end(reason))


@pytest.mark.parametrize(
    ("finish", "parts", "reason"),
    [
        ("stop", ["Zoll"], "end_turn"),
        ("length", ["Zoll"], "max_tokens"),
        ("stop_sequence", ["Zoll"], "stop_sequence"),
        ("tool_calls", [ToolCall(id="c", name="x")], "tool_use"),
        ("stop", [ToolCall(id="c", name="x")], "tool_use"),
        (None, [ToolCall(id="c", name="x")], "tool_use"),
        (None, ["Zoll"], "end_turn"),
        ("content_filter", [], "refusal"),
        ("refusal", [], "refusal"),
        ("stop", [Refusal(text="No.")], "refusal"),
        ("pause", [], "pause_turn"),
    ],
    ids=str,
)
def test_every_reason_to_end_is_written(finish: Finish | None, parts: list[object], reason: str) -> None:
    made = said(*parts)
    reply = Reply(choices=[ReplyChoice(parts=made, finish=finish)], usage=Usage(input=1, output=1))
    assert json.loads(WORDS.write_reply(reply, CONTEXT))["stop_reason"] == reason
    if finish is not None:
        assert json.loads(Splitter().feed(write_events(events_of(reply)))[-2].data)["delta"]["stop_reason"] == reason


FULL = Usage(input=60, cache_read=20, cache_write_5m=10, cache_write_1h=20, output=7, reasoning=5, searches=1)
SAYABLE = [one for one in EVERY_BLOCK if one["type"] not in ("server_tool_use", "web_search_tool_result")]


def test_a_reply_comes_back_as_it_was() -> None:
    reply = WORDS.read_reply(encoded(message(*EVERY_BLOCK, stop="tool_use", usage=REPORT)), NOTHING_KNOWN)
    assert (reply.usage, json.loads(reply.raw_usage or b"")) == (FULL, REPORT)
    body = json.loads(WORDS.write_reply(reply, CONTEXT))
    assert body["content"] == SAYABLE
    assert body["usage"] == {name: value for name, value in REPORT.items() if name != "service_tier"}
    assert (body["id"], body["stop_reason"]) == ("msg_1", "tool_use")


def test_what_another_model_signed_is_carried() -> None:
    parts: list[Part] = [
        Reasoning(text="Hm.", opaque=FOREIGN),
        Reasoning(opaque=FOREIGN),
        Reasoning(text="Hm."),
        TextPart(text=""),
        ToolCall(id="call.1", name="open", opaque=FOREIGN),
    ]
    reply = Reply(choices=[ReplyChoice(parts=list(parts), finish="tool_calls")])
    body = json.loads(WORDS.write_reply(reply, CONTEXT))
    streamed = GatheredMessage(known=NOTHING_KNOWN)
    streamed.feed(write_events(events_of(reply)))
    assert json.loads(streamed.finish())["content"] == body["content"]
    thoughts = [block for block in body["content"] if block["type"] == "thinking"]
    assert [block["thinking"] for block in thoughts] == ["Hm.", "", "Hm."]
    assert all(block["signature"] for block in thoughts), "clients pass over thoughts that nobody signed"
    again = request(user("Hi"), assistant(*body["content"]))
    back = WORDS.read_request(requests.read(encoded(again))).messages[1].parts
    assert back == [parts[0], parts[1], parts[2], ToolCall(id="call_1", name="open", arguments="{}", opaque=FOREIGN)]


# streams


def read_events(stream: bytes, size: int = 10_000_000) -> list[ReplyEvent]:
    reader = WORDS.read_stream(NOTHING_KNOWN)
    found: list[ReplyEvent] = []
    for at in range(0, len(stream), size):
        found += reader.feed(stream[at : at + size])
    found += reader.finish()
    assert reader.is_complete
    assert reader.pending == 0
    return found


def write_events(events: Iterable[ReplyEvent]) -> bytes:
    writer = WORDS.write_stream(CONTEXT)
    return b"".join(map(writer.write, events))


def events_of(reply: Reply) -> list[ReplyEvent]:
    """A reply as the events that a reader gives."""
    found: list[ReplyEvent] = [Began(id="x", model=reply.model)]
    choice = reply.choices[0]
    for index, part in enumerate(choice.parts):
        if isinstance(part, ToolCall):
            begun: object = ToolCall(id=part.id, name=part.name, is_custom=part.is_custom, opaque=part.opaque)
            added: list[ReplyEvent] = [ArgumentsAdded(text=part.arguments, index=index)]
        elif isinstance(part, Reasoning):
            begun, added = Reasoning(), [TextAdded(text=part.text, index=index)]
            added += [] if part.opaque is None else [OpaqueAdded(opaque=part.opaque, index=index)]
        else:
            begun, added = type(part)(text=""), [TextAdded(text=part.text, index=index)]  # type: ignore[call-arg, union-attr]
        found += [PartBegan(part=begun, index=index), *added, PartEnded(index=index)]  # type: ignore[arg-type]
    assert choice.finish is not None
    found.append(Finished(finish=choice.finish, stop_sequence=choice.stop_sequence))
    return [*found, *([] if reply.usage is None else [UsageTold(usage=reply.usage)]), StreamEnded()]


def test_every_event_is_read_however_it_is_cut() -> None:
    whole = read_events(EVERY_EVENT)
    for size in (1, 2, 7, 100):
        assert read_events(EVERY_EVENT, size) == whole
    assert isinstance(whole[0], Began)
    assert whole[1:] == [
        PartBegan(part=Reasoning(), index=0),
        TextAdded(text="I must", index=0),
        TextAdded(text=" look.", index=0),
        OpaqueAdded(opaque=SIGNED, index=0),
        PartEnded(index=0),
        PartBegan(part=Reasoning(opaque=Opaque(WIRE, "redacted_thinking:EmwKAhgB")), index=1),
        PartEnded(index=1),
        PartBegan(part=TextPart(text=""), index=2),
        whole[9],
        TextAdded(text="Zoll haus", index=2),
        PartEnded(index=2),
        PartBegan(part=ToolCall(id="toolu_1", name="open_gate"), index=3),
        ArgumentsAdded(text='{"gate"', index=3),
        ArgumentsAdded(text=': "A"}', index=3),
        PartEnded(index=3),
        Finished(finish="tool_calls"),
        UsageTold(usage=FULL),
        StreamEnded(),
    ]
    cited = whole[9]
    assert isinstance(cited, CitationAdded)
    assert (cited.citation.title, cited.citation.quoted, json.loads(bytes(cited.citation.raw))) == (
        "carts",
        "Carts: 2",
        CITED,
    )


def test_a_stream_that_breaks_is_never_whole() -> None:
    whole = read_events(EVERY_EVENT)
    for cut in range(len(EVERY_EVENT) - 2):
        reader = WORDS.read_stream(NOTHING_KNOWN)
        found = reader.feed(EVERY_EVENT[:cut])
        assert StreamEnded() not in found
        try:
            found += reader.finish()
        except UpstreamBroke:
            continue
        assert found == whole


def test_a_stream_comes_back_as_it_was() -> None:
    gathering = GatheredMessage(known=NOTHING_KNOWN)
    gathering.feed(write_events(read_events(EVERY_EVENT)))
    body = json.loads(gathering.finish())
    assert body["content"] == SAYABLE
    assert (body["stop_reason"], gathering.usage) == ("tool_use", FULL)


def test_what_begins_whole_is_read_whole() -> None:
    begun = start() + block(0, text("Zoll")) + block(1, {"type": "tool_use", "id": "t", "name": "x", "input": {"a": 1}})
    found = read_events(begun + end("tool_use"))
    assert TextAdded(text="Zoll", index=0) in found
    assert ArgumentsAdded(text='{"a":1}', index=1) in found
    late = read_events(encoded(message(text("Zoll"), usage=REPORT)))
    assert late[-2:] == [UsageTold(usage=FULL), StreamEnded()]
    headless = read_events(texts("Zoll") + end())
    assert headless[:2] == [Began(), PartBegan(part=TextPart(text=""), index=0)]
    unclosed = (
        start() + event("content_block_start", index=0, content_block=text("")) + delta(0, "text_delta", text="Z")
    )
    assert read_events(unclosed + end())[-4:-2] == [PartEnded(index=0), Finished(finish="stop")]


def test_parts_that_are_open_side_by_side_are_told_one_after_the_other() -> None:
    calls = [ToolCall(id=f"c{number}", name="open") for number in range(3)]
    out = write_events(
        [
            Began(model="m"),
            PartBegan(part=calls[0], index=0),
            PartBegan(part=calls[1], index=1),
            ArgumentsAdded(text='{"a":', index=0),
            ArgumentsAdded(text='{"b":', index=1),
            PartBegan(part=calls[2], index=2),
            ArgumentsAdded(text="{}", index=2),
            PartEnded(index=2),
            ArgumentsAdded(text="2}", index=1),
            ArgumentsAdded(text="1}", index=0),
            PartEnded(index=1),
            PartEnded(index=0),
            PartBegan(part=TextPart(text=""), index=3),
            TextAdded(text="Done.", index=3),
            PartEnded(index=3),
            PartBegan(part=TextPart(text=""), index=0, choice=1),
            TextAdded(text="Another answer.", index=0, choice=1),
            Finished(finish="tool_calls"),
            StreamEnded(),
        ]
    )
    found = [json.loads(one.data) for one in Splitter().feed(out)]
    assert [one["index"] for one in found if one["type"] == "content_block_start"] == [0, 1, 2, 3]
    gathering = GatheredMessage(known=NOTHING_KNOWN)
    gathering.feed(out)
    assert [one.get("input", one.get("text")) for one in json.loads(gathering.finish())["content"]] == [
        *({"a": 1}, {"b": 2}, {}, "Done."),
    ]


def test_a_picture_has_no_place_and_is_told() -> None:
    """An image model draws whether it was asked for pictures or not; what was paid for is not an empty answer."""
    reply = Reply(
        choices=[ReplyChoice(parts=[MediaPart(kind="image", data="iVBO", media_type="image/png")], finish="stop")]
    )
    told = {"type": "text", "text": "The model drew a picture (image/png)."}
    assert json.loads(WORDS.write_reply(reply, CONTEXT))["content"] == [told]
    drawn: list[ReplyEvent] = [PartBegan(part=reply.choices[0].parts[0], index=0), PartEnded(index=0)]
    gathered = GatheredMessage(1, count=len, known=NOTHING_KNOWN)
    gathered.feed(write_events([Began(), *drawn, Finished(finish="stop"), StreamEnded()]))
    assert json.loads(gathered.finish())["content"] == [told]


def test_a_tool_that_takes_text_gets_it_in_an_object() -> None:
    call = ToolCall(id="c", name="say", arguments='He said: "Halt\n"', is_custom=True)
    reply = Reply(choices=[ReplyChoice(parts=[call], finish="tool_calls")])
    gathering = GatheredMessage(known=NOTHING_KNOWN)
    gathering.feed(write_events(events_of(reply)))
    assert json.loads(gathering.finish())["content"][0]["input"] == {"input": call.arguments}


@pytest.mark.parametrize(
    ("pieces", "told"),
    [
        (["null"], ""),
        ([" ", "nu", "ll "], ""),
        (["", " "], ""),
        (["{", "}"], "{}"),
        ([" ", '{"a"', ":1}"], '{"a":1}'),
        (["nul", "l1"], "null1"),
    ],
    ids=str,
)
def test_arguments_that_are_nothing_are_not_told(pieces: list[str], told: str) -> None:
    call = ToolCall(id="c", name="open")
    added: list[ReplyEvent] = [ArgumentsAdded(text=one, index=0) for one in pieces]
    out = write_events([PartBegan(part=call, index=0), *added, PartEnded(index=0)])
    deltas = [json.loads(one.data).get("delta") or {} for one in Splitter().feed(out)]
    assert "".join(one.get("partial_json", "") for one in deltas) == told


def test_plain_streams_are_written_as_the_original_writes_them() -> None:
    out = write_events(read_events(PLAIN))
    assert [one.name for one in Splitter().feed(out)] == [
        b"message_start",
        b"content_block_start",
        *[b"content_block_delta"] * 3,
        b"content_block_stop",
        b"message_delta",
        b"message_delta",
        b"message_stop",
    ]
    assert PICTURE.encode() not in out
