"""A call whose formats differ: asked in one, sent to a provider in another, answered in the first (or in a third, where
the caller chose a style).

What comes of it is a `Codec` like any other. A provider's answer is written anew as if a provider of the caller's
format had sent it; then the caller's own codec reads it. So holding back, cutting, counting and charging are the same
for all, and exist once a format. Usage is the exception: it is what the provider's own format read.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pickle import PickleBuffer
from typing import cast

from msgspec import Struct, structs

from tollhouse.core.asked_media import show_media
from tollhouse.core.call_arguments import open_arguments
from tollhouse.core.cleaning import Known
from tollhouse.core.codec import (
    Codec,
    CountTokens,
    GatheredStream,
    OpenGathering,
    OpenRelay,
    RelayedStream,
    ResponseSummary,
)
from tollhouse.core.conversation import Conversation, Reasoning, ToolCall, stand_ins
from tollhouse.core.failure import Failure, UnsupportedParameter
from tollhouse.core.features import note, untold
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.pairing import pair_calls
from tollhouse.core.reply import (
    ReplyEvent,
)
from tollhouse.core.text_start import TextStarts
from tollhouse.core.tool_names import fit_names, restored, restoring
from tollhouse.core.upstream import Buffer
from tollhouse.core.usage import Usage
from tollhouse.core.vector_translation import can_translate_vectors, translated_vectors, write_vectors
from tollhouse.core.words import AnswerContext, FormatWords, ReplyReader


def can_translate(asked: Codec, outbound: Codec, answer: Codec) -> bool:
    """Whether a call can be asked, sent and answered in these formats."""
    same = asked is outbound is answer
    if asked is answer and can_translate_vectors(asked, outbound):
        return True
    return same or (asked.words is not None and outbound.words is not None and answer.words is not None)


def translated(asked: Codec, outbound: Codec, answer: Codec, context: AnswerContext) -> Codec:
    """The codec of a call. asked: of the request. outbound: of the provider. answer: of what the caller gets.

    Where a stream is asked for, an answer in one piece is only read: it is unfolded, and its events are translated.
    """
    if asked is not outbound and can_translate_vectors(asked, outbound):
        return translated_vectors(asked, outbound, context)
    codec = answer
    if asked is not outbound:
        codec = structs.replace(codec, write=partial(_write, asked, outbound))
    elif asked is not answer:
        codec = structs.replace(codec, write=asked.write)
    if outbound is answer:
        return codec
    assert answer.streams is not None
    assert outbound.streams is not None
    assert answer.words is not None
    assert outbound.words is not None
    says, tells = outbound.words, answer.words
    streams = structs.replace(
        answer.streams,
        relay=partial(TranslatedRelay, says, tells, context, answer.streams.relay),
        gather=partial(TranslatedGathering, says, tells, context, answer.streams.gather),
        unfold=outbound.streams.unfold,
    )
    read = outbound.read_response if context.request.stream else partial(_read_response, says, answer, context)
    return structs.replace(codec, read_response=read, streams=streams)


def conversation_of(request: ModelRequest, asked: Codec, outbound: Codec) -> Conversation:
    """A request in core words, for a provider of another format. What that one cannot say is noted in `request.untold`,
    names of tools that it does not take in `request.renamed`, and functions whose calls come back as those of other
    tools in `request.stand_ins`.

    Raises BadRequest, UnsupportedParameter.
    """
    assert asked.words is not None
    assert outbound.words is not None
    conversation = asked.words.read_request(request)
    pair_calls(conversation)
    open_arguments(conversation)
    show_media(conversation)
    conversation.tools = list({tool.name: tool for tool in conversation.tools}.values())  # two of one name are refused
    request.stand_ins = stand_ins(conversation)
    _note_foreign(conversation, outbound.wire)
    request.untold = untold(conversation, outbound.words.says, outbound.words.title)
    request.renamed = fit_names(conversation, outbound.words.takes_names)
    if request.tier and request.tier != conversation.service_tier:  # only what is passed on is paid for
        param, title = request.tier_param, outbound.words.title
        raise UnsupportedParameter(
            f"'{param}' has a price of its own here, and the provider of this model is asked in the format of {title}, "
            "which cannot say it.",
            param=param,
        )
    return conversation


def _note_foreign(conversation: Conversation, wire: str) -> None:
    """Thoughts that the provider's format did not make cannot be read there."""
    for message in conversation.messages:
        for part in message.parts:
            if isinstance(part, Reasoning | ToolCall) and part.opaque is not None and part.opaque.format != wire:
                note(conversation, "reasoning_of_others", message.path)
                break


