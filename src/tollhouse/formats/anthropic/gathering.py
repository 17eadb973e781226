"""A stream gathered into the one message that `stream: false` asks for, from a provider that streams."""

from collections.abc import Callable

from tollhouse.core.cleaning import NOTHING_KNOWN, Known
from tollhouse.core.delivered import Delivered, escaped
from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.provider_json import Object, decode, decode_any, encode
from tollhouse.core.sse import Event, Splitter
from tollhouse.core.stream_step import StreamStep
from tollhouse.core.usage import Usage
from tollhouse.formats.anthropic.message_stream import MessageStream, index_of


class GatheredMessage:
    """See `core.codec.GatheredStream`."""

    def __init__(
        self,
        choices: int = 1,
        *,
        count: Callable[[str], int] = len,
        maximum: int | None = None,
        known: Known = NOTHING_KNOWN,
    ) -> None:
        """Of a message there is one. maximum: beyond it the message is whole, cut at its length."""
        self._events = MessageStream(known=known)
        self._splitter = Splitter()
        self._count = count
        self._delivered = None if maximum is None else Delivered(count, maximum)
        self._message: Object = {}
        self._blocks: dict[int, _Block] = {}
        self.is_complete = False
        self.cut = False

    @property
    def pending(self) -> int:
        return self._splitter.pending

    @property
    def usage(self) -> Usage | None:
        return self._events.usage if self._events.current and not self.cut else None

    @property
    def raw_usage(self) -> bytes | None:
        return self._events.raw_usage

    def feed(self, data: bytes) -> None:
        self._take(self._splitter.feed(data))

    def finish(self) -> bytes:
        if not self.is_complete:
            self._take(self._last_events())
        if not self.is_complete and not self._events.complete:
            raise UpstreamBroke("The provider's stream ended before the answer was finished.")
        body: Object = {"id": "", "type": "message", "role": "assistant", **self._message}
        body["content"] = [self._blocks[index].whole() for index in sorted(self._blocks)]
        for event in Splitter().feed(self._events.seal(None, None)):
            said = decode(event.data)
            delta = said.get("delta")
            if said.get("type") == "message_delta" and isinstance(delta, dict):
                body |= delta
                body |= {"usage": said["usage"]} if self._events.current and not self.cut else {}
                body |= {name: said[name] for name in ("context_management",) if name in said}
        return encode(body)

    def _last_events(self) -> list[Event]:
        """What the end of the stream brings; a whole message that stands there instead of events is unfolded."""
        events = self._splitter.finish()
        unfolded = self._events.unfolded(events[0].data) if len(events) == 1 and not self._message else None
        return events if unfolded is None else Splitter().feed(unfolded)

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if self.is_complete:
                return
            step = self._events.take(event)
            if self._delivered is not None and step.text:
                text = escaped(step.text)
                if not self._delivered.fits(text):
                    self._cut_off(event, self._delivered)
                    return
                self._delivered.add_escaped(text)
            self._add(step)
            self.is_complete = self.is_complete or step.is_end

    def _cut_off(self, event: Event, delivered: Delivered) -> None:
        self.is_complete = self.cut = True
        out, _ = self._events.cut(event, delivered.left(), self._count)
        if out:
            self._add(StreamStep(out))

    def _add(self, step: StreamStep) -> None:
        if not step.out:
            return
        said = decode(step.out.partition(b"data: ")[2])
        index, kind = index_of(said), said.get("type")
        message, block, delta = said.get("message"), said.get("content_block"), said.get("delta")
        if kind == "message_start" and isinstance(message, dict):
            self._message = {name: value for name, value in message.items() if name != "content"}
        elif kind == "content_block_start" and isinstance(block, dict):
            self._blocks[index] = _Block(block)
        elif kind == "content_block_delta" and isinstance(delta, dict) and index in self._blocks:
            self._blocks[index].add(delta)


class _Block:
    """One block as it grows."""

    __slots__ = ("_arguments", "_begun", "_citations", "_texts")

    def __init__(self, begun: Object) -> None:
        self._begun = begun
        self._texts: dict[str, list[str]] = {}
        self._arguments: list[str] = []
        self._citations: list[object] = []

    def add(self, delta: Object) -> None:
        kind = delta.get("type")
        if kind == "input_json_delta":
            self._arguments.append(str(delta.get("partial_json") or ""))
        elif kind == "citations_delta":
            self._citations.append(delta.get("citation"))
        else:
            for name in ("text", "thinking"):
                if isinstance(delta.get(name), str):
                    self._texts.setdefault(name, []).append(str(delta[name]))
            if isinstance(delta.get("signature"), str):
                self._texts["signature"] = [str(delta["signature"])]

    def whole(self) -> Object:
        block = dict(self._begun)
        for name, pieces in self._texts.items():
            block[name] = str(block.get(name) or "" if name != "signature" else "") + "".join(pieces)
        if self._citations:
            before = block.get("citations")
            block["citations"] = [*(before if isinstance(before, list) else []), *self._citations]
        arguments = "".join(self._arguments)
        if arguments.strip():
            block["input"] = _input(arguments)
        return block


def _input(arguments: str) -> object:
    """What cannot be read as JSON, because it was cut or the model wrote it wrongly, is told as Anthropic advises to
    send it back."""
    try:
        value = decode_any(arguments.encode(errors="replace"))
    except UpstreamBroke:
        return {"INVALID_JSON": arguments}
    return value if isinstance(value, dict) else {"INVALID_JSON": arguments}
