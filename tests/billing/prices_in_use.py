"""Prices for the tests of this package: those of the cases, and any that can be written."""

from collections.abc import Mapping

from hypothesis import strategies as st

from tollhouse.billing.prices import TOKEN_BUCKETS, UNITS, Price, read_price
from tollhouse.core.usage import BUCKETS, Usage

HOUSE = {"input": "2.50", "cache_read": "1.25", "output": "10.00"}
CLAUDE = {
    "input": "3.00",
    "cache_read": "0.30",
    "cache_write_5m": "3.75",
    "cache_write_1h": "6.00",
    "output": "15.00",
}


def price(written: Mapping[str, object], price_id: str = "price_1", model: str = "house-1") -> Price:
    return read_price(written, id=price_id, model=model)


_usd = st.integers(0, 10**12).map(lambda amount: f"{amount // 10**9}.{amount % 10**9:09d}")


@st.composite
def rows(draw: st.DrawFn) -> dict[str, object]:
    """A row by tokens, perhaps by units too, perhaps in tiers."""
    row: dict[str, object] = {"input": draw(_usd)}
    row |= draw(st.dictionaries(st.sampled_from(TOKEN_BUCKETS), _usd))
    row |= draw(st.dictionaries(st.sampled_from(sorted(UNITS.values())), _usd))
    above = sorted(draw(st.sets(st.integers(1, 2_000), max_size=2)))
    if above:
        tier = st.dictionaries(st.sampled_from((*TOKEN_BUCKETS, *UNITS.values())), _usd)
        row["tiers"] = [{"input": draw(_usd), **draw(tier), "above_input_tokens": size} for size in above]
    return row


prices = rows().map(price)
usages = st.builds(Usage, **{bucket: st.integers(0, 1_500) for bucket in BUCKETS})