class WrittenApart(Struct):
    """A body that another process wrote, what could not be said in it, the callers' names of tools by its own, and
    which of its functions stand for other tools."""

    body: bytes
    untold: tuple[str, ...]
    renamed: dict[str, str]
    stand_ins: Mapping[str, str]


def write_apart(
    body: bytes,
    asked: Codec,
    outbound: Codec,
    *,
    model: str,
    stream: bool,
    include_usage: bool,
    caps: tuple[str, ...],
    others: bool,
    added_cap: int | None,
    longest_answer: int | None,
) -> WrittenApart:
    """Read a request in the process that has it, and write it in the other format. Raises what `translated` raises."""
    request = asked.read(body)
    request.longest_answer = longest_answer
    write = write_vectors if can_translate_vectors(asked, outbound) else _write
    (written,) = write(
        asked,
        outbound,
        request,
        model=model,
        stream=stream,
        include_usage=include_usage,
        caps=caps,
        others=others,
        added_cap=added_cap,
    )
    return WrittenApart(cast(bytes, PickleBuffer(written)), request.untold, request.renamed, request.stand_ins)


def _write(
    asked: Codec,
    outbound: Codec,
    request: ModelRequest,
    /,
    *,
    model: str,
    stream: bool,
    include_usage: bool,
    caps: tuple[str, ...] = (),
    others: bool = True,
    added_cap: int | None = None,
) -> list[Buffer]:
    """See `core.codec.WriteRequest`."""
    assert outbound.words is not None
    conversation = conversation_of(request, asked, outbound)
    cap, longest = added_cap if request.output_cap is None else request.output_cap, request.longest_answer
    conversation.output_cap = cap if cap is None or longest is None else min(cap, longest)
    conversation.longest_answer = longest
    body = outbound.words.write_request(
        conversation, model=model, stream=stream, include_usage=include_usage, caps=caps, others=others
    )
    request.untold = tuple(dict.fromkeys((*request.untold, *conversation.left_out)))
    return [body]


def _read_response(
    says: FormatWords, answer: Codec, context: AnswerContext, body: bytes, known: Known
) -> ResponseSummary:
    """The summary has the body in the caller's format, as `mended`."""
    assert answer.words is not None
    reply = restored(says.read_reply(body, known), context.request.renamed)
    own = answer.words.write_reply(reply, context)
    summary = answer.read_response(own, known)
    return structs.replace(
        summary, usage=reply.usage, raw_usage=reply.raw_usage, elsewhere=False, mended=summary.mended or own
    )


