"""A provider's stream, read as events in core words.

The end of the body is the end of the stream, where each candidate has a reason: see `formats.gemini.content_stream`.
"""

from typing import Final

from tollhouse.core.cleaning import Known
from tollhouse.core.conversation import Part, Reasoning, Refusal, TextPart, ToolCall
from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.figures import Report
from tollhouse.core.provider_json import Object, encode
from tollhouse.core.reply import (
    ArgumentsAdded,
    Began,
    CitationAdded,
    Finished,
    OpaqueAdded,
    PartBegan,
    PartEnded,
    ReplyEvent,
    StreamEnded,
    TextAdded,
    TokenProbability,
    UsageTold,
)
from tollhouse.core.sound_text import sound_text
from tollhouse.core.sse import Event, Splitter
from tollhouse.core.usage import Usage
from tollhouse.formats.gemini import answer as answers
from tollhouse.formats.gemini import finish
from tollhouse.formats.gemini import usage as usages
from tollhouse.formats.gemini.content_stream import read_event
from tollhouse.formats.gemini.contents import object_under, text_under
from tollhouse.formats.gemini.plain_event import PlainEvent, read_plain
from tollhouse.formats.gemini.spelling import under
from tollhouse.formats.gemini.words.grounding import read_citations
from tollhouse.formats.gemini.words.probabilities import read_probabilities
from tollhouse.formats.gemini.words.read_reply import blocked, read_part, unusable

_CHOICES_MAX: Final = 128


class ContentReader:
    """See `core.words.ReplyReader`."""

    __slots__ = ("_choices", "_current", "_known", "_reply_id", "_reported", "_splitter", "is_complete", "told")

    def __init__(self, known: Known) -> None:
        self._known = known
        self._splitter = Splitter()
        self._choices: dict[int, _ChoiceRead] = {}
        self._reply_id: str | None = None  # None: nothing came yet
        self._reported: Report | None = None
        self._current = False  # the report was made when all text had been written
        self.is_complete = False
        self.told: list[ReplyEvent] = []

    @property
    def pending(self) -> int:
        return self._splitter.pending

    @property
    def said_all(self) -> bool:
        return bool(self._choices) and all(choice.reason for choice in self._choices.values())

    @property
    def usage(self) -> Usage | None:
        return usages.read(self._reported) if self._current else None

    @property
    def raw_usage(self) -> bytes | None:
        return None if self._reported is None else encode(self._reported)

    def feed(self, data: bytes) -> list[ReplyEvent]:
        out = self.told = []
        for event in self._splitter.feed(data):
            self._take(event, out)
        return out

    def finish(self) -> list[ReplyEvent]:
        out: list[ReplyEvent] = []
        for event in self._splitter.finish():
            self._take(event, out)
        if not self.is_complete:
            self._end(out)
        return out

    def _take(self, event: Event, out: list[ReplyEvent]) -> None:
        data = event.data.strip()
        if self.is_complete or not data:
            return
        if data == b"[DONE]":
            self._end(out)
            return
        if self._choices and not event.name and (plain := read_plain(data)) is not None:
            choice = self._choices.get(plain.index)
            if choice is not None and choice.speak_on(plain, out):
                self._report(plain.usageMetadata, says=True)
                return
        answer, _ = read_event(data, event.name, self._known)
        if answer is None:
            return
        if self._reply_id is None:
            self._reply_id = sound_text(text_under(answer, "responseId"))
            out.append(Began(id=self._reply_id, model=sound_text(text_under(answer, "modelVersion"))))
        candidates = answers.candidates_of(answer)
        says = False
        for place, candidate in enumerate(candidates):
            choice = self._choice(answers.index_of(candidate, place))
            says = choice.take(candidate, out) or says
        if not candidates and answers.block_reason(answer):
            self._choice(0).block(blocked(answer, self._known), out)
        self._report(under(answer, "usageMetadata"), says=says)

    def _choice(self, index: int) -> "_ChoiceRead":
        choice = self._choices.get(index)
        if choice is None:
            if len(self._choices) >= _CHOICES_MAX:
                raise UpstreamBroke("The provider sent many more answers than were asked for.")
            choice = self._choices[index] = _ChoiceRead(index, self._reply_id or "")
        return choice

    def _report(self, report: object, *, says: bool) -> None:
        is_news = isinstance(report, dict) and usages.says_something(report)
        if isinstance(report, dict) and (is_news or self._reported is None):
            self._reported = report
        if says or is_news:
            self._current = is_news

    def _end(self, out: list[ReplyEvent]) -> None:
        if not self.said_all:
            raise UpstreamBroke("The provider's stream ended before the answer was finished.")
        for choice in self._choices.values():
            choice.end(self._known, out)
        if (usage := self.usage) is not None:
            out.append(UsageTold(usage=usage))
        out.append(StreamEnded())
        self.is_complete = True


