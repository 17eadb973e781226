"""A stream of a response as callers of this format get it, written from events in core words. Items follow one another:
what comes of a part while another one is open waits for its end."""

from collections.abc import Iterator

from tollhouse.core.conversation import MediaPart, Part, Reasoning, Refusal, TextPart, ToolCall
from tollhouse.core.reply import (
    ArgumentsAdded,
    Began,
    CitationAdded,
    Finish,
    Finished,
    OpaqueAdded,
    PartBegan,
    PartEnded,
    Reply,
    ReplyEvent,
    StreamEnded,
    TextAdded,
    UsageTold,
)
from tollhouse.core.usage import Usage
from tollhouse.core.words import AnswerContext
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.summaries import ITEM
from tollhouse.formats.openai.words.response_object import finished, head_of, status_of
from tollhouse.formats.openai.words.response_parts_written import (
    NumberedEvents,
    Object,
    WrittenCall,
    WrittenPart,
    WrittenPicture,
    WrittenSummary,
    WrittenText,
    WrittenThoughts,
    prefix_of,
)

_OfPart = PartBegan | TextAdded | ArgumentsAdded | OpaqueAdded | CitationAdded | PartEnded


class ResponseWriter:
    """See `core.words.ReplyWriter`. `response`: the whole, once the stream has ended."""

    __slots__ = ("_at", "_context", "_current", "_finish", "_head", "_message", "_output", "_refuses", "_say",
                 "_summary", "_usage", "_waiting", "response")  # fmt: skip

    def __init__(self, context: AnswerContext) -> None:
        self._context = context
        self._say = NumberedEvents()
        self._head: Object = {}
        self._output: list[Object] = []
        self._message: Object | None = None  # a message that is open: its parts may go on
        self._current: WrittenPart | None = None
        self._at = -1  # the part that is open
        self._waiting: dict[int, list[_OfPart]] = {}
        self._finish: Finish | None = None
        self._refuses = False
        self._summary: WrittenSummary | None = None
        self._usage: Usage | None = None
        self.response: Object = {}

    def write(self, event: ReplyEvent, /) -> bytes:
        if isinstance(event, TextAdded) and event.index == self._at and not event.choice:
            assert self._current is not None
            return self._current.add(event)
        if isinstance(event, _OfPart):
            return b"" if event.choice else self._part(event) + b"".join(self._replay())
        if isinstance(event, Began):
            return self._begin(event)
        if isinstance(event, UsageTold):
            self._usage = event.usage
        elif isinstance(event, Finished) and not event.choice:
            self._finish = event.finish
            return self._close_message(status_of(event.finish, refuses=self._refuses)) + self._tell_summary()
        elif isinstance(event, StreamEnded):
            return self._end()
        return b""

    def _begin(self, event: Began) -> bytes:
        self._head = head_of(event, self._context)
        self._usage = event.usage
        return self._say("created", {"response": self._head}) + self._say("in_progress", {"response": self._head})

    def _part(self, event: _OfPart) -> bytes:
        if self._current is None:
            out = b"" if self._head else self._begin(Began())
            return out + self._open(event) if isinstance(event, PartBegan) else out
        if event.index != self._at:
            self._waiting.setdefault(event.index, []).append(event)
            return b""
        if not isinstance(event, PartEnded):
            return self._current.add(event)
        return self._close()

    def _replay(self) -> Iterator[bytes]:
        """Parts that waited, up to one that goes on."""
        while self._waiting and self._current is None:
            index = next(iter(self._waiting))
            for event in self._waiting.pop(index):
                yield self._part(event)

    def _open(self, event: PartBegan) -> bytes:
        part = event.part
        self._at = event.index
        if isinstance(part, TextPart | Refusal) and self._context.request.stand_ins.get("") == ITEM:
            self._current = self._summary = self._summary or WrittenSummary()
            return b""
        if isinstance(part, TextPart | Refusal):
            self._refuses = self._refuses or isinstance(part, Refusal)
            out, message = self._open_message(part)
            place = {"item_id": message["id"], "output_index": len(self._output)}
            content = message["content"]
            assert isinstance(content, list)
            self._current = WrittenText(part, {**place, "content_index": len(content)}, self._say)
            return out + self._current.open()
        out = self._close_message("completed")
        stands_for = self._context.request.stand_ins.get(part.name, "") if isinstance(part, ToolCall) else ""
        place = {"item_id": self._item_id(part, stands_for), "output_index": len(self._output)}
        if isinstance(part, Reasoning):
            self._current = WrittenThoughts(part, place, self._say)
        elif isinstance(part, ToolCall):
            self._current = WrittenCall(part, stands_for, place, self._say)
        else:
            assert isinstance(part, MediaPart), "no answer holds the result of a tool"
            self._current = WrittenPicture(part, place, self._say)
        return out + self._current.open()

    def _item_id(self, part: Part, stands_for: str) -> str:
        own = str(self._head["id"]).removeprefix("resp_")
        return f"{prefix_of(part, stands_for)}_{own}_{len(self._output)}"

    def _open_message(self, part: Part) -> tuple[bytes, Object]:
        if self._message is not None:
            return b"", self._message
        head: Object = {"id": self._item_id(part, ""), "type": "message", "status": "in_progress", "role": "assistant"}
        self._message = {**head, "content": []}
        added = {"output_index": len(self._output), "item": {**head, "content": []}}
        return self._say("output_item.added", added), self._message

    def _close(self) -> bytes:
        current, self._current, self._at = self._current, None, -1
        assert current is not None
        out = current.close("completed")
        if isinstance(current, WrittenText):
            assert self._message is not None
            content = self._message["content"]
            assert isinstance(content, list)
            content.append(current.item)
        elif current is not self._summary:
            self._output.append(current.item)
        return out

    def _tell_summary(self) -> bytes:
        """The one item that a history is shortened to: all text of the answer is in it."""
        if self._summary is None:
            return b""
        own, index = str(self._head["id"]).removeprefix("resp_"), len(self._output)
        item = self._summary.whole(f"cmp_{own}_{index}")
        self._output.append(item)
        added = self._say("output_item.added", {"output_index": index, "item": item})
        return added + self._say("output_item.done", {"output_index": index, "item": item})

    def _close_message(self, status: str) -> bytes:
        message, self._message = self._message, None
        if message is None:
            return b""
        message["status"] = status
        index = len(self._output)
        self._output.append(message)
        return self._say("output_item.done", {"output_index": index, "item": message})

    def _end(self) -> bytes:
        out = b"" if self._head else self._begin(Began())
        out += self._close_message("completed")
        status, self.response = finished(self._head, self._output, self._finish, self._usage, refuses=self._refuses)
        return out + self._say(status, {"response": self.response})


def write_reply(reply: Reply, context: AnswerContext) -> bytes:
    """A whole response, as its stream would have built it."""
    writer = ResponseWriter(context)
    for event in _events(reply):
        writer.write(event)
    return chunks.encode(writer.response)


def _events(reply: Reply) -> Iterator[ReplyEvent]:
    yield Began(id=reply.id, model=reply.model, created=reply.created)
    choice = reply.choices[0] if reply.choices else None
    logprobs = None if choice is None else choice.logprobs
    for index, part in enumerate(choice.parts if choice is not None else ()):
        yield PartBegan(part=part, index=index)
        if isinstance(part, TextPart):
            yield TextAdded(text=part.text, index=index, logprobs=logprobs)
            logprobs = None
            for citation in part.citations:
                yield CitationAdded(citation=citation, index=index)
        elif isinstance(part, Reasoning | Refusal):
            yield TextAdded(text=part.text, index=index)
        elif isinstance(part, ToolCall):
            yield ArgumentsAdded(text=part.arguments, index=index)
        yield PartEnded(index=index)
    if choice is not None and choice.finish is not None:
        yield Finished(finish=choice.finish)
    if reply.usage is not None:
        yield UsageTold(usage=reply.usage)
    yield StreamEnded()
