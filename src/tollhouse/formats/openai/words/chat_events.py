"""A provider's chat stream, read as events in core words: any form that `chat_stream` lets pass is understood here."""

from collections.abc import Sequence
from typing import Final

from tollhouse.core.cleaning import Known
from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.figures import Report
from tollhouse.core.reply import Began, ReplyEvent, StreamEnded, UsageTold
from tollhouse.core.sse import Event, Splitter
from tollhouse.core.usage import Usage
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.chat_stream import CHOICES_BESIDE, ends_or_lives
from tollhouse.formats.openai.mended import read_mended
from tollhouse.formats.openai.unfold import unfold
from tollhouse.formats.openai.usage import completed
from tollhouse.formats.openai.usage import read as read_usage
from tollhouse.formats.openai.usage_location import find, says_something
from tollhouse.formats.openai.words.chat_choice import ChatChoice
from tollhouse.formats.openai.words.chat_reply import text_of
from tollhouse.formats.openai.words.plain_chunk import plain_text

_CHOICES_MAX: Final = 2 * CHOICES_BESIDE


class ChatReader:
    """See `core.words.ReplyReader`. It reads legacy completions, too."""

    __slots__ = ("_choices", "_current", "_known", "_odd", "_reply_id", "_reported", "_splitter",
                 "is_complete", "told")  # fmt: skip

    said_all = False  # `Finished` comes at once

    def __init__(self, known: Known) -> None:
        self._known = known
        self._splitter = Splitter()
        self._choices: dict[int, ChatChoice] = {}
        self._reply_id: str | None = None  # None: nothing came yet
        self._reported: Report | None = None
        self._current = False  # the report was made when all text had been written
        self._odd: object = None  # what stood as `usage`, and is none
        self.is_complete = False
        self.told: list[ReplyEvent] = []

    @property
    def pending(self) -> int:
        return self._splitter.pending

    @property
    def usage(self) -> Usage | None:
        return read_usage(self._reported) if self._current else None

    @property
    def raw_usage(self) -> bytes | None:
        return chunks.raw_report(self._reported, self._odd)

    def feed(self, data: bytes) -> list[ReplyEvent]:
        self.told = []
        return self._take(self._splitter.feed(data))

    def finish(self) -> list[ReplyEvent]:
        out = self._take(self._splitter.finish())
        if not self.is_complete:
            if not self._is_finished:
                raise UpstreamBroke("The provider's stream ended before the answer was finished.")
            self._end(out)
        return out

    @property
    def _is_finished(self) -> bool:
        return bool(self._choices) and all(choice.is_finished for choice in self._choices.values())

    def _take(self, events: Sequence[Event]) -> list[ReplyEvent]:
        out = self.told = []
        for number, event in enumerate(events):
            if self._event(event, out):
                for late in events[number + 1 :]:
                    self._take_late(late)
                self._end(out)
                break
        return out

    def _event(self, event: Event, out: list[ReplyEvent]) -> bool:
        """Whether it is the end."""
        if self._reply_id is not None and (plain := plain_text(event)) is not None:
            choice = self._choices.get(plain.choice)
            if choice is not None and not choice.is_finished:
                self._current = False
                choice.speak("text", plain.text, out)
                return False
        data = event.data.strip()
        if data[:1] != b"{":
            ends = ends_or_lives(event, data, self._known)
            if ends and not self._is_finished:
                raise UpstreamBroke("The provider ended the stream before the answer was finished.")
            if ends is not None:
                return ends
        chunk, data = read_mended(chunks.read_chunk, event, self._known)
        if chunk is not None:
            self._chunk(chunk, data, out)
        return False

    def _chunk(self, chunk: chunks.Object, data: bytes, out: list[ReplyEvent]) -> None:
        choices = chunks.choices(chunk)
        if self._reply_id is None and choices:
            if chunk.get("object") == "chat.completion" and any("message" in one for one in choices):
                for event in Splitter().feed(unfold("chat", data)):  # a whole answer stands where events should
                    if event.data != b"[DONE]":
                        self._chunk(chunks.decode(event.data), event.data, out)
                return
            self._begin(chunk, out)
        said_something = False
        for place, one in enumerate(choices):
            index = chunks.index_of(one, place)
            choice = self._choices.get(index)
            if choice is None:
                if len(self._choices) >= _CHOICES_MAX:
                    raise UpstreamBroke("The provider sent many more answers than were asked for.")
                choice = self._choices[index] = ChatChoice(len(self._choices), self._reply_id or "", out)
            said_something = choice.take(one, out) or said_something
        self._report(chunk, choices, said_something)

    def _begin(self, chunk: chunks.Object, out: list[ReplyEvent]) -> None:
        created = chunk.get("created")
        self._reply_id = text_of(chunk.get("id"))
        out.append(
            Began(
                id=self._reply_id,
                model=text_of(chunk.get("model")),
                created=created if type(created) is int and created >= 0 else 0,
            )
        )

    def _report(self, chunk: chunks.Object, choices: list[chunks.Object], said_something: bool) -> None:
        location = find(chunk, choices)
        is_news = location is not None and (self._reported is None or says_something(location.report))
        if location is not None and is_news:
            self._reported = completed(location.report, self._reported)
            self._current = True
        elif location is None and chunk.get("usage") is not None:
            self._odd = chunk["usage"]
        if said_something and not is_news:
            self._current = False

    def _take_late(self, event: Event) -> None:
        """After the end: some servers report only then. All else that comes there is nothing."""
        try:
            chunk = chunks.decode(event.data)
        except UpstreamBroke:
            return
        location = find(chunk, chunks.choices(chunk))
        if location is not None and says_something(location.report):
            self._reported, self._current = location.report, True

    def _end(self, out: list[ReplyEvent]) -> None:
        self.is_complete = True
        if (usage := self.usage) is not None:
            out.append(UsageTold(usage=usage))
        out.append(StreamEnded())