class _ChoiceRead:
    """A candidate as it comes. reason: why it ended; it may go on after all, and get another."""

    __slots__ = ("_calls", "_index", "_message", "_number", "_open", "_place", "_said", "_sources", "reason")

    def __init__(self, number: int, reply_id: str) -> None:
        self._number = number
        self._place = reply_id
        self._open: type[Part] | None = None  # the kind of the text that may go on
        self._index = -1  # of the last part
        self._said: list[str] = []  # of the text that may go on
        self._sources: Object = {}
        self._calls = 0
        self._message = ""
        self.reason = ""

    def take(self, candidate: Object, out: list[ReplyEvent]) -> bool:
        """Whether it says anything."""
        says = False
        probabilities = read_probabilities(candidate)
        reason = text_under(candidate, "finishReason")
        for part in answers.parts_in(candidate):
            found = read_part(part, f"{self._place} {self._number} {self._calls}", reason)
            if found is None:
                continue
            if isinstance(found, TextPart | Reasoning):
                self._speak(found, out, probabilities if isinstance(found, TextPart) else None)
                probabilities = None if isinstance(found, TextPart) else probabilities
            else:
                self._close(out)
                self._whole(found, out)
            says = True
        if probabilities and self._open is TextPart:  # told with the end
            out.append(TextAdded(text="", index=self._index, choice=self._number, logprobs=probabilities))
        self._cite(candidate)
        if says:
            self.reason = ""
        if reason:
            self.reason, self._message = reason, text_under(candidate, "finishMessage")
        return says

    def speak_on(self, plain: PlainEvent, out: list[ReplyEvent]) -> bool:
        """Whether an event only adds to the text, or the thoughts, that are open."""
        text = plain.text
        if not text or self._open is not (Reasoning if plain.is_thought else TextPart):
            return False
        text = sound_text(text)
        self._said.append(text)
        self.reason = ""
        out.append(TextAdded(text=text, index=self._index, choice=self._number))
        return True

    def block(self, refusal: Refusal, out: list[ReplyEvent]) -> None:
        """The prompt is not answered."""
        self._whole(refusal, out)
        self.reason = "SAFETY"

    def end(self, known: Known, out: list[ReplyEvent]) -> None:
        self._close(out)
        refusal = unusable(self.reason, self._message, known)
        if refusal is not None:
            self._whole(refusal, out)
        out.append(Finished(finish=finish.finish_of(self.reason, calls=self._calls > 0), choice=self._number))

    def _speak(
        self, found: TextPart | Reasoning, out: list[ReplyEvent], probabilities: list[TokenProbability] | None
    ) -> None:
        if self._open is not type(found):
            if isinstance(found, TextPart) and not found.text:  # an empty text has nothing to sign
                return
            self._close(out)
            self._open = type(found)
            self._begin(type(found)(text=""), out)
        if found.text:
            self._said.append(found.text)
            out.append(TextAdded(text=found.text, index=self._index, choice=self._number, logprobs=probabilities))
        if found.opaque is not None:
            out.append(OpaqueAdded(opaque=found.opaque, index=self._index, choice=self._number))
            self._close(out)  # what follows is not what was signed

    def _whole(self, found: Part, out: list[ReplyEvent]) -> None:
        """A part that comes in one piece."""
        if isinstance(found, ToolCall):
            self._calls += 1
            self._begin(ToolCall(id=found.id, name=found.name, opaque=found.opaque), out)
            out.append(ArgumentsAdded(text=found.arguments, index=self._index, choice=self._number))
        elif isinstance(found, Refusal):
            self._begin(Refusal(text=""), out)
            out.append(TextAdded(text=found.text, index=self._index, choice=self._number))
        else:
            self._begin(found, out)
        out.append(PartEnded(index=self._index, choice=self._number))

    def _begin(self, part: Part, out: list[ReplyEvent]) -> None:
        self._index += 1
        out.append(PartBegan(part=part, index=self._index, choice=self._number))

    def _cite(self, candidate: Object) -> None:
        """Keep what is told of sources until the text is over: each report of a search replaces the one before."""
        if grounding := object_under(candidate, "groundingMetadata"):
            self._sources["groundingMetadata"] = grounding
        if repeated := object_under(candidate, "citationMetadata"):
            self._sources["citationMetadata"] = repeated

    def _close(self, out: list[ReplyEvent]) -> None:
        if self._open is TextPart and self._sources:
            for citation in read_citations(self._sources, "".join(self._said)):
                out.append(CitationAdded(citation=citation, index=self._index, choice=self._number))
            self._sources = {}
        if self._open is not None:
            out.append(PartEnded(index=self._index, choice=self._number))
        self._open = None
        self._said = []
