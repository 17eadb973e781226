"""What is sold in the checker's world: few models, each with something that makes its money hard to count."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from tollhouse.core.catalogue import Catalogue, Model, Offer, Plan, Provider

CEILING_USD: Final = "0.008"


class Product(NamedTuple):
    """`offers`: what each provider in turn does when a caller leaves."""

    price: Mapping[str, Any]
    offers: tuple[str, ...]
    free: bool = False
    context: int = 100_000
    longest: int = 4_000


PRICES: Final[tuple[Mapping[str, Any], ...]] = (
    {"input": "2.50", "output": "10.00"},
    {"input": "2.50", "cache_read": "1.25", "output": "10.00", "reasoning": "20"},
    {"input": "0.000333", "cache_read": "0.0001", "output": "0.0007777"},  # no whole nano-dollar a token
    {"input": "1", "output": "0.5", "reasoning": "3.000001", "per_request": "0.0001"},
    {"input": "3"},
    {"input": "0", "output": "0"},
    {
        "input": "1",
        "output": "2",
        "per_request": "0.00002",
        "tiers": [{"above_input_tokens": 40, "input": "2.0000005", "reasoning": "7"}],
    },
)

SHOP: Final[Mapping[str, Product]] = {
    "plain": Product(PRICES[0], ("abort",)),
    "plain-drained": Product(PRICES[1], ("drain",)),
    "uneven": Product(PRICES[2], ("drain", "abort")),
    "narrow": Product(PRICES[3], ("abort", "drain"), context=90, longest=1_500),
    "stepped": Product(PRICES[6], ("abort",)),
    "worthless": Product(PRICES[5], ("drain",)),
    "bare": Product({}, ("abort",)),
    "gift": Product({}, ("drain",), free=True),
}


def catalogue(product: Mapping[str, Product]) -> Catalogue:
    return Catalogue(
        providers={
            "abort": Provider(id="abort", kind="openai_compatible", on_disconnect="abort"),
            "drain": Provider(id="drain", kind="openai_compatible", on_disconnect="drain"),
        },
        models={
            name: Model(
                id=name,
                offers=tuple(
                    Offer(provider=provider, model=f"up-{name}", priority=place)
                    for place, provider in enumerate(one.offers)
                ),
                price=dict(one.price),
                free=one.free,
                context_tokens=one.context,
                max_output_tokens=one.longest,
            )
            for name, one in product.items()
        },
        plans={
            "default": Plan(id="default", credit_limit_usd="0"),
            "bounded": Plan(id="bounded", credit_limit_usd="0", system_hard_limit_usd=CEILING_USD),
        },
    )
