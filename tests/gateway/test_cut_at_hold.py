"""An answer that passes what was held for it by more than half ends there, and is charged as far as it went."""

import asyncio
import json
from typing import Any

import pytest
from msgspec import structs

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, ScriptedResponse, identity
from tests.gateway.harness import (
    DONE,
    FINISH,
    LIVE,
    NOTHING_STREAMS,
    ROLE,
    STREAMS,
    USAGE,
    GatewayHarness,
    answer,
    asking,
    buffered,
    event,
    run,
    streaming,
    word,
)
from tests.gateway.test_odd_reports import nth
from tollhouse.core.operation import Operation
from tollhouse.core.usage import Usage
from tollhouse.formats.openai.response_answers import response, response_events
from tollhouse.gateway.allowance import SMALLEST_MARGIN

CAP = 40
MOST = 60  # half more
LONG = ["w "] * 500
RESPONSE = {"model": "house-1", "input": "hi there", "max_output_tokens": CAP}


def data_of(stream: bytes) -> list[dict[str, Any]]:
    lines = [line.removeprefix(b"data: ") for line in stream.split(b"\n") if line.startswith(b"data: ")]
    return [json.loads(line) for line in lines if line != b"[DONE]"]


def words_of(stream: bytes) -> int:
    chunks = [choice for data in data_of(stream) for choice in data.get("choices", ())]
    said = "".join(chunk.get("delta", {}).get("content") or chunk.get("text") or "" for chunk in chunks)
    return len(said.split())


def served(
    pieces: list[bytes], *, money: int = 10**9, operation: Operation = "chat", body: bytes = b"", **how: Any
) -> tuple[GatewayHarness, FakeCallerConnection]:
    headers = NOTHING_STREAMS if pieces[0].startswith(b"{") else STREAMS
    harness = GatewayHarness(first=FakeUpstream(ScriptedResponse(headers=headers, pieces=pieces)), money=money)
    for name, value in how.pop("house", {}).items():
        setattr(harness.gateway, name, value)
    client = FakeCallerConnection(body or asking(stream=True, max_tokens=CAP, **how.pop("asked", {})))
    run(harness.ask(client, operation, **how))
    return harness, client


def test_a_stream_is_cut_where_it_passes_the_hold_by_more_than_half() -> None:
    asked = {"stream_options": {"include_usage": True}}
    harness, client = served([ROLE, *map(word, LONG), FINISH, USAGE, DONE], asked=asked)
    assert words_of(client.data) == MOST
    assert client.data.endswith(DONE)
    *_, ended, told = data_of(client.data)
    assert [(choice["index"], choice["finish_reason"]) for choice in ended["choices"]] == [(0, "length")]
    assert told["choices"] == []
    assert told["usage"] | {"total_tokens": 0} == told["usage"] | {"total_tokens": 0}
    assert (told["usage"]["prompt_tokens"], told["usage"]["completion_tokens"]) == (5, MOST)
    assert told["tollhouse"] == {"charge_usd": "0.0006125", "request_id": "req_1", "cut": "hold"}
    (upstream,) = harness.first.answers
    assert upstream.aborted, "the provider writes for nobody"
    record = harness.record
    assert (record.ending, record.usage_source, record.cut) == ("incomplete", "counted", True)
    assert record.usage == Usage(input=5, output=MOST, requests=1)
    assert record.charge is not None
    assert harness.counter.spent == record.charge.amount == 5 * 2500 + MOST * 10_000


@pytest.mark.parametrize("size", [1, 7, 100, 4096, 10**6])
def test_it_is_cut_at_the_same_word_however_the_stream_is_cut(size: int) -> None:
    stream = b"".join([ROLE, *map(word, LONG), FINISH, USAGE, DONE])
    harness, client = served([stream[at : at + size] for at in range(0, len(stream), size)])
    assert words_of(client.data) == harness.record.usage.output == MOST
    assert client.data.count(b'"length"') == 1


