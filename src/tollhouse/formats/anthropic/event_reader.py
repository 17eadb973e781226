"""The stream of a message as events in core words."""

from tollhouse.core.cleaning import Known
from tollhouse.core.conversation import Opaque, Reasoning, TextPart, ToolCall
from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.provider_json import Object, decode
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
    UsageTold,
)
from tollhouse.core.sse import Event, Splitter
from tollhouse.core.usage import Usage
from tollhouse.formats.anthropic import finish
from tollhouse.formats.anthropic.answer_tool import GrowingAnswer, answer_of
from tollhouse.formats.anthropic.block_reader import citation_of
from tollhouse.formats.anthropic.message_stream import MessageStream, index_of
from tollhouse.formats.anthropic.plain_event import read_plain
from tollhouse.formats.anthropic.reply_reader import part_of
from tollhouse.formats.anthropic.wire import WIRE


class MessageReader:
    """See `core.words.ReplyReader`. Blocks are numbered anew, in the order in which they begin, without those that no
    other format can say."""

    __slots__ = ("_answers", "_began", "_calls", "_events", "_has_answered", "_is_finished", "_numbers", "_parts",
                 "_splitter", "is_complete", "told")  # fmt: skip

    said_all = False  # `Finished` comes at once

    def __init__(self, known: Known) -> None:
        self._events = MessageStream(known=known)
        self._splitter = Splitter()
        self._began = False
        self._parts = 0
        self._numbers: dict[int, int] = {}  # of the blocks that are open, by their index
        self._answers: dict[int, GrowingAnswer] = {}  # that the model gives through a tool, by number
        self._has_answered = False
        self._calls = 0
        self._is_finished = False
        self.is_complete = False
        self.told: list[ReplyEvent] = []

    @property
    def pending(self) -> int:
        return self._splitter.pending

    @property
    def usage(self) -> Usage | None:
        return self._events.usage if self._events.current else None

    @property
    def raw_usage(self) -> bytes | None:
        return self._events.raw_usage

    def feed(self, data: bytes) -> list[ReplyEvent]:
        self.told = []
        return self._taken(self._splitter.feed(data))

    def finish(self) -> list[ReplyEvent]:
        """An end without `message_stop` is one if the message had its reason to end."""
        if self.is_complete:
            return []
        events = self._splitter.finish()
        unfolded = self._events.unfolded(events[0].data) if len(events) == 1 and not self._began else None
        told = self._taken(events if unfolded is None else Splitter().feed(unfolded))
        if not self.is_complete:
            if not self._events.complete:
                raise UpstreamBroke("The provider's stream ended before the answer was finished.")
            told += self._end()
        return told

    def _taken(self, events: list[Event]) -> list[ReplyEvent]:
        told = self.told = []
        for event in events:
            if self.is_complete:
                break
            if (plain := read_plain(event.data)) is not None and event.name != b"error":
                self._events.current = False
                if plain.delta.text and (number := self._numbers.get(plain.index)) is not None:
                    if plain.adds_arguments:
                        told += self._argue(plain.delta.text, number)
                    else:
                        told.append(TextAdded(text=plain.delta.text, index=number))
                continue
            step = self._events.take(event)
            if step.is_end:
                told += self._end()
            elif step.is_read and event.data.lstrip()[:1] == b"{":
                told += self._read(decode(event.data))
        return told

    def _read(self, said: Object) -> list[ReplyEvent]:
        kind, index = said.get("type"), index_of(said)
        if kind == "content_block_delta":
            delta, number = said.get("delta"), self._numbers.get(index)
            if number is None or not isinstance(delta, dict):
                return []
            if delta.get("type") == "input_json_delta":
                return self._argue(str(delta.get("partial_json") or ""), number)
            return _added(delta, number)
        if kind == "message_start":
            return self._begin(said.get("message"))
        if kind == "content_block_start":
            return self._block(said.get("content_block"), index)
        if kind == "content_block_stop":
            ended = self._numbers.pop(index, None)
            return [] if ended is None else self._close(ended)
        if kind == "message_delta":
            delta = said.get("delta")
            if isinstance(delta, dict):
                reason, stop = delta.get("stop_reason"), delta.get("stop_sequence")
                if isinstance(reason, str):
                    return self._finished(reason, stop if isinstance(stop, str) else None)
        return []

    def _begin(self, message: object) -> list[ReplyEvent]:
        if self._began:
            return []
        self._began = True
        said = message if isinstance(message, dict) else {}
        reply_id, model = said.get("id"), said.get("model")
        return [
            Began(
                id=reply_id if isinstance(reply_id, str) else "",
                model=model if isinstance(model, str) else "",
                usage=self._events.usage,
            )
        ]

    def _block(self, block: object, index: int) -> list[ReplyEvent]:
        told: list[ReplyEvent] = [] if self._began else self._begin(None)
        part = part_of(block) if isinstance(block, dict) else None
        if part is None or not isinstance(block, dict):
            return told
        number = self._numbers[index] = self._parts
        self._parts += 1
        text = ""
        if (answer := answer_of(block)) is not None:
            self._answers[number], self._has_answered = GrowingAnswer(), True
            part = TextPart(text="" if answer == "{}" else answer)
        self._calls += isinstance(part, ToolCall)
        if isinstance(part, TextPart | Reasoning):
            text, part.text = part.text, ""
        elif isinstance(part, ToolCall):
            text, part.arguments = part.arguments if part.arguments != "{}" else "", ""
        told.append(PartBegan(part=part, index=number))
        if text:
            more = ArgumentsAdded if isinstance(part, ToolCall) else TextAdded
            told.append(more(text=text, index=number))
        return told

    def _finished(self, reason: str, stop_sequence: str | None) -> list[ReplyEvent]:
        if self._is_finished:
            return []
        self._is_finished = True
        told: list[ReplyEvent] = [] if self._began else self._begin(None)
        told += [event for number in self._numbers.values() for event in self._close(number)]
        self._numbers.clear()
        ended = finish.read(reason, only_answers=self._has_answered and not self._calls)
        return [*told, Finished(finish=ended, stop_sequence=stop_sequence)]

    def _argue(self, text: str, number: int) -> list[ReplyEvent]:
        """More of the arguments of a call, or of the answer that they hold."""
        answer = self._answers.get(number)
        if answer is None:
            return [ArgumentsAdded(text=text, index=number)]
        return [TextAdded(text=more, index=number)] if (more := answer.add(text)) else []

    def _close(self, number: int) -> list[ReplyEvent]:
        answer = self._answers.pop(number, None)
        rest = "" if answer is None else answer.rest()
        ended: list[ReplyEvent] = [PartEnded(index=number)]
        return [TextAdded(text=rest, index=number), *ended] if rest else ended

    def _end(self) -> list[ReplyEvent]:
        self.is_complete = True
        told = self._finished("end_turn", None)
        if (usage := self.usage) is not None:
            told.append(UsageTold(usage=usage))
        return [*told, StreamEnded()]


def _added(delta: Object, number: int) -> list[ReplyEvent]:
    kind = delta.get("type")
    if kind == "text_delta":
        return [TextAdded(text=str(delta.get("text") or ""), index=number)]
    if kind == "thinking_delta":
        return [TextAdded(text=str(delta.get("thinking") or ""), index=number)]
    if kind == "signature_delta":
        return [OpaqueAdded(opaque=Opaque(WIRE, str(delta.get("signature") or "")), index=number)]
    if kind == "citations_delta":
        return [CitationAdded(citation=citation_of(delta.get("citation")), index=number)]
    return []
