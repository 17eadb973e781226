"""Streams of messages on their way to a caller: what goes on, what waits for the charge, what was used."""

import json

import pytest

from tests.formats.anthropic_samples import (
    EVERY_BLOCK,
    EVERY_EVENT,
    PLAIN,
    REPORT,
    Object,
    block,
    delta,
    encoded,
    end,
    event,
    message,
    start,
    text,
    texts,
)
from tollhouse.core.cleaning import NOTHING_KNOWN
from tollhouse.core.failure import (
    BadRequest,
    ContextTooLong,
    Failure,
    Overloaded,
    UpstreamBroke,
    UpstreamError,
    UpstreamSaturated,
)
from tollhouse.core.sse import Splitter
from tollhouse.core.stream_relay import StreamRelay
from tollhouse.core.usage import Usage
from tollhouse.formats.anthropic.codecs import KEEPALIVE, MESSAGES
from tollhouse.formats.anthropic.gathering import GatheredMessage
from tollhouse.formats.anthropic.message_stream import MessageStream
from tollhouse.formats.anthropic.unfold import STOP, unfold

FULL = Usage(input=60, cache_read=20, cache_write_5m=10, cache_write_1h=20, output=7, reasoning=5, searches=1)


def words(said: str) -> int:
    return len(said.split())


def opened(maximum: int | None = None) -> StreamRelay:
    return StreamRelay(MessageStream(), count=words, maximum=maximum)


def told(out: bytes) -> list[Object]:
    found = [json.loads(one.data) for one in Splitter().feed(out)]
    assert [one.name.decode() for one in Splitter().feed(out)] == [one["type"] for one in found]
    return found


def kinds(out: bytes) -> list[str]:
    return [one["type"] for one in told(out)]


def fed(stream: StreamRelay, data: bytes, size: int = 10_000_000) -> bytes:
    return b"".join(stream.feed(data[at : at + size]) for at in range(0, len(data), size))


