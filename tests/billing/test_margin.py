"""The margin guard: what is sold below cost is named, by offer, list, multiplier and bucket, and nothing else is."""

from typing import Any

from msgspec import structs

from tests.billing.prices_in_use import price
from tollhouse.billing.margin import Loss, costs_of, losses, terms_in_use
from tollhouse.billing.price_list import PriceLists, Terms
from tollhouse.billing.prices import Price
from tollhouse.core.account import Account
from tollhouse.core.catalogue import Catalogue, Model, Offer, Provider

T = 1_790_000_000_000
TWO: dict[str, Any] = {"input": "2", "output": "8"}


def row(model: str, written: dict[str, object], price_list: str = "default", since_ms: int = 0) -> Price:
    made = price(written, f"price_{model}_{price_list}_{since_ms}", model)
    return structs.replace(made, price_list=price_list, effective_from_ms=since_ms)


def catalogue(cost: dict[str, Any] | None = None, **model: Any) -> Catalogue:
    offers = (Offer(provider="up", model="m-up"), Offer(provider="other", model="m-up"))
    return Catalogue(
        providers={
            "up": Provider(id="up", kind="simulator", cost={"m-up": cost or TWO}),
            "other": Provider(id="other", kind="simulator", cost={"something": TWO}),
        },
        models={"m": Model(id="m", offers=offers, **model)},
    )


def account(**terms: Any) -> Account:
    return Account(id="acc_1", name="a", created_at_ms=0, **terms)


def found(of: Catalogue, *rows: Price, terms: set[Terms] | None = None, at_ms: int = T) -> list[Loss]:
    return list(losses(of, PriceLists(rows), terms or {Terms()}, at_ms))


def test_what_is_sold_above_cost_is_no_loss() -> None:
    assert found(catalogue(), row("m", {"input": "2", "output": "8"})) == []


def test_a_loss_names_the_offer_the_list_and_the_buckets() -> None:
    (loss,) = found(catalogue(), row("m", {"input": "2", "output": "7"}))
    assert loss == Loss("m", "up", "m-up", "default", 1_000_000, ("output", "reasoning", "audio_out", "image_out"))


def test_a_multiplier_below_one_may_be_the_loss() -> None:
    used = {Terms(), Terms("default", 900_000), Terms("default", 2_000_000)}
    (loss,) = found(catalogue(), row("m", {"input": "2.1", "output": "9"}), terms=used)
    assert loss.multiplier_ppm == 900_000
    assert loss.buckets[0] == "input"


def test_a_list_of_its_own_may_be_the_loss_and_is_named_once() -> None:
    rows = row("m", {"input": "9"}), row("m", {"input": "1", "output": "9"}, "partner")
    used = {Terms(), Terms("partner"), Terms("unknown")}
    assert [loss.price_list for loss in found(catalogue(), *rows, terms=used)] == ["partner"]


def test_only_above_an_input_size() -> None:
    cost = TWO | {"tiers": [{"above_input_tokens": 1000, "input": "4", "output": "8"}]}
    (loss,) = found(catalogue(cost), row("m", {"input": "3", "output": "9"}))
    assert "input" in loss.buckets
    assert "output" not in loss.buckets


def test_a_price_to_come_is_a_loss_from_its_instant_on() -> None:
    rows = row("m", {"input": "9"}), row("m", {"input": "1"}, since_ms=T)
    assert found(catalogue(), *rows, at_ms=T - 1) == []
    assert len(found(catalogue(), *rows, at_ms=T)) == 1
    assert PriceLists(rows).changes_after(0) == [T]
    assert PriceLists(rows).changes_after(T) == []


def test_free_by_decision_and_unpriced_are_no_losses() -> None:
    assert found(catalogue(free=True), row("m", {"input": "1"})) == []
    assert found(catalogue()) == []


def test_a_loss_is_named_also_behind_a_model_that_is_none() -> None:
    one = catalogue()
    models = {"gift": structs.replace(one.models["m"], id="gift", free=True), **one.models}
    (loss,) = found(structs.replace(one, models=models), row("m", {"input": "1", "output": "9"}))
    assert loss.model == "m"


def test_a_cost_that_cannot_be_read_is_none() -> None:
    of = catalogue()
    broken = structs.replace(of.providers["up"], cost={"m-up": {"output": "1"}, "n-up": {"input": "1"}})
    costs = costs_of(structs.replace(of, providers={"up": broken}))
    assert list(costs) == [("up", "n-up")]


def test_terms_in_use_are_every_list_and_what_each_account_pays() -> None:
    lists = PriceLists([row("m", {"input": "9"}, "partner")])
    accounts = account(), account(price_list="partner", multiplier_ppm=1), account(multiplier_ppm=5)
    assert terms_in_use(lists, accounts) == {Terms(), Terms("partner"), Terms("partner", 1), Terms("default", 5)}
