"""`providers check`: what an answer to the question for models says of address and key."""

import asyncio

import pytest

from tollhouse.core.catalogue import Provider
from tollhouse.core.wire import Deadlines, Headers, Outgoing, Route
from tollhouse.edge.admin.provider_trial import ProviderTrial, trials
from tollhouse.gateway.destination import Destination
from tollhouse.providers import kinds


class Answering:
    """An upstream that answers every call with the same head and an empty body."""

    def __init__(self, status: int, headers: Headers) -> None:
        self.status, self.headers, self.asked = status, headers, list[Outgoing]()

    async def send(self, call: Outgoing) -> "Answering":
        self.asked.append(call)
        return self

    async def read(self) -> bytes:
        return b""

    def abort(self) -> None:
        pass

    release = abort


def tried(upstream: Answering) -> ProviderTrial:
    provider = Provider(id="main", kind="openai_compatible", base_url="http://h.example/v1", api_keys=("env:KEY",))
    destination = Destination(
        provider=provider,
        kind=kinds()["openai_compatible"],
        upstream=upstream,
        route=Route("http", "h.example", 80),
        path="/v1",
        keys=("sk-test-1",),
        deadlines=Deadlines(),
    )
    (found,) = asyncio.run(trials(destination))
    return found


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_red_with_the_address_to_write_and_is_not_followed(status: int) -> None:
    upstream = Answering(status, [(b"location", b"https://h.example/v1/models")])
    found = tried(upstream)
    assert (found.state, f"HTTP {status}" in found.reason) == ("red", True)
    assert found.cure.startswith('write base_url = "https://h.example/v1"')
    assert [call.target for call in upstream.asked] == [b"/v1/models"]
