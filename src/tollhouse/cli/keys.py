"""tollhouse keys: make, show, rotate, freeze, revoke."""

from typing import Annotated

from cyclopts import App, Parameter

from tollhouse.cli.asking import Yes, confirm
from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.field_options import Given, takes
from tollhouse.cli.terminal import Answer, columns, show, show_fields, show_rows
from tollhouse.cli.trouble import Misuse
from tollhouse.services.given.keys import KeyQuery, NewKey, Rotation
from tollhouse.services.given.paging import Reason

app = App(name="keys", help="API keys: make, show, rotate, freeze, revoke.")

_FIELDS = (
    *("id", "name", "account_id", "project_id", "mode", "scopes", "models", "networks", "tags", "state"),
    *("state_reason", "prefix", "last4", "expires_at", "created_at", "rotated_at", "last_used_at", "last_used_client"),
)


@app.command
@takes(NewKey, "name")
def create(
    given: Given,
    *,
    tag: Annotated[tuple[str, ...], Parameter(help="k=v, for grouping usage", negative=())] = (),
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Make a key. Its secret is shown this once."""
    key = call(at, "keys.create", body={**given, "tags": dict(_tag(text) for text in tag)})
    show(at, key, f"Made key {key['name']}: {key['id']}\n\n{key['secret']}\n\nThis is shown once: store it now.")


@app.command(name="list")
@takes(KeyQuery)
def list_all(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Keys, newest first; never a secret."""
    shown = [
        *columns("id", "name"),
        ("key", _ends),
        *columns("mode", "state", "models", "expires_at", "last_used_at", "last_used_client"),
    ]
    show_rows(at, call(at, "keys.list", body=given), shown, empty="There is no key yet: tollhouse keys create NAME")


@app.command(name="show")
def one(key: str, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """One key, by id or unique name."""
    show_fields(at, call(at, "keys.show", key), _FIELDS)


@app.command
def use(key: str, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Say who uses a key, by client, and who still brings a secret that was replaced."""
    show_fields(at, call(at, "keys.use", key), ("id", "calls", "failed", "charge_usd", "since", "clients"))


@app.command
@takes(Rotation)
def rotate(key: str, given: Given, *, yes: Yes = False, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Give a key a new secret; its id, limits and history stay."""
    overlap = given.get("overlap", "0s")
    confirm(at, f"Rotate {key}? The old secret stops working after the overlap ({overlap}).", yes=yes)
    answer = call(at, "keys.rotate", key, body=given)
    show(at, answer, f"{answer['message']}\n\n{answer['secret']}\n\nThis is shown once: store it now.")


@app.command
@takes(Reason)
def revoke(key: str, given: Given, *, yes: Yes = False, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """End a key for good, from the next request on."""
    confirm(at, f"Revoke {key}? This is final.", yes=yes)
    _change(at, "revoke", "Revoked", key, given)


@app.command
@takes(Reason)
def freeze(key: str, given: Given, *, yes: Yes = False, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Refuse a key's calls until it is unfrozen."""
    confirm(at, f"Freeze {key}? It is refused until it is unfrozen.", yes=yes)
    _change(at, "freeze", "Froze", key, given)


@app.command
@takes(Reason)
def unfreeze(key: str, given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Let a frozen key call again."""
    _change(at, "unfreeze", "Unfroze", key, given)


def _change(at: CommonOptions, action: str, done: str, key: str, given: Given) -> None:
    answer = call(at, f"keys.{action}", key, body=given)
    show(at, answer, f"{done} key {answer['name']}: {answer['id']}")


def _tag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Misuse(f"--tag {text}: write name=value")
    return name, value


def _ends(key: Answer) -> str:
    return f"{key['prefix']}...{key['last4']}"
