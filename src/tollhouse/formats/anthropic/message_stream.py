"""What each event of a message's stream means, for the caller and for the charge.

The report of usage and the end of the message are held back until the charge is durable: `message_delta`, which tells
both why the message ended and what it used, and `message_stop`. Events are told apart by their `type`; the line
`event:` is written anew, for some servers leave it out.
"""

from collections.abc import Callable
from typing import Final

from tollhouse.core.cleaning import NOTHING_KNOWN, Known
from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.figures import Report
from tollhouse.core.provider_json import Object, decode, encode
from tollhouse.core.reported_error import error_in, error_in_event, failure_of
from tollhouse.core.sse import Event
from tollhouse.core.stream_step import StreamStep
from tollhouse.core.text_cut import prefix
from tollhouse.core.text_start import TextStarts
from tollhouse.core.usage import Usage
from tollhouse.formats.anthropic import usage as reports
from tollhouse.formats.anthropic import written
from tollhouse.formats.anthropic.answer import PASS
from tollhouse.formats.anthropic.unfold import STOP, event_of, unfold
from tollhouse.formats.anthropic.wire import CUT

BLOCKS_MAX: Final = 100_000
"""Of one message; more of them are nonsense."""
DELTA_TEXTS: Final = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
"""The member of a delta in which its text stands."""


