"""Standard output and standard error, whatever they are: a terminal that knows few letters, a closed pipe, a full disk.

A command that has done something must not fail on the way to the screen: its answer may hold a secret that is shown
this once. A letter that the encoding of a terminal does not know is written as an escape of JSON, which scripts read
back as the same letter.
"""

import codecs
import json
import os
import sys
from typing import Final

_ESCAPES: Final = "json_escapes"


class Unwritable(Exception):
    """Standard output takes no more, as on a full disk."""


def prepare() -> None:
    """Make both outputs able to take any text. Of two one that was closed before the start becomes the other."""
    codecs.register_error(_ESCAPES, _escaped)
    while (spare := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass  # no file that is opened later may get the number of a closed output
    os.close(spare)
    sys.stdout = sys.stdout or sys.stderr or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or sys.stdout
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=_ESCAPES)


def deliver(text: str) -> None:
    """Print an answer that is given this once. Where standard output does not take it, standard error gets it.

    Raises Unwritable where that was for another reason than a reader who had left.
    """
    try:
        print(text, flush=True)
    except OSError as error:
        give_up()
        print(text, file=sys.stderr)
        if not isinstance(error, BrokenPipeError):
            raise Unwritable(
                f"standard output could not be written ({error.strerror}): the answer stands above, and the command"
                " was done"
            ) from error


def flush() -> None:
    """Write what is still held back. Raises BrokenPipeError, Unwritable."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Unwritable(f"standard output could not be written: {error.strerror}") from error


def give_up() -> None:
    """Send the rest of standard output nowhere: it must not raise again when Python flushes it at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _escaped(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end
