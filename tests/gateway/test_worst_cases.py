"""Whatever is sent, what it may cost is held before a provider sees it, or the call is refused: nobody ends in debt."""

import json
from typing import Any

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, identity
from tests.gateway.harness import LIVE, SEARCHED, GatewayHarness, answer, buffered, run
from tollhouse.billing.price_list import PriceLists
from tollhouse.billing.prices import read_price
from tollhouse.core.failure import BadRequest, InsufficientQuota, UnsupportedParameter
from tollhouse.core.operation import Operation
from tollhouse.formats import codecs
from tollhouse.gateway.hold import weigh
from tollhouse.gateway.read import read
from tollhouse.gateway.request_context import RequestContext

CONTEXT, LONGEST = 128_000, 16_384
MODEL = {"context_tokens": CONTEXT, "max_output_tokens": LONGEST}
IN, OUT = 2_500, 10_000  # nano-USD a token
USD = 10**9
PROMPTS: dict[Operation, dict[str, Any]] = {
    "chat": {"messages": [{"role": "user", "content": "hi"}]},
    "completions": {"prompt": "hi"},
    "responses": {"input": "hi"},
    "embeddings": {"input": "hi"},
}


def body(operation: Operation = "chat", **members: object) -> bytes:
    return json.dumps({"model": "house-1", **PROMPTS[operation], **members}).encode()


def priced(harness: GatewayHarness, written: dict[str, object]) -> GatewayHarness:
    lists = PriceLists([read_price(written, id="price_1", model="house-1")])
    harness.gateway.prices = lambda: lists
    return harness


async def bounds(harness: GatewayHarness, given: bytes, operation: Operation = "chat") -> tuple[int, int, int]:
    """Tokens in, tokens out, and nano-USD that a call would be held for."""
    call = harness.call(FakeCallerConnection(given), operation)
    codec = codecs()["openai", operation]
    context = RequestContext(call, identity(LIVE), codec, codec, codec, {})
    request = await read(harness.gateway, context)
    weighed = await weigh(harness.gateway, context, request, harness.gateway.catalogue.models["house-1"])
    assert weighed is not None
    return weighed.bounds.tokens_in, weighed.bounds.tokens_out, weighed.bounds.amount


SEARCHES: list[dict[str, object]] = [
    {"plugins": [{"id": "web"}]},
    {"search_parameters": {"mode": "on"}},
    {"web_search_options": {}},
    {"enable_search": True},
    {"previous_response_id": "resp_1"},
    {"session_id": "s"},
    {"conversation": "conv_1"},
    {"documents": [{"id": "d1"}]},
    {"tools": [{"type": "web_search"}]},
    {"tools": [{"type": "mcp", "server_url": "https://a.example"}]},
    {"mcp_servers": [{"url": "https://a.example"}]},
    {"container": "c1"},
    {"vector_store_ids": ["vs_1"]},
    {"file_ids": ["file-1"]},
    {"cached_content": "cachedContents/1"},
    {"never_heard_of": "web"},
]


@pytest.mark.parametrize("operation", PROMPTS)
@pytest.mark.parametrize("members", SEARCHES, ids=lambda members: next(iter(members)))
def test_what_makes_a_call_read_more_is_held_as_the_context(operation: Operation, members: dict[str, object]) -> None:
    """On /v1/responses `plugins` and its like were held as text: 20 calls on 0.01 USD ended at -4.99 USD."""

    async def main() -> None:
        harness = GatewayHarness(model=MODEL, money=10 * USD, prices=SEARCHED)
        assert (await bounds(harness, body(operation, **members), operation))[0] == CONTEXT
        if operation != "embeddings":
            each = await bounds(harness, body(operation, n=3, **members), operation)
            assert each[0] == 3 * CONTEXT, "each answer may search for itself"
        poor = GatewayHarness(
            first=FakeUpstream(*[buffered(answer(usage=usage(100_000, 10)))] * 20),
            model=MODEL,
            money=USD // 100,
            prices=SEARCHED,
        )
        for _ in range(20):
            with pytest.raises(InsufficientQuota):
                await poor.ask(FakeCallerConnection(body(operation, **members)), operation)
        assert not poor.first.calls
        assert poor.counter.spent == 0

    run(main())


