"""What each event of a `/v1/responses` stream means, for the caller and for the charge."""

from collections.abc import Callable
from typing import Final

from tollhouse.core.cleaning import NOTHING_KNOWN, Known
from tollhouse.core.failure import UpstreamError
from tollhouse.core.reported_error import error_in_event, failure_of, told
from tollhouse.core.sse import Event
from tollhouse.core.stream_step import StreamStep
from tollhouse.core.text_cut import prefix
from tollhouse.core.usage import Usage
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai import text_locations, written
from tollhouse.formats.openai.beside import PASS_OF_RESPONSES, ExtraMembers
from tollhouse.formats.openai.mended import read_mended
from tollhouse.formats.openai.response_items import Items
from tollhouse.formats.openai.searches import in_items, in_response, with_searches
from tollhouse.formats.openai.unfold import is_whole, unfold
from tollhouse.formats.openai.usage import read as read_usage
from tollhouse.formats.openai.usage import write_response
from tollhouse.formats.openai.usage_location import find

UNREAD_BYTES_MAX: Final = 256 * 1024
"""Of deltas that are read once more at the end, in a few milliseconds."""
KEPT_BYTES_MAX: Final = 2 * 1024 * 1024
"""Of other events, whose items are written at the end, in a few milliseconds."""

_TERMINAL = ("response.completed", "response.incomplete", "response.failed")
_ENDINGS = {"completed": "completed", "incomplete": "incomplete", "failed": "failed"} | dict.fromkeys(
    ("cancelled", "canceled"), "failed"
)
"""How a response ended, by its status, or by the name of the event that ends it."""
_ENDS = ("response.done", "response.complete", "response.finished", "response.end", "response.stopped")
"""Names that end a response, too, and leave it to its status how."""
_TOOLS_SAID = ("response.shell_call_output_content.delta",)
"""Deltas of what a tool gave: no model wrote it."""
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
        "_at",
        "_beside",
        "_bore_content",
        "_cut",
        "_cuts",
        "_head",
        "_items",
        "_kept",
        "_known",
        "_last",
        "_said",
        "_searches",
        "_terminal",
        "_unread",
        "_unread_bytes",
        "answer",
        "current",
        "failed",
        "incomplete",
        "last",
        "odd",
        "reported",
        "sequence_number",
    )

    takes_late = False
    heads = None

    def __init__(self, cuts: bool = False, known: Known = NOTHING_KNOWN) -> None:
        """cuts: the answer may have to be cut, so its items are kept as they come; else so that a last event which
        leaves them out can be completed. known: see `failure_of`."""
        self._known = known
        self._beside = ExtraMembers(known, PASS_OF_RESPONSES)
        self._cuts = cuts
        self._items: Items | None = Items()
        self._kept = 0  # bytes of events, but for deltas, whose items are kept
        self._unread_bytes = 0
        self._unread: list[tuple[str, bytes]] = []  # deltas that no `done` has repeated yet
        self._last: tuple[str, chunks.Object] | None = None
        self._head: chunks.Object = {}  # the response as it was opened
        self._said: dict[int, int] = {}  # characters that deltas brought, by item
        self._searches = 0  # items of searches that are done
        self._at = 0  # the item that the last event was about
        self._cut = False
        self._bore_content = False
        self._terminal = b""
        self.answer: chunks.Object = {}  # the whole, as the terminal event repeats it
        self.last: chunks.Object = {}  # the same, also of one that failed
        self.failed = False
        self.incomplete = False
        self.reported: chunks.Object | None = None
        self.odd: object = None  # what stood as `usage`, and is none
        self.current = True  # the only report comes with the end
        self.sequence_number = 0

    @property
    def complete(self) -> bool:
        """The terminal event came."""
        return bool(self._terminal)

    @property
    def repeated(self) -> int:
        """Bytes of the terminal event, which repeats what was said."""
        return len(self._terminal)

    @property
    def whole_text(self) -> str:
        return written.text("responses", self.answer)

    @property
    def usage(self) -> Usage | None:
        return with_searches(read_usage(self.reported), self.searches)

    @property
    def searches(self) -> int:
        """That the provider ran, as far as it has told."""
        return in_response(self.last, written.items(self.last), self._searches)

    @property
    def raw_usage(self) -> bytes | None:
        return chunks.raw_report(self.reported, self.odd)

    def unfolded(self, data: bytes) -> bytes | None:
        return unfold("responses", data) if is_whole("responses", data) else None

    def take_late(self, event: Event) -> None:
        """Its report stands in its last event."""

    def take(self, event: Event) -> StreamStep:
        """Raises the failure that an error event stands for, and UpstreamBroke for nonsense."""
        data = event.data.strip()
        if not data or data == b"[DONE]":
            return StreamStep()
        body, data = read_mended(chunks.read, event, self._known)
        if isinstance(response := body.get("response"), dict) and not PASS_OF_RESPONSES.issuperset(response):
            self._beside.fit(response, b"")
            data = chunks.encode(body)
        kind = kind_of(event, body, self._known)
        if kind is None:
            return StreamStep(is_read=False)
        number = body.get("sequence_number")
        if type(number) is int:
            self.sequence_number = number + 1
        out = b"event: %b\ndata: %b\n\n" % (kind.encode(errors="replace"), data.replace(b"\n", b" "))
        ending = ending_of(kind, body)
        if ending is not None:
            self._note_last()
            if kind not in _TERMINAL:  # by the name that every client waits for
                body["type"] = kind = f"response.{ending}"
                out = _event(kind, body)
            return self._end(ending, body, out)
        bears = kind not in _OPENING
        self._bore_content = self._bore_content or bears
        if self._items is not None:
            if self._cuts:
                self._note_last()
                self._last = kind, body
            else:
                self._keep(self._items, kind, body, data)
            if kind == "response.created" and isinstance(opened := body.get("response"), dict):
                self._head = opened
        text, sound, pictures = self._written(kind, body)
        return StreamStep(out, text, bears, sound=sound, pictures=pictures)

    def _keep(self, items: Items, kind: str, body: chunks.Object, data: bytes) -> None:
        """Keep what the items are made of: deltas are read only if nothing else repeats them."""
        if kind.endswith(".delta"):
            self._unread_bytes += len(data)
            if self._unread_bytes <= UNREAD_BYTES_MAX:
                self._unread.append((kind, data))
            return
        if kind.endswith(".done"):
            self._unread, self._unread_bytes = [], 0
        self._kept += len(data)
        if self._kept <= KEPT_BYTES_MAX:
            items.take(kind, body)
        else:
            self._items = None

    def _note_last(self) -> None:
        """An event is part of the items once the next one comes: until then it may have to be cut."""
        if self._items is not None and self._last is not None:
            self._items.take(*self._last)
            self._last = None

    def _written(self, kind: str, body: chunks.Object) -> tuple[str, int, int]:
        """The text that an event adds, the characters of sound, and the pictures. A whole item adds what its deltas
        have not said."""
        index = body.get("output_index")
        at = self._at = index if type(index) is int else self._at
        if kind.endswith(".delta"):
            if kind in _TOOLS_SAID:
                return "", 0, 0
            delta = body.get("delta")
            if isinstance(delta, str):
                if kind.endswith("audio.delta"):
                    return "", len(delta), 0
                self._said[at] = self._said.get(at, 0) + len(delta)
                return delta, 0, 0
            return (text_locations.text_of(delta), 0, 0) if isinstance(delta, dict) else ("", 0, 0)
        item = body.get("item")
        if kind != "response.output_item.done" or not isinstance(item, dict):
            return "", 0, 0
        self._searches += in_items([item])
        text = text_locations.text_of(item)
        more = text[self._said.get(at, 0) :]
        self._said[at] = max(self._said.get(at, 0), len(text))
        return more, 0, text_locations.pictures_in(item)

    def closing(self) -> bytes:
        """The terminal event."""
        return self.seal(None, None)

    def seal(self, tollhouse: chunks.Object | None, counted: Usage | None) -> bytes:
        """The terminal event as it came, or with the usage that was `counted` instead of a report: it has no place for
        what else we would add. Where the answer was cut, it is ours: what is open is closed, and the response
        says that it ended at its length."""
        if not self._cut:
            if counted is None or self.failed or not self.last:
                return self._terminal
            response = {**self.last, "usage": write_response(counted)}
            kind = "response.incomplete" if self.incomplete else "response.completed"
            return _event(kind, {"response": response, "sequence_number": max(0, self.sequence_number - 1)})
        events, response = self.cut_answer()
        if counted is not None:
            response["usage"] = write_response(counted)
        if tollhouse is not None:
            response["tollhouse"] = tollhouse
        events.append(("response.incomplete", {"response": response}))
        number = self.sequence_number
        return b"".join(
            _event(kind, {**event, "sequence_number": number + n}) for n, (kind, event) in enumerate(events)
        )

    def cut_answer(self) -> tuple[list[tuple[str, chunks.Object]], chunks.Object]:
        """Of an answer that was cut: the events, by kind, that close its items, and the response as it stands."""
        events, items = self._items.closing() if self._items is not None else ([], [])
        return events, {
            **self._head,
            "object": "response",
            "status": "incomplete",
            "incomplete_details": {"reason": "max_output_tokens"},
            "output": items,
            "usage": None,
        }

    def cut(self, event: Event, maximum: int, count: Callable[[str], int]) -> tuple[bytes, str]:
        """Of the event that was taken last, `most` tokens of its text pass: what goes on, and its text.

        Of an item or a response that came whole nothing does: its beginning is no item.
        """
        self._cut = self.incomplete = True
        self.answer, self.last, self._terminal = {}, {}, b""
        self.sequence_number = max(0, self.sequence_number - 1)
        assert self._items is not None, "of an answer that may be cut the items are kept"
        cut_in, self._last = self._last, None
        if cut_in is None:  # in the terminal event
            return b"", ""
        kind, body = cut_in
        delta = body.get("delta")
        is_text = isinstance(delta, str) and kind.endswith(".delta") and not kind.endswith("audio.delta")
        kept = prefix(str(delta), maximum, count) if is_text else ""
        if not kept:
            return b"", ""
        body["delta"] = kept
        self._items.take(kind, body)
        self.sequence_number += 1
        return _event(kind, body), kept

    def is_complete(self) -> chunks.Object:
        """The response, of which the last event may have left out what came before it."""
        return self.last

    def _completed(self, answer: chunks.Object) -> chunks.Object:
        """A response with all its items. One that repeats as many of them, and as long ones, is left as it is."""
        if self._items is None or self._unread_bytes > UNREAD_BYTES_MAX:
            return answer
        for kind, data in self._unread:
            self._items.take(kind, chunks.decode(data))
        repeated, items = written.items(answer), self._items.whole()
        if len(items) > len(repeated) or len(_text(items)) > len(_text(repeated)):
            return {**answer, "output": items}
        return answer

    def _end(self, ending: str, body: chunks.Object, out: bytes) -> StreamStep:
        response, untold = body.get("response"), ""
        answer = response if isinstance(response, dict) else {}
        if ending == "failed":
            if not self._bore_content:
                error = answer.get("error")
                raise failure_of(error, self._known) if error else UpstreamError("The provider's answer failed.")
            self.failed = True
            error = answer.get("error")
            if error and error != (cleaned := told(error, self._known)):
                said = {"type": "response.failed", "response": {**answer, "error": cleaned}}
                out = _event("response.failed", {**body, **said})
        else:
            untold = self._untold(answer)
            whole = self._completed(answer or {**self._head, "object": "response", "status": ending, "output": []})
            if whole is not answer:
                answer = whole
                out = _event(str(body.get("type") or f"response.{ending}"), {**body, "response": whole})
            self.answer = answer
        self.last = answer
        self.incomplete = ending == "incomplete"
        location = find(answer, []) or find(body, [])
        self.reported = None if location is None else location.report
        self.odd = answer.get("usage", body.get("usage"))
        self._terminal = out
        return StreamStep(is_end=True, text=untold)

    def _untold(self, answer: chunks.Object) -> str:
        """Of an answer that may have to be cut, what only its last event says."""
        return written.text("responses", answer)[sum(self._said.values()) :] if self._cuts else ""


