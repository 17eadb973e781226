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
