"""The port by which kinds of providers get tokens: the real one and a fake of it keep the same promises."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from tests.gateway.fakes import FakeUpstream, ScriptedResponse
from tests.gateway.harness import run
from tests.upstream.hostile import OK, Peer, ask, close, new_client
from tollhouse.core.catalogue import Provider
from tollhouse.core.failure import Failure, UpstreamError, UpstreamUnreachable
from tollhouse.core.upstream import Headers
from tollhouse.providers.credentials import Fetch, FetchedResponse
from tollhouse.upstream.fetch import UpstreamFetch

PROVIDER = Provider(id="p", kind="k")


class FakeFetch:
    """Gives the same to every question."""

    def __init__(self, found: FetchedResponse | Failure) -> None:
        self.found = found

    async def __call__(self, method: bytes, url: str, headers: Headers, body: bytes) -> FetchedResponse:
        if isinstance(self.found, Failure):
            raise self.found
        return self.found


Stand = Callable[[int, bytes], AbstractAsyncContextManager[tuple[Fetch, str]]]


@asynccontextmanager
async def fake(status: int, body: bytes) -> AsyncIterator[tuple[Fetch, str]]:
    found = FetchedResponse(status, [], body) if status else UpstreamUnreachable("nobody")
    yield FakeFetch(found), "http://issuer.example/token"


@asynccontextmanager
async def over_a_socket(status: int, body: bytes) -> AsyncIterator[tuple[Fetch, str]]:
    client = new_client()
    head = OK.replace(b"200", b"%d" % status) + b"content-length: %d\r\n\r\n" % len(body)
    async with Peer([ask, head + body, close]) as peer:
        if not status:
            peer.stop_listening()
            await asyncio.sleep(0)
        yield UpstreamFetch(client, PROVIDER, ()), f"http://127.0.0.1:{peer.port}/token"
        await client.close()


@pytest.mark.parametrize("stand", [fake, over_a_socket])
def test_what_fetches_tokens_keeps_its_promises(stand: Stand) -> None:
    async def main() -> None:
        for status in (200, 401, 503):
            async with stand(status, b"words") as (fetch, url):
                found = await fetch(b"POST", url, [], b"a=b")
                assert (found.status, found.body) == (status, b"words"), "an error is an answer"
        async with stand(0, b"") as (fetch, url):
            with pytest.raises(UpstreamUnreachable):
                await fetch(b"GET", url, [], b"")

    run(main())


@pytest.mark.parametrize(
    ("url", "host", "target"),
    [
        ("https://issuer.example/oauth/token", "issuer.example", b"/oauth/token"),
        ("https://issuer.example/oauth/token/", "issuer.example", b"/oauth/token/"),
        ("https://issuer.example", "issuer.example", b"/"),
        ("https://issuer.example?a=b", "issuer.example", b"/?a=b"),
        ("http://10.0.0.7:8080/t?resource=x&v=1", "10.0.0.7", b"/t?resource=x&v=1"),
    ],
)
def test_the_whole_url_is_asked(url: str, host: str, target: bytes) -> None:
    async def main() -> None:
        upstream = FakeUpstream(ScriptedResponse(pieces=[b"a", b"b"]))
        headers = [(b"metadata-flavor", b"Google")]
        found = await UpstreamFetch(upstream, PROVIDER, ())(b"GET", url, headers, b"")
        (call,) = upstream.calls
        assert (call.method, call.route.host, call.target, call.headers) == (b"GET", host, target, headers)
        assert found.body == b"ab"

    run(main())


@pytest.mark.parametrize(
    "url", ["ftp://issuer.example/", "http://169.254.169.254/token", "https://issuer.example/a b", "issuer.example"]
)
def test_a_url_that_may_not_be_asked_is_a_failure(url: str) -> None:
    async def main() -> None:
        with pytest.raises(UpstreamError):
            await UpstreamFetch(FakeUpstream(ScriptedResponse()), PROVIDER, ())(b"GET", url, [], b"")

    run(main())


def test_a_metadata_service_is_asked_where_it_is_allowed() -> None:
    async def main() -> None:
        fetch = UpstreamFetch(FakeUpstream(ScriptedResponse()), PROVIDER, ("169.254.169.254/32",))
        assert (await fetch(b"GET", "http://169.254.169.254/token", [], b"")).status == 200

    run(main())


def test_an_answer_without_end_is_given_up() -> None:
    async def main() -> None:
        upstream = FakeUpstream(ScriptedResponse(pieces=[b"x" * 65_536] * 100))
        with pytest.raises(UpstreamError):
            await UpstreamFetch(upstream, PROVIDER, ())(b"GET", "https://issuer.example/", [], b"")
        assert upstream.answers[0].aborted

    run(main())
