"""One item of a response's stream as events in core words: its texts, its thoughts, or its call."""

from typing import Final

from tollhouse.core.conversation import MediaPart, Opaque, Part, Reasoning, Refusal, TextPart, ToolCall
from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.reply import (
    ArgumentsAdded,
    CitationAdded,
    OpaqueAdded,
    PartBegan,
    PartEnded,
    ReplyEvent,
    TextAdded,
    TokenProbability,
)
from tollhouse.core.sound_text import SoundTexts
from tollhouse.formats.openai.chunk import Object
from tollhouse.formats.openai.response_parts import PARTS_MAX, PIECES
from tollhouse.formats.openai.words.chat_reply import probabilities_of, text_of
from tollhouse.formats.openai.words.citations import citation_of, citations_of, moved
from tollhouse.formats.openai.words.response_reasoning import opaque_of, reasoning_of
from tollhouse.formats.openai.words.response_reply import BREAK, call_of, parts_of

_Out = list[ReplyEvent]
_WORDS: Final = ("reasoning_text", "reasoning")
_SUMMARIES: Final = ("reasoning_summary_text", "reasoning_summary")
_ARGUMENTS: Final = ("function_call_arguments", "custom_tool_call_input")
_SPOKEN: Final = ("output_text", "audio.transcript", "output_audio_transcript")
_STREAMED_CALLS: Final = ("function_call", "custom_tool_call")


class PartCount:
    """How many parts a response has by now, and how many of them call or refuse. has_text: a message has said one."""

    __slots__ = ("calls", "has_text", "parts", "refusals")

    def __init__(self) -> None:
        self.parts = self.calls = self.refusals = 0
        self.has_text = False

    def next(self, part: Part) -> int:
        if self.parts >= PARTS_MAX:
            raise UpstreamBroke(f"The provider sent a response of more than {PARTS_MAX} parts.")
        self.parts += 1
        self.calls += isinstance(part, ToolCall)
        self.refusals += isinstance(part, Refusal)
        return self.parts - 1


class _StreamedPart:
    """said: characters that came of it. cited: citations that came. before: what was put before its text."""

    __slots__ = ("before", "cited", "index", "is_open", "said", "texts")

    def __init__(self, index: int) -> None:
        self.index = index
        self.before = ""
        self.said = 0
        self.cited = 0
        self.is_open = True
        self.texts = SoundTexts()


