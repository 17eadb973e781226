"""The margin guard: where a model is sold for less than a provider takes for it."""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from tollhouse.billing.price_list import PriceLists, Terms, terms_of
from tollhouse.billing.prices import BadPrice, Price, read_price
from tollhouse.core.account import Account
from tollhouse.core.catalogue import Catalogue
from tollhouse.core.usage import BUCKETS

Costs = Mapping[tuple[str, str], Price]
"""By provider and the provider's own name of a model: what it takes."""


class Loss(Struct, frozen=True):
    """A model that is sold below cost: through which offer, at which price, and in which buckets."""

    model: str
    provider: str
    upstream: str  # the model as the provider calls it
    price_list: str
    multiplier_ppm: int
    buckets: tuple[str, ...]


def costs_of(catalogue: Catalogue) -> Costs:
    """Every cost that can be read; one that cannot was stored before costs were judged."""
    found: dict[tuple[str, str], Price] = {}
    for provider in catalogue.providers.values():
        for upstream, written in provider.cost.items():
            try:
                found[provider.id, upstream] = read_price(written, id="", model=upstream)
            except BadPrice:
                continue
    return found


def terms_in_use(lists: PriceLists, accounts: Iterable[Account]) -> frozenset[Terms]:
    """Every list as it stands, and what each account pays."""
    return frozenset((*map(Terms, lists.names()), *map(terms_of, accounts)))


def losses(catalogue: Catalogue, lists: PriceLists, terms: Iterable[Terms], at_ms: int) -> Iterator[Loss]:
    """What is sold below cost at an instant. A model that is free by decision is not, nor is one without a price."""
    costs, all_terms = costs_of(catalogue), sorted(terms, key=lambda one: (one.price_list, one.multiplier_ppm))
    for model in catalogue.models.values():
        bought = [(offer, costs[place]) for offer in model.offers if (place := (offer.provider, offer.model)) in costs]
        if model.free or not bought:
            continue
        prices: dict[tuple[str, int], Price] = {}
        for one in all_terms:
            price = lists.find(model.id, at_ms, one)
            if price is not None:
                prices[price.id, price.multiplier_ppm] = price
        for price in prices.values():
            for offer, cost in bought:
                if buckets := below_cost(price, cost):
                    yield Loss(model.id, offer.provider, offer.model, price.price_list, price.multiplier_ppm, buckets)


def below_cost(price: Price, cost: Price) -> tuple[str, ...]:
    """The buckets that are sold below cost at some input size, in the order of the buckets. Empty: none is.

    Like is compared with like: tokens with tokens, a unit with the same unit.
    """
    found: set[str] = set()
    for size in {tier.above_input_tokens + 1 for tier in (*price.tiers, *cost.tiers)}:
        sold, bought = price.rates(size), cost.rates(size)
        for asked, paid in ((sold.per_million, bought.per_million), (sold.per_unit, bought.per_unit)):
            found.update(bucket for bucket, rate in asked.items() if rate < paid.get(bucket, 0))
    return tuple(bucket for bucket in BUCKETS if bucket in found)
