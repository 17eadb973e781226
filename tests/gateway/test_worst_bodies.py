"""Bodies of all members that six vendors document, for servers that read them as their vendor does and do the worst
they may: no balance ends below zero, and no call costs more than was held for it."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, FakeUpstreamResponse, ScriptedResponse
from tests.gateway.harness import NOTHING_STREAMS, GatewayHarness, run
from tollhouse.billing.price_list import PriceLists
from tollhouse.billing.prices import read_price
from tollhouse.core.failure import BadRequest, InsufficientQuota
from tollhouse.core.operation import Operation
from tollhouse.core.upstream import UpstreamRequest

CONTEXT, LONGEST, PICTURE = 80_000, 3_000, 48_169
PRICES = PriceLists(
    [
        read_price(
            {
                "input": "2.50",
                "cache_read": "0.10",
                "image_in": "3.00",
                "output": "10.00",
                "reasoning": "12.00",
                "service_tiers": {"priority": {"input": "5.00", "output": "20.00"}, "flex": {"input": "1.00"}},
            },
            id="price_1",
            model="house-1",
        )
    ]
)
TEXT = st.text(max_size=60)
CAP = st.one_of(st.none(), st.integers(1, 6_000))
FLAG = st.sampled_from([None, False, True])
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "format": "uri"}}}
PLAIN: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("temperature", "top_p", "presence_penalty", "frequency_penalty"), st.floats(0, 1)),
    **dict.fromkeys(("max_tokens", "max_completion_tokens", "max_output_tokens"), CAP),
    "n": st.sampled_from([None, 1, 2, 4]),
    "seed": st.integers(),
    "stop": TEXT,
    "user": TEXT,
    "store": FLAG,
    "tools": st.sampled_from([None, [], [TOOL], [TOOL, {"type": "web_search"}]]),
    "service_tier": st.sampled_from([None, "auto", "default", "flex", "priority", "Priority", "scale"]),
    "reasoning_effort": st.sampled_from(["low", "high"]),
    "response_format": st.sampled_from([{"type": "json_object"}, {"type": "text"}]),
    "parallel_tool_calls": FLAG,
    "metadata": st.dictionaries(TEXT, TEXT, max_size=2),
    "best_of": st.sampled_from([None, 1, 3]),
    "suffix": TEXT,
    "echo": FLAG,
    "instructions": TEXT,
    "dimensions": st.integers(1, 4_096),
}
SEARCHES: dict[str, st.SearchStrategy[Any]] = {
    "plugins": st.sampled_from([None, [], [{"id": "web", "max_results": 5}]]),
    "search_parameters": st.sampled_from([None, {"mode": "on"}]),
    "web_search_options": st.sampled_from([None, {}, {"search_context_size": "high"}]),
    "enable_search": FLAG,
    "search_options": st.sampled_from([None, {"forced_search": True}]),
    "previous_response_id": st.sampled_from([None, "resp_1"]),
    "conversation": st.sampled_from([None, {"id": "conv_1"}]),
    "enable_code_interpreter": FLAG,
}


class Vendor(Struct, frozen=True):
    """`caps`: names that its server reads, by operation. `own`: members that it documents beside the plain ones."""

    caps: Mapping[Operation, tuple[str, ...]]
    own: tuple[str, ...]
    kind: str = "openai_compatible"
    output_caps: tuple[str, ...] = ()


NEWER: Mapping[Operation, tuple[str, ...]] = {
    "chat": ("max_completion_tokens", "max_tokens"),
    "completions": ("max_tokens",),
}
OLDER: Mapping[Operation, tuple[str, ...]] = {"chat": ("max_tokens",), "completions": ("max_tokens",)}
VENDORS = {
    "OpenAI": Vendor(NEWER, ("web_search_options", "previous_response_id", "conversation", "prediction"), "openai"),
    "OpenRouter": Vendor(OLDER, ("plugins", "provider", "models", "transforms", "usage", "web_search_options")),
    "xAI": Vendor(NEWER, ("search_parameters", "deferred", "previous_response_id")),
    "DeepSeek": Vendor(OLDER, ("thinking", "frequency_penalty")),
    "Qwen": Vendor(
        OLDER,
        (
            *("enable_search", "search_options", "enable_thinking", "thinking_budget", "enable_code_interpreter"),
            *("top_k", "vl_high_resolution_images", "modalities"),
        ),
    ),
    "Mistral": Vendor(OLDER, ("safe_prompt", "random_seed", "prediction"), output_caps=("max_tokens",)),
}
OTHER: dict[str, st.SearchStrategy[Any]] = {
    "prediction": st.sampled_from([None, {"type": "content", "content": "x" * 400}]),
    "provider": st.sampled_from([None, {"sort": "price"}, {"zdr": True}]),
    "models": st.sampled_from([None, ["o1-pro"]]),
    "transforms": st.just(["middle-out"]),
    "usage": st.just({"include": True}),
    "deferred": st.sampled_from([None, False, True]),
    "thinking": st.sampled_from([{"type": "enabled"}, {"type": "disabled"}]),
    "enable_thinking": FLAG,
    "thinking_budget": st.sampled_from([None, 1, 500]),
    "top_k": st.integers(1, 50),
    "vl_high_resolution_images": FLAG,
    "modalities": st.sampled_from([["text"], ["text", "audio"]]),
    "safe_prompt": FLAG,
    "random_seed": st.integers(),
    **SEARCHES,
}
PARTS = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, TEXT),
    st.sampled_from(
        [
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "high"}},
            {"type": "image_url", "image_url": {"url": "https://x.example/1.png"}},
            {"type": "video", "video": ["https://x.example/1.jpg"]},
            {"type": "video_url", "video_url": {"url": "https://x.example/1.mp4"}},
            {"type": "document_url", "document_url": "https://x.example/1.pdf"},
            {"type": "file", "file": {"file_id": "file-1"}},
        ]
    ),
)
CONTENT = st.one_of(TEXT, st.lists(PARTS, min_size=1, max_size=3))
MESSAGES = st.lists(st.builds(lambda content: {"role": "user", "content": content}, CONTENT), min_size=1, max_size=3)
PROMPTS: dict[Operation, tuple[str, st.SearchStrategy[Any]]] = {
    "chat": (
        "messages",
        st.lists(st.builds(lambda c: {"role": "user", "content": c}, CONTENT), min_size=1, max_size=3),
    ),
    "completions": ("prompt", st.one_of(TEXT, st.lists(TEXT, min_size=1, max_size=3))),
    "responses": ("input", st.one_of(TEXT, st.just([{"type": "item_reference", "id": "msg_1"}]))),
    "embeddings": ("input", st.one_of(TEXT, st.lists(TEXT, min_size=1, max_size=3), st.lists(PARTS, min_size=1))),
}


class WorstUpstream(FakeUpstream):
    """Reads a body as its vendor does, and uses as much as that lets it."""

    def __init__(self, vendor: Vendor) -> None:
        super().__init__(ScriptedResponse())
        self.vendor = vendor

    async def send(self, call: UpstreamRequest) -> FakeUpstreamResponse:
        self.plays = [ScriptedResponse(headers=NOTHING_STREAMS, pieces=(self._answer(call),))]
        return await super().send(call)

    def _answer(self, call: UpstreamRequest) -> bytes:
        sent = {name: value for name, value in json.loads(call.body).items() if value is not None}
        operation: Operation = call.operation  # type: ignore[assignment]
        texts = _texts(sent.get("prompt", sent.get("input")) if operation in ("completions", "embeddings") else None)
        answers = texts * max(sent.get("n", 1), sent.get("best_of", 1))
        read = min(self._reads(sent, texts), CONTEXT * texts)
        written = 0 if operation == "embeddings" else self._writes(sent, operation) * answers
        if operation == "responses":
            usage = {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}
            message = {"type": "message", "content": [{"type": "output_text", "text": "hi"}]}
            return json.dumps(
                {"object": "response", "status": "completed", "output": [message], "usage": usage}
            ).encode()
        usage = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
        if operation == "embeddings":
            made = {"data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}
        else:
            said = {"text": "hi"} if operation == "completions" else {"message": {"role": "assistant", "content": "hi"}}
            made = {"choices": [{"index": 0, "finish_reason": "stop", **said}]}
        return json.dumps({"object": "list", **made, "usage": usage}).encode()

    def _reads(self, sent: dict[str, Any], texts: int) -> int:
        own = [name for name in (*SEARCHES, "safe_prompt") if name in self.vendor.own and sent.get(name) is not False]
        if any(name in sent for name in own) or any(tool["type"] != "function" for tool in sent.get("tools", ())):
            return CONTEXT
        size = sum(_size(sent.get(name)) for name in ("messages", "input", "prompt", "instructions", "tools"))
        return size + texts * _size(sent.get("suffix"))

    def _writes(self, sent: dict[str, Any], operation: Operation) -> int:
        names = self.vendor.caps.get(operation, ("max_output_tokens",))
        cap = min(max([sent[name] for name in names if name in sent], default=LONGEST), LONGEST)
        if "enable_thinking" in self.vendor.own and (sent.get("enable_thinking") or "thinking_budget" in sent):
            cap += sent.get("thinking_budget", LONGEST)
        if "prediction" in self.vendor.own and "prediction" in sent:
            cap += len(sent["prediction"]["content"])
        return cap + (_size(sent.get("prompt")) if sent.get("echo") else 0)


def _texts(prompt: object) -> int:
    return len(prompt) if isinstance(prompt, list) else 1


def _size(value: Any) -> int:
    """Tokens, of which each byte of a text may be one; what lies elsewhere fills the context."""
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, list):
        return sum(map(_size, value))
    if not isinstance(value, dict):
        return 0
    kind = value.get("type")
    if kind == "image_url":
        return PICTURE
    if kind in ("video", "video_url", "document_url", "file", "item_reference"):
        return CONTEXT
    return sum(_size(item) for name, item in value.items() if name != "type")


@st.composite
def calls(draw: st.DrawFn, vendor: Vendor) -> tuple[Operation, bytes]:
    operation = draw(st.sampled_from(list(PROMPTS)))
    name, prompt = PROMPTS[operation]
    known = {**PLAIN, **{one: OTHER.get(one, PLAIN.get(one)) for one in vendor.own}}
    chosen = draw(st.lists(st.sampled_from(sorted(known)), max_size=6, unique=True))
    body = {"model": "house-1", name: draw(prompt), **{one: draw(known[one]) for one in chosen}}  # type: ignore[arg-type]
    return operation, json.dumps(body).encode()


@pytest.mark.parametrize("name", VENDORS)
@settings(deadline=None, max_examples=30)
@given(st.data())
def test_no_body_costs_more_than_was_held_for_it(name: str, data: st.DataObject) -> None:
    vendor = VENDORS[name]
    asked = data.draw(st.lists(calls(vendor), min_size=1, max_size=4))
    money = data.draw(st.sampled_from([10**7, 10**8, 10**9, 10**10]))

    async def main() -> None:
        upstream = WorstUpstream(vendor)
        harness = GatewayHarness(
            first=upstream,
            second=upstream,
            model={"context_tokens": CONTEXT, "max_output_tokens": LONGEST},
            provider={"kind": vendor.kind, "output_caps": vendor.output_caps},
            money=money,
        )
        harness.gateway.prices = lambda: PRICES
        for operation, body in asked:
            before = len(harness.ledger.records)
            try:
                await harness.ask(FakeCallerConnection(body), operation)
            except (BadRequest, InsufficientQuota):
                continue
            charge = harness.ledger.records[before].charge
            assert charge is not None
            assert charge.overrun == 0, (body, upstream.calls[-1].body, harness.ledger.records[before].usage)
        assert harness.counter.spent <= money
        assert harness.counter.held == 0

    run(main())
