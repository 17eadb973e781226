"""tollhouse keys: make, show, rotate, freeze, revoke; report those that were found."""

import json
import re
import sys
from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, Parameter

from tollhouse.cli.asking import Yes, confirm
from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.field_options import Given, takes
from tollhouse.cli.terminal import Answer, columns, show, show_fields, show_rows
from tollhouse.cli.trouble import Misuse
from tollhouse.services.given.keys import FOUND_MAX, KeyQuery, NewKey, Rotation
from tollhouse.services.given.paging import Reason

app = App(name="keys", help="API keys: make, show, rotate, freeze, revoke.")

_WHOLE: Final = re.compile(r"\bsk-th-(?:live|test|admin)-[0-9A-Za-z]{49}\b", re.ASCII)
_REPORT_BYTES_MAX: Final = 64 * 1024 * 1024
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


@app.command(name="report-leak")
def report_leak(
    file: Annotated[Path, Parameter(help="a text or a scanner's report in which whole keys stand; -: standard input")],
    *,
    url: Annotated[str | None, Parameter(help="where they were found")] = None,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Freeze keys of this platform that were found where they should not be, and mail their owners.

    The answer is the same whether they are of this platform, and valid, or not.
    """
    found = [{"token": token, "url": url, "source": "command"} for token in _whole_keys(file)]
    answer = call(at, "keys.report_leak", file=json.dumps(found).encode())
    show(at, answer, f"Reported {answer['received']} keys: those that are valid are frozen, and their owners are told.")


def _whole_keys(file: Path) -> list[str]:
    """Each once. They are read from a file, so that none stands in the list of processes or in a shell's history."""
    try:
        data = sys.stdin.buffer.read(_REPORT_BYTES_MAX) if str(file) == "-" else file.read_bytes()[:_REPORT_BYTES_MAX]
    except OSError as error:
        raise Misuse(f"{file} cannot be read: {error.strerror}", code="unreadable_file") from error
    keys = list(dict.fromkeys(_WHOLE.findall(data.decode("utf-8", "replace"))))
    if not keys:
        raise Misuse(f"{file}: no whole key of the form sk-th-... stands in it", code="no_key")
    if len(keys) > FOUND_MAX:
        raise Misuse(f"{file}: {len(keys)} keys; report at most {FOUND_MAX} at once", code="too_many_keys")
    return keys


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
