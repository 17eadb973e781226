"""Prices as they are written down: a row of a price list, and a file of them that somebody brought."""

from msgspec import Struct

Written = dict[str, object]
"""A price in the words of platform.toml: decimal USD by bucket or unit, and perhaps `tiers`."""


class PriceRow(Struct, frozen=True, kw_only=True):
    """In force from `effective_from_ms` (Unix milliseconds) until the next row of the same list and model."""

    id: str  # price_...
    price_list: str = "default"
    model: str
    effective_from_ms: int
    written: Written  # empty: the model is not in the list from then on
    draft_id: str | None = None  # the price file it came with; None: platform.toml


class PriceDraft(Struct, frozen=True, kw_only=True):
    """A price file: not in force before it is activated, and then as rows. Times are Unix milliseconds."""

    id: str  # draft_...
    price_list: str
    written: dict[str, Written]  # by model
    created_at_ms: int
    activated_at_ms: int | None = None
    effective_from_ms: int | None = None