class StreamedItem:
    """Feed it each event about it; `close` ends it with what the whole item says beyond them."""

    __slots__ = ("_call", "_count", "_done", "_made_id", "_opened", "_parts", "_section", "_thoughts", "id")

    def __init__(self, count: PartCount, made_id: str) -> None:
        self.id: object = None
        self._count = count
        self._made_id = made_id
        self._opened: Object = {}  # as it was added
        self._parts: dict[int, _StreamedPart] = {}  # of a message, by number
        self._thoughts: _StreamedPart | None = None
        self._section: tuple[str, int] | None = None  # where thoughts are told: in words or in a summary, and which
        self._call: _StreamedPart | None = None
        self._done = False

    def take(self, kind: str, event: Object, out: _Out) -> None:
        """kind: without `response.`."""
        what, _, step = kind.rpartition(".")
        if what == "output_item":
            item = event.get("item")
            if isinstance(item, dict):
                self._take_item(item, step, out)
        elif self._done:
            return
        elif what in PIECES:
            self._take_piece(what, step, event, out)
        elif kind == "content_part.done" and isinstance(part := event.get("part"), dict):
            self._close_content(_number(event, "content_index"), part, out)
        elif kind == "output_text.annotation.added" and isinstance(one := event.get("annotation"), dict):
            self._cite(_number(event, "content_index"), one, out)

    def text(self, number: int, delta: str, logprobs: list[TokenProbability] | None, out: _Out) -> None:
        """More of a text of a message."""
        if not self._done:
            self._say(self._part(number, TextPart(text=""), out), delta, out, logprobs)

    def close(self, item: Object, out: _Out) -> None:
        """item: the whole, or nothing where it is not told."""
        if self._done:
            return
        self._done = True
        item = item or self._opened
        content = item.get("content") if item.get("type", "message") == "message" else None
        for number, part in enumerate(content if isinstance(content, list) else ()):
            if isinstance(part, dict):
                self._close_content(number, part, out)
        for one in self._parts.values():
            self._end(one, out)
        if self._thoughts is not None or item.get("type") == "reasoning":
            self._close_thoughts(item, out)
        elif self._call is not None or (item and not self._parts and item.get("type") != "message"):
            self._close_call(item, out)

    def _take_item(self, item: Object, step: str, out: _Out) -> None:
        self.id = item.get("id", self.id)
        if step == "done":
            self.close(item, out)
            return
        self._opened = item
        if item.get("type") in _STREAMED_CALLS and item.get("name"):
            self._begin_call(item, out)

    def _take_piece(self, what: str, step: str, event: Object, out: _Out) -> None:
        if what in _ARGUMENTS:
            self._take_arguments(what, step, event, out)
            return
        delta = event.get("delta")
        if step != "delta" or not isinstance(delta, str):
            return
        if what in _SPOKEN:
            logprobs = event.get("logprobs")
            told = probabilities_of({"content": logprobs}) if logprobs else None
            self.text(_number(event, "content_index"), delta, told, out)
        elif what == "refusal":
            self._say(self._part(_number(event, "content_index"), Refusal(text=""), out), delta, out)
        elif what in _WORDS:
            self._think("words", _number(event, "content_index"), delta, out)
        elif what in _SUMMARIES:
            self._think("summary", _number(event, "summary_index"), delta, out)

    def _part(self, number: int, part: TextPart | Refusal, out: _Out) -> _StreamedPart:
        found = self._parts.get(number)
        if found is None:
            is_first = not self._parts
            found = self._parts[number] = self._begin(part, out)
            if isinstance(part, TextPart):
                if is_first and self._count.has_text:  # another message of the same answer
                    found.before = BREAK
                    out.append(TextAdded(text=BREAK, index=found.index))
                self._count.has_text = True
        return found

    def _begin(self, part: Part, out: _Out) -> _StreamedPart:
        begun = _StreamedPart(self._count.next(part))
        out.append(PartBegan(part=part, index=begun.index))
        return begun

    def _say(self, part: _StreamedPart, delta: str, out: _Out, logprobs: list[TokenProbability] | None = None) -> None:
        if not part.is_open:
            return
        part.said += len(delta)
        text = part.texts.sound(delta)
        if text or logprobs:
            out.append(TextAdded(text=text, index=part.index, logprobs=logprobs))

    def _think(self, section: str, number: int, delta: str, out: _Out) -> None:
        """Thoughts in words and a summary of them say the same: what came first goes on."""
        if self._thoughts is None:
            self._thoughts = self._begin(Reasoning(is_summary=section == "summary", id=text_of(self.id)), out)
            self._section = section, number
        if self._section is not None and self._section[0] != section:
            return
        if self._section != (section, number):
            self._section = section, number
            self._say(self._thoughts, "\n\n", out)
        self._say(self._thoughts, delta, out)

    def _take_arguments(self, what: str, step: str, event: Object, out: _Out) -> None:
        if self._call is None:
            kind = "custom_tool_call" if what == "custom_tool_call_input" else "function_call"
            opened = {"type": kind, **self._opened}
            if not opened.get("name"):
                if not event.get("name"):
                    return  # its name comes with the whole item
                opened["name"] = event["name"]
            self._begin_call(opened, out)
        if self._call is None:
            return
        if step == "delta" and isinstance(delta := event.get("delta"), str):
            self._argue(delta, out)
        elif step == "done":
            whole = event.get("arguments", event.get("input"))
            if isinstance(whole, str):
                self._argue(whole[self._call.said :], out)

    def _begin_call(self, item: Object, out: _Out) -> None:
        call = call_of(item, self._made_id)
        if call is None or self._call is not None:
            return
        call.arguments = ""
        self._call = self._begin(call, out)

    def _argue(self, delta: str, out: _Out) -> None:
        call = self._call
        if call is None or not delta:
            return
        call.said += len(delta)
        if text := call.texts.sound(delta):
            out.append(ArgumentsAdded(text=text, index=call.index))

    def _cite(self, number: int, annotation: Object, out: _Out) -> None:
        part = self._parts.get(number)
        if part is not None and part.is_open and annotation.get("type") == "url_citation":
            part.cited += 1
            out.append(CitationAdded(citation=moved(citation_of(annotation), len(part.before)), index=part.index))

    def _close_content(self, number: int, content: Object, out: _Out) -> None:
        """Say what of a part no delta has said, and end it."""
        refusal, text = content.get("refusal"), content.get("text", content.get("transcript"))
        is_refusal = content.get("type") == "refusal"
        whole = refusal if is_refusal else text
        part = self._parts.get(number)
        if not isinstance(whole, str) or (part is not None and not part.is_open):
            return
        if part is None:
            if not whole:
                return
            part = self._part(number, Refusal(text="") if is_refusal else TextPart(text=""), out)
        if len(whole) > part.said:
            logprobs = content.get("logprobs")
            told = probabilities_of({"content": logprobs}) if logprobs and not part.said else None
            self._say(part, whole[part.said :], out, told)
        for citation in citations_of(content.get("annotations"))[part.cited :]:
            out.append(CitationAdded(citation=moved(citation, len(part.before)), index=part.index))
        self._end(part, out)

    def _end(self, part: _StreamedPart, out: _Out) -> None:
        if not part.is_open:
            return
        part.is_open = False
        if rest := part.texts.rest():
            event = ArgumentsAdded if part is self._call else TextAdded
            out.append(event(text=rest, index=part.index))
        out.append(PartEnded(index=part.index))

    def _close_thoughts(self, item: Object, out: _Out) -> None:
        whole, opaque = reasoning_of(item), opaque_of(item)
        if self._thoughts is None:
            if whole is None:
                return
            opened = Reasoning(is_summary=whole.is_summary, id=whole.id)
            self._thoughts = self._begin(opened, out)
        thoughts = self._thoughts
        if whole is not None and not thoughts.said and whole.text:
            self._say(thoughts, whole.text, out)
        if opaque is not None:
            out.append(OpaqueAdded(opaque=Opaque(opaque.format, opaque.data), index=thoughts.index))
        self._end(thoughts, out)

    def _close_call(self, item: Object, out: _Out) -> None:
        call = call_of(item, self._made_id)
        if call is None:
            for part in parts_of(item, self._made_id) if self._call is None else ():
                if isinstance(part, MediaPart):
                    self._end(self._begin(part, out), out)
        else:
            self._begin_call(item, out)
            if self._call is not None:
                self._argue(call.arguments[self._call.said :], out)
        if self._call is not None:
            self._end(self._call, out)


def _number(event: Object, name: str) -> int:
    number = event.get(name)
    return number if type(number) is int and number >= 0 else 0
