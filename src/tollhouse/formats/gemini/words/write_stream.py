"""A stream as callers of this format get it, written from events in core words.

Each event is an answer in small. A call of a function is told when it is whole, and the reasons of all candidates with
the usage, in the last event.
"""

from collections.abc import Sequence
from typing import Final

from tollhouse.core.conversation import Citation, MediaPart, Opaque, Part, Reasoning, ToolCall
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
from tollhouse.formats.gemini import finish, usage
from tollhouse.formats.gemini.signatures import OWN, TOLD_UNSIGNED, signature_of
from tollhouse.formats.gemini.words.grounding import write_grounding
from tollhouse.formats.gemini.words.probabilities import write_probabilities
from tollhouse.formats.gemini.words.write_reply import head_of, write_part

_CITED_MAX: Final = 64 * 1024
"""Characters of a text that are kept so that places in it can be told in bytes."""


class _PartWritten:
    """A part that is open. said: its text so far, as far as citations need it; of a call, its arguments."""

    __slots__ = ("citations", "kept", "opaque", "part", "said")

    def __init__(self, part: Part) -> None:
        self.part = part
        self.opaque: Opaque | None = getattr(part, "opaque", None)
        self.said: list[str] = []
        self.kept = 0
        self.citations: list[Citation] = []


class ContentWriter:
    """See `core.words.ReplyWriter`."""

    __slots__ = ("_cited", "_context", "_finishes", "_head", "_open", "_signed", "_tail", "_usage")

    def __init__(self, context: AnswerContext) -> None:
        self._context = context
        self._open: dict[tuple[int, int], _PartWritten] = {}
        self._cited: dict[int, list[tuple[str, Sequence[Citation]]]] = {}
        self._finishes: dict[int, Finish] = {}
        self._usage: Usage | None = None
        self._signed: set[int] = set()  # choices in which Gemini signed something, or a call said that nobody did
        self._head: Object = {}
        self._tail = b""

    def write(self, event: ReplyEvent, /) -> bytes:
        if isinstance(event, TextAdded):
            return self._text(event)
        if isinstance(event, ArgumentsAdded):
            self._open[event.choice, event.index].said.append(event.text)
        elif isinstance(event, PartBegan):
            self._open[event.choice, event.index] = _PartWritten(event.part)
        elif isinstance(event, PartEnded):
            return self._part(event)
        elif isinstance(event, OpaqueAdded):
            self._open[event.choice, event.index].opaque = event.opaque
        elif isinstance(event, CitationAdded):
            self._open[event.choice, event.index].citations.append(event.citation)
        elif isinstance(event, Finished):
            self._finishes[event.choice] = event.finish
        elif isinstance(event, UsageTold):
            self._usage = event.usage
        elif isinstance(event, Began):
            self._begin(event)
        elif isinstance(event, StreamEnded):
            return self._end()
        return b""

    def _begin(self, event: Began) -> None:
        self._usage = event.usage
        self._head = head_of(event.id, event.model, self._context)
        self._tail = b"}]," + encode(self._head)[1:] + b"\n\n"

    def _text(self, event: TextAdded) -> bytes:
        opened = self._open[event.choice, event.index]
        if not event.text and not event.logprobs:
            return b""
        if opened.kept < _CITED_MAX:
            opened.said.append(event.text)
            opened.kept += len(event.text)
        thought = b',"thought":true' if isinstance(opened.part, Reasoning) else b""
        part = b'{"text":%b%b}' % (encode(event.text), thought)
        beside = b"" if event.logprobs is None else b',"logprobsResult":' + encode(write_probabilities(event.logprobs))
        return self._told(event.choice, part, beside)

    def _told(self, choice: int, part: bytes, beside: bytes = b"") -> bytes:
        if not self._tail:
            self._begin(Began())
        return b'data: {"candidates":[{"content":{"parts":[%b],"role":"model"},"index":%d%b%b' % (
            part,
            choice,
            beside,
            self._tail,
        )

    def _part(self, event: PartEnded) -> bytes:
        opened = self._open.pop((event.choice, event.index))
        part = opened.part
        if opened.citations:
            text = "".join(opened.said) if opened.kept < _CITED_MAX else ""
            self._cited.setdefault(event.choice, []).append((text, opened.citations))
        if opened.opaque is not None and opened.opaque.format == OWN:
            self._signed.add(event.choice)
        if isinstance(part, ToolCall):
            arguments = part.arguments + "".join(opened.said)
            call = ToolCall(
                id=part.id, name=part.name, arguments=arguments, is_custom=part.is_custom, opaque=opened.opaque
            )
            called = write_part(call) or {}
            if event.choice not in self._signed:
                self._signed.add(event.choice)
                called.setdefault("thoughtSignature", TOLD_UNSIGNED)
            return self._told(event.choice, encode(called))
        if isinstance(part, MediaPart):
            written = write_part(part)
            return b"" if written is None else self._told(event.choice, encode(written))
        if opened.opaque is None:
            return b""
        signed: Object = {"text": "", "thoughtSignature": signature_of(opened.opaque)}
        if isinstance(part, Reasoning):
            signed["thought"] = True
        return self._told(event.choice, encode(signed))

    def _end(self) -> bytes:
        if not self._finishes:
            return b""
        if not self._tail:
            self._begin(Began())
        candidates: list[Object] = []
        for choice, reason in self._finishes.items():
            candidate: Object = {"content": {"parts": [{"text": ""}], "role": "model"}}
            candidate |= {"finishReason": finish.reason_of(reason), "index": choice}
            if grounding := write_grounding(self._cited.get(choice, ())):
                candidate["groundingMetadata"] = grounding
            candidates.append(candidate)
        last: Object = {"candidates": candidates}
        if self._usage is not None:
            last["usageMetadata"] = usage.write(self._usage)
        return b"data: %b\n\n" % encode(last | self._head)
