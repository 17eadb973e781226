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
from tollhouse.formats.anthropic.block_reader import citation_of
from tollhouse.formats.anthropic.message_stream import MessageStream, index_of
from tollhouse.formats.anthropic.plain_event import read_plain
from tollhouse.formats.anthropic.reply_reader import part_of
from tollhouse.formats.anthropic.wire import WIRE


class MessageReader:
    """See `core.words.ReplyReader`. Blocks are numbered anew, in the order in which they begin, without those that no
    other format can say."""

    __slots__ = ("_began", "_events", "_is_finished", "_numbers", "_parts", "_splitter", "is_complete", "told")

    said_all = False  # `Finished` comes at once

    def __init__(self, known: Known) -> None:
        self._events = MessageStream(known=known)
        self._splitter = Splitter()
        self._began = False
        self._parts = 0
        self._numbers: dict[int, int] = {}  # of the blocks that are open, by their index
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
                    more = ArgumentsAdded if plain.adds_arguments else TextAdded
                    told.append(more(text=plain.delta.text, index=number))
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
            return [] if number is None or not isinstance(delta, dict) else _added(delta, number)
        if kind == "message_start":
            return self._begin(said.get("message"))
        if kind == "content_block_start":
            return self._block(said.get("content_block"), index)
        if kind == "content_block_stop":
            ended = self._numbers.pop(index, None)
            return [] if ended is None else [PartEnded(index=ended)]
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
        if part is None:
            return told
        number = self._numbers[index] = self._parts
        self._parts += 1
        text = ""
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
        told += [PartEnded(index=number) for number in self._numbers.values()]
        self._numbers.clear()
        return [*told, Finished(finish=finish.read(reason), stop_sequence=stop_sequence)]

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
    if kind == "input_json_delta":
        return [ArgumentsAdded(text=str(delta.get("partial_json") or ""), index=number)]
    if kind == "signature_delta":
        return [OpaqueAdded(opaque=Opaque(WIRE, str(delta.get("signature") or "")), index=number)]
    if kind == "citations_delta":
        return [CitationAdded(citation=citation_of(delta.get("citation")), index=number)]
    return []
