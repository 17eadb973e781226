"""tollhouse providers: where calls go."""

from cyclopts import App

from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.field_options import Given, takes
from tollhouse.cli.terminal import Answer, as_json, columns, show_fields, show_rows, show_table
from tollhouse.core.instant import rfc3339
from tollhouse.services.given.providers import DrainFields, ProviderQuery

app = App(name="providers", help="Providers and their health.")

_FIELDS = (
    *("id", "kind", "base_url", "api_keys", "state", "drain", "speaks", "operations", "attempts", "failed"),
    "troubles",
)


@app.command(name="list")
def list_all(*, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Providers as configured."""
    shown = (*columns("id", "kind", "base_url", "api_keys", "managed_by"), ("state", told_state))
    show_rows(at, call(at, "providers.list"), shown, empty="There is no provider yet: name one in platform.toml")


def told_state(row: Answer) -> str:
    """What keeps calls away from it, and what it last refused them with."""
    told = [_circuit(one) for one in row["state"].get("circuits", ())]
    for one in row["state"].get("troubles", ()):
        told.append(f"{one['model']}: {one['words']} ({one['failures']} times in a row)")
    return "; ".join(told) or "nothing is known against it"


def _circuit(one: Answer) -> str:
    key = "" if one["slot"] is None else f", key {one['slot'] + 1}"
    until = "" if one["until_ms"] is None else f" until {rfc3339(one['until_ms'])}"
    what = f"circuit {one['state'].replace('_', ' ')}{until}" if one["state"] != "closed" else "calls go through"
    return f"{one['model']}{key}: {what} ({one['cause'].replace('_', ' ')}, {one['failures']} failures)"


@app.command(name="show")
def one(provider: str, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """One provider: its health, and the models that depend on it."""
    answer = call(at, "providers.show", provider)
    show_fields(at, answer, _FIELDS)
    if at.json:
        return
    rows = [
        [row["model"], row["asked_as"], row["state"], "yes" if row["alone"] else "", *_tries(row["calls"])]
        for row in answer["offers"]
    ]
    show_table(["model", "asked as", "state", "nobody else", "tries", "failed", "p95 ms", "last error"], rows)


def _tries(calls: Answer | None) -> list[object]:
    if calls is None:
        return [0, 0, None, None]
    return [calls["attempts"], calls["failed"], calls["p95_ms"], calls["last_error"]]


@app.command
@takes(DrainFields)
def drain(provider: str, given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Send no new calls to a provider; those under way end."""
    show_fields(at, call(at, "providers.drain", provider, body=given), ("id", "since", "reason"))


@app.command
def resume(provider: str, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Send calls to a drained provider again."""
    show_fields(at, call(at, "providers.resume", provider), ("id",))


@app.command
@takes(ProviderQuery, "provider")
def check(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> int:
    """Ask each provider for its models, with each of its keys. Exit code 1 if one does not answer."""
    answer = call(at, "providers.check", body=given)
    if at.json:
        print(as_json(answer))
    else:
        headings = ["provider", "key", "state", "url", "what was seen", "what to do"]
        rows = [
            [row["provider"], row["key"], row["state"], row["url"], row["reason"], row["cure"]]
            for row in answer["data"]
        ]
        show_table(headings, rows)
    return 1 if any(row["state"] == "red" for row in answer["data"]) else 0