def test_within_an_event_the_words_that_fit_go_on() -> None:
    harness, client = served([ROLE, word("w " * 500), FINISH, USAGE, DONE])
    assert words_of(client.data) == harness.record.usage.output == MOST


def test_what_stays_within_half_more_is_charged_as_reported() -> None:
    harness, client = served([ROLE, *map(word, LONG[:MOST]), FINISH, USAGE, DONE])
    assert words_of(client.data) == MOST
    assert (harness.record.ending, harness.record.usage_source, harness.record.cut) == ("finished", "upstream", False)


def test_the_caller_who_asks_for_no_usage_gets_none() -> None:
    _, client = served([ROLE, *map(word, LONG), FINISH, USAGE, DONE])
    assert b'"usage"' not in client.data


def test_each_choice_that_is_open_ends_and_no_other_does_again() -> None:
    pieces = [ROLE, nth(0, "w "), nth(0, finish="stop"), *[nth(1, "w ")] * 500]
    _, client = served(pieces, asked={"n": 3})
    ends = [
        (choice["index"], choice["finish_reason"])
        for data in data_of(client.data)
        for choice in data["choices"]
        if choice["finish_reason"]
    ]
    assert ends == [(0, "stop"), (1, "length"), (2, "length")]
    assert words_of(client.data) == 3 * MOST


def test_a_finish_reason_behind_the_cut_is_as_if_it_had_not_come() -> None:
    whole = event(choices=[{"index": 0, "delta": {"content": "w " * 500}, "finish_reason": "stop"}])
    _, client = served([ROLE, whole, USAGE, DONE])
    assert b'"stop"' not in client.data
    assert words_of(client.data) == MOST


def test_legacy_completions_are_cut_alike() -> None:
    pieces = [event(choices=[{"index": 0, "text": "w ", "finish_reason": None}])] * 500
    body = json.dumps({"model": "house-1", "prompt": "hi there", "stream": True, "max_tokens": CAP}).encode()
    harness, client = served(pieces, operation="completions", body=body)
    assert words_of(client.data) == harness.record.usage.output == MOST
    (ended,) = data_of(client.data)[-1]["choices"]
    assert ended == {"index": 0, "text": "", "logprobs": None, "finish_reason": "length"}
    assert client.data.endswith(DONE)


def test_a_response_is_cut_and_its_items_are_told_whole() -> None:
    pieces = list(response_events("resp_1", 1, "up", LONG, usage=Usage(input=60, output=500)))
    body = json.dumps(RESPONSE | {"stream": True}).encode()
    harness, client = served(pieces, operation="responses", body=body)
    events = data_of(client.data)
    assert [one["sequence_number"] for one in events] == list(range(len(events)))
    assert [one["type"] for one in events[-4:]] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.incomplete",
    ]
    said = "".join(one["delta"] for one in events if one["type"] == "response.output_text.delta")
    assert len(said.split()) == MOST
    ended = events[-1]["response"]
    assert (ended["id"], ended["status"]) == ("resp_1", "incomplete")
    assert ended["incomplete_details"] == {"reason": "max_output_tokens"}
    (item,) = ended["output"]
    assert (item["status"], item["content"][0]["text"]) == ("incomplete", said)
    assert (ended["usage"]["input_tokens"], ended["usage"]["output_tokens"]) == (harness.record.usage.input, MOST)
    assert ended["tollhouse"]["cut"] == "hold"
    assert (harness.record.ending, harness.record.usage.output) == ("incomplete", MOST)


def test_arguments_of_a_call_in_a_response_are_cut_too() -> None:
    arguments = '{"words": "' + "w " * 500 + '"}'
    pieces = list(response_events("resp_1", 1, "up", [], ("toll", arguments)))
    harness, client = served(pieces, operation="responses", body=json.dumps(RESPONSE | {"stream": True}).encode())
    (item,) = data_of(client.data)[-1]["response"]["output"]
    assert (item["type"], item["name"], item["status"]) == ("function_call", "toll", "incomplete")
    assert arguments.startswith(item["arguments"])
    assert harness.record.usage.output <= MOST


