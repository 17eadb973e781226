"""A chat's stream as callers of this format get it, written from events in core words."""

from typing import Final

from tollhouse.core.conversation import MediaPart, Opaque, Reasoning, Refusal, TextPart, ToolCall
from tollhouse.core.opaque import id_with
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
from tollhouse.core.usage import Usage
from tollhouse.core.words import AnswerContext
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.chunk import DONE
from tollhouse.formats.openai.usage import write_chat
from tollhouse.formats.openai.words import finish
from tollhouse.formats.openai.words.caller_tools import is_legacy, takes_text
from tollhouse.formats.openai.words.chat_answer import annotation, answer_id, foreign, image, own_extra, probabilities
from tollhouse.formats.openai.words.json_text import GrowingInput
from tollhouse.formats.openai.words.reasoning import details_of

Object = dict[str, object]
_NAMES: Final[dict[type, str]] = {TextPart: "content", Reasoning: "reasoning_content", Refusal: "refusal"}
_NO_ARGUMENTS: Final = "{}"
"""Of a call that takes none: clients read the arguments as JSON."""
_TAIL: Final = b'},"logprobs":null,"finish_reason":null}]}\n\n'


class _Open:
    """A part that is open. before: of a text, the bytes of a chunk up to it. offset: characters of the answer before
    it. call: its number among the calls. input: of a function that stands for a tool which takes text.
    says: it has a text, or arguments, and is not hidden. is_legacy: a `function_call`, of which an answer has one:
    further ones are not told."""

    __slots__ = ("before", "call", "input", "is_custom", "is_legacy", "offset", "opaque", "part", "says")

    def __init__(self, part: TextPart | Reasoning | Refusal | ToolCall | MediaPart, before: bytes, offset: int) -> None:
        self.part = part
        self.before = before
        self.offset = offset
        self.opaque: Opaque | None = getattr(part, "opaque", None)
        self.call = 0
        self.is_custom = False
        self.is_legacy = False
        self.input: GrowingInput | None = None
        self.says = False


class _ChoiceWritten:
    __slots__ = ("calls", "characters", "images", "legacy", "open", "refuses")

    def __init__(self) -> None:
        self.open: dict[int, _Open] = {}
        self.calls = 0
        self.legacy = False  # its call is a `function_call`
        self.images = 0
        self.characters = 0
        self.refuses = False


