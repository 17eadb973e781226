"""Rankings and pictures: what is held, what is charged, and how each of them ends."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, ScriptedResponse
from tests.gateway.harness import GatewayHarness, buffered, run, streaming
from tests.gateway.test_worst_cases import bounds, priced
from tollhouse.core.failure import (
    BadRequest,
    InsufficientQuota,
    ModelNotPriced,
    UnsupportedParameter,
    UpstreamBroke,
)
from tollhouse.core.operation import Operation
from tollhouse.core.usage import Usage

USD = 10**9
TEXT = "Who crosses pays."
PROMPTS: dict[Operation, dict[str, Any]] = {
    "rerank": {"query": "toll", "documents": ["a", "b"]},
    "images": {"prompt": TEXT},
    "speech": {"input": TEXT, "voice": "alloy"},
}
BY_TOKENS = {"input": "5", "output": "40"}


def body(operation: Operation, **members: object) -> bytes:
    return json.dumps({"model": "house-1", **PROMPTS[operation], **members}).encode()


def prepared(price: Mapping[str, object], *answers: ScriptedResponse, **how: Any) -> GatewayHarness:
    how = {"money": USD, "model": {"context_tokens": None}, "first": FakeUpstream(*answers), **how}
    return priced(GatewayHarness(**how), dict(price))


def asked(harness: GatewayHarness, operation: Operation, **members: object) -> FakeCallerConnection:
    client = FakeCallerConnection(body(operation, **members))
    run(harness.ask(client, operation))
    return client


def ranked(scores: dict[int, float], **members: object) -> ScriptedResponse:
    results = [{"index": index, "relevance_score": score} for index, score in scores.items()]
    return buffered(json.dumps({"results": results, **members}).encode())


def pictures(count: int, **members: object) -> ScriptedResponse:
    data = [{"b64_json": "AAAA"} for _ in range(count)]
    return buffered(json.dumps({"created": 1, "data": data, **members}).encode())


def drawn(kind: str, **members: object) -> bytes:
    return (
        b"data: " + json.dumps({"type": f"image_generation.{kind}", "b64_json": "AAAA", **members}).encode() + b"\n\n"
    )


# rankings


@pytest.mark.parametrize(
    "told",
    [
        {"usage": {"total_tokens": 60}},
        {"usage": {"prompt_tokens": 60, "total_tokens": 60}},
        {"meta": {"tokens": {"input_tokens": 60, "output_tokens": 0}}},
        {"meta": {"billed_units": {"input_tokens": 60}}},
    ],
)
def test_a_ranking_is_charged_as_its_vendor_reports_tokens(told: dict[str, Any]) -> None:
    harness = prepared(BY_TOKENS, ranked({0: 0.1, 1: 0.9}, **told))
    client = asked(harness, "rerank")
    answer = json.loads(client.data)
    assert [one["index"] for one in answer["results"]] == [1, 0]
    assert (answer["usage"]["prompt_tokens"], answer["usage"]["total_tokens"]) == (60, 60)
    assert harness.record.usage == Usage(input=60, requests=1)
    assert (harness.record.usage_source, harness.counter.spent) == ("upstream", 60 * 5_000)


def test_a_search_unit_is_a_request() -> None:
    meta = {"billed_units": {"search_units": 3}}
    harness = prepared({"per_request": "0.002"}, ranked({0: 0.5}, meta=meta))
    client = asked(harness, "rerank", documents=["a"] * 250)
    assert json.loads(client.data)["usage"]["search_units"] == 3
    assert harness.record.usage.requests == 3
    assert harness.counter.spent == 3 * USD // 500


def test_search_units_that_nobody_reports_are_counted_by_the_hundred() -> None:
    harness = prepared({"per_request": "0.002"}, ranked({0: 0.5}))
    asked(harness, "rerank", documents=["a"] * 101)
    assert (harness.record.usage.requests, harness.record.usage_source) == (2, "counted")


def test_long_documents_are_held_for_as_the_units_they_may_be() -> None:
    async def main() -> None:
        harness = prepared({"per_request": "0.002"})
        given = body("rerank", documents=["a" * 5_000] * 100)
        assert (await bounds(harness, given, "rerank"))[2] == 11 * USD // 500

    run(main())


def test_each_document_reads_the_query_again() -> None:
    async def main() -> None:
        harness = prepared(BY_TOKENS)
        given = body("rerank", query="q" * 1_000, documents=["a"] * 10)
        assert (await bounds(harness, given, "rerank"))[0] == len(given) + 9 * 1_002

    run(main())


def test_voyage_calls_results_data() -> None:
    told = json.dumps({"data": [{"index": 3, "relevance_score": 0.5}], "usage": {"total_tokens": 9}}).encode()
    client = asked(prepared(BY_TOKENS, buffered(told)), "rerank")
    assert json.loads(client.data)["results"] == [{"index": 3, "relevance_score": 0.5}]


def test_what_names_the_upstream_is_not_told_beside_a_ranking() -> None:
    client = asked(prepared(BY_TOKENS, ranked({0: 0.5}, request_id="up-1", meta={"api_version": {}})), "rerank")
    assert set(json.loads(client.data)) == {"results", "usage"}


# pictures


def test_pictures_are_held_as_asked_and_charged_as_they_come() -> None:
    async def main() -> None:
        assert (await bounds(prepared({"per_image": "0.04"}), body("images", n=3), "images"))[2] == 3 * USD // 25

    run(main())
    harness = prepared({"per_image": "0.04"}, pictures(2))
    client = asked(harness, "images", n=3)
    assert harness.record.usage.images == 2
    assert harness.counter.spent == 2 * USD // 25
    assert client.header(b"x-tollhouse-charge-usd") == b"0.08"


def test_tokens_of_pictures_are_those_that_are_reported() -> None:
    usage = {"input_tokens": 50, "input_tokens_details": {"text_tokens": 10, "image_tokens": 40}, "output_tokens": 900}
    price = {"input": "5", "image_in": "8", "output": "40", "image_out": "30"}
    harness = prepared(price, pictures(1, usage=usage), model={"max_output_tokens": 1_000})
    asked(harness, "images")
    assert harness.record.usage == Usage(input=10, image_in=40, image_out=900, images=1, requests=1)
    assert harness.counter.spent == 10 * 5_000 + 40 * 8_000 + 900 * 30_000


def test_no_cap_bounds_a_picture_so_the_longest_answer_is_held() -> None:
    async def main() -> None:
        harness = prepared(BY_TOKENS, model={"max_output_tokens": 6_240})
        assert (await bounds(harness, body("images", n=2), "images"))[1] == 2 * 6_240
        assert (await bounds(harness, body("images", output_format="gif"), "images"))[1] == 16 * 6_240
        poor = prepared(BY_TOKENS, money=6_240 * 40_000, model={"max_output_tokens": 6_240})
        with pytest.raises(InsufficientQuota):
            await poor.ask(FakeCallerConnection(body("images")), "images")
        assert not poor.first.calls

    run(main())


@pytest.mark.parametrize(
    ("members", "price", "paid"),
    [
        ({}, {}, 40),
        ({"quality": "standard", "size": "1024x1024"}, {}, 40),
        ({"quality": "hd"}, {"hd": {"per_image": "0.08"}}, 80),
        ({"quality": "hd"}, {}, None),
        ({"size": "1792x1024"}, {"standard-1792x1024": {"per_image": "0.06"}}, 60),
        ({"size": "1792x1024", "quality": "hd"}, {"hd-1792x1024": {"per_image": "0.12"}}, 120),
        ({"size": "1792x1024"}, {"hd": {"per_image": "0.08"}}, None),
        ({"size": "9" * 60}, {}, None),
    ],
)
def test_a_dearer_picture_has_its_own_price_or_is_not_sold(
    members: dict[str, Any], price: dict[str, Any], paid: int | None
) -> None:
    harness = prepared({"per_image": "0.04", "service_tiers": price}, pictures(1))
    if paid is None:
        with pytest.raises(UnsupportedParameter) as refused:
            asked(harness, "images", **members)
        assert refused.value.param in members
        assert not harness.first.calls
        return
    asked(harness, "images", **members)
    assert harness.counter.spent == paid * USD // 1_000


def test_where_tokens_have_a_price_quality_and_size_need_none() -> None:
    harness = prepared(BY_TOKENS, pictures(1), model={"max_output_tokens": 100})
    asked(harness, "images", quality="high", size="3840x2160")
    assert harness.record.charge is not None


@pytest.mark.parametrize("members", [{"output_format": "svg"}, {"svg": {"model": "other"}}])
def test_what_a_second_model_draws_is_refused_by_name(members: dict[str, Any]) -> None:
    harness = prepared(BY_TOKENS, pictures(1))
    with pytest.raises(UnsupportedParameter) as refused:
        asked(harness, "images", **members)
    assert refused.value.param in members


def test_a_stream_of_pictures_keeps_its_end_until_the_charge_is_durable() -> None:
    usage = {"input_tokens": 10, "output_tokens": 900}
    events = (drawn("partial_image"), drawn("completed", usage=usage))
    harness = prepared(BY_TOKENS, streaming(*events), model={"max_output_tokens": 1_000})
    seen: list[int] = []
    client = FakeCallerConnection(body("images", stream=True))
    client.on_part = lambda data: seen.append(len(harness.ledger.records))
    run(harness.ask(client, "images"))
    assert seen == [0, 1]
    assert b"partial_image" in client.parts[0]
    assert b'"tollhouse":{"charge_usd":"0.03605"' in client.parts[1]
    assert harness.record.usage == Usage(input=10, image_out=900, images=1, requests=1)


def test_a_stream_of_pictures_that_breaks_never_looks_whole() -> None:
    harness = prepared({"per_image": "0.04"}, streaming(drawn("partial_image"), UpstreamBroke("it broke off")))
    client = asked(harness, "images", stream=True)
    assert client.broken_off
    assert b'"error"' in client.parts[-1]
    assert harness.record.ending == "failed_after_first_byte"
    assert harness.record.usage.images == 0


@pytest.mark.parametrize("stream", [False, True])
def test_pictures_come_in_the_form_that_was_asked_for(stream: bool) -> None:
    usage = {"input_tokens": 10, "output_tokens": 900}
    other = pictures(1, usage=usage) if stream else streaming(drawn("partial_image"), drawn("completed", usage=usage))
    harness = prepared(BY_TOKENS, other, model={"max_output_tokens": 1_000})
    client = asked(harness, "images", stream=stream)
    assert harness.record.usage == Usage(input=10, image_out=900, images=1, requests=1)
    if stream:
        assert b"event: image_generation.completed" in client.data
    else:
        assert json.loads(client.data)["data"] == [{"b64_json": "AAAA"}]


@pytest.mark.parametrize("told", [b'{"data":[]}', b'{"data":[{"b64_json":null}]}', b'{"data":7}', b'{"created":1}'])
def test_an_answer_without_a_picture_is_none(told: bytes) -> None:
    harness = prepared({"per_image": "0.04"}, buffered(told), second=FakeUpstream(pictures(1)))
    asked(harness, "images")
    assert [one.error for one in harness.record.attempts] == ["upstream_error", None]


# requests


@pytest.mark.parametrize(
    ("operation", "members", "param"),
    [
        ("images", {"prompt": ""}, "prompt"),
        ("images", {"prompt": 1}, "prompt"),
        ("images", {"n": 0}, "n"),
        ("images", {"stream": "yes"}, "stream"),
        ("images", {"quality": 1}, "quality"),
        ("speech", {"input": None}, "input"),
        ("speech", {"input": []}, "input"),
        ("speech", {"stream_format": "ws"}, "stream_format"),
        ("rerank", {"query": 1}, "query"),
        ("rerank", {"documents": "a"}, "documents"),
        ("rerank", {"return_documents": 1}, "return_documents"),
        ("rerank", {"model": ""}, "model"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(operation: Operation, members: dict[str, Any], param: str) -> None:
    harness = prepared(BY_TOKENS)
    with pytest.raises(BadRequest) as refused:
        asked(harness, operation, **members)
    assert refused.value.param == param
    assert not harness.first.calls


@pytest.mark.parametrize(
    ("operation", "price"),
    [("speech", {"per_image": "1"}), ("images", {"per_character": "1"}), ("rerank", {"per_second": "1"})],
)
def test_a_model_is_sold_only_by_units_that_the_call_uses(operation: Operation, price: dict[str, object]) -> None:
    harness = prepared(price)
    with pytest.raises(ModelNotPriced):
        asked(harness, operation)
    assert not harness.first.calls
