"""tollhouse requests: what a call was and what it cost, and calls as they end."""

import threading
from typing import Annotated, Any, Final

from cyclopts import App, Parameter

from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.field_options import Given, takes
from tollhouse.cli.terminal import Answer, as_json, cell_text, columns, show_fields, show_rows, show_table
from tollhouse.services.given.requests import RequestQuery

app = App(name="requests", help="Calls: receipts, lists, and as they end.")

_POLL_SECONDS: Final = 0.5
_PAGE: Final = 500
_FIELDS: Final = (
    *("id", "time", "mode", "account_id", "project_id", "key", "model", "dialect", "operation", "stream"),
    *("client", "tags", "status", "error", "error_detail", "ending", "ending_explained"),
    *("usage", "usage_source", "usage_doubt", "charge_usd", "refunded_nusd"),
    *("output_cap", "dropped", "timing_ms", "ledger_entry"),
)
_SEEN: Final = (
    *columns("time", "id", "status"),
    ("error", lambda seen: seen.get("error", "")),
    *columns("model", "ending", "usage_source", "charge_usd"),
)


@app.command(name="show")
def one(request_id: str, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """The receipt of a call: usage, price, charge, hold, limits and budgets, attempts, timings."""
    receipt = call(at, "requests.show", request_id)
    show_fields(at, receipt, _FIELDS)
    if at.json:
        return
    held = ", ".join(f"{name} {receipt[f'{name}_nusd']}" for name in ("held", "released", "overrun"))
    print(f"\nHold (nano-USD): {held}")
    _table("Charge lines", receipt["lines"], ("bucket", "quantity", "price_usd", "per", "charge_nusd", "price_id"))
    _table("Attempts", receipt["attempts"], ("provider", "model", "format", "status", "error", "start_ms", "end_ms"))
    _table("Limits it passed", receipt["limits"], ("name", "level", "id", "model", "limit", "before", "after"))
    counters = ("kind", "level", "of_id", "window", "model", "limit_usd", "used_before_usd", "held_before_usd")
    _table("Counters it was held on", receipt["budgets"], (*counters, "used_after_usd"))


@app.command(name="list")
@takes(RequestQuery)
def list_all(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Calls, newest first, or the dearest."""
    answer = call(at, "requests.list", body=given)
    show_rows(at, answer, _SEEN, empty="There was no such call")


@app.command
@takes(RequestQuery, but=("since", "before", "order", "limit", "after"))
def tail(
    given: Given,
    *,
    lines: Annotated[int, Parameter(name="--lines", help="how many that ended before to begin with")] = 10,
    count: Annotated[int | None, Parameter(name="--count", help="end after so many; default: until Ctrl-C")] = None,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Calls as they end, a line each; with --json an object a line. Needs a server that runs."""
    pause = threading.Event()
    after: str | None = None
    left = count
    while left is None or left > 0:
        asked = max(1, lines if after is None else _PAGE)
        asked = asked if left is None else min(asked, left)
        answer = call(at, "requests.tail", body={**given, "after": after, "limit": asked})
        ended: list[Answer] = answer["data"] if after is not None or lines > 0 else []
        for seen in ended:
            print(as_json(seen) if at.json else _line(seen), flush=True)
        left = None if left is None else left - len(ended)
        after = answer["next"]
        if not ended and (left is None or left > 0):
            pause.wait(_POLL_SECONDS)


def _line(seen: Answer) -> str:
    took = seen["timing_ms"]["settled"]
    words = (
        *(seen["time"], seen["id"], seen["status"], seen["model"] or "-", seen["ending"]),
        *(f"{took} ms" if took is not None else "-", f"{seen['charge_usd']} USD", cell_text(seen["usage"])),
    )
    return "  ".join(cell_text(word) for word in words)


def _table(title: str, rows: list[dict[str, Any]], names: tuple[str, ...]) -> None:
    if not rows:
        return
    print(f"\n{title}")
    shown = [name for name in names if any(name in row for row in rows)]
    show_table([name.replace("_", " ") for name in shown], [[row.get(name) for name in shown] for row in rows])
