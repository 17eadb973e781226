"""The second half of a codec, used only where the caller's format and the provider's differ: requests, answers and
streams to and from core words. `core.translation` joins the halves of two formats."""

import re
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from tollhouse.core.cleaning import Known
from tollhouse.core.conversation import Conversation
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.reply import Reply, ReplyEvent
from tollhouse.core.tool_names import USUAL
from tollhouse.core.usage import Usage


class AnswerContext(Struct, frozen=True, kw_only=True):
    """What an answer repeats of its call. created: Unix seconds. request: as the caller's format read it; of a large
    one the members are gone by the time of the answer. input_tokens: an estimate, for formats that tell them before the
    provider does; 0: nobody knows."""

    request_id: str
    created: int
    request: ModelRequest
    input_tokens: int = 0


class WriteConversation(Protocol):
    """Writes the body for a provider that calls the model `model`; only what the format `says` is asked of it.

    include_usage, caps, others: as of `core.codec.WriteRequest`. `conversation.output_cap` holds the cap to be sent,
    also one that was added.
    """

    def __call__(
        self,
        conversation: Conversation,
        /,
        *,
        model: str,
        stream: bool,
        include_usage: bool,
        caps: tuple[str, ...] = (),
        others: bool = True,
    ) -> bytes: ...


class ReplyReader(Protocol):
    """A provider's stream as events. Feed it every read until `is_complete`; at the provider's end of stream call
    `finish`. Both raise the Failure that an error inside stands for, and UpstreamBroke for nonsense and for a stream
    that is not whole.

    is_complete: the proper end came, and `StreamEnded` was given. pending: bytes of an event that is not complete yet.
    said_all: only the formal end is missing, and `Finished` comes with it. told: what the read said that was fed last,
    also before a failure in the middle of it.
    usage: the last report, normalised, None where it does not say all; raw_usage: as the provider's own JSON.
    """

    is_complete: bool
    told: list[ReplyEvent]

    @property
    def pending(self) -> int: ...

    @property
    def said_all(self) -> bool: ...

    @property
    def usage(self) -> Usage | None: ...

    @property
    def raw_usage(self) -> bytes | None: ...

    def feed(self, data: bytes) -> list[ReplyEvent]: ...

    def finish(self) -> list[ReplyEvent]:
        """Where `StreamEnded` was not given yet, and the stream is whole all the same, it is among these."""
        ...


class ReplyWriter(Protocol):
    """Events as a stream that a provider of this format might have sent, its report of usage and its end included."""

    def write(self, event: ReplyEvent, /) -> bytes: ...


class FormatWords(Struct, frozen=True, kw_only=True):
    """title: of the format, for people. says: which of `core.features` its requests can say. takes_names: the names of
    tools that it takes. Functions of modules, or partials of them: a worker process gets them pickled.

    read_request: raises BadRequest, UnsupportedParameter. read_reply: as `Codec.read_response`.
    """

    title: str
    says: frozenset[str]
    read_request: Callable[[ModelRequest], Conversation]
    write_request: WriteConversation
    read_reply: Callable[[bytes, Known], Reply]
    write_reply: Callable[[Reply, AnswerContext], bytes]
    read_stream: Callable[[Known], ReplyReader]
    write_stream: Callable[[AnswerContext], ReplyWriter]
    takes_names: re.Pattern[str] = USUAL