def gathered(data: bytes, maximum: int | None = None) -> tuple[GatheredMessage, Object]:
    gathering = GatheredMessage(count=words, maximum=maximum, known=NOTHING_KNOWN)
    gathering.feed(data)
    body = json.loads(gathering.finish())
    assert isinstance(body, dict)
    return gathering, body


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_the_end_and_the_report_wait_for_the_charge(size: int, line_end: bytes) -> None:
    stream = opened()
    out = fed(stream, PLAIN.replace(b"\n", line_end), size)
    assert (stream.is_complete, stream.failure, stream.incomplete, stream.lacks_report) == (True, None, False, False)
    before_the_end = PLAIN.partition(b"event: message_delta")[0]
    assert out == before_the_end, "byte for byte"
    assert stream.usage == Usage(input=60, output=12)
    assert stream.delivered() == Usage(output=3)
    sealed = stream.seal("0.000095", "req_1", "why")
    last, stop = told(sealed)
    assert last["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert last["usage"] == {"input_tokens": 60, "output_tokens": 12}
    assert last["tollhouse"] == {"charge_usd": "0.000095", "request_id": "req_1", "cap_reason": "why"}
    assert stop == {"type": "message_stop"}


@pytest.mark.parametrize("size", [1, 5, 10_000])
def test_every_event_goes_on_and_every_figure_is_read(size: int) -> None:
    stream = opened()
    out = fed(stream, EVERY_EVENT, size)
    assert out == EVERY_EVENT.partition(b"event: message_delta")[0]
    assert (stream.is_complete, stream.usage) == (True, FULL)
    assert json.loads(stream.raw_usage or b"") == REPORT
    last, _ = told(stream.seal("0", "r"))
    assert (last["delta"]["stop_reason"], last["usage"]) == ("tool_use", REPORT)
    said = 'I must look.Zoll hausweb_search{"query": "tolls"}open_gate{"gate": "A"}'
    assert stream.delivered() == Usage(output=words(said), searches=1)


def test_a_stream_that_breaks_never_looks_whole() -> None:
    has_its_reason = EVERY_EVENT.index(b"event: message_stop")
    for cut in range(len(EVERY_EVENT)):
        stream = opened()
        out = stream.feed(EVERY_EVENT[:cut])
        assert b"message_stop" not in out
        try:
            stream.finish()
        except UpstreamBroke:
            assert stream.seal("0", "r") == b""
        else:
            assert cut >= has_its_reason - 2, "an event that the end cuts short of its empty line still counts"
            assert stream.usage == FULL


def test_events_are_told_apart_by_their_type() -> None:
    bare = b"\n".join(line for line in PLAIN.split(b"\n") if not line.startswith(b"event:"))
    stream = opened()
    assert fed(stream, bare) == PLAIN.partition(b"event: message_delta")[0]
    stream.finish()
    assert stream.usage == Usage(input=60, output=12)


def test_an_end_without_its_mark_is_one_where_the_reason_was_told() -> None:
    stream = opened()
    fed(stream, PLAIN.partition(b"event: message_stop")[0])
    assert (stream.is_complete, stream.finishing) == (False, True)
    stream.finish()
    assert stream.seal("0", "r").endswith(STOP)
    done = opened()
    fed(done, PLAIN.partition(b"event: message_stop")[0] + b"data: [DONE]\n\n")
    assert done.is_complete
    early = opened()
    fed(early, start() + texts("Zoll") + b"data: [DONE]\n\n")
    assert isinstance(early.failure, UpstreamBroke)


def test_nothing_goes_on_before_the_first_word() -> None:
    stream = opened()
    assert stream.feed(start() + event("ping")) == b""
    assert stream.feed(event("content_block_start", index=0, content_block=text(""))) == b""
    assert kinds(stream.feed(delta(0, "text_delta", text="Zoll"))) == [
        *("message_start", "ping", "content_block_start", "content_block_delta"),
    ]


def test_an_answer_without_a_word_is_whole() -> None:
    stream = opened()
    out = fed(stream, start() + end("end_turn", output_tokens=1))
    assert kinds(out + stream.seal("0", "r")) == ["message_start", "message_delta", "message_stop"]
    assert stream.usage == Usage(input=60, output=1)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"type": "overloaded_error", "message": "Overloaded"}, Overloaded),
        ({"type": "rate_limit_error", "message": "Slow down"}, UpstreamSaturated),
        ({"type": "invalid_request_error", "message": "messages: too many"}, BadRequest),
        ({"type": "api_error", "message": "Internal server error"}, UpstreamError),
        ({"type": "something_new"}, UpstreamError),
    ],
    ids=str,
)
def test_an_error_event_is_the_failure_that_it_stands_for(error: Object, kind: type[Failure]) -> None:
    stream = opened()
    out = fed(stream, start() + texts("Zoll") + event("error", error=error, request_id="req_1"))
    assert type(stream.failure) is kind
    assert kinds(out)[-1] == "content_block_stop"
    with pytest.raises(kind):
        stream.finish()
    with pytest.raises(kind):
        gathered(start() + event("error", error=error))


def test_an_event_that_nobody_knows_goes_on_to_nobody() -> None:
    stream = opened()
    out = fed(stream, start() + event("something_new", secret="pod-7") + texts("Zoll") + end())
    assert b"pod-7" not in out
    assert stream.is_complete
    cited = opened()
    news = block(0, {"type": "new_block"}, delta(0, "new_delta", new="x"))
    assert kinds(fed(cited, start() + news)) == [
        *("message_start", "content_block_start", "content_block_delta", "content_block_stop"),
    ]


def test_of_the_message_only_what_is_known_goes_on() -> None:
    begun = {**message(stop=None), "server": "pod-7"}
    stream = opened()
    out = fed(stream, event("message_start", message=begun) + texts("Zoll"))
    assert b"pod-7" not in out
    assert told(out)[0]["message"]["id"] == "msg_1"


