"""One model as a caller may see it in a models list: what every dialect's list is written from."""

from msgspec import Struct

from tollhouse.core.price import Written


class ModelEntry(Struct, frozen=True, kw_only=True):
    id: str
    created: int = 0  # Unix seconds
    owned_by: str = "tollhouse"
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    prices: Written = {}  # what the caller pays, in decimal USD per million tokens or per unit
    modalities: tuple[str, ...] = ("text",)
    operations: tuple[str, ...] = ()  # empty: any
    retires_at: str | None = None  # YYYY-MM-DD
    group: str = "default"
    tags: tuple[str, ...] = ()
    description: str = ""
