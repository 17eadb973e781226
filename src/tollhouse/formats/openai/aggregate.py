"""A stream gathered into the one body that `stream: false` asks for, from a provider that only streams."""

from collections.abc import Callable

from tollhouse.core.cleaning import NOTHING_KNOWN, Known
from tollhouse.core.delivered import Delivered, escaped
from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.media_tokens import PICTURE_TOKENS, sound_tokens
from tollhouse.core.operation import Operation
from tollhouse.core.sse import Event, Splitter
from tollhouse.core.stream_step import StreamStep
from tollhouse.core.usage import Usage
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.chat_stream import ChatStream
from tollhouse.formats.openai.joining import Joined, JoinedAudio, JoinedCall, JoinedCalls
from tollhouse.formats.openai.response_stream import ResponseStream
from tollhouse.formats.openai.stream import events_of
from tollhouse.formats.openai.usage import told
from tollhouse.formats.openai.usage_location import find

_Object = dict[str, object]

_NOT_OF_THE_WHOLE = ("choices", "usage", "object", "obfuscation")
_OF_THE_DELTA = ("delta", "message", "text", "index", "usage")


class Aggregate:
    """Feed it every read until `whole`; then, or at the provider's end of stream, `finish` gives the body.

    Both raise the failure that an error event stands for, and UpstreamBroke for nonsense and for an answer that is not
    whole: nothing has gone to the caller, so nothing is charged.
    """

    def __init__(
        self,
        operation: Operation,
        choices: int = 1,
        *,
        count: Callable[[str], int] = len,
        maximum: int | None = None,
        known: Known = NOTHING_KNOWN,
    ) -> None:
        """choices: how many answers were asked for. most: tokens that may be gathered, as `count` says; None: any
        number. Beyond it the answer is whole, cut at its length (`cut`), and the provider writes for nobody. known:
        what tells which words of an error stay."""
        cuts = maximum is not None or operation == "responses"
        self._events = events_of(operation, choices=choices, cuts=cuts, known=known)
        self._count = count
        self._delivered = Delivered(count, maximum) if maximum is not None else None
        self._sound = self._pictures = 0
        self.cut = False
        self._is_chat = operation == "chat"
        self._splitter = Splitter()
        self._head: _Object = {}
        self._choices: dict[int, _Choice] = {}
        self.is_complete = False

    @property
    def pending(self) -> int:
        """Bytes of an event that is not complete yet."""
        return self._splitter.pending

    def feed(self, data: bytes) -> None:
        self._take(self._splitter.feed(data))

    def finish(self) -> bytes:
        """The body of the answer."""
        if not self.is_complete:
            self._take(self._splitter.finish())
        if not self.is_complete and not self._events.complete:
            raise UpstreamBroke("The provider's stream ended before the answer was finished.")
        if isinstance(self._events, ResponseStream):
            return chunks.encode(self._events.cut_answer()[1] if self.cut else self._events.is_complete())
        body: _Object = {**self._head, "object": "chat.completion" if self._is_chat else "text_completion"}
        body["choices"] = [self._choices[index].whole(self._is_chat) for index in sorted(self._choices)]
        if self._events.reported is not None and self._events.current and not self.cut:
            body["usage"] = told(self._events.reported)
        return chunks.encode(body)

    @property
    def usage(self) -> Usage | None:
        """The last report, normalised; None: there was none of the whole text, or none to be believed."""
        return self._events.usage if self._events.current and not self.cut else None

    @property
    def raw_usage(self) -> bytes | None:
        return self._events.raw_usage

    @property
    def incomplete(self) -> bool:
        return self._events.incomplete

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if self.is_complete:
                if isinstance(self._events, ChatStream) and not self.cut and not self._events.current:
                    self._events.take_late(event)
                continue
            step = self._events.take(event)
            if self._delivered is not None and not self._weigh(self._delivered, step):
                self._cut_off(event, self._delivered)
                return
            if step.is_end:
                self.is_complete = True
            if not isinstance(self._events, ResponseStream) and not step.is_end and step.out:
                self._add(chunks.decode(step.out.removeprefix(b"data: ")))

    def _weigh(self, delivered: Delivered, step: StreamStep) -> bool:
        """See `StreamRelay`."""
        if not (step.text or step.sound or step.pictures):
            return True
        text = escaped(step.text)
        media = sound_tokens(self._sound + step.sound) + (self._pictures + step.pictures) * PICTURE_TOKENS
        if not delivered.fits(text, media):
            return False
        self._sound += step.sound
        self._pictures += step.pictures
        delivered.add_media(media)
        delivered.add_escaped(text)
        return True

    def _cut_off(self, event: Event, delivered: Delivered) -> None:
        self.is_complete = self.cut = True
        out, _ = self._events.cut(event, delivered.left(), self._count)
        if not isinstance(self._events, ResponseStream):
            if out:
                self._add(chunks.decode(out.removeprefix(b"data: ")))
            for index in self._events.open():
                self._choice(index).end("length")

    def _choice(self, index: int) -> "_Choice":
        if index not in self._choices:
            self._choices[index] = _Choice(index)
        return self._choices[index]

    def _add(self, chunk: _Object) -> None:
        choices = chunks.choices(chunk)
        if (location := find(chunk, choices)) is not None:
            location.clear()
        if choices or not self._head:
            told = {name: value for name, value in chunk.items() if name not in _NOT_OF_THE_WHOLE}
            if chunk.get("id") == "" and self._head.get("id"):  # a chunk without a head: nothing takes the head back
                told = {name: value for name, value in told.items() if name not in self._head}
            self._head |= told
        for place, choice in enumerate(choices):
            self._choice(chunks.index_of(choice, place)).add(choice)


