"""Reports of usage that no honest provider makes: nobody's call fails for one, and nobody's call is free for one."""

import json
from contextlib import suppress
from typing import Any

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, Words
from tests.gateway.harness import (
    DONE,
    FINISH,
    ROLE,
    GatewayHarness,
    answer,
    asking,
    buffered,
    event,
    run,
    streaming,
    word,
)
from tollhouse.core.failure import UpstreamError
from tollhouse.core.operation import Operation
from tollhouse.core.usage import Usage
from tollhouse.gateway.connection import ClientDisconnected

COUNTED = 5 * 2500 + 2 * 10_000  # `hi there` and its JSON, and the two words that went out


def answered(report: bytes) -> bytes:
    return answer(usage="REPORT").replace(b'"REPORT"', report)


def streamed(report: bytes) -> tuple[bytes, ...]:
    chunk = b'data: {"id":"c1","choices":[],"usage":' + report + b"}\n\n"
    return (ROLE, word("Zoll "), word("haus "), FINISH, chunk, DONE)


def asked(report: bytes, *, stream: bool) -> GatewayHarness:
    play = streaming(*streamed(report)) if stream else buffered(answered(report))
    harness = GatewayHarness(first=FakeUpstream(play), money=10**9)
    client = FakeCallerConnection(asking(stream=stream))
    run(harness.ask(client))
    assert client.status == 200
    assert harness.counter.held == 0
    if harness.record.raw_usage is not None:
        json.loads(harness.record.raw_usage, parse_constant=pytest.fail)
    return harness


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "report",
    [
        b'{"prompt_tokens":1e999,"completion_tokens":1,"total_tokens":2}',
        b'{"prompt_tokens":60,"completion_tokens":12,"total_tokens":72,"seconds":-1e999,"prompt_tokens":1e999}',
        b"1e999",
    ],
)
def test_a_report_with_a_number_that_no_float_holds_was_a_500_and_the_call_free(report: bytes, stream: bool) -> None:
    harness = asked(report, stream=stream)
    assert harness.record.usage_source == "counted"
    assert harness.counter.spent == COUNTED


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("beside", [rb'"cost":1e999', rb'"note":"\ud83d"', rb'"cost":1e999,"note":"\ud83d"'])
def test_what_no_text_or_float_holds_beside_the_figures_does_not_hide_them(beside: bytes, stream: bool) -> None:
    harness = asked(b'{"prompt_tokens":60,"completion_tokens":12,' + beside + b"}", stream=stream)
    assert harness.record.usage == Usage(input=60, output=12, requests=1)
    assert harness.record.usage_source == "upstream"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "report",
    [
        b'{"prompt_tokens":60}',
        b'{"prompt_tokens":60,"completion_tokens":0,"total_tokens":60}',
        b'{"prompt_tokens":60,"completion_tokens":null}',
        b'{"prompt_tokens":0,"completion_tokens":12,"total_tokens":12}',
        b'{"completion_tokens":12}',
        b'{"type":"duration","seconds":1}',
    ],
)
def test_a_report_silent_of_one_side_gave_that_side_away(report: bytes, stream: bool) -> None:
    harness = asked(report, stream=stream)
    assert harness.record.usage_source == "counted"
    assert harness.counter.spent == COUNTED
    assert json.loads(harness.record.raw_usage or b"") == json.loads(report), "the receipt keeps what was reported"


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_without_a_word_may_be_reported_as_one(stream: bool) -> None:
    usage = {"prompt_tokens": 60, "completion_tokens": 0, "total_tokens": 60}
    chunk = b'data: {"id":"c1","choices":[],"usage":' + json.dumps(usage).encode() + b"}\n\n"
    play = streaming(ROLE, FINISH, chunk, DONE) if stream else buffered(answer(text="", usage=usage))
    harness = GatewayHarness(first=FakeUpstream(play), money=10**9)
    run(harness.ask(FakeCallerConnection(asking(stream=stream))))
    assert harness.record.usage == Usage(input=60, requests=1)
    assert harness.record.usage_source == "upstream"


