"""tollhouse limits: how many calls and tokens a minute, how many calls at once."""

from typing import Annotated, Final

from cyclopts import App, Parameter

from tollhouse.cli.asking import Yes, confirm
from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.field_options import Given, takes
from tollhouse.cli.terminal import Answer, columns, show, show_rows
from tollhouse.cli.trouble import Misuse
from tollhouse.services.given.limits import LimitQuery, NewLimits

app = App(name="limits", help="How many calls and tokens a minute, how many calls at once.")


@app.command(name="set")
@takes(NewLimits)
def put(
    given: Given,
    *,
    limit: Annotated[tuple[str, ...], Parameter(help="KIND=FIGURE, of any kind of limit; may be repeated")] = (),
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Set limits; each replaces the one of the same place, kind and model."""
    given = {**given, "limits": dict(map(_figure, limit))}
    show_rows(at, call(at, "limits.set", body=given), _COLUMNS, empty="Nothing was set")


@app.command(name="show")
@takes(LimitQuery)
def list_all(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """What limits an account, a project, a key or a model, and what is used of it; none named: all that was set."""
    answer = call(at, "limits.show", body=given)
    somewhere = bool(given)
    show_rows(at, answer, _COLUMNS, empty="Nothing limits it" if somewhere else "No limit was set")
    if not (at.json or somewhere or any(row["source"] == "plan" for row in answer["data"])):
        print("Accounts may have limits by their plans: --account NAME shows them")


@app.command
def remove(limit: str, *, yes: Yes = False, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Remove a limit that was set: what held before holds again."""
    confirm(at, f"Remove {limit}? It holds no more from the next call on.", yes=yes)
    show(at, call(at, "limits.remove", limit), f"Removed {limit}")


def _reset(row: Answer) -> str:
    return "" if not row["reset_ms"] else f"in {-(-row['reset_ms'] // 1000)} s"


def _source(row: Answer) -> str:
    if row["source"] == "plan":
        return "the plan"
    return str(row["id"]) if row["holds"] else f"{row['id']} (does not hold now)"


_COLUMNS: Final = (
    *columns("name", "level", "of_id", "model", "limit", "used", "remaining"),
    ("free again", _reset),
    *columns("until", "note"),
    ("set by", _source),
)


def _figure(text: str) -> tuple[str, int]:
    """Raises Misuse."""
    kind, _, figure = text.partition("=")
    if not kind or not figure.isdecimal() or not figure.isascii():
        raise Misuse(f"--limit {text}: write KIND=FIGURE, as in requests_per_minute=60")
    return kind, int(figure)
