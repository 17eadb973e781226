"""Members that are not among the harmless ones: what each can do to the cost of a call, by whatever name."""

import json
from typing import Any

import pytest

from tollhouse.core.failure import BadRequest, UnsupportedParameter
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.operation import Operation
from tollhouse.formats.openai.request import read
from tollhouse.formats.openai.request import write as write_in_pieces

MESSAGES = [{"role": "user", "content": "hi"}]


def write(request: ModelRequest, **how: Any) -> bytes:
    return b"".join(write_in_pieces(request, **how))


def chat(**members: object) -> bytes:
    return json.dumps({"model": "m", "messages": MESSAGES, **members}).encode()


BOTH = ("max_tokens", "max_completion_tokens")


@pytest.mark.parametrize(
    ("named", "caps", "others", "sent"),
    [
        ({"max_completion_tokens": 7}, BOTH, True, {"max_completion_tokens": 7, "max_tokens": 7}),
        ({"max_tokens": 7}, BOTH, True, {"max_completion_tokens": 7, "max_tokens": 7}),
        ({"max_tokens": 9, "max_completion_tokens": 7}, BOTH, True, {"max_completion_tokens": 7, "max_tokens": 7}),
        ({"max_tokens": 7, "max_completion_tokens": None}, BOTH, True, {"max_completion_tokens": 7, "max_tokens": 7}),
        ({"max_tokens": 7}, ("max_completion_tokens",), True, {"max_tokens": 7}),
        ({"max_tokens": 7}, ("max_completion_tokens",), False, {"max_completion_tokens": 7}),
        ({"max_completion_tokens": 7}, ("max_tokens",), False, {"max_tokens": 7}),
        ({}, BOTH, True, {}),
    ],
)
def test_a_cap_is_sent_by_every_name_that_may_be_read(
    named: dict[str, object], caps: tuple[str, ...], others: bool, sent: dict[str, int]
) -> None:
    request = read("chat", chat(**named))
    body = json.loads(write(request, model="m", stream=False, include_usage=False, caps=caps, others=others))
    assert {name: cap for name, cap in body.items() if name in BOTH} == sent


@pytest.mark.parametrize("cap", [0, -1, 1.5, "7", True, [7]])
@pytest.mark.parametrize("name", ["max_tokens", "max_output_tokens", "max_new_tokens", "maxOutputTokens", "n_predict"])
def test_a_cap_by_any_name_is_an_integer_of_at_least_one(name: str, cap: object) -> None:
    for operation, body in (("chat", chat()), ("completions", b'{"model":"m","prompt":"hi"}')):
        with pytest.raises(BadRequest) as caught:
            read(operation, json.dumps({**json.loads(body), name: cap}).encode())  # type: ignore[arg-type]
        assert caught.value.param == name


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("chat", {"max_output_tokens": 900}),
        ("chat", {"max_new_tokens": 900, "maxLength": 3}),
        ("responses", {"max_tokens": 900}),
        ("completions", {"num_predict": 900}),
    ],
)
def test_a_cap_that_nobody_is_trusted_to_read_bounds_nothing_and_is_held_for(
    operation: Operation, members: dict[str, object]
) -> None:
    prompts: dict[str, dict[str, object]] = {
        "chat": {"messages": MESSAGES},
        "responses": {"input": "hi"},
        "completions": {"prompt": "hi"},
    }
    given = prompts[operation]
    request = read(operation, json.dumps({"model": "m", **given, **members}).encode())
    assert (request.output_cap, request.other_cap) == (None, 900)


@pytest.mark.parametrize("name", ["best_of", "num_return_sequences", "candidateCount", "beam_width"])
def test_answers_are_counted_by_any_name(name: str) -> None:
    assert read("chat", chat(**{name: 8})).n == 8
    assert read("chat", chat(extra_body={"inner": [{name: 8}]})).n == 8
    assert read("responses", json.dumps({"model": "m", "input": "x", name: 8}).encode()).n == 8


@pytest.mark.parametrize(
    "members",
    [
        {"a_new_search": True},
        {"x": 1},
        {"x": "y"},
        {"x": {}},
        {"extra_body": {"max_tokens": 9}},
        {"chat_template": "{% for i in range(99999) %}long{% endfor %}"},
        {"reasoning": {"effort": "low", "samples": 9}},
    ],
)
def test_a_member_that_nobody_documents_may_read_and_write_more(members: dict[str, object]) -> None:
    request = read("chat", chat(max_tokens=5, **members))
    assert request.reads_more or request.thinks_beside
    if not {"chat_template", "reasoning"} & members.keys():
        assert request.reads_more
        assert request.thinks_beside