@pytest.mark.parametrize("stream", [False, True])
def test_sound_of_68_years_is_not_believed(stream: bool) -> None:
    """Where a second has a price, the bill would have been of thousands of USD."""
    harness = asked(b'{"prompt_tokens":60,"completion_tokens":12,"prompt_audio_seconds":2147483648}', stream=stream)
    assert harness.record.usage_source == "counted"
    assert harness.record.usage.seconds == 0


@pytest.mark.parametrize(
    ("operation", "body", "usage"),
    [
        (
            "responses",
            b'{"object":"response","status":1e999,"output":[],"usage":{"input_tokens":60,"output_tokens":12}}',
            Usage(input=60, output=12, requests=1),
        ),
        (
            "embeddings",
            b'{"object":"list","data":[{"embedding":[1e999]}],"usage":{"prompt_tokens":60}}',
            Usage(input=60, requests=1),
        ),
    ],
)
def test_a_number_that_no_float_holds_anywhere_else_is_the_callers_to_judge(
    operation: Operation, body: bytes, usage: Usage
) -> None:
    harness = GatewayHarness(first=FakeUpstream(buffered(body)), money=10**9)
    run(harness.ask(FakeCallerConnection(b'{"model":"house-1","input":"hi"}'), operation))
    assert harness.record.usage == usage


@pytest.mark.parametrize("stream", [False, True])
def test_pictures_were_free_for_who_left_just_before_the_end(stream: bool) -> None:
    """And for everybody whose provider reports nothing."""
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 1_000}}
    content = [{"type": "text", "text": "hi"}, *[picture] * 20]
    body = {"model": "house-1", "stream": stream, "messages": [{"role": "user", "content": content}]}
    client = FakeCallerConnection(json.dumps(body).encode())
    play = streaming(ROLE, word("one "), client.leave, FINISH, DONE) if stream else buffered(answer("one", usage=None))
    harness = GatewayHarness(first=FakeUpstream(play), money=10**9, model={"context_tokens": 100_000})
    with suppress(ClientDisconnected):
        run(harness.ask(client))
    assert harness.record.usage.image_in == 20 * 250
    assert harness.record.usage_source == "counted"
    assert harness.counter.spent == (harness.record.usage.input + 20 * 250) * 2500 + 10_000


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("made", "usage"),
    [
        ({"audio": {"data": "A" * 64_000, "transcript": "Zoll haus"}}, {"audio_out": 10}),
        ({"images": [{"image_url": {"url": "data:image/png;base64,AAAA"}}] * 2}, {"image_out": 500}),
    ],
    ids=["sound", "pictures"],
)
def test_sound_and_pictures_were_free_for_who_left_just_before_the_end(
    made: dict[str, object], usage: dict[str, int], stream: bool
) -> None:
    client = FakeCallerConnection(asking(stream=stream))
    choice = {"index": 0, "finish_reason": None if stream else "stop", "delta" if stream else "message": made}
    if stream:
        play = streaming(ROLE, event(choices=[choice]), client.leave, FINISH, DONE)
    else:
        play = buffered(answer(choices=[choice], usage=None))
    harness = GatewayHarness(first=FakeUpstream(play), money=10**9)
    with suppress(ClientDisconnected):
        run(harness.ask(client))
    words = 2 if "audio" in made else 0
    assert harness.record.usage == Usage(input=5, output=words, requests=1, **usage)
    assert harness.counter.spent == 5 * 2500 + (words + sum(usage.values())) * 10_000


