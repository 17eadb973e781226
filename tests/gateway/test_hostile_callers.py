"""The walk of hostile callers: whatever an account makes a provider answer, its neighbour is served at once.

Every status x body shape x stream or not x one offer or two, and what breaks without a status.
"""

import pytest

from tests.gateway.fakes import ScriptedResponse
from tests.gateway.harness import ROLE, buffered, refusing, run, streaming, word
from tests.gateway.hostile_callers import (
    ACCOMPLICE,
    HONEST,
    HOSTILE,
    RETRY_AFTER,
    SHAPES,
    Bad,
    Neighbours,
    mishaps,
    refusals,
)
from tollhouse.core.failure import Failure, UpstreamBroke
from tollhouse.routing.retry import RetryBudget

NOT_THE_REQUESTS = {401, 402, 403, 404, 407, 408, 413, 421, 425, 429}
WAYS = pytest.mark.parametrize(("stream", "offers"), [(False, 1), (False, 2), (True, 1), (True, 2)])


async def walk(bad: Bad, *, stream: bool, offers: int) -> None:
    """The honest account calls before, or never called; the hostile one calls alone, or with an accomplice."""
    if bad.stream is not None and bad.stream != stream:
        return
    for known, hostile in ((True, [HOSTILE] * 7), (False, [HOSTILE] * 7), (False, [HOSTILE, ACCOMPLICE] * 6)):
        here = Neighbours(bad.play, offers=offers)
        if known:
            await here.call(stream=stream)
        for secret in hostile:
            before = here.kept_away()
            failure, record = await here.provoke(secret, stream=stream)
            assert failure is None or 400 <= failure.status < 600, bad.name
            assert failure is None or (failure.code != "server_error" and "internal" not in failure.message), bad.name
            assert here.kept_away() <= before + 1, f"{bad.name}: one call opens at most one circuit"
            assert len(record.attempts) <= 2, bad.name
        for _ in range(3):
            record = await here.call(stream=stream)
            assert record.provider == "one", f"{bad.name}: the neighbour noticed"
            assert len(record.attempts) == 1, bad.name


@WAYS
def test_whatever_one_account_provokes_its_neighbour_is_served_at_once(stream: bool, offers: int) -> None:
    async def main() -> None:
        for bad in (*refusals((400, 403)), *refusals((401, 402, 404, 408, 418, 429, 500, 503), ("an error", "a page"))):
            await walk(bad, stream=stream, offers=offers)

    run(main())


@pytest.mark.long
@WAYS
def test_the_whole_walk(stream: bool, offers: int) -> None:
    async def main() -> None:
        for bad in refusals():
            await walk(bad, stream=stream, offers=offers)

    run(main())


@WAYS
def test_whatever_breaks_for_one_account_its_neighbour_is_served_at_once(stream: bool, offers: int) -> None:
    async def main() -> None:
        for bad in mishaps():
            await walk(bad, stream=stream, offers=offers)

    run(main())


OURS = ("a word for a bad key", "a word for no money", "a word for no such model", "a word for overload")
ABOUT_THE_REQUEST = [status for status in range(400, 500) if status not in NOT_THE_REQUESTS]


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape not in OURS])
@pytest.mark.parametrize(
    "statuses", [ABOUT_THE_REQUEST[::9], pytest.param(ABOUT_THE_REQUEST, marks=pytest.mark.long)], ids=["some", "all"]
)
def test_a_4xx_is_about_the_request_whatever_its_body_looks_like(shape: str, statuses: list[int]) -> None:
    async def main() -> None:
        for status in statuses:
            here = Neighbours(ScriptedResponse(status=status, pieces=(SHAPES[shape],)), offers=2)
            for _ in range(7):
                failure, record = await here.provoke(HOSTILE, stream=False)
                assert isinstance(failure, Failure)
                assert failure.status == 400, (status, failure)
                assert len(record.attempts) == 1, "nobody else is asked"
            assert here.harness.health.untroubled()

    run(main())


