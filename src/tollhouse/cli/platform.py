"""tollhouse plan, tollhouse apply: making the platform what platform.toml says."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tollhouse.cli.asking import Yes, confirm
from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.terminal import Answer, as_json, show_table
from tollhouse.cli.trouble import Misuse

File = Annotated[Path | None, Parameter(name=["--file", "-f"], help="default: platform.toml in the data folder")]

_KNOWN = ("id", "managed_by")


def plan(*, file: File = None, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Show what would change. Exit code 2 names every mistake of the file."""
    answer = call(at, "platform.plan", file=_read(at, file))
    _show(at, answer)


def apply(*, file: File = None, yes: Yes = False, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Change everything at once, or nothing."""
    data = _read(at, file)
    if not at.json:
        _show(at, call(at, "platform.plan", file=data))
    confirm(at, "Apply this?", yes=yes)
    answer = call(at, "platform.apply", file=data)
    if at.json:
        print(as_json(answer))
    else:
        print(f"Configuration generation {answer['generation']} is in force.")


def _read(at: CommonOptions, file: Path | None) -> bytes:
    """The file's bytes; they are judged where they are applied, for there the secrets they name must stand."""
    path = file or at.platform_file
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise Misuse(f"there is no file {path}; `tollhouse init` writes one", code="no_such_file") from None
    except OSError as error:
        raise Misuse(f"{path} cannot be read: {error.strerror}", code="unreadable_file") from error


def _show(at: CommonOptions, answer: Answer) -> None:
    if at.json:
        print(as_json(answer))
        return
    for warning in answer["warnings"]:
        print(f"Warning: {warning}")
    if answer["reloads"]:
        print(f"Keys that have changed where env: or file: leads, read anew by apply: {', '.join(answer['reloads'])}")
    if not answer["changes"]:
        print("Nothing would change." if not answer["reloads"] else "Nothing else would change.")
        return
    rows = [
        [row["change"], row["kind"], row["id"], _told(row["before"]), _told(row["after"])] for row in answer["changes"]
    ]
    show_table(["change", "what", "id", "before", "after"], rows)


def _told(members: Answer) -> dict[str, object]:
    """What says something to people: not the id, which stands beside it, and nothing that is empty."""
    return {name: value for name, value in members.items() if value not in (None, "", [], {}) and name not in _KNOWN}
