"""tollhouse status, tollhouse announcements: how models serve, and what everybody is told of incidents."""

from collections.abc import Callable

from cyclopts import App

from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.field_options import Given, takes
from tollhouse.cli.terminal import Answer, as_json, columns, show, show_rows
from tollhouse.core.escaping import printable
from tollhouse.services.given.announcements import AnnouncementText, ClosingText, NewAnnouncement

app = App(name="announcements", help="What everybody is told of incidents: open, write, close.")


def status(*, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """How models serve, from the calls that ended: as /status shows it, with models that are open to few."""
    answer = call(at, "status.show")
    if at.json:
        print(as_json(answer))
        return
    for one in answer["incidents"]:
        if one["closed_at"] is None:
            print(printable(f"{one['title']} ({one['id']}, since {one['created_at']})"))
    windows = [("hour", "hour"), ("day", "day"), ("30 days", "month")]
    shown = [
        *columns("model", "state"),
        *((f"success, {words}", _figure(name, "success_percent", " %")) for words, name in windows),
        ("first token p50", _figure("day", "first_token_p50_ms", " ms")),
        ("p95", _figure("day", "first_token_p95_ms", " ms")),
        ("tokens/s", _figure("day", "tokens_per_second", "")),
    ]
    show_rows(at, {"data": answer["models"]}, shown, empty="Too few calls ended in 30 days to say anything.")


@app.command(name="list")
def list_all(*, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Those that are open, and those that were closed in the last 30 days."""
    shown = columns("id", "title", "models", "created_at", "changed_at", "closed_at")
    show_rows(at, call(at, "announcements.list"), shown, empty="Nobody was told of an incident in 30 days.")


@app.command(name="open")
@takes(NewAnnouncement, "title", "text")
def begin(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Tell everybody of an incident, on /status and in its feed."""
    one = call(at, "announcements.open", body=given)
    show(at, one, f"Told everybody of {one['id']}: {one['title']}")


@app.command
@takes(AnnouncementText, "text")
def write(announcement: str, given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Say what is new of an incident."""
    one = call(at, "announcements.write", announcement, body=given)
    show(at, one, f"Wrote to {one['id']}: {one['title']}")


@app.command
@takes(ClosingText)
def close(announcement: str, given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Say that an incident is over."""
    one = call(at, "announcements.close", announcement, body=given)
    show(at, one, f"Closed {one['id']}: {one['title']}")


def _figure(window: str, name: str, unit: str) -> Callable[[Answer], str]:
    def shown(model: Answer) -> str:
        value = model[window][name]
        return "" if value is None else f"{value}{unit}"

    return shown
