"""The catalogue of public models: what well-known makers sell, and at which list price, as of the day a row names.

Package data, written by `scripts/write_public_models.py` from a table that people review; nothing is fetched. It is
offered where an operator chooses a model or a price. Nothing is sold by it unless the operator took it over: list
prices change, and a row is as old as its day.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct

from tollhouse.core.catalogue import Amounts, PriceList

FILE: Final = Path(__file__).with_suffix(".json")

Kind = Literal[
    "chat", "completion", "embedding", "rerank", "moderation", "image", "speech", "transcription", "realtime"
]
Modality = Literal["text", "image", "audio", "video", "vector", "score"]


class Tier(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prices of a whole call whose input is above so many tokens; what it does not name costs as without it."""

    above_input_tokens: int
    price: Amounts


class PublicModel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    id: str  # as the maker (or the host of open weights) calls it
    maker: str
    checked: str  # YYYY-MM-DD: the day of which the row is believed true
    page: str  # where the maker lists its prices
    kind: Kind = "chat"
    aliases: tuple[str, ...] = ()
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    takes: tuple[Modality, ...] = ("text",)
    gives: tuple[Modality, ...] = ("text",)
    price: Amounts = {}  # keys and units as in platform.toml
    tiers: tuple[Tier, ...] = ()  # by rising threshold
    free: bool = False
    retires_at: str | None = None  # YYYY-MM-DD
    successor: str | None = None  # another row
    note: str = ""


def read() -> Mapping[str, PublicModel]:
    """Every row by its id, in the order of the table. Reads the file anew (about a millisecond): keep the answer."""
    rows = msgspec.json.decode(FILE.read_bytes(), type=tuple[PublicModel, ...])
    return {row.id: row for row in rows}


def as_price(model: PublicModel) -> PriceList:
    """Its list price as platform.toml and price files write it, where a tier stands for itself: what it does not name
    is repeated from the price below. Empty: free, or not sold by anything that we can charge."""
    price: PriceList = dict(model.price)
    if model.tiers:
        price["tiers"] = [
            {"above_input_tokens": tier.above_input_tokens, **model.price, **tier.price} for tier in model.tiers
        ]
    return price


def find(models: Mapping[str, PublicModel], name: str) -> PublicModel | None:
    """A row by its id or an alias, with or without a maker before a slash."""
    short = name.partition("/")[2]
    for wanted in (name, short):
        if wanted in models:
            return models[wanted]
        for row in models.values():
            if wanted in row.aliases:
                return row
    return None
