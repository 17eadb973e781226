"""What a model answers, in words that belong to no vendor: whole, or as the events of a stream.

A format reads an answer of its own into these and writes them as an answer of its own (`core.words.FormatWords`).
"""

from typing import Literal

from msgspec import Struct

from tollhouse.core.conversation import Citation, Opaque, Part
from tollhouse.core.usage import Usage

Finish = Literal["stop", "stop_sequence", "length", "tool_calls", "content_filter", "refusal", "pause"]
"""Why an answer ended. stop_sequence: at a text that the caller named. content_filter: the provider cut it for what it
says. refusal: the model would not. pause: the provider's own tools need another turn."""


class TokenProbability(Struct, kw_only=True):
    """A token that was written, its logarithm of probability, and those that might have stood there."""

    token: str
    logprob: float
    bytes: list[int] | None = None
    top: list["TokenProbability"] = []


class ReplyChoice(Struct, kw_only=True):
    """One answer of a reply. finish None: the provider did not say."""

    parts: list[Part]
    finish: Finish | None = None
    stop_sequence: str | None = None  # the one at which it ended
    logprobs: list[TokenProbability] | None = None


class Reply(Struct, kw_only=True):
    """A whole answer. usage None: not reported, or not to be believed. raw_usage: the provider's own JSON. created:
    Unix seconds; 0: not said."""

    choices: list[ReplyChoice]
    id: str = ""
    model: str = ""
    created: int = 0
    usage: Usage | None = None
    raw_usage: bytes | None = None


class Began(Struct, frozen=True, kw_only=True):
    """The answer begins. usage: what is known of it by now."""

    id: str = ""
    model: str = ""
    created: int = 0
    usage: Usage | None = None


class PartBegan(Struct, frozen=True, kw_only=True):
    """A part begins; `index` counts the parts of a choice. part: with what is known of it, its text and arguments
    empty; a part that comes whole (a picture) is all here."""

    part: Part
    index: int
    choice: int = 0


class TextAdded(Struct, frozen=True, kw_only=True):
    """More of a text, of thoughts or of a refusal: whatever the part is."""

    text: str
    index: int
    choice: int = 0
    logprobs: list[TokenProbability] | None = None


class ArgumentsAdded(Struct, frozen=True, kw_only=True):
    """More of the arguments of a tool call."""

    text: str
    index: int
    choice: int = 0


class OpaqueAdded(Struct, frozen=True, kw_only=True):
    """What only the maker can read of this part. A later one replaces it."""

    opaque: Opaque
    index: int
    choice: int = 0


class CitationAdded(Struct, frozen=True, kw_only=True):
    citation: Citation
    index: int
    choice: int = 0


class PartEnded(Struct, frozen=True, kw_only=True):
    """Nothing more comes of this part. Parts of one choice may be open side by side."""

    index: int
    choice: int = 0


class Finished(Struct, frozen=True, kw_only=True):
    """A choice is over; each of its parts has ended."""

    finish: Finish
    choice: int = 0
    stop_sequence: str | None = None


class UsageTold(Struct, frozen=True, kw_only=True):
    """A report; a later one replaces it."""

    usage: Usage


class StreamEnded(Struct, frozen=True):
    """The proper end of the stream: nothing follows."""


_OfPart = PartBegan | TextAdded | ArgumentsAdded | OpaqueAdded | CitationAdded | PartEnded
ReplyEvent = Began | _OfPart | Finished | UsageTold | StreamEnded
