"""English words that keep what they were made of, so that a page or a mail can say them in another language."""

from collections.abc import Mapping
from typing import Self


class Phrase(str):
    """A text like any other, whose `template` is looked up in a catalogue, and filled with `values` again.

    A value that is a phrase is translated as well; any other stays as it is.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, /, **values: object) -> Self:
        """template: as `%(count)s are too many`; a percent sign in it is written twice."""
        made = super().__new__(cls, template % values)
        made.template, made.values = template, values
        return made


def translatable(text: str) -> str:
    """Mark a text without places as one that is said in the language of its reader: catalogues are made of these."""
    return text
