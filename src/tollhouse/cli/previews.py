"""Calls charged again, as the control API tells them in parts: the parts added up, the progress told meanwhile."""

import sys
from collections.abc import Sequence
from typing import Any

from tollhouse.cli.control import call
from tollhouse.cli.place import Place
from tollhouse.cli.terminal import as_json, show_table
from tollhouse.core.amount import NANO_PER_USD, format_usd

_MONEY = ("charged_usd", "would_be_usd", "difference_usd")
_Sum = dict[str, Any]


def show_preview(at: Place, name: str, object_id: str, shown: Sequence[str], *, days: int, account: str | None) -> None:
    """`name`: the route that is asked, again and again until it is through. `shown`: the columns with money."""
    given = {"days": days, "account": account}
    answer: dict[str, Any] = {**call(at, name, object_id, given=given)}
    sums: dict[tuple[str, str], _Sum] = {}
    _add(sums, answer["data"])
    while answer["next"] is not None:
        print(f"{answer['looked_at']} calls looked at ...", file=sys.stderr)
        more = call(at, name, object_id, given={**given, "after": answer["next"]})
        _add(sums, more["data"])
        answer |= {"end": more["end"], "looked_at": answer["looked_at"] + more["looked_at"], "next": more["next"]}
    answer["data"] = [sums[where] for where in sorted(sums)]
    if at.json:
        print(as_json(answer))
        return
    if answer["as_if_everybody"]:
        print("No account buys by this list yet: all are shown as if they did.")
    if not sums:
        print(f"{answer['looked_at']} calls since {answer['start']}, and none that this concerns.")
        return
    names = ("account_id", "model", "calls", *shown)
    rows = [*answer["data"], _total(answer["data"])]
    show_table([name.replace("_", " ") for name in names], [[row[name] for name in names] for row in rows])


def _add(sums: dict[tuple[str, str], _Sum], rows: list[_Sum]) -> None:
    for row in rows:
        where = row["account_id"], row["model"]
        sums[where] = _plus(sums[where], row) if where in sums else row


def _plus(one: _Sum, other: _Sum) -> _Sum:
    added = {name: format_usd(_read(one[name]) + _read(other[name])) for name in _MONEY}
    costs = one["cost_usd"], other["cost_usd"]
    cost = None if None in costs else format_usd(sum(map(_read, costs)))
    return {**one, "calls": one["calls"] + other["calls"], **added, "cost_usd": cost}


def _total(rows: list[_Sum]) -> _Sum:
    total = rows[0]
    for row in rows[1:]:
        total = _plus(total, row)
    return {**total, "account_id": "all", "model": ""}


def _read(usd: str) -> int:
    """Nano-USD; unlike an amount that people write, a difference may be below zero."""
    whole, _, fraction = usd.removeprefix("-").partition(".")
    amount = int(whole) * NANO_PER_USD + int(fraction.ljust(9, "0"))
    return -amount if usd.startswith("-") else amount
