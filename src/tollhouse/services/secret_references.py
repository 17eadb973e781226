"""`env:NAME` and `file:PATH`: a secret named by where it stands, so that files, database and logs need not hold it."""

import codecs
from collections.abc import Callable, Mapping
from typing import Final

ReadFile = Callable[[str], str]
"""The text of a file, by a path that may be relative to the data folder. Raises OSError."""


_AROUND: Final = "\ufeff\r\n"
"""What editors, shells and files of variables add to a secret: it is no part of one, wherever the secret stands."""


class MissingSecret(ValueError):
    """A reference leads nowhere; the message names the place, never a secret."""


def resolve(reference: str, environment: Mapping[str, str], read_file: ReadFile) -> str:
    """The secret behind a reference; any other text is the secret itself. Raises MissingSecret."""
    kind, colon, place = reference.partition(":")
    if colon and kind == "env":
        if place not in environment:
            raise MissingSecret(f"environment variable {place} is not set")
        secret = environment[place]
        if not secret.strip(_AROUND):
            raise MissingSecret(f"environment variable {place} is empty")
    elif colon and kind == "file":
        try:
            secret = read_file(place)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else _encoding(error.object)
            raise MissingSecret(f"file {place} cannot be read: {reason}") from error
    else:
        return reference
    secret = secret.strip(_AROUND)
    if not secret:
        raise MissingSecret(f"{reference} is empty")
    return secret


def _encoding(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "it is UTF-16, not UTF-8: save it as UTF-8"
    return "not UTF-8"
