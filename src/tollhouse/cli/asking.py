"""Asking before something that cannot be undone."""

import sys
from typing import Annotated

from cyclopts import Parameter

from tollhouse.cli.common_options import CommonOptions
from tollhouse.cli.trouble import Misuse

Yes = Annotated[bool, Parameter(name="--yes", negative=(), help="do not ask")]


def confirm(options: CommonOptions, question: str, *, yes: bool) -> None:
    """Ask on a terminal. With --yes, with --json or without a terminal nothing asks. Raises Misuse for a no."""
    if yes or options.json or sys.stdin is None or not sys.stdin.isatty():
        return
    try:
        answer = input(f"{question} [y/N] ")
    except EOFError:  # Ctrl-D
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        raise Misuse("nothing was changed", code="not_confirmed")
