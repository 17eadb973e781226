"""By which price a call is sold: its account's terms, as they stood when it was admitted; without one, not at all."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.gateway.fakes import FakeClient, FakeKeys, identity
from tests.gateway.stage import LIVE, PRICES, Stage, answer, asking, buffered, run
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


def terms(stage: Stage, **terms: object) -> None:
    """Give the stage's caller an account with these terms."""
    known = identity(LIVE)
    stage.house.keys = FakeKeys(structs.replace(known, account=structs.replace(known.account, **terms)))


def charged(stage: Stage) -> tuple[int, str | None, int]:
    charge = stage.record.charge
    assert charge is not None
    assert stage.house.prices().again(charge, stage.record.usage) == charge.amount
    return charge.amount, charge.price_id, charge.multiplier_ppm


def test_litellm_35913_an_unpriced_model_is_refused_with_503_and_no_client_tries_again() -> None:
    stage = Stage(money=10**9)
    stage.house.prices = lambda: PriceLists(())
    with pytest.raises(ModelNotPriced) as refused:
        run(stage.ask(FakeClient(asking())))
    assert (refused.value.status, refused.value.code) == (503, "model_not_priced")
    assert (b"x-should-retry", b"false") in headers_of(refused.value)
    assert stage.first.calls == stage.second.calls == []
    assert stage.record.charge is None


def test_a_price_that_has_left_the_list_sells_nothing_although_its_rows_stay() -> None:
    stage = Stage(money=10**9)
    gone = read_row(PriceRow(id="price_2", model="house-1", effective_from_ms=stage.clock.ms, written={}))
    stage.house.prices = lambda: PriceLists([row(TIERED, "price_1"), gone])
    with pytest.raises(ModelNotPriced):
        run(stage.ask(FakeClient(asking())))


def test_a_model_priced_by_the_image_does_not_answer_chats_for_nothing() -> None:
    stage = Stage(money=10**9)
    stage.house.prices = lambda: PriceLists([row({"per_image": "0.04"})])
    with pytest.raises(ModelNotPriced, match="per_image"):
        run(stage.ask(FakeClient(asking())))
    assert stage.first.calls == []


def test_an_account_pays_by_its_own_list_and_its_own_multiple() -> None:
    stage = Stage(money=10**9)
    terms(stage, price_list="partner", multiplier_ppm=1_200_000)
    stage.house.prices = lambda: PriceLists([row(TIERED), row({"input": "1", "output": "2"}, "price_3", "partner")])
    client = FakeClient(asking())
    run(stage.ask(client))
    assert charged(stage) == (60 * 1200 + 12 * 2400, "price_3", 1_200_000)
    assert (b"x-tollhouse-charge-usd", b"0.0001008") in client.headers
    assert stage.purse.spent == 100_800


def test_c06_a_tier_and_a_multiple_together() -> None:
    stage = Stage(money=10**9)
    terms(stage, multiplier_ppm=1_200_000)
    stage.house.prices = lambda: PriceLists([row(TIERED)])
    run(stage.ask(FakeClient(asking())))
    assert charged(stage) == (60 * 6000 + 12 * 18000, "price_2", 1_200_000)


def test_a_price_that_changes_while_a_call_runs_is_not_its_own() -> None:
    """The call was admitted at the old price, and is charged by it."""
    stage = Stage(money=10**9)
    old = PRICES.find("house-1", stage.clock.ms)
    assert old is not None
    stage.house.prices = lambda: PriceLists([old])

    def change() -> None:
        stage.clock.ms += 10
        dear = row({"input": "100", "output": "100"}, since_ms=stage.clock.ms - 5)
        stage.house.prices = lambda: PriceLists([old, dear])

    stage.first.plays = [buffered(change, answer())]
    run(stage.ask(FakeClient(asking())))
    assert stage.house.prices().find("house-1", stage.clock.ms) != old
    assert charged(stage) == (60 * 2500 + 12 * 10000, "price_1", 1_000_000)


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
    stage = Stage()
    terms(stage, multiplier_ppm=multiplier_ppm)
    written: dict[str, object] = {
        "input": format_usd(usd_in),
        "output": format_usd(usd_out),
        "tiers": [{"above_input_tokens": above, "input": format_usd(usd_out)}],
    }
    stage.house.prices = lambda: PriceLists([row(written)])
    run(stage.ask(FakeClient(asking())))
    assert charged(stage)[2] == multiplier_ppm
