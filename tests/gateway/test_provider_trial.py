"""`providers check`: what an answer to the question for models says of address and key."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.admin.destinations import Answering, destination
from tests.gateway.fakes import NOW_MS
from tests.providers.toy_folder import toy_kinds
from tollhouse.core.catalogue import Provider
from tollhouse.core.upstream import Deadlines, Headers, UpstreamRoute
from tollhouse.gateway.destination import Destination
from tollhouse.gateway.provider_trial import trials
from tollhouse.providers.credentials import FetchedResponse, tokens_of


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_red_with_the_address_to_write_and_is_not_followed(status: int) -> None:
    upstream = Answering(status, [(b"location", b"https://h.example/v1/models")])
    provider = Provider(id="main", kind="openai_compatible", base_url="http://h.example/v1", api_keys=("env:KEY",))
    (found,) = asyncio.run(trials(destination(provider, ("sk-test-1",), upstream), NOW_MS))
    assert (found.state, f"HTTP {status}" in found.reason) == ("red", True)
    assert found.cure.startswith('write base_url = "https://h.example/v1"')
    assert [call.target for call in upstream.asked] == [b"/v1/models"]


@pytest.mark.parametrize(
    ("kind", "status", "body", "state", "reason"),
    [
        ("openai", 200, {"data": [{"id": "a"}, {"id": "b"}]}, "green", "answers, 2 models"),
        ("gemini", 200, {"models": [{"name": "models/a"}]}, "green", "answers, 1 models"),
        ("anthropic", 200, {"data": []}, "green", "answers, 0 models"),
        ("vllm", 200, [], "green", "answers"),
        ("vllm", 200, None, "red", "what answers is no service of vLLM: no JSON"),
        ("openai", 401, {}, "red", "the provider refuses the key (HTTP 401)"),
        ("openai", 403, {}, "red", "the provider refuses the key (HTTP 403)"),
        (
            "gemini",
            400,
            {"error": {"status": "INVALID_ARGUMENT", "message": "x", "details": [{"reason": "API_KEY_INVALID"}]}},
            "red",
            "the provider refuses the key (HTTP 400)",
        ),
        (
            "openai",
            429,
            {"error": {"type": "insufficient_quota", "code": "insufficient_quota", "message": "x"}},
            "red",
            "the account of this key is out of credit (HTTP 429)",
        ),
        ("deepseek", 402, {"error": {"message": "Insufficient Balance"}}, "red", "out of credit (HTTP 402)"),
        ("openai", 429, {}, "green", "saturated now (HTTP 429)"),
        ("openai", 404, {}, "red", "no list of models at this address (HTTP 404)"),
        ("openai", 500, {}, "red", "the provider answers HTTP 500"),
    ],
)
def test_an_answer_is_read_as_its_kind_writes_it(kind: str, status: int, body: object, state: str, reason: str) -> None:
    text = b"<html>" if body is None else json.dumps(body).encode()
    provider = Provider(id="main", kind=kind, base_url="http://h.example/v1", api_keys=("env:KEY",))
    at = destination(provider, ("sk-test-1",), Answering(status, [], text))
    (found,) = asyncio.run(trials(at, NOW_MS))
    assert (found.state, found.reason.endswith(reason)) == (state, True), found.reason


@pytest.mark.parametrize(
    ("kind", "listed", "reason"),
    [
        ("openai", {"data": [{"id": "model-1"}, {"id": "b"}]}, "answers, 2 models"),
        (
            "openai",
            {"data": [{"id": "model-11"}]},
            "answers, 1 models; not among them: model-1 (the nearest is model-11)",
        ),
        ("openai", {"data": [{}]}, "answers, 0 models"),
        ("gemini", {"models": [{"name": "models/xy"}]}, "answers, 1 models; not among them: model-1"),
        ("gemini", {"models": [{"name": "models/model-1"}]}, "answers, 1 models"),
        ("gemini", {"models": [{"name": "models/xy"}], "nextPageToken": "t"}, "answers, 1 models"),
        ("anthropic", {"data": [{"id": "xy"}], "has_more": True}, "answers, 1 models"),
    ],
)
def test_models_that_are_offered_and_not_listed_are_named(kind: str, listed: object, reason: str) -> None:
    provider = Provider(id="main", kind=kind, base_url="http://h.example/v1", api_keys=("env:KEY",))
    at = destination(provider, ("sk-test-1",), Answering(200, [], json.dumps(listed).encode()))
    (found,) = asyncio.run(trials(at, NOW_MS, {"model-1"}))
    assert (found.state, found.reason) == ("green", reason)
    assert bool(found.cure) == ("not among" in reason)


def test_a_refused_key_of_another_vendor_is_told_as_such() -> None:
    provider = Provider(id="main", kind="anthropic", api_keys=("env:KEY",))
    (found,) = asyncio.run(trials(destination(provider, ("sk-proj-1",), Answering(401, [], b"{}")), NOW_MS))
    assert found.reason == "the provider refuses the key (HTTP 401): it begins as a key of OpenAI does"


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        (200, "not_run", "the key is good for a token; "),
        (400, "red", "The provider refused this platform's credentials."),
    ],
)
def test_without_a_list_of_models_a_key_that_gets_tokens_gets_one(status: int, state: str, reason: str) -> None:
    async def fetch(method: bytes, url: str, headers: Headers, body: bytes) -> FetchedResponse:
        return FetchedResponse(status, [], b'{"access_token":"token-1","expires_in":3599}')

    provider = Provider(id="main", kind="vertex", base_url="http://h.example")
    upstream = Answering(200, [])
    without = destination(provider, (), upstream)
    at = Destination(
        provider,
        without.kind,
        upstream,
        without.route,
        "",
        (),
        Deadlines(),
        (),
        tokens_of(without.kind.refresh, provider, (), fetch),
    )
    (found,) = asyncio.run(trials(at, NOW_MS))
    assert (found.state, found.reason.startswith(reason), upstream.asked) == (state, True, []), found.reason


def test_a_kind_of_which_nothing_can_be_asked_is_not_run() -> None:
    provider = Provider(id="main", kind="jina", base_url="http://h.example/v1", api_keys=("env:KEY",))
    upstream = Answering(200, [])
    (found,) = asyncio.run(trials(destination(provider, ("key-1",), upstream), NOW_MS))
    assert (found.state, upstream.asked) == ("not_run", [])
    assert found.reason.endswith("so address and key are not tried")


@pytest.mark.parametrize(
    ("status", "state", "cure"),
    [(200, "red", "check the path of base_url"), (401, "red", "put a valid key into api_keys")],
)
def test_a_kind_that_signs_is_asked_with_its_signature(tmp_path: Path, status: int, state: str, cure: str) -> None:
    async def fetch(method: bytes, url: str, headers: Headers, body: bytes) -> FetchedResponse:
        return FetchedResponse(status, [], json.dumps({"access_token": "token-1"}).encode())

    upstream = Answering(200, [])
    provider = Provider(id="main", kind="signed_toy", base_url="http://h.example/v1")
    with toy_kinds(tmp_path) as kinds:
        kind = kinds["signed_toy"]
        route, tokens = UpstreamRoute("http", "h.example", 80), tokens_of(kind.refresh, provider, ("key",), fetch)
        at = Destination(provider, kind, upstream, route, "/v1", ("key",), Deadlines(), (), tokens)
        (found,) = asyncio.run(trials(at, NOW_MS))
    assert (found.state, found.cure) == (state, cure)
    sent = [dict(call.headers) for call in upstream.asked]
    assert [one[b"authorization"] for one in sent if one[b"x-toy-signature"]] == [b"Bearer token-1"] * (status == 200)
