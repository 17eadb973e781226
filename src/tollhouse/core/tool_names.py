"""Names of tools that a provider's format does not take: too long, or with characters that others allow.

A caller names tools by the rules of their own format (`files.read`, `mcp:github:search`), and a history may name tools
that are declared no longer. So a name is fitted by itself alone, the same in every turn; what a model calls comes back
by the name that the caller gave.
"""

import re
from collections.abc import Callable, Collection, Mapping
from hashlib import sha256
from typing import Final

from msgspec import structs

from tollhouse.core.conversation import Conversation, Part, ToolCall, ToolResult
from tollhouse.core.failure import BadRequest
from tollhouse.core.reply import PartBegan, Reply, ReplyEvent

USUAL: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""Names that most formats take."""
NAME_CHARACTERS_MAX: Final = 64
LONGEST: Final = 1_024
"""Of a caller's name: it comes back with each call, where the model wrote the fitted one."""
_STRANGE: Final = re.compile(r"[^A-Za-z0-9_-]")
_DIGITS: Final = 8
"""Of the hash that tells fitted names apart."""


def fit_names(conversation: Conversation, takes: re.Pattern[str]) -> dict[str, str]:
    """Replace all names that the format does not take. Gives the callers' names by the fitted ones.

    Raises BadRequest for a name so long that answers would be made of it.
    """
    names = dict.fromkeys(_names(conversation))
    strange = [name for name in names if takes.fullmatch(name) is None]
    if any(len(name) > LONGEST for name in strange):
        where = conversation.uses.get("tools", "").partition(", ")[0] or None
        raise BadRequest(f"A name of a tool has at most {LONGEST:,} characters.", param=where)
    if not strange:
        return {}
    fitted: dict[str, str] = {}
    for name in strange:
        fitted[_fitted(name, names, fitted)] = name
    _rename(conversation, {name: fit for fit, name in fitted.items()})
    return fitted


def fitted_name(name: str, salt: str = "") -> str:
    """A name that each format takes."""
    digits = sha256((name + salt).encode(errors="replace")).hexdigest()[:_DIGITS]
    start = _STRANGE.sub("_", name[:NAME_CHARACTERS_MAX])
    start = start if start[:1].isalpha() or start[:1] == "_" else "_" + start
    return f"{start[: NAME_CHARACTERS_MAX - _DIGITS - 1]}_{digits}"


def restored(reply: Reply, names: Mapping[str, str]) -> Reply:
    """An answer whose calls name tools as the caller does."""
    for choice in reply.choices if names else ():
        choice.parts = [_restored(part, names) for part in choice.parts]
    return reply


def restoring(write: Callable[[ReplyEvent], bytes], names: Mapping[str, str]) -> Callable[[ReplyEvent], bytes]:
    """A writer of events to which calls name tools as the caller does."""
    if not names:
        return write

    def written(event: ReplyEvent) -> bytes:
        if type(event) is PartBegan:
            event = structs.replace(event, part=_restored(event.part, names))
        return write(event)

    return written


def _restored(part: Part, names: Mapping[str, str]) -> Part:
    if isinstance(part, ToolCall) and part.name in names:
        return structs.replace(part, name=names[part.name])
    return part


def _names(conversation: Conversation) -> list[str]:
    named = [tool.name for tool in conversation.tools]
    for message in conversation.messages:
        named += [part.name for part in message.parts if isinstance(part, ToolCall | ToolResult) and part.name]
    choice = conversation.tool_choice
    return named if choice is None else [*named, *choice.names]


def _fitted(name: str, names: Collection[str], fitted: Collection[str]) -> str:
    fit, tries = fitted_name(name), 0
    while fit in names or fit in fitted:
        tries += 1
        fit = fitted_name(name, str(tries))
    return fit


def _rename(conversation: Conversation, fits: Mapping[str, str]) -> None:
    for tool in conversation.tools:
        tool.name = fits.get(tool.name, tool.name)
    for message in conversation.messages:
        for part in message.parts:
            if isinstance(part, ToolCall | ToolResult):
                part.name = fits.get(part.name, part.name)
    choice = conversation.tool_choice
    if choice is not None:
        named = tuple(fits.get(name, name) for name in choice.names)
        conversation.tool_choice = structs.replace(choice, names=named)
