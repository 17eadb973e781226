"""tollhouse ledger: whether everything still agrees, and what an account's month was made of."""

import sys
from typing import Annotated

from cyclopts import App, Parameter

from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.field_options import Given, takes
from tollhouse.cli.terminal import Answer, as_json, columns, show_table
from tollhouse.cli.trouble import FAILED
from tollhouse.services.given.statements import StatementQuery
from tollhouse.services.statement_csv import StatementRow, as_csv

_VERIFYING_SECONDS_MAX = 3_600

app = App(name="ledger", help="The ledger: checked, and read as a bill.")


@app.command
def verify(*, at: CommonOptions = DEFAULT_OPTIONS) -> int:
    """Walk every account's chain and compare all sums with it; exit code 1 if anything does not agree."""
    found = call(at, "ledger.verify", seconds_max=_VERIFYING_SECONDS_MAX)
    if at.json:
        print(as_json(found))
    elif found["ok"]:
        print(f"Everything agrees: {found['entries']} entries of {found['accounts']} accounts")
    else:
        names = ("account_id", "sequence", "transfer_id", "reason")
        show_table(
            [name.replace("_", " ") for name in names], [[flaw[name] for name in names] for flaw in found["flaws"]]
        )
        print(f"{len(found['flaws'])} flaws in {found['entries']} entries of {found['accounts']} accounts")
    return 0 if found["ok"] else FAILED


@app.command
@takes(StatementQuery)
def statement(
    given: Given,
    *,
    to_csv: Annotated[bool, Parameter(name="--csv", negative=(), help="comma-separated values")] = False,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """What a month's balance was made of: the calls of each day, and every other entry by itself."""
    found = call(at, "ledger.statement", body=given)
    if to_csv and not at.json:
        sys.stdout.write(_csv(found))
        return
    if at.json:
        print(as_json(found))
        return
    shown = columns("time", "kind", "amount_usd", "id", "reason")
    rows = [[cell(line) for _, cell in shown] for line in found["lines"]]
    opening = [found["from"], "opening balance", found["opening_usd"], "", ""]
    closing = [found["to"], "closing balance", found["closing_usd"], "", ""]
    show_table([heading for heading, _ in shown], [opening, *rows, closing])


def _csv(found: Answer) -> str:
    names = StatementRow.__struct_fields__
    lines = [StatementRow(**{name: line[name] or "" for name in names}) for line in found["lines"]]
    return as_csv(
        StatementRow(time=found["from"], kind="opening", amount_usd=found["opening_usd"]),
        lines,
        StatementRow(time=found["to"], kind="closing", amount_usd=found["closing_usd"]),
    )