def test_a_response_that_says_all_of_it_in_its_last_event_only_is_cut_too() -> None:
    pieces = list(response_events("resp_1", 1, "up", LONG, usage=Usage(input=60, output=500)))
    harness, client = served([*pieces[:2], pieces[-1]], operation="responses",
                           body=json.dumps(RESPONSE | {"stream": True}).encode())  # fmt: skip
    assert b"w w" not in client.data
    assert data_of(client.data)[-1]["type"] == "response.incomplete"
    assert harness.record.usage.output == 0


@pytest.mark.parametrize("gathered", [False, True])
def test_of_a_buffered_answer_no_more_goes_on_either(gathered: bool) -> None:
    usage = {"prompt_tokens": 60, "completion_tokens": 500, "total_tokens": 560}
    pieces = [ROLE, *map(word, LONG), FINISH, DONE] if gathered else [answer("w " * 500, usage=usage)]
    harness, client = served(pieces, body=asking(max_tokens=CAP))
    told = json.loads(client.data)
    (choice,) = told["choices"]
    assert (len(choice["message"]["content"].split()), choice["finish_reason"]) == (MOST, "length")
    assert (told["usage"]["prompt_tokens"], told["usage"]["completion_tokens"]) == (5, MOST)
    assert client.header(b"x-tollhouse-cut") == b"hold"
    assert client.header(b"x-tollhouse-charge-usd") == b"0.0006125"
    assert (harness.record.ending, harness.record.cut) == ("incomplete", True)
    assert harness.counter.spent == 5 * 2500 + MOST * 10_000
    if gathered:
        assert harness.first.answers[0].aborted