@pytest.mark.parametrize("off", [None, False])
def test_what_is_off_costs_nothing(off: object) -> None:
    request = read("chat", chat(a_new_search=off, plugins=off, enable_search=off, extra_body=off))
    assert (request.reads_more, request.thinks_beside, request.tier) == (False, False, "")


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("chat", chat(deferred=True)),
        ("chat", chat(background=True)),
        ("responses", b'{"model":"m","input":"x","background":"yes"}'),
    ],
)
def test_no_answer_is_fetched_later(operation: Operation, body: bytes) -> None:
    """The provider bills it, and nobody here would ever read what it used."""
    with pytest.raises(UnsupportedParameter):
        read(operation, body)


@pytest.mark.parametrize(
    ("members", "tier"),
    [
        ({"service_tier": "priority"}, "priority"),
        ({"service_tier": "Priority"}, "priority"),
        ({"service_tier": {"name": "priority"}}, "servicetier"),
        ({"service_tier": 7}, "servicetier"),
        ({"speed": "fast"}, "fast"),
        ({"inference_geo": "us"}, "us"),
        ({"priority": 5}, "priority"),
        ({"priority": -1}, "priority"),
        ({"batch": True}, "batch"),
        ({"performanceConfig": {"latency": "optimized"}}, "performanceconfig"),
        ({"service_tier": "auto"}, ""),
        ({"service_tier": "DEFAULT"}, ""),
        ({"service_tier": "standard"}, ""),
        ({"service_tier": None, "speed": "standard", "priority": 0, "batch": False}, ""),
    ],
)
def test_what_changes_the_bill_is_known(members: dict[str, object], tier: str) -> None:
    request = read("chat", chat(**members))
    assert request.tier == tier
    assert request.tier_param == ("" if not tier else next(iter(members)))


@pytest.mark.parametrize(
    "members",
    [
        {"serviceTier": "priority"},
        {"Service_Tier": "priority"},
        {"SERVICE-TIER": "flex"},
        {"extra_body": {"service_tier": "priority"}},
        {"providerOptions": {"openai": {"serviceTier": "priority"}}},
        {"generation_config": [{"speed": "fast"}]},
        {"service_tier": "flex", "speed": "fast"},
    ],
)
def test_no_spelling_and_no_envelope_hides_a_tier(members: dict[str, object]) -> None:
    with pytest.raises(BadRequest):
        read("chat", chat(**members))


@pytest.mark.parametrize("name", ["extra_body", "litellm_params", "plugins"])
def test_no_envelope_hides_another_model(name: str) -> None:
    for inner in ({"models": ["o1-pro"]}, {"deep": [{"fallbackModels": ["a"]}]}, {"analysis_models": ["a"]}):
        request = read("chat", chat(**{name: inner}))
        assert request.dropped == (name,)
        assert name not in request.members


@pytest.mark.parametrize("name", ["fallback_model", "backupModels", "safety_model", "model_id", "engine", "models"])
def test_no_name_of_a_member_hides_another_model(name: str) -> None:
    request = read("chat", chat(**{name: "o1-pro"}))
    assert request.dropped == (name.casefold(),)
    assert name not in request.members


@pytest.mark.parametrize("name", ["chat_template_kwargs", "audio", "usage", "cache_control", "reasoning"])
def test_what_is_not_known_within_a_known_member_is_held_for(name: str) -> None:
    assert read("chat", chat(**{name: {"enable_search": True}})).thinks_beside
    assert not read("chat", chat(**{name: {"enable_search": False, "x": None}})).thinks_beside


@pytest.mark.parametrize(
    ("given", "texts"),
    [
        (
            [
                {"type": "text", "text": "a gate"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,A"}},
            ],
            2,
        ),
        ([{"image": "data:image/png;base64,AAAA"}], 1),
        ({"text": "a gate", "image": "data:image/png;base64,AAAA"}, 1),
        (["a gate", {"image": "https://x.example/1.png"}], 2),
    ],
)
def test_embeddings_of_media_reach_the_provider_as_they_came(given: object, texts: int) -> None:
    body = json.dumps({"model": "m", "input": given}).encode()
    request = read("embeddings", body)
    assert request.prompts == texts
    assert json.loads(write(request, model="m", stream=False, include_usage=False))["input"] == given


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"sort": "throughput"}, None),
        ({"order": ["dear"], "data_collection": "deny"}, {"data_collection": "deny"}),
        ("dear", None),
        ({}, None),
    ],
)
def test_the_choice_among_dearer_servers_is_the_operators(given: object, kept: object) -> None:
    request = read("chat", chat(provider=given))
    assert request.dropped == ("provider",)
    sent = json.loads(write(request, model="m", stream=False, include_usage=False))
    assert sent.get("provider") == kept
    assert (request.tier, request.reads_more) == ("", False)


def test_what_a_server_may_do_with_the_text_passes() -> None:
    request = read("chat", chat(provider={"data_collection": "deny", "zdr": True}))
    assert request.dropped == ()
    assert json.loads(bytes(request.members["provider"])) == {"data_collection": "deny", "zdr": True}
