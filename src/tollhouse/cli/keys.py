"""tollhouse keys: make, show, rotate, freeze, revoke."""

from typing import Annotated, Literal

from cyclopts import App, Parameter

from tollhouse.cli.asking import confirm
from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.options import AccountOption, After, Limit, ProjectOption, Reason, Yes
from tollhouse.cli.terminal import Answer, columns, show, show_fields, show_rows
from tollhouse.cli.trouble import Misuse

app = App(name="keys", help="API keys: make, show, rotate, freeze, revoke.")

_FIELDS = (
    *("id", "name", "account_id", "project_id", "mode", "scopes", "models", "networks", "tags", "state"),
    *("state_reason", "prefix", "last4", "expires_at", "created_at", "rotated_at", "last_used_at", "last_used_client"),
)


@app.command
def create(
    name: str,
    *,
    account: AccountOption = None,
    project: ProjectOption = None,
    mode: Annotated[
        Literal["live", "test", "admin"], Parameter(help="test: simulated and free; admin: control API")
    ] = ("live"),
    scope: Annotated[tuple[str, ...], Parameter(help="inference, usage; default both", negative=())] = (),
    model: Annotated[tuple[str, ...], Parameter(help="an allowed model, or prefix*; default all", negative=())] = (),
    network: Annotated[tuple[str, ...], Parameter(help="an allowed network (CIDR); default all", negative=())] = (),
    expires: Annotated[str | None, Parameter(help="30d, 2027-01-31, or a time; default never")] = None,
    tag: Annotated[tuple[str, ...], Parameter(help="k=v, for grouping usage", negative=())] = (),
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Make a key. Its secret is shown this once."""
    given = {
        "name": name,
        "account": account,
        "project": project,
        "mode": mode,
        "scopes": list(scope) or None,
        "models": list(model),
        "networks": list(network),
        "expires": expires,
        "tags": dict(_tag(text) for text in tag),
    }
    key = call(at, "keys.create", body=given)
    show(at, key, f"Made key {key['name']}: {key['id']}\n\n{key['secret']}\n\nThis is shown once: store it now.")


@app.command(name="list")
def list_all(
    *,
    account: AccountOption = None,
    project: ProjectOption = None,
    limit: Limit = None,
    after: After = None,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Keys, newest first; never a secret."""
    given = {"account": account, "project": project, "limit": limit, "after": after}
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
def rotate(
    key: str,
    *,
    overlap: Annotated[str | None, Parameter(help="how long the old secret stays valid, up to 7d; default 0s")] = None,
    start: Annotated[
        Literal["now", "first-use"], Parameter(name="--from", help="what the overlap is counted from")
    ] = "now",
    expires: Annotated[str | None, Parameter(help="a new expiry; needed when the old one is past")] = None,
    yes: Yes = False,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Give a key a new secret; its id, limits and history stay."""
    confirm(at, f"Rotate {key}? The old secret stops working after the overlap ({overlap or '0s'}).", yes=yes)
    answer = call(at, "keys.rotate", key, body={"overlap": overlap, "from": start, "expires": expires})
    show(at, answer, f"{answer['message']}\n\n{answer['secret']}\n\nThis is shown once: store it now.")


@app.command
def revoke(key: str, *, reason: Reason = None, yes: Yes = False, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """End a key for good, from the next request on."""
    confirm(at, f"Revoke {key}? This is final.", yes=yes)
    _change(at, "revoke", "Revoked", key, reason)


@app.command
def freeze(key: str, *, reason: Reason = None, yes: Yes = False, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Refuse a key's calls until it is unfrozen."""
    confirm(at, f"Freeze {key}? It is refused until it is unfrozen.", yes=yes)
    _change(at, "freeze", "Froze", key, reason)


@app.command
def unfreeze(key: str, *, reason: Reason = None, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Let a frozen key call again."""
    _change(at, "unfreeze", "Unfroze", key, reason)


def _change(at: CommonOptions, action: str, done: str, key: str, reason: str | None) -> None:
    answer = call(at, f"keys.{action}", key, body={"reason": reason})
    show(at, answer, f"{done} key {answer['name']}: {answer['id']}")


def _tag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Misuse(f"--tag {text}: write name=value")
    return name, value


def _ends(key: Answer) -> str:
    return f"{key['prefix']}...{key['last4']}"