class ChatWriter:
    """See `core.words.ReplyWriter`."""

    __slots__ = ("_choices", "_context", "_head", "_usage")

    def __init__(self, context: AnswerContext) -> None:
        self._context = context
        self._choices: dict[int, _ChoiceWritten] = {}
        self._head: Object = {}
        self._usage: Usage | None = None

    def write(self, event: ReplyEvent, /) -> bytes:
        if isinstance(event, TextAdded):
            return self._text(event)
        if isinstance(event, ArgumentsAdded):
            return self._arguments(event)
        if isinstance(event, PartBegan):
            return self._begin_part(event)
        if isinstance(event, PartEnded):
            return self._end_part(event)
        if isinstance(event, OpaqueAdded):
            self._choices[event.choice].open[event.index].opaque = event.opaque
        elif isinstance(event, CitationAdded):
            return self._cite(event)
        elif isinstance(event, UsageTold):
            self._usage = event.usage
        elif isinstance(event, Began):
            self._begin(event)
        elif isinstance(event, Finished):
            return self._finish(event)
        elif isinstance(event, StreamEnded):
            return self._end()
        return b""

    def _begin(self, event: Began) -> None:
        self._usage = event.usage
        self._head = {
            "id": answer_id(event.id, self._context),
            "object": "chat.completion.chunk",
            "created": event.created or self._context.created,
            "model": event.model or self._context.request.model,
        }

    def _chunk(self, choice: int, delta: Object, reason: str | None = None) -> bytes:
        one: Object = {"index": choice, "delta": delta, "logprobs": None, "finish_reason": reason}
        return b"data: %b\n\n" % chunks.encode({**self._head, "choices": [one]})

    def _choice(self, number: int) -> tuple[_ChoiceWritten, bytes]:
        """A choice, and the chunk that says whose turn it is where it is new."""
        choice = self._choices.get(number)
        if choice is not None:
            return choice, b""
        if not self._head:
            self._begin(Began())
        choice = self._choices[number] = _ChoiceWritten()
        return choice, self._chunk(number, {"role": "assistant", "content": ""})

    def _begin_part(self, event: PartBegan) -> bytes:
        choice, out = self._choice(event.choice)
        part = event.part
        if isinstance(part, MediaPart):
            choice.open[event.index] = _Open(part, b"", 0)
            if part.kind != "image":
                return out
            choice.images += 1
            return out + self._chunk(event.choice, {"images": [image(part, choice.images - 1)]})
        if isinstance(part, ToolCall):
            return out + self._begin_call(choice, event, part)
        if not isinstance(part, TextPart | Reasoning | Refusal):
            return out
        name = _NAMES[type(part)]
        choice.refuses = choice.refuses or name == "refusal"
        head = chunks.encode({**self._head, "choices": []})[:-2]
        before = b'data: %b{"index":%d,"delta":{"%b":' % (head, event.choice, name.encode())
        choice.open[event.index] = _Open(part, before, choice.characters)
        return out

    def _begin_call(self, choice: _ChoiceWritten, event: PartBegan, part: ToolCall) -> bytes:
        opened = choice.open[event.index] = _Open(part, b"", 0)
        opened.call = choice.calls
        choice.calls += 1
        if is_legacy(part.name, self._context.request.stand_ins):
            opened.is_legacy = choice.legacy = True
            legacy: Object = {"function_call": {"name": part.name, "arguments": ""}}
            return b"" if opened.call else self._chunk(event.choice, legacy)
        said: Object = {"index": opened.call, "id": id_with(part.id, foreign(part))}
        if part.is_custom or takes_text(part.name, self._context.request.stand_ins):
            opened.is_custom = True
            opened.input = None if part.is_custom else GrowingInput()
            said |= {"type": "custom", "custom": {"name": part.name, "input": ""}}
        else:
            said |= {"type": "function", "function": {"name": part.name, "arguments": ""}} | own_extra(part)
        return self._chunk(event.choice, {"tool_calls": [said]})

    def _text(self, event: TextAdded) -> bytes:
        choice = self._choices[event.choice]
        opened = choice.open[event.index]
        if isinstance(opened.part, TextPart):
            choice.characters += len(event.text)
            if event.logprobs:
                delta = {"content": event.text}
                told = probabilities(event.logprobs)
                one: Object = {"index": event.choice, "delta": delta, "logprobs": told, "finish_reason": None}
                return b"data: %b\n\n" % chunks.encode({**self._head, "choices": [one]})
        if not event.text:
            return b""
        opened.says = True
        return opened.before + chunks.encode(event.text) + _TAIL

    def _arguments(self, event: ArgumentsAdded) -> bytes:
        opened = self._choices[event.choice].open[event.index]
        text = event.text if opened.input is None else opened.input.add(event.text)
        return self._more(event.choice, opened, text)

    def _more(self, choice: int, opened: _Open, text: str) -> bytes:
        if not text or (opened.is_legacy and opened.call):
            return b""
        opened.says = True
        if opened.is_legacy:
            return self._chunk(choice, {"function_call": {"arguments": text}})
        said = {"custom": {"input": text}} if opened.is_custom else {"function": {"arguments": text}}
        return self._chunk(choice, {"tool_calls": [{"index": opened.call, **said}]})

    def _cite(self, event: CitationAdded) -> bytes:
        if not event.citation.url:
            return b""
        opened = self._choices[event.choice].open[event.index]
        return self._chunk(event.choice, {"annotations": [annotation(event.citation, opened.offset)]})

    def _end_part(self, event: PartEnded) -> bytes:
        opened = self._choices[event.choice].open.pop(event.index)
        if opened.input is not None:
            return self._more(event.choice, opened, opened.input.rest())
        if isinstance(opened.part, ToolCall) and not opened.says and not opened.is_custom:
            return self._more(event.choice, opened, _NO_ARGUMENTS)
        if isinstance(opened.part, Reasoning) and opened.opaque is not None:
            details = details_of(opened.opaque, "", is_hidden=not opened.says)
            return self._chunk(event.choice, {"reasoning_details": details}) if details else b""
        return b""

    def _finish(self, event: Finished) -> bytes:
        choice, out = self._choice(event.choice)
        reason = finish.reason_of(event.finish, calls=choice.calls > 0, refuses=choice.refuses, legacy=choice.legacy)
        return out + self._chunk(event.choice, {}, reason)

    def _end(self) -> bytes:
        if self._usage is None:
            return DONE
        last = {**self._head, "choices": [], "usage": write_chat(self._usage)}
        return b"data: %b\n\n" % chunks.encode(last) + DONE
