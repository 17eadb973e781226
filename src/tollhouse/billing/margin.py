"""The margin guard: where a model is sold for less than a provider takes for it."""

from tollhouse.billing.prices import Price
from tollhouse.core.usage import BUCKETS


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