@pytest.mark.parametrize("kind", ["response.audio.delta", "response.output_audio.delta"])
def test_sound_in_a_response_was_free_for_who_left(kind: str) -> None:
    client = FakeCallerConnection(b'{"model":"house-1","input":"hi","stream":true}')
    said = json.dumps({"type": kind, "delta": "A" * 6_401}).encode()
    play = streaming(b"event: " + kind.encode() + b"\ndata: " + said + b"\n\n", client.leave, DONE)
    harness = GatewayHarness(first=FakeUpstream(play), money=10**9)
    with pytest.raises(ClientDisconnected):
        run(harness.ask(client, "responses"))
    assert (harness.record.usage.output, harness.record.usage.audio_out) == (0, 2)


def test_a_report_from_before_the_sound_is_older_than_it() -> None:
    usage = {"prompt_tokens": 60, "completion_tokens": 1, "total_tokens": 61}
    ahead = event(choices=[], usage=usage)
    sound = event(choices=[{"index": 0, "delta": {"audio": {"data": "A" * 64_000}}, "finish_reason": None}])
    harness = GatewayHarness(first=FakeUpstream(streaming(ROLE, ahead, sound, FINISH, DONE)), money=10**9)
    run(harness.ask(FakeCallerConnection(asking(stream=True))))
    assert harness.record.usage == Usage(input=5, audio_out=10, requests=1)


class Digits(Words):
    """A token and a half for a character, as rules for families without a public vocabulary may say of digits."""

    def count(self, text: str, model: str) -> int:
        return len(text) * 3 // 2

    async def prepare(self, model: str) -> None:
        pass

    async def count_aside(self, text: str, model: str, account_id: str) -> int:
        return self.count(text, model)


@pytest.mark.parametrize("stream", [False, True])
def test_counted_were_more_tokens_than_the_text_had_bytes_and_more_than_the_cap(stream: bool) -> None:
    body = asking(stream=stream, max_tokens=8)
    play = streaming(ROLE, word("12345678"), FINISH, DONE) if stream else buffered(answer("12345678", usage=None))
    harness = GatewayHarness(first=FakeUpstream(play), money=10**9)
    harness.gateway.count = Digits()
    run(harness.ask(FakeCallerConnection(body)))
    assert harness.record.usage == Usage(input=len('[{"role": "user", "content": "hi there"}]'), output=8, requests=1)
    charge = harness.record.charge
    assert charge is not None
    assert charge.overrun == 0


def test_where_nothing_is_cut_a_provider_that_ignores_the_cap_is_counted_for_what_it_wrote() -> None:
    harness = GatewayHarness(first=FakeUpstream(streaming(ROLE, word("Zoll haus " * 20), FINISH, DONE)), money=10**9)
    harness.gateway.cut_at_hold = "never"
    run(harness.ask(FakeCallerConnection(asking(stream=True, max_completion_tokens=1))))
    assert harness.record.usage.output == 40


@pytest.mark.parametrize(("ids", "tokens"), [([101, 99_999, 7], 3), ([[101, 99_999], [7]], 3)])
def test_token_ids_were_counted_digit_by_digit(ids: list[object], tokens: int) -> None:
    body = json.dumps({"object": "list", "data": [{"embedding": [0.5]}]}).encode()
    harness = GatewayHarness(first=FakeUpstream(buffered(body)), money=10**9)
    harness.gateway.count = Digits()
    run(harness.ask(FakeCallerConnection(json.dumps({"model": "house-1", "input": ids}).encode()), "embeddings"))
    assert harness.record.usage == Usage(input=tokens, requests=1)


def nth(index: int, text: str = "", finish: str | None = None) -> bytes:
    return event(choices=[{"index": index, "delta": {"content": text} if text else {}, "finish_reason": finish}])


@pytest.mark.parametrize("stream", [False, True])
def test_a_stream_cut_between_two_answers_looked_whole_with_one(stream: bool) -> None:
    play = streaming(ROLE, nth(0, "one "), nth(0, finish="stop"))
    harness = GatewayHarness(first=FakeUpstream(play), second=FakeUpstream(play), money=10**9)
    client = FakeCallerConnection(asking(stream=stream, n=2))
    with suppress(UpstreamError):
        run(harness.ask(client))
    ending = "failed_after_first_byte" if stream else "failed_before_first_byte"
    assert harness.record.ending == ending
    assert b"[DONE]" not in client.data
    assert harness.counter.spent == (5 * 2500 + 10_000 if stream else 0)


