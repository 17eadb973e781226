"""What a provider runs for a call, and bills beside tokens, is sold by a price, left out, or refused; and is charged as
it was used, whole, streamed and broken off."""

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, identity
from tests.gateway.harness import GATEWAY_1, LIVE, SEARCHED, GatewayHarness, buffered, run, streaming
from tollhouse.billing.price_list import PriceLists
from tollhouse.billing.prices import read_price
from tollhouse.core.failure import Failure, InsufficientQuota, UnsupportedParameter
from tollhouse.core.usage import Usage
from tollhouse.gateway.connection import ClientDisconnected
from tollhouse.gateway.explain import explain

OWN = {"type": "function", "name": "look", "parameters": {}}
SEARCH, PYTHON = {"type": "web_search"}, {"type": "code_interpreter", "container": {"type": "auto"}}
ITEM = {"type": "web_search_call", "id": "ws", "status": "completed", "action": {"type": "search", "query": "a"}}
SAID = {"id": "m", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "one two"}]}
REPORT = {"input_tokens": 60, "output_tokens": 12, "total_tokens": 72}
TOKENS = 60 * 2_500 + 12 * 10_000  # nano-USD
A_SEARCH = 10_000_000
CONTEXT = 1_000
MODEL = {"context_tokens": CONTEXT, "max_output_tokens": 100}


def sold(**more: Any) -> PriceLists:
    return PriceLists([read_price({**GATEWAY_1, **more}, id="price_1", model="house-1")])


BY_SEARCH = sold(per_search="0.01")


def response(*items: dict[str, Any], usage: dict[str, Any] | None = REPORT, **more: Any) -> dict[str, Any]:
    return {"id": "r", "object": "response", "status": "completed", "output": [*items, SAID], "usage": usage, **more}


def events(*items: dict[str, Any], ends: bool = True) -> list[bytes]:
    done: list[dict[str, Any]] = [
        {"type": "response.output_item.done", "output_index": at, "item": item}
        for at, item in enumerate([*items, SAID])
    ]
    last: list[dict[str, Any]] = (
        [{"type": "response.completed", "response": {**response(), "output": []}}] if ends else []
    )
    made: list[dict[str, Any]] = [
        {"type": "response.created", "response": {"id": "r", "status": "in_progress"}},
        *done,
        *last,
    ]
    return [f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in made]


def asking(*tools: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"model": "house-1", "input": "one", "max_output_tokens": 100, "tools": tools, **more}).encode()


def answered(prices: PriceLists, body: bytes, play: Any, **harness: Any) -> tuple[GatewayHarness, FakeCallerConnection]:
    made = GatewayHarness(first=FakeUpstream(play), prices=prices, **{"model": MODEL, "money": 10**10, **harness})
    caller = FakeCallerConnection(body)
    run(made.ask(caller, "responses"))
    return made, caller


def charged(made: GatewayHarness) -> int:
    assert made.record.charge is not None
    return made.record.charge.amount


WHOLE = buffered(json.dumps(response(ITEM, ITEM)).encode())


@pytest.mark.parametrize("streams", [True, False])
@pytest.mark.parametrize("stream", [True, False])
def test_searches_are_held_for_and_charged_by_their_number(stream: bool, streams: bool) -> None:
    play = streaming(*events(ITEM, ITEM)) if streams else WHOLE
    made, _ = answered(BY_SEARCH, asking(SEARCH, stream=stream), play)
    assert made.record.usage == Usage(input=60, output=12, requests=1, searches=2)
    assert charged(made) == TOKENS + 2 * A_SEARCH
    assert made.record.charge is not None
    assert made.record.charge.held == CONTEXT * 2_500 + 100 * 10_000 + 10 * A_SEARCH
    assert made.record.charge.overrun == 0