def test_nonsense_ends_the_stream() -> None:
    for nonsense in (b"data: {\n\n", b'data: {"a":\xff}\n\n', b"data: {]}\n\n"):
        stream = opened()
        fed(stream, start() + texts("Zoll") + nonsense)
        assert isinstance(stream.failure, UpstreamBroke)
    alive = opened()
    fed(alive, b": ping\n\ndata: \n\ndata: null\n\n" + PLAIN)
    assert alive.is_complete


@pytest.mark.parametrize(
    ("reports", "usage"),
    [
        (({"input_tokens": 60, "output_tokens": 1}, {"output_tokens": 12}), Usage(input=60, output=12)),
        (({}, {"input_tokens": 60, "output_tokens": 12}), Usage(input=60, output=12)),
        (
            ({"input_tokens": 0, "output_tokens": 0}, {"input_tokens": 60, "output_tokens": 12}),
            Usage(input=60, output=12),
        ),
        (({"input_tokens": 60}, {"input_tokens": 0, "output_tokens": 12}), Usage(input=60, output=12)),
        (
            (
                {"input_tokens": 4, "cache_read_input_tokens": 50, "output_tokens": 1},
                {"output_tokens": 12, "cache_read_input_tokens": 50},
            ),
            Usage(input=4, cache_read=50, output=12),
        ),
        (({"input_tokens": 60, "output_tokens": 12}, {}), None),
        (({"input_tokens": 60, "output_tokens": 1}, {"output_tokens": 0}), None),
        (({"input_tokens": 60, "output_tokens": 1}, {"output_tokens": -4}), None),
    ],
    ids=str,
)
def test_reports_are_totals_and_the_last_one_counts(reports: tuple[Object, Object], usage: Usage | None) -> None:
    first, last = reports
    begun = event("message_start", message={**message(stop=None), "usage": first})
    ended = event("message_delta", delta={"stop_reason": "end_turn"}, usage=last) + event("message_stop")
    stream = opened()
    fed(stream, begun + texts("Zoll") + ended)
    assert stream.is_complete
    assert stream.usage == usage
    gathering, _ = gathered(begun + texts("Zoll") + ended)
    assert gathering.usage == usage


def test_what_was_counted_is_told_in_place_of_a_report() -> None:
    stream = opened()
    fed(stream, start() + texts("Zoll") + event("message_delta", delta={"stop_reason": "max_tokens"}))
    stream.finish()
    assert (stream.usage, stream.incomplete) == (None, True)
    last, _ = told(stream.seal("0", "r", None, Usage(input=7, cache_write_1h=2, output=3, reasoning=1)))
    assert last["usage"] == {
        "input_tokens": 7,
        "cache_creation_input_tokens": 2,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 2},
        "output_tokens": 4,
        "output_tokens_details": {"thinking_tokens": 1},
    }


def test_a_report_that_is_older_than_the_text_is_none() -> None:
    early = event("message_delta", delta={"stop_reason": None}, usage={"output_tokens": 2})
    stream = opened()
    fed(stream, start() + early + texts("Zoll haus") + event("message_delta", delta={"stop_reason": "end_turn"}))
    stream.finish()
    assert stream.usage is None


def test_what_passes_the_hold_is_cut_at_its_length() -> None:
    stream = opened(maximum=3)
    out = fed(stream, start() + texts("a b ", "c d ", "e f"))
    assert (stream.is_complete, stream.cut, stream.incomplete, stream.usage) == (True, True, True, None)
    assert [one["delta"]["text"] for one in told(out) if one["type"] == "content_block_delta"] == ["a b ", "c "]
    last = told(stream.seal("0", "r", None, stream.delivered()))
    assert [one["type"] for one in last] == ["content_block_stop", "message_delta", "message_stop"]
    assert last[1]["delta"] == {"stop_reason": "max_tokens", "stop_sequence": None}
    assert (last[1]["usage"]["output_tokens"], last[1]["tollhouse"]["cut"]) == (3, "hold")
    call = {"type": "tool_use", "id": "t", "name": "a b c d e", "input": {}}
    stream = opened(maximum=3)
    out = fed(stream, start() + texts("a b") + block(1, call))
    assert kinds(out)[-1] == "content_block_stop", "a call that does not fit does not begin"
    assert kinds(stream.seal("0", "r")) == ["message_delta", "message_stop"]


