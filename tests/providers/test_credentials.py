"""A token that ends: got once for all who wait, renewed ahead, and asked for no more often than that helps."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from msgspec import json

from tollhouse.core.catalogue import Provider
from tollhouse.core.failure import Failure, Overloaded, UpstreamError, UpstreamRefusedKey
from tollhouse.providers.credentials import FetchedResponse, RefreshingToken, Token, tokens_of
from tollhouse.providers.oauth import read_token

T = 1_790_000_000_000
HOUR_MS = 3_600_000


class Issuer:
    """Gives a new token each time, or fails; `open` lets a renewal end."""

    def __init__(self, life_ms: int = HOUR_MS) -> None:
        self.life_ms = life_ms
        self.asked = 0
        self.failure: Failure | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, now_ms: int) -> Token:
        self.asked += 1
        number = self.asked
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        return Token(f"t{number}", now_ms + self.life_ms)


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10):
            await main()

    asyncio.run(bounded())


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_all_who_wait_get_the_token_of_one_renewal() -> None:
    async def main() -> None:
        issuer = Issuer()
        token = RefreshingToken(issuer)
        assert await asyncio.gather(*(token.get(T) for _ in range(100))) == ["t1"] * 100
        assert await token.get(T + HOUR_MS // 2) == "t1"
        assert issuer.asked == 1

    run(main)


def test_a_good_token_is_given_without_waiting() -> None:
    async def main() -> None:
        token = RefreshingToken(Issuer())
        await token.get(T)
        with pytest.raises(StopIteration) as given:
            token.get(T + 1).send(None)
        assert given.value.value == "t1"

    run(main)


def test_it_is_renewed_ahead_of_its_end_while_calls_go_on_with_it() -> None:
    async def main() -> None:
        issuer = Issuer()
        token = RefreshingToken(issuer)
        await token.get(T)
        issuer.open.clear()
        soon = T + HOUR_MS - 300_000
        assert await token.get(soon - 1) == "t1"
        assert issuer.asked == 1
        assert [await token.get(soon) for _ in range(50)] == ["t1"] * 50
        await turns()
        assert issuer.asked == 2
        waiting = [asyncio.ensure_future(token.get(T + HOUR_MS)) for _ in range(50)]
        await turns()
        assert not any(one.done() for one in waiting), "it has ended: they wait for the renewal that runs"
        issuer.open.set()
        assert await asyncio.gather(*waiting) == ["t2"] * 50
        assert issuer.asked == 2

    run(main)


def test_whoever_leaves_does_not_end_the_renewal_for_the_others() -> None:
    async def main() -> None:
        issuer = Issuer()
        issuer.open.clear()
        token = RefreshingToken(issuer)
        first, second = asyncio.ensure_future(token.get(T)), asyncio.ensure_future(token.get(T))
        await turns()
        first.cancel()
        await turns()
        issuer.open.set()
        assert await second == "t1"
        assert first.cancelled()
        assert issuer.asked == 1

    run(main)


def test_a_failure_is_all_who_waits_and_the_pause_grows() -> None:
    async def main() -> None:
        issuer = Issuer()
        issuer.failure = Overloaded("no token")
        token = RefreshingToken(issuer)
        now_ms = T
        for asked, pause_ms in enumerate((1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000), start=1):
            found = await asyncio.gather(*(token.get(now_ms) for _ in range(50)), return_exceptions=True)
            assert found == [issuer.failure] * 50
            with pytest.raises(Overloaded):
                await token.get(now_ms + pause_ms - 1)
            assert issuer.asked == asked
            now_ms += pause_ms
        issuer.failure = None
        assert await token.get(now_ms) == "t9"

    run(main)


def test_a_renewal_ahead_that_fails_harms_nobody() -> None:
    async def main() -> None:
        issuer = Issuer()
        token = RefreshingToken(issuer)
        await token.get(T)
        issuer.failure = UpstreamError("no")
        assert await token.get(T + HOUR_MS - 200_000) == "t1"
        await turns()
        assert await token.get(T + HOUR_MS - 199_500) == "t1"
        assert issuer.asked == 2, "not before the pause is over"
        issuer.failure = None
        assert await token.get(T + HOUR_MS - 190_000) == "t1"
        await turns()
        assert await token.get(T + HOUR_MS - 189_000) == "t3"

    run(main)


def test_a_refused_token_is_replaced_once_however_many_calls_met_the_refusal() -> None:
    async def main() -> None:
        issuer = Issuer()
        token = RefreshingToken(issuer)
        await token.get(T)
        for _ in range(50):
            token.refused(T + 5_000)
        assert await asyncio.gather(*(token.get(T + 5_100) for _ in range(50))) == ["t2"] * 50
        token.refused(T + 5_000)  # of a call that used the one before
        assert await token.get(T + 5_200) == "t2"
        token.refused(T + 5_300)
        assert await token.get(T + 5_300) == "t2", "one a second: a new one that is refused at once would be for ever"
        assert await token.get(T + 6_300) == "t3"

    run(main)


def test_a_token_without_life_is_asked_for_once_a_second() -> None:
    async def main() -> None:
        issuer = Issuer(life_ms=0)
        token = RefreshingToken(issuer)
        assert [await token.get(T + 10 * turn) for turn in range(100)] == ["t1"] * 100
        assert await token.get(T + 1_000) == "t2"

    run(main)


def test_a_defect_in_a_kind_is_not_remembered() -> None:
    async def main() -> None:
        async def broken(now_ms: int) -> Token:
            raise ZeroDivisionError

        token = RefreshingToken(broken)
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                await token.get(T)

    run(main)


def test_each_key_has_a_token_of_its_own_and_a_provider_without_keys_has_one() -> None:
    async def fetch(method: bytes, url: str, headers: object, body: bytes) -> FetchedResponse:
        raise AssertionError

    async def refresh(key: str, provider: Provider, fetch: object, now_ms: int) -> Token:
        return Token(f"of {key} at {provider.id}", now_ms + HOUR_MS)

    async def main() -> None:
        provider = Provider(id="p", kind="k")
        tokens = tokens_of(refresh, provider, ("a", "b"), fetch)
        assert [await one.get(T) for one in tokens] == ["of a at p", "of b at p"]
        assert len(tokens_of(refresh, provider, (), fetch)) == 1
        assert tokens_of(None, provider, ("a",), fetch) == ()

    run(main)


@pytest.mark.parametrize(
    ("members", "life_ms"),
    [
        ({"expires_in": 3599, "token_type": "Bearer"}, 3_599_000),
        ({"expires_in": "86399"}, 86_399_000),
        ({"expires_in": 0.5}, 500),
        ({}, HOUR_MS),
        ({"expires_in": -5}, 0),
    ],
)
def test_a_token_is_read(members: dict[str, object], life_ms: int) -> None:
    body = json.encode({"access_token": "eyJ.a-b", **members})
    assert read_token(FetchedResponse(200, [], body), T) == Token("eyJ.a-b", T + life_ms)


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (400, b'{"error":"invalid_grant"}', UpstreamRefusedKey),
        (401, b"sk-secret", UpstreamRefusedKey),
        (403, b"", UpstreamRefusedKey),
        (429, b"", Overloaded),
        (500, b"sk-secret", Overloaded),
        (503, b"", Overloaded),
        (200, b"<html>", UpstreamError),
        (200, b"\xff", UpstreamError),
        (200, b"{}", UpstreamError),
        (200, b'{"access_token":""}', UpstreamError),
        (200, b'{"access_token":"a\\nb"}', UpstreamError),
        (200, '{"access_token":"ä"}'.encode(), UpstreamError),
        (200, b'{"access_token":"a","expires_in":"soon"}', UpstreamError),
        (200, b'{"access_token":"a","expires_in":"nan"}', UpstreamError),
        (302, b'{"access_token":"a"}', UpstreamError),
    ],
)
def test_what_is_no_token_is_the_providers_failure(status: int, body: bytes, failure: type[Failure]) -> None:
    with pytest.raises(failure) as met:
        read_token(FetchedResponse(status, [], body), T)
    assert type(met.value) is failure
    assert "secret" not in met.value.message


def test_an_issuer_that_is_busy_says_when_to_come_back() -> None:
    with pytest.raises(Overloaded) as met:
        read_token(FetchedResponse(429, [(b"retry-after", b"7")], b""), T)
    assert met.value.retry_after_ms == 7_000
