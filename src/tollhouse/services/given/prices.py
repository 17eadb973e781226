"""What is given to see prices, to bring a file of them, to try it and to put it in force."""

from typing import Annotated, Final

from msgspec import Struct

from tollhouse.core.fields import Help

DAYS: Final = 7

Days = Annotated[int, Help("how many days back, at most 90", shown=True)]


class PriceQuery(Struct, frozen=True, kw_only=True):
    """`past`: also the rows that are over."""

    model: Annotated[str | None, Help("")] = None
    list: Annotated[str | None, Help("a price list; `default` is that of platform.toml")] = None
    past: Annotated[bool, Help("also the prices that are over")] = False


class PriceListQuery(Struct, frozen=True, kw_only=True):
    list: Annotated[str, Help("a price list; `default` is that of platform.toml")] = "default"


class MarginQuery(Struct, frozen=True, kw_only=True):
    days: Days = DAYS
    account: Annotated[str | None, Help("only this account's calls")] = None
    after: str | None = None


class PreviewQuery(MarginQuery, frozen=True):
    """`account`: only its calls, and as if it bought by the draft's list."""

    account: Annotated[str | None, Help("only this account's calls, as if it bought by the draft's list")] = None


class Activation(Struct, frozen=True, kw_only=True):
    """`at`: a time with its offset, a date, a duration from now; absent: now."""

    at: Annotated[str | None, Help("2027-01-31T12:00:00Z, 2027-01-31 (UTC), 24h from now; absent: now")] = None
