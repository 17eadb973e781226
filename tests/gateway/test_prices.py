"""By which price a call is sold: its account's terms, as they stood when it was admitted; without one, not at all."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.gateway.fakes import FakeCallerConnection, FakeKeyDirectory, identity
from tests.gateway.harness import LIVE, PRICES, GatewayHarness, answer, asking, buffered, run
from tollhouse.billing.price_list import PriceLists
from tollhouse.billing.prices import Price, read_price, read_row
from tollhouse.core.amount import format_usd
from tollhouse.core.failure import ModelNotPriced
from tollhouse.core.price import PriceRow
from tollhouse.edge.reply import headers_of

TIERED = {"input": "2.50", "output": "10.00", "tiers": [{"above_input_tokens": 59, "input": "5.00", "output": "15.00"}]}


def row(
    written: Mapping[str, object], row_id: str = "price_2", price_list: str = "default", since_ms: int = 0
) -> Price:
    return read_price(written, id=row_id, model="house-1", price_list=price_list, effective_from_ms=since_ms)


def terms(harness: GatewayHarness, **terms: object) -> None:
    """Give the harness's caller an account with these terms."""
    known = identity(LIVE)
    harness.gateway.keys = FakeKeyDirectory(structs.replace(known, account=structs.replace(known.account, **terms)))


def charged(harness: GatewayHarness) -> tuple[int, str | None, int]:
    charge = harness.record.charge
    assert charge is not None
    assert harness.gateway.prices().again(charge, harness.record.usage) == charge.amount
    return charge.amount, charge.price_id, charge.multiplier_ppm


def test_litellm_35913_an_unpriced_model_is_refused_with_503_and_no_client_tries_again() -> None:
    harness = GatewayHarness(money=10**9)
    harness.gateway.prices = lambda: PriceLists(())
    with pytest.raises(ModelNotPriced) as refused:
        run(harness.ask(FakeCallerConnection(asking())))
    assert (refused.value.status, refused.value.code) == (503, "model_not_priced")
    assert (b"x-should-retry", b"false") in headers_of(refused.value)
    assert harness.first.calls == harness.second.calls == []
    assert harness.record.charge is None


def test_a_price_that_has_left_the_list_sells_nothing_although_its_rows_stay() -> None:
    harness = GatewayHarness(money=10**9)
    gone = read_row(PriceRow(id="price_2", model="house-1", effective_from_ms=harness.clock.ms, written={}))
    harness.gateway.prices = lambda: PriceLists([row(TIERED, "price_1"), gone])
    with pytest.raises(ModelNotPriced):
        run(harness.ask(FakeCallerConnection(asking())))


def test_a_model_priced_by_the_image_does_not_answer_chats_for_nothing() -> None:
    harness = GatewayHarness(money=10**9)
    harness.gateway.prices = lambda: PriceLists([row({"per_image": "0.04"})])
    with pytest.raises(ModelNotPriced, match="per_image"):
        run(harness.ask(FakeCallerConnection(asking())))
    assert harness.first.calls == []


def test_an_account_pays_by_its_own_list_and_its_own_multiple() -> None:
    harness = GatewayHarness(money=10**9)
    terms(harness, price_list="partner", multiplier_ppm=1_200_000)
    harness.gateway.prices = lambda: PriceLists([row(TIERED), row({"input": "1", "output": "2"}, "price_3", "partner")])
    client = FakeCallerConnection(asking())
    run(harness.ask(client))
    assert charged(harness) == (60 * 1200 + 12 * 2400, "price_3", 1_200_000)
    assert (b"x-tollhouse-charge-usd", b"0.0001008") in client.headers
    assert harness.counter.spent == 100_800


def test_a_tier_and_a_multiple_together() -> None:
    harness = GatewayHarness(money=10**9)
    terms(harness, multiplier_ppm=1_200_000)
    harness.gateway.prices = lambda: PriceLists([row(TIERED)])
    run(harness.ask(FakeCallerConnection(asking())))
    assert charged(harness) == (60 * 6000 + 12 * 18000, "price_2", 1_200_000)


def test_a_price_that_changes_while_a_call_runs_is_not_its_own() -> None:
    """The call was admitted at the old price, and is charged by it."""
    harness = GatewayHarness(money=10**9)
    old = PRICES.find("house-1", harness.clock.ms)
    assert old is not None
    harness.gateway.prices = lambda: PriceLists([old])

    def change() -> None:
        harness.clock.ms += 10
        dear = row({"input": "100", "output": "100"}, since_ms=harness.clock.ms - 5)
        harness.gateway.prices = lambda: PriceLists([old, dear])

    harness.first.plays = [buffered(change, answer())]
    run(harness.ask(FakeCallerConnection(asking())))
    assert harness.gateway.prices().find("house-1", harness.clock.ms) != old
    assert charged(harness) == (60 * 2500 + 12 * 10000, "price_1", 1_000_000)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 5_000_000),
    st.integers(0, 10**10),
    st.integers(0, 10**10),
    st.integers(1, 100),
)
def test_every_charge_that_is_written_down_can_be_made_again(
    multiplier_ppm: int, usd_in: int, usd_out: int, above: int
) -> None:
    """From the record, the row and the multiplier it names, whatever the account pays, in whichever tier."""
    harness = GatewayHarness()
    terms(harness, multiplier_ppm=multiplier_ppm)
    written: dict[str, object] = {
        "input": format_usd(usd_in),
        "output": format_usd(usd_out),
        "tiers": [{"above_input_tokens": above, "input": format_usd(usd_out)}],
    }
    harness.gateway.prices = lambda: PriceLists([row(written)])
    run(harness.ask(FakeCallerConnection(asking())))
    assert charged(harness)[2] == multiplier_ppm
