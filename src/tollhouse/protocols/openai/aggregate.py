"""A stream gathered into the one body that `stream: false` asks for, from a provider that only streams."""

from collections.abc import Callable

from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.operation import Operation
from tollhouse.core.sse import Event, Splitter
from tollhouse.core.usage import Usage
from tollhouse.protocols.openai import chunk as chunks
from tollhouse.protocols.openai.delivered import Delivered, escaped
from tollhouse.protocols.openai.media import PICTURE_TOKENS, sound_tokens
from tollhouse.protocols.openai.response_stream import ResponseStream
from tollhouse.protocols.openai.step import Step
from tollhouse.protocols.openai.stream import events_of
from tollhouse.protocols.openai.usage import read as read_usage

_Object = dict[str, object]

_NOT_OF_THE_WHOLE = ("choices", "usage", "object", "obfuscation")
_JOINED = ("content", "reasoning_content", "reasoning", "refusal")


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
        most: int | None = None,
    ) -> None:
        """choices: how many answers were asked for. most: tokens that may be gathered, as `count` says; None: any
        number. Beyond it the answer is whole, cut at its length (`cut`), and the provider writes for nobody."""
        self._events = events_of(operation, choices=choices, cuts=most is not None)
        self._count = count
        self._delivered = Delivered(count, most) if most is not None else None
        self._sound = self._pictures = 0
        self.cut = False
        self._is_chat = operation == "chat"
        self._splitter = Splitter()
        self._head: _Object = {}
        self._choices: dict[int, _Choice] = {}
        self._response: object = None
        self.whole = False

    @property
    def pending(self) -> int:
        """Bytes of an event that is not complete yet."""
        return self._splitter.pending

    def feed(self, data: bytes) -> None:
        self._take(self._splitter.feed(data))

    def finish(self) -> bytes:
        """The body of the answer."""
        if not self.whole:
            self._take(self._splitter.finish())
        if not self.whole and not self._events.complete:
            raise UpstreamBroke("The provider's stream ended before the answer was finished.")
        if isinstance(self._events, ResponseStream):
            if self.cut:
                self._response = self._events.cut_answer()[1]
            return chunks.encode({"response": self._response})[len(b'{"response":') : -1]
        body: _Object = {**self._head, "object": "chat.completion" if self._is_chat else "text_completion"}
        body["choices"] = [self._choices[index].whole(self._is_chat) for index in sorted(self._choices)]
        if self._events.reported is not None and self._events.current and not self.cut:
            body["usage"] = self._events.reported
        return chunks.encode(body)

    @property
    def usage(self) -> Usage | None:
        """The last report, normalised; None: there was none of the whole text, or none to be believed."""
        return read_usage(self._events.reported) if self._events.current and not self.cut else None

    @property
    def raw_usage(self) -> bytes | None:
        return None if self._events.reported is None else chunks.encode(self._events.reported)

    @property
    def incomplete(self) -> bool:
        return self._events.incomplete

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if self.whole:
                return
            step = self._events.take(event)
            if self._delivered is not None and not self._weigh(self._delivered, step):
                self._cut_off(event, self._delivered)
                return
            if step.is_end:
                self.whole = True
            if isinstance(self._events, ResponseStream):
                if step.is_end:
                    self._response = chunks.decode(event.data).get("response")
            elif not step.is_end and event.data.strip():
                self._add(chunks.decode(event.data))

    def _weigh(self, delivered: Delivered, step: Step) -> bool:
        """See `StreamReader`."""
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
        self.whole = self.cut = True
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
        if choices or not self._head:
            self._head |= {name: value for name, value in chunk.items() if name not in _NOT_OF_THE_WHOLE}
        for choice in choices:
            self._choice(chunks.index_of(choice)).add(choice)


class _Choice:
    """One choice as it grows."""

    def __init__(self, index: int) -> None:
        self._index = index
        self._message: _Object = {}
        self._texts: dict[str, list[str]] = {}
        self._calls: list[_Call] = []
        self._last_calls: dict[int, _Call] = {}  # by index
        self._function_call: _Call | None = None
        self._logprobs: _Object | None = None
        self._rest: _Object = {}

    def add(self, choice: _Object) -> None:
        for name, value in choice.items():
            if name == "logprobs":
                self._add_logprobs(value)
            elif name not in ("delta", "text", "index", "usage") and value is not None:
                self._rest[name] = value
        for name, value in chunks.delta_of(choice).items():
            if name == "tool_calls":
                self._add_calls(value)
            elif name == "function_call" and isinstance(value, dict):
                self._function_call = self._function_call or _Call(0)
                self._function_call.add({"function": value})
            elif name in _JOINED and isinstance(value, str):
                self._texts.setdefault(name, []).append(value)
            elif value is not None:
                self._merge(name, value)

    def end(self, reason: str) -> None:
        self._rest["finish_reason"] = reason

    def whole(self, is_chat: bool) -> _Object:
        texts: _Object = {name: "".join(pieces) for name, pieces in self._texts.items()}
        choice: _Object = {"index": self._index}
        if is_chat:
            message: _Object = {"role": "assistant", "content": None, **self._message, **texts}
            if self._calls:
                message["tool_calls"] = [call.whole() for call in self._calls]
                message["content"] = message["content"] or None
            if self._function_call is not None:
                message["function_call"] = self._function_call.whole()["function"]
                message["content"] = message["content"] or None
            choice["message"] = message
        else:
            choice["text"] = texts.get("content", "")
        return {**choice, "logprobs": self._logprobs, "finish_reason": None, **self._rest}

    def _merge(self, name: str, value: object) -> None:
        """What a provider adds of its own: lists grow, anything else is replaced."""
        known = self._message.get(name)
        if isinstance(known, list) and isinstance(value, list):
            known += value  # in its place: a copy for each piece would be work that grows with the square
        else:
            self._message[name] = value

    def _add_calls(self, value: object) -> None:
        """A piece belongs to the call of its index; another id at that index begins a new call (Ollama)."""
        for piece in value if isinstance(value, list) else []:
            if not isinstance(piece, dict):
                continue
            index = chunks.index_of(piece)
            call_id = piece.get("id") or None
            call = self._last_calls.get(index)
            if call is None or (call_id is not None and call.id is not None and call.id != call_id):
                call = self._last_calls[index] = _Call(index)
                self._calls.append(call)
            call.add(piece)

    def _add_logprobs(self, value: object) -> None:
        """Token after token, in chat form (lists of objects) and in legacy form (parallel lists)."""
        if not isinstance(value, dict):
            return
        if self._logprobs is None:
            self._logprobs = {}
        for name, part in value.items():
            known = self._logprobs.get(name)
            if isinstance(known, list) and isinstance(part, list):
                known += part
            else:
                self._logprobs[name] = part


class _Call:
    """One tool call as it grows."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.id: object = None
        self._function: _Object = {}
        self._arguments: list[str] = []
        self._rest: _Object = {"type": "function"}

    def add(self, piece: _Object) -> None:
        self.id = self.id or piece.get("id") or None
        self._rest |= {
            name: value for name, value in piece.items() if name not in ("id", "index", "function") and value
        }
        function = piece.get("function")
        if isinstance(function, dict):
            self._function |= {name: value for name, value in function.items() if name != "arguments" and value}
            self._arguments.append(chunks.arguments_of(function))

    def whole(self) -> _Object:
        function = {"name": "", **self._function, "arguments": "".join(self._arguments)}
        return {"id": self.id, **self._rest, "function": function}
