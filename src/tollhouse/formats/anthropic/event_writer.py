"""Events in core words as the stream of a message.

Blocks of a message follow one another, so what comes of a part while an earlier one is open is kept until that has
ended. A block begins with the first that it says, for one that says nothing is none that a caller may send back. Usage
stands beside the reason to end: both are told once more at the end of the stream. Clients measure their context by what
the beginning tells of the input, so that is an estimate where the provider has not told it yet.
"""

from collections import OrderedDict
from typing import Final

from tollhouse.core.conversation import MediaPart, Opaque, Reasoning, Refusal, TextPart, ToolCall
from tollhouse.core.delivered import escaped
from tollhouse.core.provider_json import Object, encode
from tollhouse.core.reply import (
    ArgumentsAdded,
    Began,
    CitationAdded,
    Finish,
    Finished,
    OpaqueAdded,
    PartBegan,
    PartEnded,
    ReplyEvent,
    StreamEnded,
    TextAdded,
    UsageTold,
)
from tollhouse.core.usage import Usage
from tollhouse.core.words import AnswerContext
from tollhouse.formats.anthropic import finish
from tollhouse.formats.anthropic import usage as reports
from tollhouse.formats.anthropic.reply_writer import block_of, head, picture_told, reasoning_block, signature_of
from tollhouse.formats.anthropic.unfold import STOP, event_of
from tollhouse.formats.anthropic.wire import REDACTED, WIRE

_OfPart = PartBegan | TextAdded | ArgumentsAdded | OpaqueAdded | CitationAdded | PartEnded
_TEXT = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%b_delta","%b":'
_NOTHING = "null"
_NO_THOUGHTS: Final[Object] = {"type": "thinking", "thinking": "", "signature": ""}
_DELTA = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":%b}\n\n'


