"""tollhouse system, tollhouse incidents: how the installation stands, what goes wrong at providers."""

from cyclopts import App

from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.terminal import Answer, as_json, columns, show_fields, show_rows, show_table

app = App(name="system", help="How the installation stands.")

_FIELDS = (
    *("version", "generation", "applied_at", "started_at", "database_bytes", "free_bytes", "waiting", "sessions"),
    *("retention_days", "oldest_call_at", "deleted_calls"),
)
_EXAMINE_SECONDS_MAX = 300


@app.command(name="show")
def one(*, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """The configuration in force, the database, what waits; what only a server knows is left out where none runs."""
    show_fields(at, call(at, "system.show"), _FIELDS)


@app.command
def examine(*, at: CommonOptions = DEFAULT_OPTIONS) -> int:
    """Have the server that runs make the checks of `doctor`: as its user, with its environment. Exit code 1 if one is
    red."""
    report = call(at, "system.examine", seconds_max=_EXAMINE_SECONDS_MAX)
    if at.json:
        print(as_json(report))
    else:
        rows = [[one["title"], one["state"], one["reason"], one["cure"]] for one in report["checks"]]
        show_table(["check", "state", "what was seen", "what to do"], rows)
    return 0 if report["ok"] else 1


def incidents(*, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """What keeps calls away from providers now, and what went wrong at them in the last 24 hours."""
    answer = call(at, "incidents.list")
    if not at.json:
        for words in _now(answer):
            print(words)
    shown = columns("first", "last", "provider", "model", "error", "tries", "failed", "accounts", "words")
    show_rows(at, answer, shown, empty="No try at a provider failed in the last 24 hours")


def _now(answer: Answer) -> list[str]:
    if answer["started_at"] is None:
        return ["No server runs: nothing is known of what keeps calls away now."]
    found = [
        f"{one['provider']}, {one['model']}: {one['state'].replace('_', ' ')} "
        f"({one['cause']}, {one['failures']} failures)"
        for one in answer["circuits"]
    ]
    found += [f"{one['provider']}, {one['model']}: {one['words']}" for one in answer["troubles"]]
    return found or ["Nothing keeps calls away from any provider."]
