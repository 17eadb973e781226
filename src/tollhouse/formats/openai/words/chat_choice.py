"""One choice of a chat's stream as events in core words. One part speaks at a time; calls stay open beside it."""

from typing import Any, Final, Literal

from tollhouse.core.conversation import Opaque, Part, Reasoning, Refusal, TextPart
from tollhouse.core.reply import (
    ArgumentsAdded,
    CitationAdded,
    Finished,
    OpaqueAdded,
    PartBegan,
    PartEnded,
    ReplyEvent,
    TextAdded,
    TokenProbability,
)
from tollhouse.core.sound_text import SoundTexts, sound_text
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.finish import finish_of as reason_in
from tollhouse.formats.openai.joining import JoinedCall, JoinedList
from tollhouse.formats.openai.words import finish
from tollhouse.formats.openai.words.chat_reply import call_of, content_of, media_of, probabilities_of, text_of
from tollhouse.formats.openai.words.citations import citations_of
from tollhouse.formats.openai.words.reasoning import OWN, Object, detail_text, details_in, thoughts_in
from tollhouse.formats.openai.words.thought_tags import TAGGED, Piece, ThoughtTags

Kind = Literal["text", "reasoning", "refusal"]
_OPENED: Final[dict[Kind, type[TextPart] | type[Reasoning] | type[Refusal]]] = {
    "text": TextPart,
    "reasoning": Reasoning,
    "refusal": Refusal,
}
_Out = list[ReplyEvent]


class _StreamedCall:
    """A call as it grows. index None: it has not begun, its name is not known yet."""

    __slots__ = ("index", "joined", "texts", "waiting")

    def __init__(self) -> None:
        self.joined = JoinedCall()
        self.index: int | None = None
        self.waiting: list[str] = []
        self.texts = SoundTexts()


