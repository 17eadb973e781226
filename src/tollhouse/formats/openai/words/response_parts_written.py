"""The events that say one part of a response: how it opens, grows and closes. `ResponseWriter` orders them."""

from typing import Final, Protocol

from tollhouse.core.conversation import MediaPart, Opaque, Part, Reasoning, Refusal, TextPart, ToolCall
from tollhouse.core.opaque import id_with, sealed
from tollhouse.core.reply import ArgumentsAdded, CitationAdded, OpaqueAdded, ReplyEvent, TextAdded
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.summaries import item_with
from tollhouse.formats.openai.words.caller_tools import call_item
from tollhouse.formats.openai.words.json_text import GrowingInput
from tollhouse.formats.openai.words.response_object import annotation_of, probabilities
from tollhouse.formats.openai.words.response_reasoning import OWN

Object = dict[str, object]


class NumberedEvents:
    """Writes events, each with its number."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, kind: str, event: Object) -> bytes:
        """kind: without `response.`."""
        number, self.number = self.number, self.number + 1
        body = chunks.encode({"type": f"response.{kind}", "sequence_number": number, **event})
        return b"event: response.%b\ndata: %b\n\n" % (kind.encode(), body)

    def text(self, before: bytes, text: str) -> bytes:
        """A delta of text without probabilities, of which most streams are made. before: see `text_before`."""
        number, self.number = self.number, self.number + 1
        return b'%b%b,"logprobs":[],"sequence_number":%d}\n\n' % (before, chunks.encode(text), number)


class WrittenPart(Protocol):
    """item: what it became, once it is closed; of a text, its part of the message."""

    item: Object

    def open(self) -> bytes: ...

    def add(self, event: ReplyEvent) -> bytes: ...

    def close(self, status: str) -> bytes: ...


class WrittenText:
    """A text, or a refusal: a part of a message that is open."""

    __slots__ = ("_annotations", "_before", "_is_refusal", "_logprobs", "_pieces", "_place", "_say", "item")

    def __init__(self, part: TextPart | Refusal, place: Object, say: NumberedEvents) -> None:
        """place: of the item and within it."""
        self._is_refusal = isinstance(part, Refusal)
        self._place = place
        self._say = say
        self._pieces: list[str] = []
        self._annotations: list[Object] = []
        self._logprobs: list[Object] = []
        self._before = text_before(place)
        self.item: Object = {}

    def _part(self, text: str) -> Object:
        if self._is_refusal:
            return {"type": "refusal", "refusal": text}
        return {"type": "output_text", "text": text, "annotations": self._annotations, "logprobs": self._logprobs}

    def open(self) -> bytes:
        return self._say("content_part.added", {**self._place, "part": self._part("")})

    def add(self, event: ReplyEvent) -> bytes:
        if isinstance(event, TextAdded):
            self._pieces.append(event.text)
            if self._is_refusal:
                return self._say("refusal.delta", {**self._place, "delta": event.text})
            if not event.logprobs:
                return self._say.text(self._before, event.text) if event.text else b""
            told = probabilities(event.logprobs)
            self._logprobs += told
            return self._say("output_text.delta", {**self._place, "delta": event.text, "logprobs": told})
        if isinstance(event, CitationAdded) and (annotation := annotation_of(event.citation)) is not None:
            place = {**self._place, "annotation_index": len(self._annotations)}
            self._annotations.append(annotation)
            return self._say("output_text.annotation.added", {**place, "annotation": annotation})
        return b""

    def close(self, status: str) -> bytes:
        text = "".join(self._pieces)
        self.item = self._part(text)
        if self._is_refusal:
            done = self._say("refusal.done", {**self._place, "refusal": text})
        else:
            done = self._say("output_text.done", {**self._place, "text": text, "logprobs": self._logprobs})
        return done + self._say("content_part.done", {**self._place, "part": self.item})


class WrittenSummary:
    """Texts that are told at the end, as one item (`formats.openai.summaries`)."""

    __slots__ = ("_pieces", "item")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self.item: Object = {}

    def open(self) -> bytes:
        return b""

    def add(self, event: ReplyEvent) -> bytes:
        if isinstance(event, TextAdded):
            self._pieces.append(event.text)
        return b""

    def close(self, status: str) -> bytes:
        return b""

    def whole(self, item_id: str) -> Object:
        return item_with("".join(self._pieces), item_id)


class WrittenThoughts:
    """Thoughts are told as a summary, where every client looks for them."""

    __slots__ = ("_opaque", "_pieces", "_place", "_say", "item")

    def __init__(self, part: Reasoning, place: Object, say: NumberedEvents) -> None:
        self._opaque: Opaque | None = part.opaque
        self._place = place
        self._say = say
        self._pieces: list[str] = []
        self.item: Object = {"id": place["item_id"], "type": "reasoning", "summary": []}

    def open(self) -> bytes:
        return self._say("output_item.added", {"output_index": self._place["output_index"], "item": self.item})

    def add(self, event: ReplyEvent) -> bytes:
        if isinstance(event, OpaqueAdded):
            self._opaque = event.opaque
        if not isinstance(event, TextAdded) or not event.text:
            return b""
        place = {**self._place, "summary_index": 0}
        out = b""
        if not self._pieces:
            out = self._say("reasoning_summary_part.added", {**place, "part": {"type": "summary_text", "text": ""}})
        self._pieces.append(event.text)
        return out + self._say("reasoning_summary_text.delta", {**place, "delta": event.text})

    def close(self, status: str) -> bytes:
        out, text = b"", "".join(self._pieces)
        if text:
            place, part = {**self._place, "summary_index": 0}, {"type": "summary_text", "text": text}
            out = self._say("reasoning_summary_text.done", {**place, "text": text})
            out += self._say("reasoning_summary_part.done", {**place, "part": part})
            self.item = {**self.item, "summary": [part]}
        if self._opaque is not None:
            self.item = {**self.item, "encrypted_content": sealed(self._opaque, OWN)}
        return out + self._say("output_item.done", {"output_index": self._place["output_index"], "item": self.item})


_STREAMED: Final = {
    "function_call": ("function_call_arguments", "arguments"),
    "custom_tool_call": ("custom_tool_call_input", "input"),
}


class WrittenCall:
    """A call. One of a function that stands for a tool which takes text says that text; one that stands for a tool with
    a type of its own is told when it is whole."""

    __slots__ = ("_call", "_input", "_name", "_pieces", "_place", "_say", "_stands_for", "item")

    def __init__(self, part: ToolCall, stands_for: str, place: Object, say: NumberedEvents) -> None:
        foreign = part.opaque if part.opaque is not None and part.opaque.format != OWN else None
        self._call = id_with(part.id, foreign)
        self._name = part.name
        self._stands_for = f"custom  {part.name}" if part.is_custom else stands_for
        self._place = place
        self._say = say
        self._pieces: list[str] = []  # of what is told
        self.item = self._item("", "in_progress")
        takes_text = self.item["type"] == "custom_tool_call" and not part.is_custom
        self._input = GrowingInput() if takes_text else None
        if self.item["type"] not in _STREAMED:
            self.item = {}

    def _item(self, arguments: str, status: str) -> Object:
        item = call_item(self._stands_for, self._name, self._call, arguments)
        return {"id": self._place["item_id"], **item, "status": status}

    def open(self) -> bytes:
        if not self.item:
            return b""
        return self._say("output_item.added", {"output_index": self._place["output_index"], "item": self.item})

    def add(self, event: ReplyEvent) -> bytes:
        if not isinstance(event, ArgumentsAdded):
            return b""
        return self._tell(event.text if self._input is None else self._input.add(event.text))

    def _tell(self, text: str) -> bytes:
        if not text:
            return b""
        self._pieces.append(text)
        if not self.item:
            return b""
        what, _ = _STREAMED[str(self.item["type"])]
        return self._say(f"{what}.delta", {**self._place, "delta": text})

    def close(self, status: str) -> bytes:
        """A function that takes nothing gets an empty object."""
        out = b"" if self._input is None else self._tell(self._input.rest())
        if not self._pieces and self.item.get("type") != "custom_tool_call":
            out += self._tell("{}")
        text = "".join(self._pieces)
        if self.item:
            what, member = _STREAMED[str(self.item["type"])]
            self.item = {**self.item, member: text, "status": status}
            name = {"name": self.item["name"]} if member == "arguments" else {}
            out += self._say(f"{what}.done", {**self._place, **name, member: text})
        else:
            self.item = self._item(text, "in_progress")
            out += self.open()
            self.item = {**self.item, "status": status}
        return out + self._say("output_item.done", {"output_index": self._place["output_index"], "item": self.item})


class WrittenPicture:
    __slots__ = ("_place", "_say", "item")

    def __init__(self, part: MediaPart, place: Object, say: NumberedEvents) -> None:
        self._place = place
        self._say = say
        form = part.media_type.rpartition("/")[2] or "png"
        told: Object = {"type": "image_generation_call", "status": "completed", "output_format": form}
        self.item: Object = {"id": place["item_id"], **told, "result": part.data or part.url}

    def open(self) -> bytes:
        opened = {**self.item, "status": "in_progress", "result": None}
        return self._say("output_item.added", {"output_index": self._place["output_index"], "item": opened})

    def add(self, event: ReplyEvent) -> bytes:
        return b""

    def close(self, status: str) -> bytes:
        done = self._say("image_generation_call.completed", dict(self._place))
        return done + self._say("output_item.done", {"output_index": self._place["output_index"], "item": self.item})


_PREFIXES: Final = {"custom": "ctc", "local_shell": "lsh", "shell": "sh", "apply_patch": "apc", "tool_search": "tsc"}


def prefix_of(part: Part, stands_for: str) -> str:
    """Of the id of the item that a part becomes."""
    if isinstance(part, Reasoning):
        return "rs"
    if isinstance(part, MediaPart):
        return "ig"
    if isinstance(part, ToolCall):
        return "ctc" if part.is_custom else _PREFIXES.get(stands_for.partition(" ")[0], "fc")
    return "msg"


def text_before(place: Object) -> bytes:
    """A delta of text up to its text: all deltas of a part are alike but for it and the number."""
    head = chunks.encode({"type": "response.output_text.delta", **place})[:-1]
    return b'event: response.output_text.delta\ndata: %b,"delta":' % head
