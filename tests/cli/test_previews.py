"""A preview that comes in parts is added up, to the nano-dollar."""

from hypothesis import given
from hypothesis import strategies as st

from tollhouse.cli.previews import added
from tollhouse.core.amount import format_usd

amounts = st.integers(-(10**15), 10**15)
parts = st.lists(st.tuples(st.sampled_from("ab"), amounts, st.none() | amounts), max_size=12)


def row(account: str, amount: int, cost: int | None) -> dict[str, object]:
    money = dict.fromkeys(("charged_usd", "would_be_usd", "difference_usd"), format_usd(amount))
    return {
        "account_id": account,
        "model": "m",
        "calls": 1,
        **money,
        "cost_usd": None if cost is None else format_usd(cost),
    }


@given(parts)
def test_parts_add_up_by_account_and_model(given_parts: list[tuple[str, int, int | None]]) -> None:
    sums = added([[row(*part)] for part in given_parts])
    for found in sums:
        mine = [part for part in given_parts if part[0] == found["account_id"]]
        costs = [cost for _, _, cost in mine]
        assert found["calls"] == len(mine)
        assert found["difference_usd"] == format_usd(sum(amount for _, amount, _ in mine))
        assert found["cost_usd"] == (None if None in costs else format_usd(sum(cost or 0 for cost in costs)))
    assert [found["account_id"] for found in sums] == sorted({part[0] for part in given_parts})
