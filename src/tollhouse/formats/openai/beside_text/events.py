"""Streams of typed events (`image_generation.completed`, `speech.audio.delta`), relayed or gathered.

Each says by its `type` what it is. Those that end an answer bring the usage, and wait for the charge; a stream is whole
when as many have come as answers were asked for. What is of no known type goes on to nobody.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from tollhouse.core.cleaning import NOTHING_KNOWN, Known
from tollhouse.core.codec import CountTokens
from tollhouse.core.failure import Failure, UpstreamBroke
from tollhouse.core.reported_error import error_in, error_in_event, failure_of
from tollhouse.core.sse import Event, Splitter
from tollhouse.core.text_start import TextStarts
from tollhouse.core.usage import Usage
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.usage import Writes
from tollhouse.formats.openai.usage import read as read_usage

_DONE: Final = b"[DONE]"


class EventForm(Struct, frozen=True, kw_only=True):
    """`prefixes`: of the types that go on. `ends`: how a type ends that ends an answer. `writes`: what its output is.

    weigh: units that an event brings besides text, where it is new. text: what the model wrote in it, likewise.
    whole: the body for who wants none of the events, made of those that end.
    """

    prefixes: tuple[str, ...]
    ends: tuple[str, ...]
    writes: Writes
    weigh: Callable[[chunks.Object], Usage]
    text: Callable[[chunks.Object], str]
    whole: Callable[[list[chunks.Object]], bytes]


class TypedEvents:
    """What both ways of reading a stream share. Raises the failure that an error event stands for, and UpstreamBroke
    for nonsense."""

    def __init__(self, form: EventForm, answers: int, count: CountTokens, known: Known) -> None:
        self._form = form
        self._answers = answers
        self._count = count
        self._known = known
        self._texts: list[str] = []
        self._media = Usage()
        self._reports: list[object] = []
        self.ended: list[chunks.Object] = []

    @property
    def complete(self) -> bool:
        return len(self.ended) >= self._answers

    def take(self, event: Event) -> tuple[bytes, bool] | None:
        """The event as it goes on, and whether it ends an answer; None: it does not go on."""
        if event.data == _DONE:
            return None
        said = chunks.decode(event.data)
        error = error_in(said)
        if error is not None or event.name == b"error":
            raise failure_of(said if error is None else error, self._known)
        kind = said.get("type")
        if not isinstance(kind, str) or not kind.startswith(self._form.prefixes):
            error = error_in_event(said, event.name)
            if error is not None:
                raise failure_of(error, self._known)
            return None
        is_end = kind.endswith(self._form.ends)
        if is_end:
            self.ended.append(said)
            self._reports.append(said.get("usage"))
        if not is_end or not self._texts:
            self._texts.append(self._form.text(said))
        self._media = added(self._media, self._form.weigh(said))
        data = event.data if b"\n" not in event.data else chunks.encode(said)
        return (b"event: %b\n" % event.name if event.name else b"") + b"data: " + data, is_end

    @property
    def usage(self) -> Usage | None:
        """Of all answers together; None where one has no report that is to be believed."""
        whole = Usage(images=self._media.images)
        if not self._reports:
            return None
        for report in self._reports:
            read = read_usage(report, self._form.writes)
            if read is None:
                return None
            whole = added(whole, read)
        return whole

    @property
    def raw_usage(self) -> bytes | None:
        reports = [report for report in self._reports if report is not None]
        return chunks.encode(reports[0] if len(reports) == 1 else reports) if reports else None

    def delivered(self) -> Usage:
        return added(self._media, Usage(output=self._count("".join(self._texts))))

    @property
    def uncounted(self) -> int:
        return sum(map(len, self._texts))

    def whole(self) -> bytes:
        return self._form.whole(self.ended)


class EventRelay:
    """See `core.codec.RelayedStream`."""

    cut = failed = incomplete = lacks_report = False
    sequence_number = 0

    def __init__(self, form: EventForm, answers: int, count: CountTokens, known: Known) -> None:
        self._events = TypedEvents(form, answers, count, known)
        self._splitter = Splitter()
        self._held = b""  # the last event that ends an answer, without its empty line
        self.failure: Failure | None = None
        self.is_complete = False
        self.heads: TextStarts = {}

    @property
    def pending(self) -> int:
        return self._splitter.pending

    def feed(self, data: bytes) -> bytes:
        if self.is_complete or self.failure is not None:
            return b""
        try:
            return self._taken(self._splitter.feed(data))
        except Failure as failure:
            self.failure = failure
            return b""

    def finish(self) -> None:
        if self.failure is None and not self.is_complete:
            try:
                late = self._taken(self._splitter.finish())
                self._held = late + self._held
            except Failure as failure:
                self.failure = failure
        if self.failure is None and not self.is_complete:
            self.failure = UpstreamBroke("The provider's stream ended before the answer was finished.")
        if self.failure is not None:
            raise self.failure

    def feed_late(self, data: bytes) -> None:
        """A report stands in the event that ends."""

    def _taken(self, events: list[Event]) -> bytes:
        out: list[bytes] = []
        for event in events:
            step = self._events.take(event)
            if step is None or self.is_complete:
                continue
            if self._held:
                out.append(self._held + b"\n\n")
                self._held = b""
            if not step[1]:
                out.append(step[0] + b"\n\n")
                continue
            self._held = step[0]
            self.is_complete = self._events.complete
        return b"".join(out)

    def seal(
        self, charge_usd: str, request_id: str, cap_reason: str | None = None, counted: Usage | None = None
    ) -> bytes:
        if not self.is_complete:
            return b""
        told = chunks.encode({"charge_usd": charge_usd, "request_id": request_id})
        return self._held.rstrip()[:-1] + b',"tollhouse":' + told + b"}\n\n"

    def delivered(self) -> Usage:
        return self._events.delivered()

    @property
    def uncounted(self) -> int:
        return self._events.uncounted

    @property
    def usage(self) -> Usage | None:
        return self._events.usage

    @property
    def raw_usage(self) -> bytes | None:
        return self._events.raw_usage

    @property
    def finishing(self) -> bool:
        return self.is_complete


class GatheredEvents:
    """See `core.codec.GatheredStream`."""

    cut = False

    def __init__(self, form: EventForm, answers: int, count: CountTokens, known: Known) -> None:
        self._events = TypedEvents(form, answers, count, known)
        self._splitter = Splitter()

    @property
    def is_complete(self) -> bool:
        return self._events.complete

    @property
    def pending(self) -> int:
        return self._splitter.pending

    @property
    def usage(self) -> Usage | None:
        return self._events.usage

    @property
    def raw_usage(self) -> bytes | None:
        return self._events.raw_usage

    def feed(self, data: bytes) -> None:
        for event in self._splitter.feed(data):
            self._events.take(event)

    def finish(self) -> bytes:
        for event in self._splitter.finish() if not self.is_complete else ():
            self._events.take(event)
        if not self.is_complete:
            raise UpstreamBroke("The provider's stream ended before the answer was finished.")
        return self._events.whole()


def relay(
    form: EventForm,
    *,
    show_usage: bool,
    count: CountTokens,
    choices: int = 1,
    maximum: int | None = None,
    known: Known = NOTHING_KNOWN,
    echoes: bool = False,
) -> EventRelay:
    """See `core.codec.OpenRelay`. Nothing is cut: half a picture is none."""
    return EventRelay(form, choices, count, known)


def gather(
    form: EventForm,
    choices: int = 1,
    *,
    count: CountTokens,
    maximum: int | None = None,
    known: Known = NOTHING_KNOWN,
) -> GatheredEvents:
    """See `core.codec.OpenGathering`."""
    return GatheredEvents(form, choices, count, known)


def added(one: Usage, other: Usage) -> Usage:
    """Both together."""
    if other == Usage():
        return one
    return Usage(**{name: getattr(one, name) + getattr(other, name) for name in one.__struct_fields__})
