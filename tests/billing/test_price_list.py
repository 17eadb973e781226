"""Price lists: the row in force at an instant, at what an account pays; the margin."""

from msgspec import structs

from tests.billing.prices_in_use import price
from tollhouse.billing.margin import below_cost
from tollhouse.billing.price_list import PriceLists, Terms
from tollhouse.billing.prices import Price

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
