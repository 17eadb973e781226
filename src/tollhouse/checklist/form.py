"""Step 2 for calls that are asked for by a form with files: what can be told of it without the files."""

import re
from collections.abc import Mapping
from typing import Final

from tollhouse.checklist.steps import Trouble, wrong
from tollhouse.core.phrase import Phrase

_TYPE: Final = "multipart/form-data"
_FILE_PART: Final = re.compile(r'name="?(file|image)(?:\[\])?"?(?![^\r\n]{0,200}filename)', re.IGNORECASE)


def trouble_of(headers: Mapping[str, str], body: str | None) -> Trouble | None:
    """headers: names in small letters."""
    kind = headers.get("content-type", "").strip().lower()
    if not kind and (body or "").lstrip().startswith("{"):
        return _no_form("application/json")
    if kind and not kind.startswith(_TYPE):
        return _no_form(kind)
    if kind and "boundary=" not in kind:
        return wrong(
            Phrase("The header `Content-Type` says `multipart/form-data` without a `boundary`."),
            Phrase("Leave the header out: the library that writes the form sends it, with its boundary."),
        )
    found = _FILE_PART.search(body or "")
    if found is not None:
        return wrong(
            Phrase("The part `%(name)s` has no file name: a text was sent in place of a file.", name=found[1].lower()),
            Phrase("Send the file itself: with curl, `-F file=@speech.mp3`; the `@` reads it."),
        )
    return None


def _no_form(kind: str) -> Trouble:
    return wrong(
        Phrase("This call takes a form, and what was sent is `%(kind)s`.", kind=kind[:60]),
        Phrase("Send it as `multipart/form-data`: curl does so with `-F`, libraries with a file that is open."),
    )