@pytest.mark.parametrize("stream", [True, False])
def test_a_search_that_is_offered_and_not_run_costs_nothing(stream: bool) -> None:
    play = streaming(*events()) if stream else buffered(json.dumps(response()).encode())
    assert charged(answered(BY_SEARCH, asking(SEARCH, stream=stream), play)[0]) == TOKENS


def test_who_cannot_pay_for_the_searches_is_not_let_in() -> None:
    enough = CONTEXT * 2_500 + 100 * 10_000 + 3 * A_SEARCH
    for money, tools in ((enough - 1, InsufficientQuota), (enough, type(None))):
        made = GatewayHarness(first=FakeUpstream(WHOLE), prices=BY_SEARCH, model=MODEL, money=money)
        failure: Failure | None = None
        try:
            run(made.ask(FakeCallerConnection(asking(SEARCH, max_tool_calls=3)), "responses"))
        except Failure as refused:
            failure = refused
        assert isinstance(failure, tools)


@pytest.mark.parametrize("leaves", [True, False])
def test_searches_of_a_stream_that_breaks_off_are_charged(leaves: bool) -> None:
    client = FakeCallerConnection(asking(SEARCH, stream=True))
    ends = (client.leave,) if leaves else ()
    made = GatewayHarness(
        first=FakeUpstream(streaming(*events(ITEM, ends=False), *ends)), prices=BY_SEARCH, model=MODEL, money=10**10
    )
    with suppress(ClientDisconnected):
        run(made.ask(client, "responses"))
    assert (made.record.usage_source, made.record.usage.searches) == ("counted", 1)
    assert charged(made) > A_SEARCH


@pytest.mark.parametrize(
    ("nonsense", "searches"),
    [
        (response(ITEM, tool_usage={"web_search": {"num_requests": 10**9}}), 1),
        (response(*[ITEM] * 1_002), 1_000),
    ],
)
def test_a_figure_that_no_answer_needs_is_not_believed(nonsense: dict[str, Any], searches: int) -> None:
    made, _ = answered(BY_SEARCH, asking(SEARCH), buffered(json.dumps(nonsense).encode()))
    assert charged(made) == TOKENS + searches * A_SEARCH


def test_a_maximum_bounds_searches_too() -> None:
    most = CONTEXT * 2_500 + 100 * 10_000 + A_SEARCH
    made = GatewayHarness(first=FakeUpstream(WHOLE), prices=BY_SEARCH, model=MODEL, money=10**10)
    headers = [(b"x-tollhouse-max-cost-usd", f"0.{most:09d}".encode())]
    run(made.ask(FakeCallerConnection(asking(SEARCH, max_tool_calls=1)), "responses", headers=headers))
    assert made.record.usage.searches == 1
    assert charged(made) <= most


@pytest.mark.parametrize("free", [True, False])
@pytest.mark.parametrize("tool", [SEARCH, PYTHON, {"type": "image_generation"}], ids=lambda tool: tool["type"])
def test_agents_offer_tools_without_a_price_and_are_answered_without_them(tool: dict[str, Any], free: bool) -> None:
    """Codex offers a search in each call, whether its user wants it or not."""
    model = {**MODEL, "free": True} if free else MODEL
    body = asking(OWN, tool, tool_choice="auto")
    made, caller = answered(sold(), body, buffered(json.dumps(response()).encode()), model=model)
    assert json.loads(made.first.calls[0].body)["tools"] == [OWN]
    assert (b"x-tollhouse-dropped", b"tools[1]") in caller.headers
    assert made.record.dropped == "tools[1]"
    assert charged(made) == (0 if free else TOKENS)
    assert made.record.charge is not None
    assert made.record.charge.held == (0 if free else len(body) * 2_500 + 100 * 10_000)