@pytest.mark.parametrize("body", [{"n": 2}, {"n": 1, "best_of": 3}, {}])
def test_a_provider_that_gives_fewer_answers_and_says_that_it_is_done_is_done(body: dict[str, Any]) -> None:
    harness = GatewayHarness(
        first=FakeUpstream(streaming(ROLE, nth(0, "one "), nth(0, finish="stop"), DONE)), money=10**9
    )
    run(harness.ask(FakeCallerConnection(asking(stream=True, **body))))
    assert harness.record.ending == "finished"


@pytest.mark.parametrize("stream", [False, True])
def test_arguments_as_an_object_with_half_a_character_were_a_500(stream: bool) -> None:
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": {"a": "HALF"}}}
    choice = {
        "index": 0,
        "finish_reason": None if stream else "stop",
        "delta" if stream else "message": {"tool_calls": [call]},
    }
    half = rb"\ud83d"
    if stream:
        play = streaming(ROLE, event(choices=[choice]).replace(b"HALF", half), FINISH, DONE)
    else:
        play = buffered(answer(choices=[choice], usage=None).replace(b"HALF", half))
    harness = GatewayHarness(first=FakeUpstream(play), money=10**9)
    run(harness.ask(FakeCallerConnection(asking(stream=stream))))
    assert harness.record.ending == "finished"
    assert harness.record.usage.output > 0


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("extra", [{}, {"provider_says": "\ud83d"}], ids=["plain", "odd"])
def test_an_answer_that_ended_by_an_error_was_charged_where_it_came_in_one_piece(
    stream: bool, extra: dict[str, str]
) -> None:
    """Streamed it was tried elsewhere, and free."""
    broken = buffered(answer(finish="error", **extra))
    harness = GatewayHarness(first=FakeUpstream(broken), second=FakeUpstream(broken), money=10**9)
    with pytest.raises(UpstreamError):
        run(harness.ask(FakeCallerConnection(asking(stream=stream))))
    assert (harness.record.ending, harness.record.charge) == ("failed_before_first_byte", None)
    assert len(harness.second.calls) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_a_response_that_failed_without_saying_why_was_charged_where_it_came_in_one_piece(stream: bool) -> None:
    usage = {"input_tokens": 60, "output_tokens": 12, "total_tokens": 72}
    failed: dict[str, Any] = {"object": "response", "status": "failed", "error": None, "output": [], "usage": usage}
    play = buffered(json.dumps(failed).encode())
    harness = GatewayHarness(first=FakeUpstream(play), second=FakeUpstream(play), money=10**9)
    body = {"model": "house-1", "input": "hi", "stream": stream}
    with pytest.raises(UpstreamError):
        run(harness.ask(FakeCallerConnection(json.dumps(body).encode()), "responses"))
    assert harness.counter.spent == 0


@pytest.mark.parametrize("stream", [False, True])
def test_what_names_other_models_does_not_go_on_and_the_answer_says_so(stream: bool) -> None:
    play = streaming(*streamed(b'{"prompt_tokens":60,"completion_tokens":12}')) if stream else buffered()
    harness = GatewayHarness(first=FakeUpstream(play), money=10**9)
    client = FakeCallerConnection(asking(stream=stream, models=["openai/o1-pro"], Fallbacks=["gpt-4"]))
    run(harness.ask(client))
    assert not {"models", "Fallbacks"} & set(json.loads(harness.first.calls[0].body))
    assert (b"x-tollhouse-dropped", b"models, fallbacks") in client.headers