def kind_of(event: Event, body: chunks.Object, known: Known) -> str | None:
    """What an event is called; None: it is of the vendor's own, and nobody has read what stands in it. Raises the
    failure that an error event stands for."""
    kind = body.get("type")
    if not isinstance(kind, str):
        kind = event.name.decode(errors="replace")
    if not kind.startswith("response.") or kind.endswith(".error"):
        error = error_in_event(body, event.name)
        if error is not None:
            raise failure_of(error, known)
        if kind not in _OPENING:
            return None
    return kind


def ending_of(kind: str, body: chunks.Object) -> str | None:
    """How an event ends the response; None: it does not. Whatever it is called, one that holds a response which is over
    is the last."""
    if kind in _OPENING or not kind.startswith("response."):
        return None
    response = body.get("response")
    status = response.get("status") if isinstance(response, dict) else None
    by_status = _ENDINGS.get(status) if isinstance(status, str) else None
    by_name = _ENDINGS.get(kind.removeprefix("response."))
    if by_name == "completed" or kind in _ENDS:
        return by_status or "completed"
    return by_name or by_status


def _text(items: list[chunks.Object]) -> str:
    return written.text("responses", {"output": items})


def _event(kind: str, event: chunks.Object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(errors="replace"), chunks.encode({"type": kind, **event}))
