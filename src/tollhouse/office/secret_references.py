"""`env:NAME` and `file:PATH`: a secret named by where it stands, so that files, database and logs need not hold it."""

from collections.abc import Callable, Mapping

ReadFile = Callable[[str], str]
"""The text of a file, by a path that may be relative to the data folder. Raises OSError."""


class MissingSecret(ValueError):
    """A reference leads nowhere; the message names the place, never a secret."""


def resolve(reference: str, environment: Mapping[str, str], read_file: ReadFile) -> str:
    """The secret behind a reference; any other text is the secret itself. Raises MissingSecret."""
    kind, colon, place = reference.partition(":")
    if colon and kind == "env":
        if place not in environment:
            raise MissingSecret(f"environment variable {place} is not set")
        secret = environment[place]
    elif colon and kind == "file":
        try:
            secret = read_file(place)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise MissingSecret(f"file {place} cannot be read: {reason}") from error
        secret = secret.removeprefix("\ufeff").rstrip("\r\n")
    else:
        return reference
    if not secret:
        raise MissingSecret(f"{reference} is empty")
    return secret
