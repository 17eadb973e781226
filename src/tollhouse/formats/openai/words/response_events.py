"""A provider's stream of a response, read as events in core words: any form that `response_stream` lets pass."""

from typing import Any, Final

from tollhouse.core.cleaning import Known
from tollhouse.core.failure import UpstreamBroke, UpstreamError
from tollhouse.core.figures import Report
from tollhouse.core.reply import Began, Finished, ReplyEvent, StreamEnded, UsageTold
from tollhouse.core.reported_error import failure_of
from tollhouse.core.sse import Event, Splitter
from tollhouse.core.usage import Usage
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.mended import read_mended
from tollhouse.formats.openai.response_parts import ITEMS_MAX
from tollhouse.formats.openai.response_stream import ending_of, kind_of
from tollhouse.formats.openai.unfold import is_whole, unfold
from tollhouse.formats.openai.usage import read as read_usage
from tollhouse.formats.openai.usage_location import find
from tollhouse.formats.openai.words.chat_reply import text_of
from tollhouse.formats.openai.words.plain_delta import plain_delta
from tollhouse.formats.openai.words.response_item import PartCount, StreamedItem
from tollhouse.formats.openai.words.response_reply import finish_of, items_of

_OPENED: Final = ("response.created", "response.queued", "response.in_progress")


class ResponseReader:
    """See `core.words.ReplyReader`."""

    __slots__ = ("_began", "_items", "_known", "_last", "_odd", "_parts", "_reply_id", "_reported", "_splitter",
                 "is_complete", "told")  # fmt: skip

    said_all = False  # `Finished` comes at once

    def __init__(self, known: Known) -> None:
        self._known = known
        self._splitter = Splitter()
        self._items: dict[int, StreamedItem] = {}
        self._parts = PartCount()
        self._last = 0  # the item that the last event was about
        self._reply_id = ""
        self._began = False
        self._reported: Report | None = None
        self._odd: object = None  # what stood as `usage`, and is none
        self.is_complete = False
        self.told: list[ReplyEvent] = []

    @property
    def pending(self) -> int:
        return self._splitter.pending

    @property
    def usage(self) -> Usage | None:
        return read_usage(self._reported)

    @property
    def raw_usage(self) -> bytes | None:
        return chunks.raw_report(self._reported, self._odd)

    def feed(self, data: bytes) -> list[ReplyEvent]:
        self.told = []
        return self._take(self._splitter.feed(data))

    def finish(self) -> list[ReplyEvent]:
        out = self._take(self._splitter.finish())
        if not self.is_complete:
            raise UpstreamBroke("The provider's stream ended before the answer was finished.")
        return out

    def _take(self, events: list[Event]) -> list[ReplyEvent]:
        out = self.told = []
        for event in events:
            if self.is_complete:
                break
            self._event(event, out)
        return out

    def _event(self, event: Event, out: list[ReplyEvent]) -> None:
        plain = plain_delta(event) if self._began else None
        if plain is not None and (item := self._items.get(plain.output_index)) is not None:
            self._last = plain.output_index
            item.text(plain.content_index, plain.delta, None, out)
            return
        data = event.data.strip()
        if not data or data == b"[DONE]":
            return
        if not self._began and is_whole_response(data):
            for inner in Splitter().feed(unfold("responses", data)):
                self._event(inner, out)
            return
        body, _ = read_mended(chunks.read, event, self._known)
        kind = kind_of(event, body, self._known)
        if kind is None:
            return
        ending = ending_of(kind, body)
        if ending is not None:
            self._end(ending, body, out)
        elif kind in _OPENED:
            self._begin(body.get("response"), out)
        elif kind.startswith("response."):
            self._begin({}, out)
            self._item_of(kind, body, out).take(kind.removeprefix("response."), body, out)

    def _begin(self, response: object, out: list[ReplyEvent]) -> None:
        if self._began:
            return
        self._began = True
        found: dict[str, Any] = response if isinstance(response, dict) else {}
        created = found.get("created_at")
        self._reply_id = text_of(found.get("id"))
        out.append(
            Began(
                id=self._reply_id,
                model=text_of(found.get("model")),
                created=int(created) if isinstance(created, int | float) and created >= 0 else 0,
            )
        )

    def _item_of(self, kind: str, body: chunks.Object, out: list[ReplyEvent]) -> StreamedItem:
        at = self._last = self._at(body)
        return self._item(at)

    def _item(self, at: int) -> StreamedItem:
        item = self._items.get(at)
        if item is None:
            if len(self._items) >= ITEMS_MAX:
                raise UpstreamBroke(f"The provider sent a response of more than {ITEMS_MAX} items.")
            item = self._items[at] = StreamedItem(self._parts, f"call_{self._reply_id}_{at}")
        return item

    def _at(self, body: chunks.Object) -> int:
        """The item an event is about: by its index, else by its id, else the one before it."""
        index = body.get("output_index")
        if type(index) is int and index >= 0:
            return index
        item = body.get("item")
        named = body.get("item_id") or (item.get("id") if isinstance(item, dict) else None)
        if named is None:
            return self._last
        known = next((at for at, one in self._items.items() if one.id == named), None)
        return max(self._items, default=-1) + 1 if known is None else known

    def _end(self, ending: str, body: chunks.Object, out: list[ReplyEvent]) -> None:
        response = body.get("response")
        answer: chunks.Object = response if isinstance(response, dict) else {}
        if ending == "failed":
            error = answer.get("error")
            raise failure_of(error, self._known) if error else UpstreamError("The provider's answer failed.")
        self._begin(answer, out)
        whole = items_of(answer)
        for at, item in enumerate(whole):
            self._item(at).close(item, out)
        for _, streamed in sorted(self._items.items()):
            streamed.close({}, out)
        location = find(answer, []) or find(body, [])
        self._reported = None if location is None else location.report
        self._odd = answer.get("usage", body.get("usage"))
        finish = finish_of({**answer, "status": ending}, calls=self._parts.calls > 0, refuses=self._parts.refusals > 0)
        out.append(Finished(finish=finish or "stop"))
        if (usage := self.usage) is not None:
            out.append(UsageTold(usage=usage))
        out.append(StreamEnded())
        self.is_complete = True


def is_whole_response(data: bytes) -> bool:
    """Whether a whole response stands where events should."""
    return b'"response"' in data[:512] and not data.startswith(b'{"type":"response.') and is_whole("responses", data)
