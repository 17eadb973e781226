"""What each event of a `/v1/responses` stream means, for the caller and for the charge."""

from tollhouse.core.failure import UpstreamError
from tollhouse.core.sse import Event
from tollhouse.core.usage import Usage
from tollhouse.protocols.openai import chunk as chunks
from tollhouse.protocols.openai.reported import failure_of
from tollhouse.protocols.openai.step import Step

_TERMINAL = ("response.completed", "response.incomplete", "response.failed")
_OPENING = (
    "response.created",
    "response.queued",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.reasoning_summary_part.added",
    "keepalive",
)


class ResponseStream:
    """Reads event after event. `sequence_number`: what an error event of ours would carry.

    A `response.failed` after content is the provider's own last word: it goes on as the terminal event and `failed`
    says so. Before content it is a failure like any other, and another provider may be asked.
    """

    __slots__ = (
        "_bore_content",
        "_terminal",
        "answer",
        "current",
        "failed",
        "incomplete",
        "reported",
        "sequence_number",
    )

    def __init__(self) -> None:
        self._bore_content = False
        self._terminal = b""
        self.answer: chunks.Object = {}  # the whole, as the terminal event repeats it
        self.failed = False
        self.incomplete = False
        self.reported: chunks.Object | None = None
        self.current = True  # the only report comes with the end
        self.sequence_number = 0

    @property
    def complete(self) -> bool:
        """The terminal event came."""
        return bool(self._terminal)

    def take(self, event: Event) -> Step:
        """Raises the failure that an error event stands for, and UpstreamBroke for nonsense."""
        data = event.data.strip()
        if not data or data == b"[DONE]":
            return Step()
        body = chunks.read(event)
        kind = body.get("type")
        if not isinstance(kind, str):
            kind = event.name.decode(errors="replace")
        number = body.get("sequence_number")
        if type(number) is int:
            self.sequence_number = number + 1
        out = b"event: %b\ndata: %b\n\n" % (kind.encode(errors="replace"), data.replace(b"\n", b" "))
        if kind in _TERMINAL:
            return self._end(kind, body, out)
        text = body.get("delta")
        is_text = isinstance(text, str) and kind.endswith(".delta") and "audio.delta" not in kind
        sound = len(text) if isinstance(text, str) and kind.endswith("audio.delta") else 0
        bears = kind not in _OPENING
        self._bore_content = self._bore_content or bears
        return Step(out=out, text=str(text) if is_text else "", bears_content=bears, sound=sound)

    def closing(self) -> bytes:
        """The terminal event."""
        return self._terminal

    def seal(self, tollhouse: chunks.Object | None, counted: Usage | None) -> bytes:
        """The terminal event as it came: it has no place of its own for what we would add."""
        return self._terminal

    def _end(self, kind: str, body: chunks.Object, out: bytes) -> Step:
        response = body.get("response")
        answer = response if isinstance(response, dict) else {}
        if kind == "response.failed":
            if not self._bore_content:
                error = answer.get("error")
                raise failure_of(error) if error else UpstreamError("The provider's answer failed.")
            self.failed = True
        else:
            self.answer = answer
        self.incomplete = kind == "response.incomplete"
        usage = answer.get("usage")
        self.reported = usage if isinstance(usage, dict) and usage else None
        self._terminal = out
        return Step(is_end=True)