def usage(prompt: int, completion: int, **more: object) -> dict[str, object]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion, **more}


def test_a_server_that_reads_only_the_other_cap_is_told_it() -> None:
    """It wrote 16,384 tokens on a hold for one: 20 calls on 0.05 USD ended at -3.23 USD."""

    async def main() -> None:
        harness = GatewayHarness(model=MODEL, money=USD // 20)
        await harness.ask(FakeCallerConnection(body(max_completion_tokens=1)))
        sent = json.loads(harness.first.calls[0].body)
        assert (sent["max_tokens"], sent["max_completion_tokens"]) == (1, 1)

    run(main())


def test_an_added_cap_is_sent_by_every_name() -> None:
    async def main() -> None:
        harness = GatewayHarness(model=MODEL, money=USD // 20)
        await harness.ask(FakeCallerConnection(body()))
        sent = json.loads(harness.first.calls[0].body)
        assert sent["max_tokens"] == sent["max_completion_tokens"] == 1024
        legacy = GatewayHarness(model=MODEL, money=USD // 20)
        await legacy.ask(FakeCallerConnection(body("completions")), "completions")
        sent = json.loads(legacy.first.calls[0].body)
        assert sent["max_tokens"] == 1024
        assert "max_completion_tokens" not in sent

    run(main())


@pytest.mark.parametrize(
    ("provider", "named", "sent"),
    [
        ({"kind": "openai"}, "max_tokens", {"max_tokens"}),
        ({"kind": "openai"}, "max_completion_tokens", {"max_completion_tokens"}),
        ({"kind": "openai"}, None, {"max_completion_tokens"}),
        ({"output_caps": ("max_tokens",)}, "max_completion_tokens", {"max_tokens"}),
        ({"output_caps": ("max_completion_tokens",)}, "max_tokens", {"max_completion_tokens"}),
        ({"output_caps": ("max_tokens",)}, None, {"max_tokens"}),
    ],
)
def test_servers_that_refuse_two_caps_are_told_one(
    provider: dict[str, object], named: str | None, sent: set[str]
) -> None:
    async def main() -> None:
        harness = GatewayHarness(model=MODEL, money=USD // 20, provider=provider)
        asked = body(**{named: 7}) if named else body()  # type: ignore[arg-type]
        await harness.ask(FakeCallerConnection(asked))
        told = json.loads(harness.first.calls[0].body)
        assert {name for name in told if name.endswith("_tokens")} == sent

    run(main())


@pytest.mark.parametrize(
    ("operation", "members", "tokens_out"),
    [
        ("chat", {"max_tokens": 10}, 10),
        ("chat", {"max_tokens": 10, "max_completion_tokens": 20}, 20),
        ("chat", {"max_tokens": 10, "max_output_tokens": 5_000}, 5_000),
        ("chat", {"max_tokens": 10, "max_new_tokens": 10**9}, LONGEST),
        ("chat", {"max_tokens": 10, "extra_body": {"max_tokens": 9}}, 10 + LONGEST),
        ("chat", {"max_tokens": 10, "generation_config": {"max_output_tokens": 9}}, 10 + LONGEST),
        ("chat", {"max_tokens": 10, "num_return_sequences": 4}, 40),
        ("chat", {"max_tokens": 10, "modalities": ["text", "image"]}, 10 + LONGEST),
        ("responses", {"max_output_tokens": 10, "max_tokens": 5_000}, 5_000),
        ("responses", {"max_output_tokens": 10, "enable_thinking": True}, 10 + LONGEST),
        ("completions", {"max_tokens": 10, "n": 2, "best_of": 3}, 30),
        ("completions", {"max_tokens": 10, "prompt": ["a", "b"], "best_of": 3}, 60),
        ("completions", {"max_tokens": 10, "prompt": "x" * 98, "echo": True}, 110),
        ("completions", {"max_tokens": 10, "n_predict": 400}, 400),
        ("embeddings", {"max_tokens": 10, "dimensions": 4_096}, 0),
    ],
)
def test_every_cap_and_count_that_somebody_may_read_is_held_for(
    operation: Operation, members: dict[str, object], tokens_out: int
) -> None:
    async def main() -> None:
        assert (await bounds(GatewayHarness(model=MODEL, money=10 * USD), body(operation, **members), operation))[
            1
        ] == tokens_out

    run(main())


LINKS: list[object] = [
    {"type": "video", "video": ["https://f.example/1.jpg", "https://f.example/2.jpg"]},
    {"type": "document_url", "document_url": "https://f.example/a.pdf"},
    {"type": "document", "source": {"type": "url", "url": "https://f.example/a.pdf"}},
    {"fileData": {"fileUri": "gs://bucket/a.mp4"}},
    {"type": "file", "file": {"file_uri": "https://f.example/a.mp4"}},
]


@pytest.mark.parametrize("part", LINKS, ids=lambda part: json.dumps(part)[:40])
def test_a_link_inside_a_part_is_held_as_the_context(part: object) -> None:
    async def main() -> None:
        asked = body(messages=[{"role": "user", "content": [{"type": "text", "text": "what?"}, part]}], max_tokens=5)
        assert (await bounds(GatewayHarness(model=MODEL, money=10 * USD), asked))[0] == CONTEXT
        poor = GatewayHarness(model=MODEL, money=USD // 20)
        with pytest.raises(InsufficientQuota):
            await poor.ask(FakeCallerConnection(asked))
        assert not poor.first.calls

    run(main())


SOUND = {"type": "input_audio", "input_audio": {"format": "wav", "data": "A" * 3_000}}
BY_SECOND: dict[str, object] = {"input": "2.50", "output": "10.00", "per_second": "0.0001"}


def test_seconds_of_sound_are_held_or_the_call_is_refused() -> None:
    """3 KB of sound were reported as 30,000 s, and 0.05 USD ended at -2.95 USD in one call."""

    async def main() -> None:
        asked = body(messages=[{"role": "user", "content": [SOUND]}], max_tokens=5)
        told = buffered(answer(usage=usage(60, 5, prompt_audio_seconds=30_000)))
        poor = priced(GatewayHarness(first=FakeUpstream(told), model=MODEL, money=USD // 20), BY_SECOND)
        with pytest.raises(InsufficientQuota):
            await poor.ask(FakeCallerConnection(asked))
        assert not poor.first.calls
        rich = priced(GatewayHarness(first=FakeUpstream(told), model=MODEL, money=20 * USD), BY_SECOND)
        await rich.ask(FakeCallerConnection(asked))
        charge = rich.record.charge
        assert charge is not None
        assert (rich.record.usage.seconds, charge.overrun) == (30_000, 0)
        assert charge.amount >= 3 * USD

    run(main())


def test_each_unit_that_a_price_names_is_held() -> None:
    async def main() -> None:
        picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
        asked = body(messages=[{"role": "user", "content": [picture, picture]}], max_tokens=5, n=3)
        plain = await bounds(priced(GatewayHarness(model=MODEL), {"input": "2.50", "output": "10.00"}), asked)
        units = {"per_image": "0.01", "per_character": "0.000001", "per_request": "0.02", "per_second": "0.0001"}
        held = await bounds(priced(GatewayHarness(model=MODEL), {"input": "2.50", "output": "10.00", **units}), asked)
        size = len(asked) - 2 * len('"data:image/png;base64,AAAA"')
        assert held[2] - plain[2] == 5 * USD // 100 + size * 1_000 + 2 * USD // 100

    run(main())


@pytest.mark.parametrize("dear", ["audio_in", "image_in", "cache_write_1h"])
def test_the_dearest_bucket_that_an_input_may_fall_into_is_held(dear: str) -> None:
    async def main() -> None:
        price: dict[str, object] = {"input": "2.50", "output": "10.00", dear: "40.00"}
        tokens_in, tokens_out, amount = await bounds(priced(GatewayHarness(model=MODEL), price), body(max_tokens=5))
        assert amount == tokens_in * 40_000 + tokens_out * OUT

    run(main())


PRIORITY: dict[str, object] = {
    "input": "2.50",
    "output": "10.00",
    "service_tiers": {"priority": {"input": "4.25", "output": "17.00"}},
}


@pytest.mark.parametrize("operation", PROMPTS)
@pytest.mark.parametrize(
    "members", [{"service_tier": "priority"}, {"speed": "fast"}, {"inference_geo": "us"}, {"priority": 9}]
)
def test_a_tier_without_a_price_is_refused(operation: Operation, members: dict[str, object]) -> None:
    async def main() -> None:
        for model in (MODEL, {**MODEL, "free": True}):
            harness = GatewayHarness(model=model, money=10 * USD)
            with pytest.raises(UnsupportedParameter) as caught:
                await harness.ask(FakeCallerConnection(body(operation, **members)), operation)
            assert caught.value.param == next(iter(members))
            assert not harness.first.calls

    run(main())


def test_a_tier_with_a_price_is_held_charged_and_named() -> None:
    async def main() -> None:
        harness = priced(GatewayHarness(model=MODEL, money=10 * USD), PRIORITY)
        asked = body(service_tier="priority", max_tokens=12)
        assert (await bounds(harness, asked))[2] == len(asked) * 4_250 + 12 * 17_000
        await harness.ask(FakeCallerConnection(asked))
        charge = harness.record.charge
        assert charge is not None
        assert (charge.price_id, charge.amount) == ("price_1:priority", 60 * 4_250 + 12 * 17_000)
        assert json.loads(harness.first.calls[0].body)["service_tier"] == "priority"
        assert harness.gateway.prices().again(charge, harness.record.usage) == charge.amount
        with pytest.raises(UnsupportedParameter, match="flex"):
            await harness.ask(FakeCallerConnection(body(service_tier="flex")))

    run(main())


@pytest.mark.parametrize("tier", ["auto", "default", "standard", "Default", None])
def test_the_plain_tiers_pass_at_the_plain_price(tier: str | None) -> None:
    async def main() -> None:
        harness = priced(GatewayHarness(model=MODEL, money=10 * USD), PRIORITY)
        await harness.ask(FakeCallerConnection(body(service_tier=tier)))
        charge = harness.record.charge
        assert charge is not None
        assert (charge.price_id, charge.amount) == ("price_1", 60 * IN + 12 * OUT)

    run(main())


def test_a_prompt_that_is_only_to_be_scored_is_refused() -> None:
    async def main() -> None:
        harness = GatewayHarness(model=MODEL)
        with pytest.raises(BadRequest) as caught:
            await harness.ask(FakeCallerConnection(body("completions", max_tokens=0, logprobs=1)), "completions")
        assert caught.value.param == "max_tokens"

    run(main())


def test_embeddings_of_pictures_are_answered_and_charged_by_their_report() -> None:
    async def main() -> None:
        vector = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}
        told = json.dumps({**vector, "usage": {"prompt_tokens": 640, "total_tokens": 640}}).encode()
        for given in (
            [{"image": "data:image/png;base64,AAAA"}],
            {"text": "a gate", "image": "https://x.example/1.png"},
        ):
            harness = GatewayHarness(first=FakeUpstream(buffered(told)), model=MODEL, money=10 * USD)
            client = FakeCallerConnection(body("embeddings", input=given))
            await harness.ask(client, "embeddings")
            assert client.status == 200
            assert json.loads(harness.first.calls[0].body)["input"] == given
            assert harness.record.charge is not None
            assert (harness.record.charge.amount, harness.record.charge.overrun) == (640 * IN, 0)

    run(main())
