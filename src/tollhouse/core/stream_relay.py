"""A provider's stream on its way to the caller: what may go on now, what waits for the charge, what it used.

Nothing is released before the first event that bears content: until then the answer can still be begun elsewhere. The
last part is kept until the charge is durable (which part that is, the format's own events say). What comes malformed
ends the stream as a failure; a stream that ends without its proper end never looks whole.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from tollhouse.core.delivered import Delivered, escaped
from tollhouse.core.failure import Failure, UpstreamBroke
from tollhouse.core.media_tokens import PICTURE_TOKENS, sound_tokens
from tollhouse.core.sse import Event, Splitter
from tollhouse.core.stream_step import StreamStep
from tollhouse.core.template import Template, learn
from tollhouse.core.text_start import TextStarts
from tollhouse.core.usage import Usage

OPENING_BYTES_MAX = 64 * 1024
"""Events without content that are kept back; beyond it the stream counts as started."""

_TAIL_BYTES_MAX = 16 * 1024
_LESSONS_MAX = 4


class RelayedEvents(Protocol):
    """The events of a format's stream, read one after the other.

    current: the report (`usage`) was made when all text had been written; the relay takes it back as text passes.
    complete: every choice that was asked for has its end, and only usage and the formal end are missing.
    repeated: bytes of a last event that repeats what was said. whole_text: the text of it; empty: nothing is repeated.
    takes_late: a report may follow the end.
    """

    current: bool

    @property
    def searches(self) -> int:
        """That the provider ran for the answer, as far as it has told."""
        ...

    @property
    def complete(self) -> bool: ...

    @property
    def incomplete(self) -> bool: ...

    @property
    def failed(self) -> bool:
        """The provider said itself, in the terminal event, that the response failed."""
        ...

    @property
    def repeated(self) -> int: ...

    @property
    def whole_text(self) -> str: ...

    @property
    def takes_late(self) -> bool: ...

    @property
    def heads(self) -> TextStarts | None:
        """How each answer begins, where it may begin with its prompt."""
        ...

    @property
    def sequence_number(self) -> int:
        """The number of the next event, in formats that number them; else 0."""
        ...

    @property
    def usage(self) -> Usage | None:
        """The last report, normalised; None: there was none, or none to be believed."""
        ...

    @property
    def raw_usage(self) -> bytes | None:
        """What was reported as usage, or stood there and is none, as the provider's own JSON."""
        ...

    def take(self, event: Event) -> StreamStep:
        """Raises the failure that an error event stands for, and UpstreamBroke for nonsense."""
        ...

    def take_late(self, event: Event) -> None:
        """Take an event after the end. Raises nothing."""
        ...

    def unfolded(self, data: bytes) -> bytes | None:
        """A whole answer that stands where events should, as events; None: the data of an event is none."""
        ...

    def cut(self, event: Event, maximum: int, count: Callable[[str], int]) -> tuple[bytes, str]:
        """Of the event that was taken last, so many tokens of its text pass: what goes on, and its text."""
        ...

    def closing(self) -> bytes:
        """The last part of the stream."""
        ...

    def seal(self, tollhouse: dict[str, object] | None, counted: Usage | None) -> bytes:
        """The last part, which also says what was charged, where the format has a place for it. counted: see
        `StreamRelay.seal`."""
        ...


