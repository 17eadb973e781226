"""`providers check`: what an answer to the question for models says of address and key."""

import asyncio

import pytest

from tests.admin.destinations import Answering, destination
from tests.gateway.fakes import NOW_MS
from tollhouse.core.catalogue import Provider
from tollhouse.edge.admin.provider_trial import trials


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_red_with_the_address_to_write_and_is_not_followed(status: int) -> None:
    upstream = Answering(status, [(b"location", b"https://h.example/v1/models")])
    provider = Provider(id="main", kind="openai_compatible", base_url="http://h.example/v1", api_keys=("env:KEY",))
    (found,) = asyncio.run(trials(destination(provider, ("sk-test-1",), upstream), NOW_MS))
    assert (found.state, f"HTTP {status}" in found.reason) == ("red", True)
    assert found.cure.startswith('write base_url = "https://h.example/v1"')
    assert [call.target for call in upstream.asked] == [b"/v1/models"]
