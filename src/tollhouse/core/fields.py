"""What the control plane says of a field, once: where it is declared.

The fields that people set, see and find again in one and the same form stand in one struct a noun, such as
`BudgetFields`. The record, the request and the answer inherit it; the command has its options from the request, and the
table keeps what the record has. A field with another form inside (`amount` in nano-USD, `amount_usd` in decimal text)
is declared in each.
"""

from typing import Annotated, NamedTuple

from msgspec import Struct


class Fields(Struct, frozen=True, kw_only=True):
    """What a noun's `...Fields` inherits. Whoever inherits that and is not keyword-only has these fields last."""


class Help(NamedTuple):
    """Beside the type of a field, in `Annotated`: people set it by an option of a command, with this help.

    option: what the option is called, where not as the field. choices: the words that it takes. clearable: of a list:
    `--empty-soft` gives an empty one. shown: the help names the default.
    """

    words: str
    option: str = ""
    choices: tuple[str, ...] = ()
    clearable: bool = False
    shown: bool = False


class Prose(NamedTuple):
    """Beside the type of a field, in `Annotated`: text in lines of its own, of at most so many characters. What of it
    does not print is a matter of whoever keeps it; any other text is one line that prints."""

    length_max: int


AccountReference = Annotated[str | None, Help("an account, by id or unique name")]
ProjectReference = Annotated[str | None, Help("a project, by id or unique name")]
KeyReference = Annotated[str | None, Help("a key, by id or unique name")]
Expires = Annotated[str | None, Help("30d, a date, or a time; absent: never")]