class _Choice:
    """One choice as it grows."""

    __slots__ = ("_audio", "_calls", "_function_call", "_index", "_logprobs", "_message", "_rest")

    def __init__(self, index: int) -> None:
        self._index = index
        self._message = Joined(in_message=True)
        self._calls = JoinedCalls()
        self._function_call: JoinedCall | None = None
        self._audio: JoinedAudio | None = None
        self._logprobs: _Object | None = None
        self._rest: _Object = {}

    def add(self, choice: _Object) -> None:
        for name, value in choice.items():
            if name == "logprobs":
                if isinstance(value, dict):
                    self._logprobs = self._logprobs or {}
                    _lengthen(self._logprobs, value)
            elif name not in _OF_THE_DELTA and value not in (None, ""):
                _lengthen(self._rest, {name: value})
        delta = chunks.delta_of(choice)
        is_whole = delta is choice.get("message") and self._has_said()
        self._say(self._new_of(delta) if is_whole else delta, is_whole)

    def end(self, reason: str) -> None:
        self._rest["finish_reason"] = reason

    def whole(self, is_chat: bool) -> _Object:
        message: _Object = {"role": "assistant", "content": None, **self._message.whole()}
        choice: _Object = {"index": self._index}
        if is_chat:
            if self._calls:
                message["tool_calls"] = self._calls.whole()
            if self._function_call is not None:
                message["function_call"] = self._function_call.whole()["function"]
            if self._calls or self._function_call is not None:
                message["content"] = message["content"] or None
            if self._audio is not None:
                message["audio"] = self._audio.whole()
            choice["message"] = message
        else:
            choice["text"] = message["content"] or ""
        return {**choice, "logprobs": self._logprobs, "finish_reason": None, **self._rest}

    def _has_said(self) -> bool:
        return self._message.has_text() or bool(self._calls) or self._function_call is not None

    def _new_of(self, message: _Object) -> _Object:
        """What a message adds. Some servers repeat in it, at the end, all that was said."""
        return {
            name: value.removeprefix(self._message.text(name)) if isinstance(value, str) else value
            for name, value in message.items()
            if not self._message.is_repeated(name, value)
        }

    def _say(self, delta: _Object, is_whole: bool) -> None:
        joined: _Object = {}
        for name, value in delta.items():
            if name == "tool_calls":
                self._calls.add(value, is_whole=is_whole)
            elif name == "function_call" and isinstance(value, dict):
                if is_whole and self._function_call is not None:
                    continue
                self._function_call = self._function_call or JoinedCall()
                self._function_call.add({"function": value})
            elif name == "audio" and isinstance(value, dict):
                self._audio = self._audio or JoinedAudio()
                self._audio.add(value)
            elif name != "usage":
                joined[name] = value
        self._message.add(joined)


def _lengthen(known: _Object, more: _Object) -> None:
    """Lists grow (tokens with their probabilities, ids of tokens), anything else is replaced; nothing takes it back."""
    for name, value in more.items():
        before = known.get(name)
        if isinstance(before, list) and isinstance(value, list):
            before += value  # in its place: a copy for each piece would be work that grows with the square
        elif value is not None or name not in known:
            known[name] = value
