"""What a call for vectors asks and gets, in words that belong to no vendor, and how a format reads and writes them.

As `core.words` is for conversations: used only where the caller's format and the provider's differ.
"""

from collections.abc import Callable

from msgspec import Raw, Struct

from tollhouse.core.cleaning import Known
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.usage import Usage
from tollhouse.core.words import AnswerContext


class VectorsAsked(Struct, kw_only=True):
    """One request. `uses`: see `core.conversation.Conversation`."""

    texts: list[str]
    dimensions: int | None = None
    user: str = ""
    uses: dict[str, str] = {}


class VectorsGiven(Struct, kw_only=True):
    """An answer. vectors: arrays of numbers, as their JSON came, in the order of the texts. usage None: not reported,
    or not to be believed. raw_usage: the provider's own JSON."""

    vectors: list[Raw]
    model: str = ""
    usage: Usage | None = None
    raw_usage: bytes | None = None


class VectorWords(Struct, frozen=True, kw_only=True):
    """title: of the format, for people. says: which of `core.features` its requests can say. Functions of modules.

    read_request: raises BadRequest, UnsupportedParameter. write_request: takes the name of the model at the provider.
    read_reply: as `Codec.read_response`.
    """

    title: str
    says: frozenset[str]
    read_request: Callable[[ModelRequest], VectorsAsked]
    write_request: Callable[[VectorsAsked, str], bytes]
    read_reply: Callable[[bytes, Known], VectorsGiven]
    write_reply: Callable[[VectorsGiven, AnswerContext], bytes]
