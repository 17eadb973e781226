"""Calls charged again, as the control API tells them in parts: the parts added up, the progress told meanwhile."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from tollhouse.cli.common_options import CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.field_options import Given
from tollhouse.cli.terminal import as_json, show_table
from tollhouse.core.amount import NANO_PER_USD, format_usd

_MONEY = ("charged_usd", "would_be_usd", "difference_usd")
Row = dict[str, Any]


def show_preview(at: CommonOptions, name: str, object_id: str, shown: Sequence[str], given: Given) -> None:
    """`name`: the route that is asked, again and again until it is through. `shown`: the columns with money."""
    answer = {**call(at, name, object_id, body=given)}
    parts = [answer["data"]]
    while answer["next"] is not None:
        print(f"{answer['looked_at']} calls looked at ...", file=sys.stderr)
        more = call(at, name, object_id, body={**given, "after": answer["next"]})
        parts.append(more["data"])
        answer |= {"end": more["end"], "looked_at": answer["looked_at"] + more["looked_at"], "next": more["next"]}
    answer["data"] = added(parts)
    if at.json:
        print(as_json(answer))
        return
    if answer["as_if_everybody"]:
        print("No account buys by this list yet: all are shown as if they did.")
    if not answer["data"]:
        print(f"{answer['looked_at']} calls since {answer['start']}, and none that this concerns.")
        return
    total = added([[{**row, "account_id": "all", "model": ""}] for row in answer["data"]])
    names = ("account_id", "model", "calls", *shown)
    rows = [[row[name] for name in names] for row in (*answer["data"], *total)]
    show_table([name.replace("_", " ") for name in names], rows)


def added(parts: Iterable[Iterable[Row]]) -> list[Row]:
    """One row for each account and model. A cost that is not known for one call is not known for the sum."""
    sums: dict[tuple[str, str], Row] = {}
    for row in (row for part in parts for row in part):
        where = row["account_id"], row["model"]
        sums[where] = _plus(sums[where], row) if where in sums else row
    return [sums[where] for where in sorted(sums)]


def _plus(one: Row, other: Row) -> Row:
    money = {name: format_usd(_nusd(one[name]) + _nusd(other[name])) for name in _MONEY}
    costs = one["cost_usd"], other["cost_usd"]
    cost = None if None in costs else format_usd(sum(map(_nusd, costs)))
    return {**one, "calls": one["calls"] + other["calls"], **money, "cost_usd": cost}


def _nusd(usd: str) -> int:
    """Nano-USD; unlike an amount that people write, a difference may be below zero."""
    whole, _, fraction = usd.removeprefix("-").partition(".")
    amount = int(whole) * NANO_PER_USD + int(fraction.ljust(9, "0"))
    return -amount if usd.startswith("-") else amount
