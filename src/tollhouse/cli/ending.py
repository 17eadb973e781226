"""How a command that failed ends: one sentence on standard error, or one JSON line, and its exit code."""

import sys
from collections.abc import Sequence

from cyclopts import CycloptsError

from tollhouse.access.exposed import without_keys
from tollhouse.cli import mistyped, output, trouble
from tollhouse.cli.trouble import CommandFailed, Misuse
from tollhouse.core.escaping import printable_lines
from tollhouse.core.failure import Failure


def end(error: Exception, arguments: Sequence[str]) -> int:
    """Tell it; the answer is the exit code. Raises the error itself where it is a defect."""
    if isinstance(error, output.Unwritable | OSError):  # an OSError: such as a full disk behind standard output
        output.give_up()
    found = _told(error)
    found.message = without_keys(found.message)  # it may name what was typed in a wrong place
    print(trouble.as_json(found) if "--json" in arguments else printable_lines(found.message), file=sys.stderr)
    return found.exit_code


def _told(error: Exception) -> CommandFailed:
    if isinstance(error, CommandFailed):
        return error
    if isinstance(error, CycloptsError):
        return Misuse(mistyped.told(error))
    if isinstance(error, Failure):
        return trouble.from_failure(error)
    if isinstance(error, output.Unwritable):
        return CommandFailed(str(error), code="unwritable_output")
    if isinstance(error, OSError):
        return CommandFailed(str(error), code="system_error")
    raise error