class ChatChoice:
    """is_finished: its reason came; what still comes of it is nothing."""

    __slots__ = ("_calls", "_details", "_kind", "_last", "_legacy", "_name", "_number", "_parts",
                 "_reply_id", "_said", "_speaking", "_tags", "_texts", "is_finished")  # fmt: skip

    def __init__(self, number: int, reply_id: str, out: _Out) -> None:
        self._number = number
        self._reply_id = reply_id
        self._parts = 0
        self._kind: Kind | None = None  # of the part that speaks
        self._speaking = 0  # its index
        self._texts = SoundTexts()
        self._tags: ThoughtTags | None = ThoughtTags()  # None: all text is text
        self._said: dict[Kind, list[str]] = {}  # all that was said, by pieces
        self._name = ""  # under which thoughts come
        self._details: tuple[str, JoinedList] | None = None  # signed or hidden thoughts, as their maker writes them
        self._calls: list[_StreamedCall] = []
        self._last: dict[int, _StreamedCall] = {}  # by index
        self._legacy: _StreamedCall | None = None
        self.is_finished = False

    def take(self, choice: Object, out: _Out) -> bool:
        """Whether it says something. Raises UpstreamError where its reason is that the provider failed."""
        reason = reason_in(choice)
        if self.is_finished:
            return False
        before = len(out)
        delta = chunks.delta_of(choice)
        is_whole = bool(self._said or self._calls) and delta is choice.get("message")  # it may repeat all of it
        self._take_thoughts(delta, is_whole, out)
        self._take_content(choice, delta, is_whole, out)
        refusal = delta.get("refusal")
        if isinstance(refusal, str) and (refusal := self._new_of("refusal", refusal, is_whole)):
            self.speak("refusal", refusal, out)
        for citation in citations_of(delta.get("annotations")) if self._kind == "text" else ():
            out.append(CitationAdded(citation=citation, index=self._speaking, choice=self._number))
        for part in media_of(delta):
            if isinstance(part, TextPart):
                self.speak("text", part.text, out)
            else:
                self._hush(out)
                self._whole(part, out)
        self._take_calls(delta, is_whole, out)
        said = len(out) > before
        if reason is not None:
            self._finish(reason, choice, out)
        return said

    def speak(self, kind: Kind, text: str, out: _Out, logprobs: list[TokenProbability] | None = None) -> None:
        """More of a text, of thoughts or of a refusal. Thoughts may stand at the beginning of a text."""
        if self._tags is None or kind != "text":
            self._say(kind, text, out, logprobs)
            return
        if logprobs:
            self._end_tags(out)
            self._say(kind, text, out, logprobs)
            return
        told = len(self._said.get("text", ()))
        self._tell(self._tags.split(text), out)
        self._said.setdefault("text", [])[told:] = [text]  # as it came
        if self._tags.is_over:
            self._tags = None

    def _tell(self, pieces: list[Piece], out: _Out) -> None:
        for is_thought, text in pieces:
            self._name = TAGGED if is_thought else self._name
            self._say("reasoning" if is_thought else "text", text, out)

    def _end_tags(self, out: _Out) -> None:
        tags, self._tags = self._tags, None
        if tags is not None:
            self._tell(tags.rest(), out)

    def _say(self, kind: Kind, text: str, out: _Out, logprobs: list[TokenProbability] | None = None) -> None:
        if self._kind != kind:
            if not text and not logprobs:
                return
            self._hush(out)
            self._kind, self._speaking = kind, self._parts
            self._parts += 1
            out.append(PartBegan(part=_OPENED[kind](text=""), index=self._speaking, choice=self._number))
        text = self._texts.sound(text)
        if text or logprobs:
            self._said.setdefault(kind, []).append(text)
            out.append(TextAdded(text=text, index=self._speaking, choice=self._number, logprobs=logprobs))

    def _new_of(self, kind: Kind, text: str, is_whole: bool) -> str:
        """Of a text what was not said before: some servers repeat at the end, as `message`, all of the answer."""
        return text.removeprefix("".join(self._said.get(kind, ()))) if is_whole else text

    def _take_thoughts(self, delta: Object, is_whole: bool, out: _Out) -> None:
        name, text = thoughts_in(delta)
        listed, details = details_in(delta)
        if is_whole and "reasoning" in self._said:
            text, details = self._new_of("reasoning", text, True), []
        if self._tags is not None and (text or details):
            self._end_tags(out)
        if details:
            text = text if text or self._name else "".join(map(detail_text, details))
            if self._kind != "reasoning":
                self._open_thoughts(out)
            if self._details is None:
                self._details = listed, JoinedList()
            self._details[1].add(details)
        if text:
            self._name = name or self._name
            self.speak("reasoning", text, out)

    def _open_thoughts(self, out: _Out) -> None:
        self._hush(out)
        self._kind, self._speaking = "reasoning", self._parts
        self._parts += 1
        out.append(PartBegan(part=Reasoning(), index=self._speaking, choice=self._number))

    def _take_content(self, choice: Object, delta: Object, is_whole: bool, out: _Out) -> None:
        content = delta.get("content")
        logprobs = probabilities_of(choice.get("logprobs")) if choice.get("logprobs") else None
        if isinstance(content, str):
            content = self._new_of("text", content, is_whole)
            if content or logprobs:
                self.speak("text", content, out, logprobs)
            return
        for part in content_of(content):
            if isinstance(part, Reasoning):
                self._name = "thinking"
                self.speak("reasoning", part.text, out)
            elif isinstance(part, TextPart | Refusal):
                self.speak("refusal" if isinstance(part, Refusal) else "text", part.text, out)

    def _take_calls(self, delta: Object, is_whole: bool, out: _Out) -> None:
        value = delta.get("tool_calls")
        pieces = [value] if isinstance(value, dict) else value
        if self._tags is not None and (pieces or delta.get("function_call")):
            self._end_tags(out)
        for place, piece in enumerate(pieces if isinstance(pieces, list) else ()):
            if not isinstance(piece, dict):
                continue
            index = chunks.index_of(piece, place)
            call = self._last.get(index)
            if is_whole and any(one.joined.is_repeated(piece) for one in self._calls):
                continue
            if call is None or call.joined.is_another(piece):
                call = self._last[index] = _StreamedCall()
                self._calls.append(call)
            self._grow(call, piece, out)
        legacy = delta.get("function_call")
        if isinstance(legacy, dict) and not (is_whole and self._legacy is not None):
            if self._legacy is None:
                self._legacy = _StreamedCall()
                self._calls.append(self._legacy)
            self._grow(self._legacy, {"function": legacy}, out)

    def _grow(self, call: _StreamedCall, piece: Object, out: _Out) -> None:
        call.joined.add(piece)
        inner: Any = piece.get("custom") or piece.get("function")
        inner = inner if isinstance(inner, dict) else {}
        arguments = text_of(inner.get("input")) if "custom" in piece else chunks.arguments_of(inner)
        if call.index is None:
            if arguments:
                call.waiting.append(arguments)
            if inner.get("name"):
                self._begin_call(call, out)
        elif arguments and (text := call.texts.sound(arguments)):
            out.append(ArgumentsAdded(text=text, index=call.index, choice=self._number))

    def _begin_call(self, call: _StreamedCall, out: _Out) -> None:
        """The part begins once its name is known, or at the end."""
        self._hush(out)
        call.index = self._parts
        self._parts += 1
        known = call_of(call.joined.whole(), f"call_{self._reply_id}_{self._number}_{call.index}")
        known.arguments = ""
        out.append(PartBegan(part=known, index=call.index, choice=self._number))
        if text := call.texts.sound("".join(call.waiting)):
            out.append(ArgumentsAdded(text=text, index=call.index, choice=self._number))
        call.waiting.clear()

    def _whole(self, part: Part, out: _Out) -> None:
        out.append(PartBegan(part=part, index=self._parts, choice=self._number))
        out.append(PartEnded(index=self._parts, choice=self._number))
        self._parts += 1

    def _hush(self, out: _Out) -> None:
        """End the part that speaks. What its maker wants back of thoughts comes with their end."""
        if self._kind is None:
            return
        rest = self._texts.rest()
        if rest:
            out.append(TextAdded(text=rest, index=self._speaking, choice=self._number))
        if self._kind == "reasoning":
            kept: object = self._name
            if self._details is not None:
                kept = {self._details[0]: self._details[1].whole()}
            opaque = Opaque(OWN, sound_text(chunks.encode(kept).decode()))
            out.append(OpaqueAdded(opaque=opaque, index=self._speaking, choice=self._number))
            self._details = None
        out.append(PartEnded(index=self._speaking, choice=self._number))
        self._kind = None

    def _finish(self, reason: str, choice: Object, out: _Out) -> None:
        self.is_finished = True
        self._end_tags(out)
        self._hush(out)
        for call in self._calls:
            if call.index is None:
                self._begin_call(call, out)
            assert call.index is not None
            if rest := call.texts.rest():
                out.append(ArgumentsAdded(text=rest, index=call.index, choice=self._number))
            out.append(PartEnded(index=call.index, choice=self._number))
        ended = finish.finish_of(reason, calls=bool(self._calls), refuses="refusal" in self._said)
        stop = choice.get("stop_reason")
        if isinstance(stop, str) and stop and ended == "stop":  # vLLM names the text at which it stopped
            out.append(Finished(finish="stop_sequence", choice=self._number, stop_sequence=stop))
        else:
            out.append(Finished(finish=ended, choice=self._number))