class MessageStream:
    """Reads event after event: see `core.stream_relay.RelayedEvents`. `incomplete`: it was cut at its length.

    `reported` is all that was reported so far; `current`: of the whole text.
    """

    __slots__ = (
        *("_cut", "_delta", "_known", "_open", "_seen", "_searches", "_show_usage", "current", "incomplete"),
        *("complete", "reported"),
    )
    failed = False
    repeated = 0
    sequence_number = 0
    takes_late = False
    whole_text = ""

    def __init__(self, show_usage: bool = True, known: Known = NOTHING_KNOWN) -> None:
        self._show_usage = show_usage
        self._known = known
        self._cut = False
        self._open: dict[int, None] = {}  # blocks that have begun, and not ended
        self._seen = self._searches = 0
        self._delta: Object = {}  # of the events `message_delta`, which are told as one at the end
        self.current = self.complete = self.incomplete = False
        self.reported: Report = {}

    @property
    def heads(self) -> TextStarts | None:
        return None

    @property
    def usage(self) -> Usage | None:
        return reports.with_searches(reports.read(self.reported), self._searches)

    @property
    def searches(self) -> int:
        """That the provider ran, as far as it has told: by its blocks, for the report comes at the end."""
        return self._searches

    @property
    def raw_usage(self) -> bytes | None:
        return encode(self.reported) if self.reported else None

    def unfolded(self, data: bytes) -> bytes | None:
        if not data.startswith(b"{"):
            return None
        return unfold(data) if decode(data).get("type") == "message" else None

    def take(self, event: Event) -> StreamStep:
        """Raises the failure that an error event stands for, UpstreamBroke for nonsense."""
        data = event.data.strip()
        if data[:1] != b"{":
            return self._without_object(event, data)
        said = decode(data)
        error = error_in(said)
        if error is not None or event.name == b"error":
            raise failure_of(said if error is None else error, self._known)
        kind = said.get("type")
        if kind == "content_block_delta":
            return self._block_delta(data, said)
        if kind == "content_block_start":
            return self._block_start(data, said)
        if kind == "content_block_stop":
            index = index_of(said)
            self._open.pop(index, None)
            return StreamStep(event_of(b"content_block_stop", data))
        if kind == "message_start":
            return self._message_start(data, said)
        if kind == "message_delta":
            return self._message_delta(said)
        if kind == "message_stop":
            return StreamStep(is_end=True)
        if kind == "ping":
            return StreamStep(event_of(b"ping", data))
        error = error_in_event(said, event.name)
        if error is not None:
            raise failure_of(error, self._known)
        return StreamStep(is_read=False)  # of a kind that nobody here has read: it goes on to nobody

    def take_late(self, event: Event) -> None: ...

    def closing(self) -> bytes:
        return self.seal(None, None)

    def seal(self, tollhouse: Object | None, counted: Usage | None) -> bytes:
        """Where the message was cut, blocks that are open end before it, at its length."""
        ends = b"".join(event_of(b"content_block_stop", _stop(index)) for index in self._open)
        reason = "max_tokens" if self._cut else "end_turn"
        delta: Object = {"stop_reason": reason, "stop_sequence": None} if self._cut else dict(self._delta)
        delta.setdefault("stop_reason", reason)
        delta.setdefault("stop_sequence", None)
        context = delta.pop("context_management", None)
        last: Object = {"type": "message_delta", "delta": delta}
        if context is not None:
            last["context_management"] = context
        last["usage"] = self._told(counted)
        if tollhouse is not None and self._show_usage:
            last["tollhouse"] = tollhouse
        return ends + event_of(b"message_delta", encode(last)) + STOP

    def cut(self, event: Event, maximum: int, count: Callable[[str], int]) -> tuple[bytes, str]:
        self._cut = self.incomplete = self.complete = True
        said = decode(event.data.strip())
        delta = said.get("delta")
        if said.get("type") != "content_block_delta" or not isinstance(delta, dict):
            self._open.pop(index_of(said), None)  # a block that does not fit has not begun
            return b"", ""
        name = DELTA_TEXTS.get(str(delta.get("type")), "")
        fits = prefix(str(delta.get(name) or ""), maximum, count)
        if not fits:
            return b"", ""
        delta[name] = fits
        return event_of(b"content_block_delta", encode(said)), fits

    def _told(self, counted: Usage | None) -> Object:
        if counted is not None:
            return reports.write(counted)
        reported = dict(self.reported) if self.current else {}
        return {**reported, "output_tokens": reported.get("output_tokens") or 0}

    def _without_object(self, event: Event, data: bytes) -> StreamStep:
        if data == b"[DONE]":  # of relays that write it behind every stream
            if not self.complete:
                raise UpstreamBroke("The provider ended the stream before the answer was finished.")
            return StreamStep(is_end=True)
        if event.name == b"error":
            raise failure_of(data[:16_384].decode(errors="replace"), self._known)
        return StreamStep()

    def _message_start(self, data: bytes, said: Object) -> StreamStep:
        message = said.get("message")
        if isinstance(message, dict):
            self._report(message.get("usage"))
            if not PASS.issuperset(message):
                kept = {name: value for name, value in message.items() if name in PASS}
                data = encode({"type": "message_start", "message": kept})
        return StreamStep(event_of(b"message_start", data))

    def _block_start(self, data: bytes, said: Object) -> StreamStep:
        self._open[index_of(said)] = None
        self._seen += 1
        if self._seen > BLOCKS_MAX:
            raise UpstreamBroke("The provider sent an answer of more parts than any has.")
        block = said.get("content_block")
        self._searches += written.is_search(block)
        text = "".join(one.text for one in written.locations(block)) if isinstance(block, dict) else ""
        self.current = self.current and not text
        bears = bool(text) or not isinstance(block, dict) or block.get("type") not in ("text", "thinking")
        return StreamStep(event_of(b"content_block_start", data), text, bears)

    def _block_delta(self, data: bytes, said: Object) -> StreamStep:
        delta = said.get("delta")
        if not isinstance(delta, dict):
            return StreamStep(is_read=False)
        out = event_of(b"content_block_delta", data)
        value = delta.get(DELTA_TEXTS.get(str(delta.get("type")), ""))
        if not isinstance(value, str):
            return StreamStep(out, bears_content=True)
        self.current = self.current and not value
        return StreamStep(out, value, bool(value), is_plain=bool(value) and len(said) == 3 and len(delta) == 2)

    def _message_delta(self, said: Object) -> StreamStep:
        """Held back: what it says is told at the end, as one event."""
        delta = said.get("delta")
        if isinstance(delta, dict):
            self._delta |= {name: value for name, value in delta.items() if value is not None}
        if said.get("context_management") is not None:
            self._delta["context_management"] = said["context_management"]
        if isinstance(self._delta.get("stop_reason"), str):
            self.complete = True
            self.incomplete = self._delta["stop_reason"] in CUT
        if self._report(said.get("usage")):
            self.current = True
        return StreamStep(bears_content=self.complete)

    def _report(self, usage: object) -> bool:
        """Note a report; whether it says how much was written."""
        if not isinstance(usage, dict):
            return False
        self.reported = reports.merged(self.reported, usage)
        return bool(usage.get("output_tokens"))


def index_of(said: Object) -> int:
    index = said.get("index")
    return index if type(index) is int else 0


def _stop(index: int) -> bytes:
    return b'{"type":"content_block_stop","index":%d}' % index