def test_a_list_of_errors_is_told_as_it_is() -> None:
    body = b'{"result":null,"success":false,"errors":[{"code":5006,"message":"Bad input: tools must be an array"}]}'

    async def main() -> None:
        here = Neighbours(ScriptedResponse(status=400, pieces=(body,)), offers=1)
        for _ in range(7):
            failure, _ = await here.provoke(HOSTILE, stream=False)
            assert failure is not None
            assert (failure.status, failure.message) == (400, "Bad input: tools must be an array")
        await here.call()

    run(main())


@pytest.mark.parametrize("offers", [1, 2])
def test_a_moderation_and_a_402_reach_their_caller_and_nobody_else(offers: int) -> None:
    moderated = refusing(403, {"message": "Input was flagged for harassment", "code": 403})
    dear = refusing(402, {"message": "You can only afford 300, ask for fewer max_tokens", "code": 402})

    async def main() -> None:
        for play, code, words in (
            (moderated, "content_policy_violation", "Input was flagged for harassment"),
            (dear, "invalid_request_error", "fewer max_tokens"),
        ):
            here = Neighbours(play, offers=offers)
            for _ in range(10):
                failure, record = await here.provoke(HOSTILE, stream=False)
                assert failure is not None
                assert (failure.status, failure.code) == (400, code)
                assert words in failure.message
                assert [one.provider for one in record.attempts] == ["one"], "no failover"
                assert (await here.call(HOSTILE)).provider == "one", "other texts of the same account pass"
            assert here.kept_away() == 0
            await here.call()

    run(main())


@pytest.mark.parametrize("status", [401, 402, 403, 429, 500, 503])
def test_what_a_provider_refuses_to_all_is_answered_by_its_standby(status: int) -> None:
    async def main() -> None:
        here = Neighbours(refusing(status, {"message": "no"}, retry_after="7"), offers=2)
        here.second.bad = buffered()
        answered = [await here.provoke(secret, stream=False) for secret in (HOSTILE, ACCOMPLICE, HONEST) * 20]
        providers = [record.provider for failure, record in answered if failure is None]
        assert set(providers) == {"two"}
        assert len(providers) >= 59, "a 403 may be about the prompt until a second account meets it"
        assert len(here.first.calls) <= 20

    run(main())


def test_a_long_retry_after_is_the_wait_of_who_met_it() -> None:
    async def main() -> None:
        here = Neighbours(ScriptedResponse(status=429, headers=RETRY_AFTER, pieces=(SHAPES["an error"],)), offers=1)
        failure, _ = await here.provoke(HOSTILE, stream=False)
        assert failure is not None
        assert failure.retry_after_ms == 300_000
        here.harness.clock.ms += 299_000
        failure, record = await here.provoke(HOSTILE, stream=False)
        assert failure is not None
        assert (record.attempts, failure.retry_after_ms) == ((), 1_000)
        await here.call()

    run(main())


def test_streams_that_break_for_one_account_are_held_against_the_offer_for_that_account() -> None:
    async def main() -> None:
        here = Neighbours(streaming(ROLE, word("x"), UpstreamBroke("cut")), offers=1)
        for _ in range(30):
            await here.provoke(HOSTILE, stream=True)
            await here.call(stream=True)
        assert here.kept_away() == 1
        failure, record = await here.provoke(HOSTILE, stream=True)
        assert failure is not None
        assert record.attempts == ()

    run(main())


def test_one_accounts_failing_calls_leave_retries_to_the_others() -> None:
    async def main() -> None:
        here = Neighbours(refusing(500), offers=2)
        here.harness.gateway.retries = budget = RetryBudget(reserve=100, floor_per_second=0)
        for _ in range(1_000):
            await here.provoke(HOSTILE, stream=False)
            here.harness.clock.ms += 120_000  # its circuits never stay open
        assert budget.left() >= 40

    run(main())
