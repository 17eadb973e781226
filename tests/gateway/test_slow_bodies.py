"""A caller who sends his head, and the body hours later: what was true when he began is over when he is done."""

import pytest
from msgspec import structs

from tests.gateway.fakes import NOW_MS, FakeCallerConnection, identity
from tests.gateway.harness import LIVE, GatewayHarness, asking, run
from tollhouse.billing.budgets import Budget
from tollhouse.billing.price_list import PriceLists
from tollhouse.billing.prices import read_price
from tollhouse.core.account import Identity
from tollhouse.core.failure import AccountSuspended, Failure, KeyFrozen, KeyRefused
from tollhouse.gateway.bodies import BodyReservation

HOURS_MS = 9 * 3_600_000
DAY_MS = 86_400_000


class SlowUpload(FakeCallerConnection):
    """His body comes `late_ms` after his head; meanwhile something happens."""

    def __init__(self, harness: GatewayHarness, late_ms: int, meanwhile: Identity | None = None) -> None:
        super().__init__(asking())
        self._harness, self._late_ms, self._meanwhile = harness, late_ms, meanwhile

    async def body(self, reservation: BodyReservation | None = None) -> list[bytes]:
        self._harness.clock.ms += self._late_ms
        if self._meanwhile is not None:
            self._harness.keys.put(self._meanwhile)
        return await super().body(reservation)


def changed(state: str) -> Identity:
    known = identity(LIVE)
    if state == "suspended":
        return structs.replace(known, account=structs.replace(known.account, state=state))
    return structs.replace(known, key=structs.replace(known.key, state=state))


@pytest.mark.parametrize(
    ("state", "refused"), [("revoked", KeyRefused), ("frozen", KeyFrozen), ("suspended", AccountSuspended)]
)
def test_calls_begun_before_a_key_was_revoked_were_served_for_hours(state: str, refused: type[Failure]) -> None:
    harness = GatewayHarness(money=10**9)
    with pytest.raises(refused):
        run(harness.ask(SlowUpload(harness, HOURS_MS, changed(state))))
    assert not harness.first.calls
    assert (harness.record.ending, harness.record.charge) == ("refused", None)


def test_a_body_that_came_at_once_is_not_judged_twice() -> None:
    """Within a second a revoked key may still be served."""
    harness = GatewayHarness(money=10**9)
    run(harness.ask(SlowUpload(harness, 999, changed("revoked"))))
    assert (harness.record.status, harness.record.time_ms) == (200, NOW_MS)


def test_a_price_that_was_raised_meanwhile_was_not_paid() -> None:
    harness = GatewayHarness(money=10**9)
    rows = [("price_1", "1.00", 0), ("price_2", "2.00", NOW_MS + HOURS_MS)]
    harness.gateway.prices = lambda: PriceLists(
        [
            read_price({"input": usd, "output": usd}, id=name, model="house-1", effective_from_ms=since_ms)
            for name, usd, since_ms in rows
        ]
    )
    run(harness.ask(SlowUpload(harness, HOURS_MS)))
    charge = harness.record.charge
    assert charge is not None
    assert charge.price_id == "price_2"


def test_calls_begun_days_ago_had_a_window_of_their_own() -> None:
    """And one that was forgotten long ago: with all its money left."""
    harness = GatewayHarness(money=10**12)
    budget = Budget(
        id="bud_1", account_id="acc_1", level="key", object_id="key_live", amount=10**9, kind="day", created_at_ms=1
    )
    harness.counters.put_budget(budget, NOW_MS)
    run(harness.ask(SlowUpload(harness, 5 * DAY_MS)))
    charge = harness.record.charge
    assert charge is not None
    today_ms = (NOW_MS + 5 * DAY_MS) // DAY_MS * DAY_MS
    assert charge.budgets == (("bud_1", today_ms),)
    assert harness.record.time_ms == NOW_MS, "by the time in its id a receipt is found"