@pytest.mark.parametrize("gathered", [False, True])
def test_of_a_buffered_response_no_more_goes_on_either(gathered: bool) -> None:
    usage = Usage(input=60, output=500)
    whole = response("resp_1", 1, "up", "w " * 500, usage=usage)
    pieces = response_events("resp_1", 1, "up", LONG, usage=usage) if gathered else [whole]
    harness, client = served(list(pieces), operation="responses", body=json.dumps(RESPONSE).encode())
    told = json.loads(client.data)
    assert (told["status"], told["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert len(told["output"][0]["content"][0]["text"].split()) == MOST
    assert told["usage"]["output_tokens"] == harness.record.usage.output == MOST


def test_one_piece_for_a_stream_is_cut_too() -> None:
    harness, client = served([answer("w " * 500)])
    assert words_of(client.data) == harness.record.usage.output == MOST


@pytest.mark.parametrize(
    ("when", "credit", "is_cut"),
    [
        ("prepaid", 0, True),
        ("prepaid", 10**12, True),
        ("prepaid", None, False),
        ("always", None, True),
        ("never", 0, False),
    ],
)
def test_cut_at_hold_says_whose_answers_end(when: str, credit: int | None, is_cut: bool) -> None:
    harness = GatewayHarness(first=FakeUpstream(streaming(ROLE, *map(word, LONG), FINISH, DONE)), money=10**9)
    harness.gateway.cut_at_hold = when  # type: ignore[assignment]
    whose = identity(LIVE)
    harness.keys.put(structs.replace(whose, account=structs.replace(whose.account, credit_limit=credit)))
    client = FakeCallerConnection(asking(stream=True, max_tokens=CAP))
    run(harness.ask(client))
    assert harness.record.cut == is_cut
    assert harness.record.usage.output == (MOST if is_cut else 500)


# A2: a server that does not know the name of the cap, or ignores it.


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("reports", [True, False])
def test_twenty_calls_at_once_whose_cap_is_ignored_do_not_leave_a_debt(stream: bool, reports: bool) -> None:
    """0.05 USD ended at -3.23: each of 20 wrote 16,384 tokens for a cap of 1."""
    written = 16_384
    usage = {"prompt_tokens": 20, "completion_tokens": written, "total_tokens": written + 20} if reports else None
    if stream:
        ends = [event(choices=[], usage=usage)] if reports else []
        play = streaming(ROLE, *[word("w " * 64)] * (written // 64), FINISH, *ends, DONE)
    else:
        play = buffered(answer("w " * written, usage=usage))
    harness = GatewayHarness(first=FakeUpstream(play), money=5 * 10**7, model={"context_tokens": 128_000})

    async def main() -> None:
        body = asking(stream=stream, max_completion_tokens=1)
        await asyncio.gather(*[harness.ask(FakeCallerConnection(body)) for _ in range(20)])

    run(main())
    assert len(harness.ledger.records) == 20
    assert {record.usage.output for record in harness.ledger.records} == {1 + SMALLEST_MARGIN}
    assert harness.counter.spent <= 5 * 10**7
    assert harness.counter.held == 0


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("words", [1, 16_384], ids=["thought unseen", "written"])
def test_the_maximum_that_a_caller_names_is_kept(stream: bool, words: int) -> None:
    """0.164 was charged where 0.001 was the maximum."""
    usage = {"prompt_tokens": 20, "completion_tokens": 16_384, "total_tokens": 16_404}
    told = event(choices=[], usage=usage)
    play = (
        streaming(ROLE, word("w " * words), FINISH, told, DONE)
        if stream
        else buffered(answer("w " * words, usage=usage))
    )
    harness = GatewayHarness(first=FakeUpstream(play), money=10**9, model={"context_tokens": 128_000})
    client = FakeCallerConnection(asking(stream=stream, max_completion_tokens=1))
    run(harness.ask(client, headers=[(b"x-tollhouse-max-cost-usd", b"0.001")]))
    charge = harness.record.charge
    assert charge is not None
    assert 0 < charge.amount <= 10**6
    assert harness.record.usage_source == "counted"
    assert harness.record.doubt == ("beyond the maximum" if words == 1 else None)
    if not (stream and words > 1):  # which was closed before it came to its report
        assert json.loads(harness.record.raw_usage or b"") == usage


def test_a_maximum_cuts_also_for_who_pays_later() -> None:
    harness = GatewayHarness(first=FakeUpstream(streaming(ROLE, *map(word, LONG), FINISH, DONE)))
    harness.gateway.cut_at_hold = "never"
    body = asking(stream=True, max_tokens=CAP)
    most = len(body) * 2500 + CAP * 10_000
    usd = f"0.{most:09d}".encode()
    run(harness.ask(FakeCallerConnection(body), headers=[(b"x-tollhouse-max-cost-usd", usd)]))
    assert harness.record.cut
    assert harness.record.usage.output == CAP
    assert harness.record.charge is not None
    assert harness.record.charge.amount <= most


def test_a_model_that_thinks_unseen_is_charged_as_reported_and_passed_on() -> None:
    """What nobody saw cannot be cut: an overrun, as large as the model's longest answer."""
    usage = {"prompt_tokens": 60, "completion_tokens": 900, "total_tokens": 960}
    usage |= {"completion_tokens_details": {"reasoning_tokens": 890}}  # type: ignore[dict-item]
    harness, client = served([answer(usage=usage)], body=asking(max_tokens=CAP))
    assert (harness.record.usage.reasoning, harness.record.usage_source, harness.record.cut) == (890, "upstream", False)
    assert json.loads(client.data)["choices"][0]["finish_reason"] == "stop"


def test_sound_that_passes_the_hold_is_left_out() -> None:
    sound = event(choices=[{"index": 0, "delta": {"audio": {"data": "A" * 64_000}}, "finish_reason": None}])
    harness, client = served([ROLE, *[sound] * 20, FINISH, DONE])
    assert harness.record.usage.audio_out == MOST // 10 * 10
    assert client.data.count(b"AAAA") > 0
    assert b'"length"' in client.data


def test_pictures_that_pass_the_hold_are_left_out() -> None:
    pictures = event(choices=[{"index": 0, "delta": {"images": [{}] * 40}, "finish_reason": None}])
    harness, _ = served([ROLE, word("w "), pictures, FINISH, DONE])
    assert harness.record.usage == Usage(input=5, output=1, requests=1)
