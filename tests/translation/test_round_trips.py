"""A -> words -> A -> words: what a format reads of a golden case it reads again of what it writes from that. Requests
by what its requests can say, answers and streams by all that they say."""

from pathlib import Path

import pytest

from tests.translation.folded import conversation_said, reply_of, reply_said
from tests.translation.golden_case import CREATED, REQUEST_ID, GoldenCase, cases, codec_of
from tollhouse.core.cleaning import NOTHING_KNOWN
from tollhouse.core.codec import Codec
from tollhouse.core.failure import Failure
from tollhouse.core.pairing import pair_calls
from tollhouse.core.reply import ReplyEvent
from tollhouse.core.words import AnswerContext, FormatWords

CASES = list(cases())
ANSWERED = [case for case in CASES if (case / "usage.json").exists() and (case / "upstream_answer.json").exists()]
STREAMED = [case for case in CASES if (case / "usage.json").exists() and (case / "upstream_answer.sse").exists()]
PLAIN = {
    "openai_chat": b'{"model":"m","messages":[{"role":"user","content":"x"}],"stream":true}',
    "openai_responses": b'{"model":"m","input":"x","stream":true}',
    "anthropic_messages": b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],"stream":true}',
    "gemini_content": b'{"contents":[{"parts":[{"text":"x"}]}]}',
}
OTHERWISE = {
    (
        "anthropic_messages",
        "system_in_the_middle",
    ): "the system speaks before all others alone: later words are a user's",
    ("openai_chat", "repeated_ids"): "what the system says later is a user's, but to models of OpenAI",
    ("openai_chat", "system"): "what the system says later is a user's, but to models of OpenAI",
    ("openai_chat", "structured_output"): "a schema that OpenAI does not keep to strictly is not said to be strict",
    ("gemini_content", "results_with_pictures"): "a result is an object: its pictures stand beside it",
    ("gemini_content", "json_schema"): "a schema has a form of its own, without what cannot be said in it",
    ("gemini_content", "structured_output"): "a schema has no name and is never strict",
    ("gemini_content", "malformed_call"): "a refusal is an ordinary text",
    ("gemini_content", "malformed_call_stream"): "a refusal is an ordinary text",
    ("gemini_content", "prompt_blocked"): "a refusal is an ordinary text",
    ("gemini_content", "prompt_blocked_stream"): "a refusal is an ordinary text",
}
"""What a format says otherwise than it was read."""


def name_of(case: Path) -> str:
    return f"{case.parent.name}/{case.name}"


def provider_of(case: Path) -> tuple[Codec, FormatWords, AnswerContext]:
    codec = codec_of(case.parent.name.partition("--")[2])
    assert codec.words is not None
    context = AnswerContext(request_id=REQUEST_ID, created=CREATED, request=codec.read(PLAIN[codec.wire]))
    return codec, codec.words, context


def events_of(words: FormatWords, stream: bytes) -> list[ReplyEvent]:
    reader = words.read_stream(NOTHING_KNOWN)
    events = reader.feed(stream)
    return events if reader.is_complete else events + reader.finish()


def said_alike(found: list[Path], *, asked: bool) -> list[Path]:
    return [case for case in found if (case.parent.name.split("--")[not asked], case.name) not in OTHERWISE]


@pytest.mark.parametrize("case", said_alike(CASES, asked=True), ids=name_of)
def test_a_request_says_the_same_again(case: Path) -> None:
    golden = GoldenCase(case)
    words, wire = golden.asked.words, golden.asked.wire
    assert words is not None
    try:
        first = words.read_request(golden.request)
    except Failure:
        return
    if not words.says or not words.says >= first.uses.keys() or "custom_tools" in first.uses:
        return
    if wire == "openai_chat" and not first.uses.keys().isdisjoint(("tool_result_media", "tool_choice_several")):
        return  # said in other words: see docs/translation.md
    pair_calls(first)
    body = words.write_request(first, model="m", stream=False, include_usage=False)
    again = words.read_request(golden.asked.read(body))
    pair_calls(again)
    assert conversation_said(again, wire) == conversation_said(first, wire)


@pytest.mark.parametrize("case", said_alike(ANSWERED, asked=False), ids=name_of)
def test_an_answer_says_the_same_again(case: Path) -> None:
    codec, words, context = provider_of(case)
    first = words.read_reply((case / "upstream_answer.json").read_bytes(), NOTHING_KNOWN)
    again = words.read_reply(words.write_reply(first, context), NOTHING_KNOWN)
    assert reply_said(again, codec.wire) == reply_said(first, codec.wire)


@pytest.mark.parametrize("case", said_alike(STREAMED, asked=False), ids=name_of)
def test_a_stream_says_the_same_again(case: Path) -> None:
    codec, words, context = provider_of(case)
    first = events_of(words, (case / "upstream_answer.sse").read_bytes())
    again = events_of(words, b"".join(map(words.write_stream(context).write, first)))
    assert reply_said(reply_of(again), codec.wire) == reply_said(reply_of(first), codec.wire)


@pytest.mark.parametrize("case", ANSWERED, ids=name_of)
def test_an_answer_says_the_same_as_the_stream_that_it_is_unfolded_into(case: Path) -> None:
    codec, words, _ = provider_of(case)
    body = (case / "upstream_answer.json").read_bytes()
    assert codec.streams is not None
    streamed = reply_of(events_of(words, codec.streams.unfold(body)))
    assert reply_said(streamed, codec.wire) == reply_said(words.read_reply(body, NOTHING_KNOWN), codec.wire)
