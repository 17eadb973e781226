"""Price lists: the row in force at an instant, at what an account pays; the margin."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert, structs

from tests.billing.prices_in_use import price, prices, usages
from tollhouse.billing.charges import total
from tollhouse.billing.margin import below_cost
from tollhouse.billing.price_list import PriceLists, Terms, terms_of
from tollhouse.billing.prices import Price, read_row
from tollhouse.core.account import Account
from tollhouse.core.charge import Charge
from tollhouse.core.price import PriceRow
from tollhouse.core.usage import Usage

T = 1_790_000_000_000


def row(row_id: str, since_ms: int, usd: str, price_list: str = "default") -> Price:
    return structs.replace(price({"input": usd}, row_id), effective_from_ms=since_ms, price_list=price_list)


def found(lists: PriceLists, at_ms: int, terms: Terms | None = None) -> str | None:
    held = lists.find("house-1", at_ms, terms)
    return None if held is None else held.id


def test_a_row_holds_from_its_instant_until_the_next_one() -> None:
    lists = PriceLists([row("price_2", T, "2"), row("price_1", 0, "1"), row("price_3", T + 10, "3")])
    assert [found(lists, at) for at in (-1, 0, T - 1, T, T + 9, T + 10, T + 99)] == [
        *(None, "price_1", "price_1", "price_2", "price_2", "price_3", "price_3")
    ]
    assert lists.find("other", T) is None


def test_of_two_rows_of_one_instant_the_later_given_holds() -> None:
    assert found(PriceLists([row("price_1", T, "1"), row("price_2", T, "2")]), T) == "price_2"


def test_an_account_with_a_list_of_its_own_buys_the_rest_by_the_default_one() -> None:
    lists = PriceLists([row("price_1", 0, "1"), row("price_2", T, "2", "partner")])
    partner = Terms("partner")
    assert [found(lists, at, partner) for at in (0, T)] == ["price_1", "price_2"]
    assert found(lists, T) == found(lists, T, Terms()) == "price_1"
    assert found(lists, T, Terms("unknown")) == "price_1"
    assert lists.find("other", T, partner) is None


def test_a_multiplier_is_applied_once_and_remembered() -> None:
    lists = PriceLists([row("price_1", 0, "1")])
    dear = lists.find("house-1", T, Terms(multiplier_ppm=1_500_000))
    assert dear is not None
    assert dear.rates(0).per_million["input"] == 1_500_000_000
    assert lists.find("house-1", T, Terms(multiplier_ppm=1_500_000)) is dear
    other = lists.find("house-1", T, Terms(multiplier_ppm=2_000_000))
    assert other is not None
    assert other.rates(0).per_million["input"] == 2_000_000_000


def test_a_model_that_has_left_a_list_is_bought_by_the_default_one_or_not_at_all() -> None:
    def leaves(price_list: str) -> Price:
        where = {"price_list": price_list, "model": "house-1", "effective_from_ms": T}
        return read_row(convert({"id": f"price_{price_list}", "written": {}, **where}, PriceRow))

    rows = [row("price_1", 0, "1"), row("price_2", 0, "2", "partner")]
    gone = PriceLists([*rows, leaves("partner")])
    assert [found(gone, at, Terms("partner")) for at in (T - 1, T)] == ["price_2", "price_1"]
    gone = PriceLists([*rows, leaves("default")])
    assert [found(gone, at) for at in (T - 1, T)] == ["price_1", None]
    assert found(gone, T, Terms("partner")) == "price_2"
    assert [price.id for price in gone.in_force(T)] == ["price_2"]
    back = PriceLists([*rows, leaves("default"), row("price_3", T + 1, "3")])
    assert found(back, T + 1) == "price_3"


def test_the_lists_are_those_that_ever_had_a_row() -> None:
    assert PriceLists([]).names() == {"default"}
    assert PriceLists([row("price_2", 0, "2", "partner")]).names() == {"default", "partner"}


def test_an_account_pays_by_its_terms() -> None:
    assert terms_of(Account(id="acc_1", name="a", created_at_ms=0)) == Terms()
    other = Account(id="acc_1", name="a", created_at_ms=0, price_list="partner", multiplier_ppm=5)
    assert terms_of(other) == Terms("partner", 5)


@given(prices, usages, st.integers(0, 20_000_000))
def test_any_charge_can_be_made_again_from_the_row_and_the_multiplier_it_names(
    sold: Price, usage: Usage, multiplier_ppm: int
) -> None:
    lists = PriceLists([sold, row("price_2", T, "7")])
    held = lists.find("house-1", 0, Terms("default", multiplier_ppm))
    assert held is not None
    charge = Charge(amount=total(held, usage), price_id=held.id, multiplier_ppm=held.multiplier_ppm)
    later = PriceLists([sold, row("price_2", T, "7"), row("price_3", T + 1, "9")])
    assert later.again(charge, usage) == charge.amount


def test_a_charge_of_nothing_is_nothing_again_and_one_of_an_unknown_row_is_not_made_up() -> None:
    assert PriceLists([]).again(Charge(amount=0, price_id=None), Usage(input=5)) == 0
    assert PriceLists([]).again(Charge(amount=5, price_id="price_9"), Usage(input=5)) is None
    assert PriceLists([]).charged_by("price_9") is None


def test_what_is_sold_below_cost_is_named_by_bucket_at_every_size() -> None:
    cost = price({"input": "2", "output": "8", "tiers": [{"above_input_tokens": 100, "input": "4", "output": "8"}]})
    assert below_cost(price({"input": "4", "output": "8"}), cost) == ()
    assert below_cost(price({"input": "3", "output": "8", "cache_read": "1"}), cost) == (
        *("input", "cache_read", "cache_write_5m", "cache_write_1h", "audio_in", "image_in"),
    )
    tiered = price({"input": "2", "output": "8", "tiers": [{"above_input_tokens": 200, "input": "4", "output": "8"}]})
    assert "input" in below_cost(tiered, cost)
    assert below_cost(price({"per_image": "0.01"}), price({"per_image": "0.02", "input": "9"})) == ("images",)
    assert below_cost(price({"input": "1"}), price({"per_image": "0.02"})) == ()
    assert below_cost(price({"input": "0"}), price({"per_request": "0"})) == ()
    near = [{"above_input_tokens": above, "input": "3", "output": "9"} for above in (100, 101)]
    base = {"input": "2", "output": "8"}
    assert "input" in below_cost(price(base | {"tiers": near[1:]}), price(base | {"tiers": near[:1]}))


def test_a_price_that_is_not_there_has_no_multiple() -> None:
    lists = PriceLists([row("price_1", T, "1")])
    assert lists.find("house-1", T - 1, Terms(multiplier_ppm=1_200_000)) is None
    assert lists.charged_by("price_9", 1_200_000) is None


def test_a_stored_row_is_the_price_it_was_written_as() -> None:
    """Of a model that is in the list, and of one that has left it."""
    stored = PriceRow(id="price_7", model="m", price_list="partner", effective_from_ms=T, written={"input": "1"})
    read, gone = read_row(stored), read_row(structs.replace(stored, written={}))
    for one in (read, gone):
        assert (one.id, one.model, one.price_list, one.effective_from_ms) == ("price_7", "m", "partner", T)
    assert (read.tiers[0].per_million["input"], gone.tiers) == (10**9, ())


def test_what_was_found_once_holds_until_a_row_of_its_lists_begins() -> None:
    own = row("price_own", T + 5, "9", "own")
    lists = PriceLists([row("price_1", 0, "1"), row("price_2", T, "2"), own, row("price_3", T + 9, "3")])
    for _ in range(2):
        for terms, expected in (
            (Terms(), [None, "price_1", "price_1", "price_2", "price_2", "price_2", "price_3"]),
            (Terms("own"), [None, "price_1", "price_1", "price_2", "price_own", "price_own", "price_own"]),
        ):
            assert [found(lists, at, terms) for at in (-1, 0, T - 1, T, T + 5, T + 8, T + 9)] == expected
            assert [found(lists, at, terms) for at in (T + 9, T, 0)] == [expected[-1], "price_2", "price_1"]


def test_an_accounts_multiple_of_a_row_is_made_once() -> None:
    lists = PriceLists([row("price_1", 0, "1")])
    sold = lists.find("house-1", T, Terms(multiplier_ppm=1_200_000))
    assert sold is not None
    assert sold.tiers[0].per_million["input"] == 1_200_000_000
    assert lists.charged_by("price_1", 1_200_000) is sold