class MessageWriter:
    """See `core.words.ReplyWriter`. Only the first choice is told: a message is one answer."""

    __slots__ = (
        *(
            "_began",
            "_block",
            "_calls",
            "_context",
            "_finish",
            "_head",
            "_is_open",
            "_kept",
            "_opaque",
            "_part",
            "_refused",
        ),
        *("_stop_sequence", "_told", "_unsaid", "_usage"),
    )

    def __init__(self, context: AnswerContext) -> None:
        self._context = context
        self._began = self._calls = self._refused = False
        self._block = 0  # the number of the block that is open, or comes next
        self._is_open = False
        self._told: int | None = None  # the part whose block is open, where it is a text or thoughts
        self._head = b""
        self._part: PartBegan | None = None  # the part that is told now
        self._opaque: Opaque | None = None  # of it
        self._unsaid: str | None = None  # of its arguments, while they may be nothing
        self._kept: OrderedDict[int, list[_OfPart]] = (
            OrderedDict()
        )  # of those that wait for it, in the order in which they began
        self._finish: Finish | None = None
        self._stop_sequence: str | None = None
        self._usage: Usage | None = None

    def write(self, event: ReplyEvent, /) -> bytes:
        if type(event) is TextAdded and self._is_open and event.index == self._told and not event.choice:
            return self._head + encode(event.text) + b"}}\n\n"  # by far the most frequent
        if isinstance(event, Began):
            return self._begin(event)
        if isinstance(event, UsageTold):
            self._usage = event.usage
            return b""
        begun = b"" if self._began else self._begin(Began())
        if isinstance(event, StreamEnded):
            last = _event("message_delta", delta=self._why(), usage=reports.write(self._usage or Usage()))
            return begun + last + STOP
        if event.choice != 0:
            return begun
        if isinstance(event, Finished):
            self._finish, self._stop_sequence = event.finish, event.stop_sequence
            return begun + _event("message_delta", delta=self._why(), usage={"output_tokens": 0})
        return begun + self._of_part(event)

    def _begin(self, began: Began) -> bytes:
        if self._began:
            return b""
        self._began = True
        message = {
            **head(self._context, began.model),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {**reports.write(began.usage or Usage(input=self._context.input_tokens)), "output_tokens": 0},
        }
        return _event("message_start", message=message)

    def _why(self) -> Object:
        reason = "refusal" if self._refused else finish.written(self._finish, calls=self._calls)
        return {
            "stop_reason": reason,
            "stop_sequence": self._stop_sequence if reason == "stop_sequence" else None,
        }

    def _of_part(self, event: _OfPart) -> bytes:
        if self._part is None and isinstance(event, PartBegan):
            return self._start(event)
        if self._part is None or event.index != self._part.index:
            self._kept.setdefault(event.index, []).append(event)
            return b""
        if not isinstance(event, PartEnded):
            return self._add(event)
        out = [self._stop()]
        self._part = None
        while self._part is None and self._kept:
            _, waiting = self._kept.popitem(last=False)
            out += [self._replay(one) for one in waiting]
        return b"".join(out)

    def _replay(self, event: _OfPart) -> bytes:
        """An event that was kept, of the part that is told now."""
        if isinstance(event, PartBegan):
            return self._start(event)
        if not isinstance(event, PartEnded):
            return self._add(event)
        out, self._part = self._stop(), None
        return out

    def _start(self, began: PartBegan) -> bytes:
        self._part = began
        part = began.part
        self._opaque = part.opaque if isinstance(part, Reasoning) else None
        self._refused = self._refused or isinstance(part, Refusal)
        if isinstance(part, MediaPart):
            return self._opened() + self._head + encode(picture_told(part)) + b"}}\n\n"
        if not isinstance(part, ToolCall):
            return b""
        self._calls, self._unsaid = True, ""
        start = block_of(part)
        assert start is not None
        out = self._open({**start, "input": {}})
        return out + self._delta(b'{"type":"input_json_delta","partial_json":"{\\"input\\":\\""}') * part.is_custom

    def _add(self, event: _OfPart) -> bytes:
        assert self._part is not None
        part = self._part.part
        if isinstance(event, ArgumentsAdded):
            if not isinstance(part, ToolCall) or not event.text:
                return b""
            text = escaped(event.text).decode() if part.is_custom else self._arguments(event.text)
            return self._delta(b'{"type":"input_json_delta","partial_json":%b}' % encode(text)) if text else b""
        if isinstance(event, OpaqueAdded):
            self._opaque = event.opaque
            return b""
        if isinstance(event, CitationAdded):
            if event.citation.format != WIRE or not isinstance(part, TextPart):
                return b""
            return self._opened() + self._delta(encode({"type": "citations_delta", "citation": event.citation.raw}))
        if not isinstance(event, TextAdded) or not event.text:
            return b""
        return self._opened() + self._head + encode(event.text) + b"}}\n\n"

    def _arguments(self, text: str) -> str:
        """What goes on of arguments: none where they are `null` or blank, for clients read them as an object."""
        if self._unsaid is None:
            return text
        said = (self._unsaid + text).strip()
        if _NOTHING.startswith(said):
            self._unsaid = said
            return ""
        said, self._unsaid = self._unsaid + text, None
        return said

    def _opened(self) -> bytes:
        """Begin the block of a text or of thoughts, where it has not begun. `_head`: of each event that adds to it."""
        if self._is_open:
            return b""
        assert self._part is not None
        thinks = isinstance(self._part.part, Reasoning)
        kind = b"thinking" if thinks else b"text"
        self._head = _TEXT % (self._block, kind, kind)
        self._told = self._part.index
        return self._open(_NO_THOUGHTS if thinks else {"type": "text", "text": ""})

    def _open(self, block: Object) -> bytes:
        self._is_open = True
        return _event("content_block_start", index=self._block, content_block=block)

    def _delta(self, delta: bytes) -> bytes:
        return _DELTA % (self._block, delta)

    def _stop(self) -> bytes:
        """The end of the part that is told now: thoughts that say nothing are hidden ones, and come whole."""
        assert self._part is not None
        part, opaque, out = self._part.part, self._opaque, b""
        if isinstance(part, Reasoning) and (opaque is not None or self._is_open):
            if opaque is not None and opaque.format == WIRE and opaque.data.startswith(REDACTED) and not self._is_open:
                out = self._open(reasoning_block("", opaque))
            else:
                out = b"" if self._is_open else self._open(_NO_THOUGHTS)
                out += self._delta(encode({"type": "signature_delta", "signature": signature_of(opaque)}))
        elif isinstance(part, ToolCall) and part.is_custom:
            out = self._delta(b'{"type":"input_json_delta","partial_json":"\\"}"}')
        if not self._is_open:
            return out
        out += _event("content_block_stop", index=self._block)
        self._is_open, self._told = False, None
        self._block += 1
        return out


def _event(kind: str, /, **members: object) -> bytes:
    return event_of(kind.encode(), encode({"type": kind, **members}))