class TranslatedRelay:
    """See `core.codec.RelayedStream`: a provider's stream, written anew and relayed by the caller's own format."""

    __slots__ = ("_late", "_own_failure", "_reader", "_relay", "_write")

    def __init__(
        self,
        says: FormatWords,
        tells: FormatWords,
        context: AnswerContext,
        relay: OpenRelay,
        *,
        show_usage: bool,
        count: CountTokens,
        choices: int = 1,
        maximum: int | None = None,
        known: Known,
        echoes: bool = False,
    ) -> None:
        self._reader: ReplyReader = says.read_stream(known)
        self._write = restoring(tells.write_stream(context).write, context.request.renamed)
        self._relay: RelayedStream = relay(
            show_usage=show_usage, count=count, choices=choices, maximum=maximum, known=known, echoes=echoes
        )
        self._own_failure: Failure | None = None
        self._late = b""  # what only the end of the stream brought

    @property
    def failure(self) -> Failure | None:
        return self._own_failure or self._relay.failure

    @failure.setter
    def failure(self, failure: Failure | None) -> None:
        self._own_failure = failure

    @property
    def is_complete(self) -> bool:
        return self._relay.is_complete

    @property
    def cut(self) -> bool:
        return self._relay.cut

    @property
    def pending(self) -> int:
        return self._reader.pending + self._relay.pending

    def feed(self, data: bytes) -> bytes:
        if self.is_complete or self.failure is not None:
            return b""
        return self._written(partial(self._reader.feed, data), self._reader)

    def finish(self) -> None:
        if not self.is_complete and self.failure is None:
            self._late = self._written(self._reader.finish)
        if self._own_failure is not None:
            raise self._own_failure
        self._relay.finish()

    def _written(self, read: Callable[[], list[ReplyEvent]], reader: ReplyReader | None = None) -> bytes:
        """reader: tells what was said before a failure, and goes on; None: nothing of it does."""
        try:
            events = read()
        except Failure as failure:
            self._own_failure = failure
            events = [] if reader is None else reader.told
        write = self._write
        written = b"".join([write(event) for event in events])
        return self._relay.feed(written) if written else b""

    def feed_late(self, data: bytes) -> None: ...

    def seal(
        self, charge_usd: str, request_id: str, cap_reason: str | None = None, counted: Usage | None = None
    ) -> bytes:
        sealed = self._relay.seal(charge_usd, request_id, cap_reason, counted)
        return self._late + sealed if self.is_complete else sealed

    def delivered(self) -> Usage:
        return self._relay.delivered()

    @property
    def uncounted(self) -> int:
        return self._relay.uncounted

    @property
    def lacks_report(self) -> bool:
        return False

    @property
    def usage(self) -> Usage | None:
        return None if self._relay.cut else self._reader.usage

    @property
    def raw_usage(self) -> bytes | None:
        return self._reader.raw_usage

    @property
    def heads(self) -> TextStarts:
        return self._relay.heads

    @property
    def incomplete(self) -> bool:
        return self._relay.incomplete

    @property
    def finishing(self) -> bool:
        return self._relay.finishing or self._reader.said_all

    @property
    def failed(self) -> bool:
        return self._relay.failed

    @property
    def sequence_number(self) -> int:
        return self._relay.sequence_number


class TranslatedGathering:
    """See `core.codec.GatheredStream`. The body is in the caller's format."""

    __slots__ = ("_gathered", "_reader", "_write")

    def __init__(
        self,
        says: FormatWords,
        tells: FormatWords,
        context: AnswerContext,
        gather: OpenGathering,
        choices: int = 1,
        *,
        count: CountTokens,
        maximum: int | None = None,
        known: Known,
    ) -> None:
        self._reader: ReplyReader = says.read_stream(known)
        self._write = restoring(tells.write_stream(context).write, context.request.renamed)
        self._gathered: GatheredStream = gather(choices, count=count, maximum=maximum, known=known)

    @property
    def is_complete(self) -> bool:
        return self._gathered.is_complete

    @property
    def cut(self) -> bool:
        return self._gathered.cut

    @property
    def pending(self) -> int:
        return self._reader.pending + self._gathered.pending

    @property
    def usage(self) -> Usage | None:
        return None if self._gathered.cut else self._reader.usage

    @property
    def raw_usage(self) -> bytes | None:
        return self._reader.raw_usage

    def feed(self, data: bytes) -> None:
        self._take(self._reader.feed(data))

    def finish(self) -> bytes:
        if not self._gathered.is_complete:
            self._take(self._reader.finish())
        return self._gathered.finish()

    def _take(self, events: list[ReplyEvent]) -> None:
        for event in events:
            if self._gathered.is_complete:
                return
            self._gathered.feed(self._write(event))