def test_a_stream_becomes_the_message_that_it_is() -> None:
    gathering, body = gathered(EVERY_EVENT)
    assert body == message(*EVERY_BLOCK, stop="tool_use", usage=REPORT)
    assert (gathering.usage, gathering.cut) == (FULL, False)
    assert json.loads(gathering.raw_usage or b"") == REPORT
    with pytest.raises(UpstreamBroke):
        gathered(EVERY_EVENT[:-200])


def test_a_message_becomes_the_stream_that_it_could_have_been() -> None:
    whole = message(*EVERY_BLOCK, stop="tool_use", usage=REPORT)
    out = unfold(encoded(whole))
    assert gathered(out)[1] == whole
    stream = opened()
    fed(stream, out, 11)
    assert (stream.is_complete, stream.usage) == (True, FULL)
    assert fed(opened(), encoded(whole)) == b""
    late = opened()
    late.feed(encoded(whole))
    late.finish()
    assert late.is_complete, "a whole message where a stream was to be"
    assert gathered(encoded(whole))[1] == whole
    unended = opened()
    fed(unended, unfold(encoded(message(text("Zoll"), stop=None))))
    with pytest.raises(UpstreamBroke):
        unended.finish()


def test_a_gathered_message_is_cut_at_what_may_pass() -> None:
    gathering, body = gathered(start() + texts("a b ", "c d ", "e f") + end(), maximum=3)
    assert (gathering.cut, gathering.usage) == (True, None)
    assert (body["content"], body["stop_reason"]) == ([text("a b c ")], "max_tokens")
    assert "usage" not in body or body["usage"] == {"input_tokens": 60, "output_tokens": 1}
    call = {"type": "tool_use", "id": "t", "name": "x", "input": {}}
    pieces = [delta(1, "input_json_delta", partial_json=piece) for piece in ('{"a": "b ', 'c d"}')]
    _, body = gathered(start() + texts("a b") + block(1, call, *pieces) + end("tool_use"), maximum=3)
    assert body["content"] == [text("a b"), {**call, "input": {"INVALID_JSON": '{"a": "b '}}]


def test_silence_is_bridged_by_a_ping() -> None:
    assert KEEPALIVE == b'event: ping\ndata: {"type": "ping"}\n\n'
    assert MESSAGES.streams is not None
    assert MESSAGES.streams.keepalive == KEEPALIVE
    broken = MESSAGES.streams.error_event(Overloaded("Too much."), "req_1", 0)
    (found,) = told(broken)
    assert found["error"] == {"type": "overloaded_error", "message": "Too much. Request id: req_1"}


def test_a_prompt_that_is_too_long_is_told_in_words_that_clients_look_for() -> None:
    for said in ("The maximum context length is exceeded.", "Prompt is too long: 9 tokens > 4 maximum"):
        error = json.loads(MESSAGES.error_body(ContextTooLong(said), "req_1"))["error"]
        assert error["type"] == "invalid_request_error"
        assert error["message"].lower().count("prompt is too long") == 1
        assert said in error["message"]


def test_a_long_stream_is_recognised_without_being_decoded() -> None:
    """Most events differ in a text alone: see `core.template`."""
    many = start() + texts(*(f"word{number} " for number in range(2_000))) + end("end_turn", output_tokens=2_000)
    stream = opened()
    out = fed(stream, many, 4096)
    assert out + stream.seal("0", "r") != many
    assert out == many.partition(b"event: message_delta")[0]
    assert (stream.usage, stream.delivered()) == (Usage(input=60, output=2_000), Usage(output=2_000))