def test_what_else_the_provider_runs_is_still_held_for() -> None:
    body = asking(OWN, SEARCH, {"type": "mcp", "server_label": "a", "server_url": "https://a.example"})
    made, _ = answered(sold(), body, buffered(json.dumps(response()).encode()))
    assert made.record.dropped == "tools[1]"
    assert made.record.charge is not None
    assert made.record.charge.held == CONTEXT * 2_500 + 100 * 10_000


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (asking(SEARCH), "tools[0]"),
        (asking(OWN, SEARCH, tool_choice={"type": "web_search"}), "tools[1]"),
        (asking(PYTHON), "tools[0]"),
        (asking(plugins=[{"id": "web"}]), "plugins"),
    ],
)
@pytest.mark.parametrize("free", [True, False])
def test_what_has_no_price_and_is_asked_for_alone_is_refused(body: bytes, param: str, free: bool) -> None:
    made = GatewayHarness(model={**MODEL, "free": free}, money=10**10)
    with pytest.raises(UnsupportedParameter) as refused:
        run(made.ask(FakeCallerConnection(body), "responses"))
    assert refused.value.param == param
    assert "no price for that here" in str(refused.value)
    assert not made.first.calls
    assert made.counter.held == made.counter.spent == 0


@pytest.mark.parametrize(
    ("price", "tools", "charge"),
    [
        ({"per_request": "0.02"}, [SEARCH], TOKENS + 20_000_000),
        ({"service_tiers": {"web_search": {**GATEWAY_1, "per_request": "0.03"}}}, [SEARCH], TOKENS + 30_000_000),
        ({"service_tiers": {"code_interpreter": {**GATEWAY_1, "per_request": "0.03"}}}, [PYTHON], TOKENS + 30_000_000),
        (
            {"per_search": "0.01", "service_tiers": {"code_interpreter": {**GATEWAY_1, "per_request": "0.03"}}},
            [SEARCH, PYTHON],
            TOKENS + 30_000_000 + 2 * A_SEARCH,
        ),
    ],
)
def test_a_tool_is_sold_by_its_name_by_the_request_or_by_the_search(
    price: dict[str, Any], tools: list[dict[str, Any]], charge: int
) -> None:
    assert charged(answered(sold(**price), asking(*tools), WHOLE)[0]) == charge


def test_a_call_pays_one_price() -> None:
    tiers = {name: {**GATEWAY_1, "per_request": "0.03"} for name in ("code_interpreter", "image_generation")}
    made = GatewayHarness(prices=sold(service_tiers=tiers), model=MODEL, money=10**10)
    with pytest.raises(UnsupportedParameter) as refused:
        run(made.ask(FakeCallerConnection(asking(PYTHON, {"type": "image_generation"})), "responses"))
    assert refused.value.param == "tools[1]"


def test_a_search_by_a_member_is_paid_where_nobody_reports_it() -> None:
    """OpenAI's search models search in each call, and say nothing of it."""
    chat = {"model": "house-1", "messages": [{"role": "user", "content": "one"}], "web_search_options": {}}
    made = GatewayHarness(prices=BY_SEARCH, model=MODEL, money=10**10)
    run(made.ask(FakeCallerConnection(json.dumps(chat).encode())))
    assert made.record.usage.searches == 1


def test_tools_of_more_than_a_turn_are_left_out_aside() -> None:
    large = {**OWN, "description": "a" * 70_000}
    made, caller = answered(sold(), asking(large, SEARCH), buffered(json.dumps(response()).encode()))
    assert len(json.loads(made.first.calls[0].body)["tools"]) == 1
    assert (b"x-tollhouse-dropped", b"tools[1]") in caller.headers


def test_an_explanation_says_the_same() -> None:
    made = GatewayHarness(model=MODEL, money=10**10)
    found = asyncio.run(explain(made.gateway, identity(LIVE), "responses", [], asking(SEARCH)))
    assert isinstance(found.failure, UnsupportedParameter)
    made = GatewayHarness(model=MODEL, money=10**10, prices=SEARCHED)
    assert asyncio.run(explain(made.gateway, identity(LIVE), "responses", [], asking(SEARCH))).failure is None
