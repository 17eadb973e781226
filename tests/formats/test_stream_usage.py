"""What a stream used: the last report of the whole text, or, without one, all that was written, counted."""

import json

import pytest

from tollhouse.core.delivered import KEPT_BYTES_MAX, Delivered
from tollhouse.core.stream_relay import StreamRelay
from tollhouse.core.usage import Usage
from tollhouse.formats.openai import answer
from tollhouse.formats.openai.aggregate import Aggregate
from tollhouse.formats.openai.stream import open_stream
from tollhouse.formats.openai.unfold import unfold

AHEAD = {"prompt_tokens": 60, "completion_tokens": 0, "total_tokens": 60}
LAST = {"prompt_tokens": 60, "completion_tokens": 12, "total_tokens": 72}
ZEROS = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def event(**members: object) -> bytes:
    return b"data: " + json.dumps({"id": "c", **members}).encode() + b"\n\n"


def delta(**said: object) -> bytes:
    return event(choices=[{"index": 0, "delta": said, "finish_reason": None}])


def report(usage: object) -> bytes:
    return event(choices=[], usage=usage)


FINISH = event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])


def reading(*pieces: bytes) -> StreamRelay:
    reader = open_stream("chat", show_usage=True, count=len)
    for piece in pieces:
        reader.feed(piece)
    return reader


@pytest.mark.parametrize("words", [1, 9])  # the first few are read exactly, the others by their likeness
def test_a_report_that_is_older_than_the_text_is_none(words: int) -> None:
    """Some servers report the prompt ahead; cut off, such a stream would cost next to nothing."""
    said = [delta(content="ab")] * words
    assert reading(report(AHEAD)).usage == Usage(input=60)
    for reports in ([AHEAD], [AHEAD, ZEROS], [ZEROS, ZEROS]):
        ahead, *behind = map(report, reports)
        reader = reading(ahead, *said, *behind, FINISH)
        assert (reader.usage, reader.delivered_tokens()) == (None, 2 * words)
        reader.feed(b"data: [DONE]\n\n")
        assert reader.is_complete
        assert reader.held == b"data: [DONE]\n\n", "nobody is told a report that is not believed"
    assert reading(report(AHEAD), *said, report(LAST), report(ZEROS)).usage == Usage(input=60, output=12)


@pytest.mark.parametrize("nothing", [None, {}, [], "none", 0, ZEROS])
def test_a_report_of_nothing_replaces_none(nothing: object) -> None:
    reader = reading(delta(content="ab"), report(LAST), FINISH, report(nothing))
    assert reader.usage == Usage(input=60, output=12)
    assert json.loads(reader.raw_usage or b"") == LAST


def test_a_stream_gathered_into_one_body_has_no_outdated_report() -> None:
    gathered = Aggregate("chat")
    gathered.feed(b"".join([report(AHEAD), delta(content="ab"), FINISH, b"data: [DONE]\n\n"]))
    assert "usage" not in json.loads(gathered.finish())
    assert gathered.usage is None


def test_a_thought_that_is_said_by_two_names_is_counted_once() -> None:
    assert reading(delta(reasoning="abc", reasoning_content="abc")).delivered_tokens() == 3
    assert reading(delta(reasoning="abc")).delivered_tokens() == 3
    assert reading(delta(reasoning_content="abc", content="d")).delivered_tokens() == 4


def test_what_is_spoken_is_counted_by_its_words() -> None:
    assert reading(delta(audio={"transcript": "abc", "data": "AAAA"})).delivered_tokens() == 3


class TestResponses:
    CREATED = b'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1"}}\n\n'
    ITEMS = (
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hmm "}]},
        {"type": "function_call", "name": "toll", "arguments": '{"gate":3}'},
        {
            "type": "message",
            "content": [{"type": "output_text", "text": "paid "}, {"type": "refusal", "refusal": "no"}],
        },
    )

    def body(self, **members: object) -> bytes:
        return json.dumps({"object": "response", "status": "completed", "output": self.ITEMS, **members}).encode()

    def test_without_a_report_both_forms_are_counted_alike(self) -> None:
        body = self.body()
        reader = open_stream("responses", show_usage=False, count=len)
        reader.feed(unfold("responses", body))
        assert reader.is_complete
        assert reader.usage is None
        assert reader.delivered_tokens() == len(answer.text("responses", body)) == len('hmm toll{"gate":3}paid no')

    def test_an_answer_without_a_word_has_its_beginning(self) -> None:
        completed = b'event: response.completed\ndata: {"type":"response.completed","response":{"output":[]}}\n\n'
        stream = self.CREATED + completed
        for cut in range(len(stream)):
            reader = open_stream("responses", show_usage=False, count=len)
            out = reader.feed(stream[:cut]) + reader.feed(stream[cut:])
            assert (out, reader.held) == (self.CREATED, completed)


def test_a_long_text_is_folded_where_no_token_lies() -> None:
    """Counted a piece at a time, it has the tokens of the whole: a word is never cut in two."""
    seen: list[str] = []

    def count(text: str) -> int:
        seen.append(text)
        return len(text.split())

    words = [f" word{number}, " if number % 7 else "\\ny\u00e9t" for number in range(30_000)]
    delivered = Delivered(count)
    for word in words:
        delivered.add(word)
    assert delivered.tokens() == len("".join(words).split())
    assert len(seen) > 3
    assert max(map(len, seen)) <= KEPT_BYTES_MAX
    assert "".join(seen) == "".join(words)