NO_REPORTS = {
    "a text": b'"none"',
    "an empty text": b'""',
    "a number": b"72",
    "nought": b"0",
    "true": b"true",
    "false": b"false",
    "an empty list": b"[]",
    "a list of figures": b"[60,12]",
    "a list around a report": b'[{"prompt_tokens":60,"completion_tokens":12}]',
    "an empty object": b"{}",
    "nulls": b'{"prompt_tokens":null,"completion_tokens":null,"total_tokens":null}',
    "figures as texts": b'{"prompt_tokens":"60","completion_tokens":"12"}',
    "figures as words": b'{"prompt_tokens":"sixty","completion_tokens":"n/a"}',
    "figures in objects": b'{"prompt_tokens":{"value":60},"completion_tokens":{"value":12}}',
    "figures in lists": b'{"prompt_tokens":[60],"completion_tokens":[12]}',
    "truths": b'{"prompt_tokens":true,"completion_tokens":true}',
    "fractions": b'{"prompt_tokens":60.5,"completion_tokens":12.5}',
    "debts": b'{"prompt_tokens":-60,"completion_tokens":-12}',
    "nested texts": b'{"prompt_tokens":60,"completion_tokens":12,"prompt_tokens_details":{"cached_tokens":"9"}}',
    "other words": b'{"words":72}',
}
"""What stood as `usage` and is no report that could be believed."""


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("what", NO_REPORTS)
def test_what_stands_as_usage_and_is_none_is_told_on_the_receipt(what: str, stream: bool) -> None:
    harness = asked(NO_REPORTS[what], stream=stream)
    assert (harness.record.usage_source, harness.record.doubt) == ("counted", "unreadable")
    assert json.loads(harness.record.raw_usage or b"") == json.loads(NO_REPORTS[what])
    assert harness.counter.spent == COUNTED


@pytest.mark.parametrize("asks", [False, True])
@pytest.mark.parametrize("what", NO_REPORTS)
def test_what_is_no_usage_reaches_nobody_wherever_a_chunk_holds_it(what: str, asks: bool) -> None:
    said = b'{"id":"c1","choices":[{"index":0,"delta":{"content":"Zoll "}}],"usage":' + NO_REPORTS[what] + b"}"
    pieces = (ROLE, b"data: " + said + b"\n\n", word("haus "), FINISH, DONE)
    harness = GatewayHarness(first=FakeUpstream(streaming(*pieces)), money=10**9)
    client = FakeCallerConnection(asking(stream=True, stream_options={"include_usage": asks}))
    run(harness.ask(client))
    assert harness.record.doubt == "unreadable"
    heard = [json.loads(line[6:]) for line in client.data.splitlines() if line.startswith(b"data: {")]
    usages = [one["usage"] for one in heard if one.get("usage") is not None]
    assert [one["completion_tokens"] for one in usages] == ([2] if asks else [])
    assert b"Zoll " in client.data


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("what", NO_REPORTS)
def test_of_a_response_likewise(what: str, stream: bool) -> None:
    usage = NO_REPORTS[what].replace(b"prompt_tokens", b"input_tokens").replace(b"completion_tokens", b"output_tokens")
    item = b'{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Zoll haus"}]}'
    whole = b'{"object":"response","id":"r","status":"completed","output":[' + item + b'],"usage":' + usage + b"}"
    delta = b'data: {"type":"response.output_text.delta","output_index":0,"delta":"Zoll haus"}\n\n'
    last = b'data: {"type":"response.completed","response":' + whole + b"}\n\n"
    harness = GatewayHarness(first=FakeUpstream(streaming(delta, last) if stream else buffered(whole)), money=10**9)
    client = FakeCallerConnection(json.dumps({"model": "house-1", "input": "hi", "stream": stream}).encode())
    run(harness.ask(client, "responses"))
    assert (harness.record.usage_source, harness.record.doubt) == ("counted", "unreadable")
    assert json.loads(harness.record.raw_usage or b"") == json.loads(usage)


def test_where_none_stands_there_is_nothing_to_doubt() -> None:
    for report in (b"null",):
        for stream in (False, True):
            assert asked(report, stream=stream).record.doubt is None