class StreamRelay:
    """Feed it every read until `whole` or `failure`; at the provider's end of stream call `finish`.

    whole: the proper end came; read no further, release `held` (or `seal`) once the charge is durable.
    failure: the stream broke, failed or was nonsense; read no further, release nothing more.
    cut: it passed what may pass, and is whole with that: the provider writes for nobody.
    pending: bytes of an event that is not complete yet, but for a short one that may yet be like the others.
    started: something went on to the caller, so that no other provider can take over.
    """

    __slots__ = (
        "_count",
        "_delivered",
        "_events",
        "_late",
        "_left_out",
        "_lessons",
        "_opening",
        "_pictures",
        "_sound",
        "_splitter",
        "_tail",
        "_template",
        "cut",
        "failure",
        "is_complete",
        "pending",
        "started",
    )

    def __init__(
        self, events: RelayedEvents, *, count: Callable[[str], int], maximum: int | None = None, learns: bool = True
    ) -> None:
        """`count` gives the tokens of a text; it is asked when the provider reports no usage or the text is long.
        `maximum`: tokens that may pass, by our count; None: any number. learns: most events are alike but for their
        text, so that they may be recognised without being decoded."""
        self._events = events
        self._splitter = Splitter()
        self._count = count
        self._delivered = Delivered(count, maximum)
        self._sound = self._pictures = 0
        self._template: Template | None = None
        self._left_out: tuple[bytes, ...] = ()  # of events like the template, what does not go on
        self._lessons = _LESSONS_MAX if learns else 0
        self._tail = b""  # the start of an event that may yet match the template
        self._opening = b""  # events kept back before the first content
        self._late = b""  # what only `finish` brought to light
        self.pending = 0
        self.started = False
        self.is_complete = False
        self.cut = False
        self.failure: Failure | None = None

    def feed(self, data: bytes) -> bytes:
        """Take a read of any size, cut anywhere; give what may go to the caller now. Raises nothing."""
        template = self._template
        if template is None or self.is_complete or self.failure is not None or self.pending:
            return self._read(data)
        if self._tail:
            data = self._tail + data
            self._tail = b""
        for piece in self._left_out:
            data = data.replace(piece, b"")
        out = b""
        end = data.rfind(template.tail) + len(template.tail)
        if end >= len(template.tail):
            block = data if end == len(data) else data[:end]
            texts = template.texts(block)
            delivered = self._delivered
            if texts is None or (delivered.bytes + len(texts) > delivered.due and not delivered.fits_whole(texts)):
                return self._read(data)
            self._lessons = _LESSONS_MAX
            self._events.current = False
            delivered.add_escaped(texts)
            if end == len(data):
                return data
            out, data = block, data[end:]
        if len(data) > _TAIL_BYTES_MAX or b"\n\n" in data or b"\r" in data:
            return out + self._read(data)
        self._tail = data
        return out

    def finish(self) -> None:
        """The provider closed the stream. An end without `[DONE]` is one if every choice had its finish reason.

        Raises the failure, UpstreamBroke where the answer is not whole.
        """
        if not self.is_complete and self.failure is None:
            tail, self._tail, self._template = self._tail, b"", None
            self._late = self._read(tail) + self._taken(self._last_events())
            if not self.is_complete and self.failure is None and self._events.complete:
                self.is_complete = True
        if self.failure is None and not self.is_complete:
            self.failure = UpstreamBroke("The provider's stream ended before the answer was finished.")
        if self.failure is not None:
            raise self.failure

    def _last_events(self) -> list[Event]:
        """What the end of the stream brings; a whole answer that stands there instead of events is unfolded."""
        events = self._splitter.finish()
        if self.started or self._opening or len(events) != 1:
            return events
        unfolded = self._events.unfolded(events[0].data)
        return events if unfolded is None else Splitter().feed(unfolded)

    @property
    def uncounted(self) -> int:
        """Bytes, about, of text that `delivered` has to count."""
        return self._delivered.pending + self._events.repeated

    @property
    def lacks_report(self) -> bool:
        """The end came without one: a few servers send it after their `[DONE]`."""
        return self.is_complete and not self.cut and self._events.takes_late and not self._events.current

    def feed_late(self, data: bytes) -> None:
        """Take what comes after the end. Raises nothing."""
        with suppress(UpstreamBroke):
            self._take_late(self._splitter.feed(data))

    @property
    def held(self) -> bytes:
        """The last part, to be released after the charge; empty unless `whole`."""
        return self._late + self._events.closing() if self.is_complete else b""

    def seal(
        self, charge_usd: str, request_id: str, cap_reason: str | None = None, counted: Usage | None = None
    ) -> bytes:
        """`held`, where a usage chunk also says what was charged.

        counted: what was charged for where the provider's report was missing or not believed; it is told instead.
        """
        tollhouse: dict[str, object] = {"charge_usd": charge_usd, "request_id": request_id}
        if cap_reason is not None:
            tollhouse["cap_reason"] = cap_reason
        if self.cut:
            tollhouse["cut"] = "hold"
        return self._late + self._events.seal(tollhouse, counted) if self.is_complete else b""

    @property
    def usage(self) -> Usage | None:
        """The last report, normalised; None: there was none of the whole text, or none to be believed."""
        return None if self.cut or not self._events.current else self._events.usage

    @property
    def raw_usage(self) -> bytes | None:
        """The last report as the provider's own JSON."""
        return self._events.raw_usage

    @property
    def heads(self) -> TextStarts:
        """How each answer begins, where it may begin with its prompt."""
        return self._events.heads or {}

    @property
    def incomplete(self) -> bool:
        """The answer was cut at its length."""
        return self._events.incomplete

    @property
    def finishing(self) -> bool:
        """Every choice has its finish reason: only usage and the formal end are missing."""
        return self._events.complete

    @property
    def failed(self) -> bool:
        """The provider said `response.failed` after content: `held` passes that on, as the end of the stream."""
        return self._events.failed

    @property
    def sequence_number(self) -> int:
        """What an error event on `/v1/responses` must carry next; 0 elsewhere."""
        return self._events.sequence_number

    def delivered_tokens(self) -> int:
        """Tokens of the text that went on so far, by our own count; of a whole response what its last event repeats."""
        if text := self._events.whole_text:
            whole = Delivered(self._count)
            whole.add(text)
            return whole.tokens()
        return self._delivered.tokens()

    def delivered(self) -> Usage:
        """Output that went on so far, as we count it: words by tokens, sound and pictures by figures."""
        return Usage(
            output=self.delivered_tokens(),
            audio_out=sound_tokens(self._sound),
            image_out=self._pictures * PICTURE_TOKENS,
            searches=self._events.searches,
        )

    def _read(self, data: bytes) -> bytes:
        """Read event by event, until one of them shows what the others look like."""
        if self._lessons == 0 or self.pending or self._has_template():
            return self._exactly(data)
        out: list[bytes] = []
        begin = 0
        while (end := data.find(b"\n\n", begin)) >= 0:
            out.append(self._exactly(data[begin : end + 2]))
            begin = end + 2
            if self._has_template():
                return b"".join(out) + self.feed(data[begin:])
        out.append(self._exactly(data[begin:]))
        return b"".join(out)

    def _has_template(self) -> bool:
        return self._template is not None

    def _exactly(self, data: bytes) -> bytes:
        if self.is_complete or self.failure is not None:
            return b""
        try:
            events = self._splitter.feed(data)
        except UpstreamBroke as failure:
            self.failure = failure
            return b""
        out = self._taken(events)
        self.pending = self._splitter.pending
        if self._template is not None and self.pending <= _TAIL_BYTES_MAX:
            self._tail = self._splitter.take()
            self.pending = 0
        return out

    def _take_late(self, events: Sequence[Event]) -> None:
        for event in events:
            if self.lacks_report:
                self._events.take_late(event)

    def _taken(self, events: list[Event]) -> bytes:
        out: list[bytes] = []
        plain: StreamStep | None = None
        for number, event in enumerate(events):
            try:
                step = self._events.take(event)
            except Failure as failure:
                self.failure = failure
                break
            if (step.text or step.sound or step.pictures) and not self._weigh(step):
                out.append(self._cut_off(event))
                break
            if step.is_end:
                self.is_complete = True
                out.append(self._opening)  # an answer without a word has its beginning, too
                self._take_late(events[number + 1 :])
                break
            if self.started:
                out.append(step.out)
            else:
                self._opening += step.out
                if not step.bears_content and len(self._opening) <= OPENING_BYTES_MAX:
                    continue
                self.started = True
                out.append(self._opening)
                self._opening = b""
            if step.is_plain:
                plain = step
        if plain is not None:
            self._learn(plain)
        return b"".join(out)

    def _weigh(self, step: StreamStep) -> bool:
        """Note what an event brings. False: it brings more than may pass, and nothing is noted."""
        text, media = escaped(step.text), self._delivered.beside
        if step.sound or step.pictures:
            media = sound_tokens(self._sound + step.sound) + (self._pictures + step.pictures) * PICTURE_TOKENS
        if not self._delivered.fits(text, media):
            return False
        self._sound += step.sound
        self._pictures += step.pictures
        self._delivered.add_media(media)
        self._delivered.add_escaped(text)
        return True

    def _cut_off(self, event: Event) -> bytes:
        """What of this event still passes, after which nothing does but the end of an answer cut at its length."""
        self.is_complete = self.cut = self.started = True
        out, text = self._events.cut(event, self._delivered.left(), self._count)
        self._delivered.add(text)
        opening, self._opening = self._opening, b""
        return opening + out

    def _learn(self, plain: StreamStep) -> None:
        """Take the last plain event for a template, unless the last few templates all served for nothing."""
        self._template = learn(plain.out, plain.text) if self._lessons else None
        self._left_out = plain.left_out
        self._lessons = max(0, self._lessons - 1)
