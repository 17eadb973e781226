"""The answer of a call whose formats differ (`core.translation`): read in the provider's format, written in the
caller's as if a provider of that had sent it, and read by the caller's own codec. Usage is what the provider's format
read."""

from msgspec import structs

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
from tollhouse.core.failure import Failure
from tollhouse.core.reply import Reply, ReplyEvent
from tollhouse.core.text_start import TextStarts
from tollhouse.core.tool_names import restored, restoring
from tollhouse.core.usage import Usage
from tollhouse.core.vector_words import VectorsGiven
from tollhouse.core.words import AnswerContext, FormatWords, ReplyReader


def read_translated(
    says: FormatWords, answer: Codec, context: AnswerContext, body: bytes, known: Known
) -> ResponseSummary:
    """See `core.codec.Codec.read_response`. says: of the provider. answer: of what the caller gets."""
    assert answer.words is not None
    reply = restored(says.read_reply(body, known), context.request.renamed)
    return read_written(answer, answer.words.write_reply(reply, context), reply, known)


def read_written(answer: Codec, written: bytes, reply: Reply | VectorsGiven, known: Known) -> ResponseSummary:
    """What an answer says that was written anew; the summary has it as `mended`."""
    summary = answer.read_response(written, known)
    return structs.replace(
        summary, usage=reply.usage, raw_usage=reply.raw_usage, elsewhere=False, mended=summary.mended or written
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
        if self._relay.is_complete or self.failure is not None:
            return b""
        try:
            events = self._reader.feed(data)
        except Failure as failure:
            self._own_failure = failure
            events = self._reader.told  # what was said before it
        return self._relayed(events)

    def finish(self) -> None:
        if not self._relay.is_complete and self.failure is None:
            try:
                events = self._reader.finish()
            except Failure as failure:
                self._own_failure = failure
            else:
                self._late = self._relayed(events)
        if self._own_failure is not None:
            raise self._own_failure
        self._relay.finish()

    def _relayed(self, events: list[ReplyEvent]) -> bytes:
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
