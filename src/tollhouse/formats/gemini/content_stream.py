"""What each event of `streamGenerateContent` means, for the caller and for the charge.

Each event is a whole answer in small, and repeats the usage so far. Nothing marks the end of a stream: what has a
`finishReason` is kept back, and is the end only if nothing follows. Some servers write a reason on every event, or on
empty ones before the first word, and Gemini itself does between two runs of code: such a reason is taken out when the
candidate goes on.
"""

from collections.abc import Callable, Collection
from typing import Literal

from tollhouse.core.cleaning import NOTHING_KNOWN, Known
from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.figures import Report
from tollhouse.core.provider_json import Object, decode, decode_any, encode
from tollhouse.core.reported_error import error_in, error_in_event, failure_of
from tollhouse.core.sse import Event
from tollhouse.core.stream_relay import StreamRelay
from tollhouse.core.stream_step import StreamStep
from tollhouse.core.usage import Usage
from tollhouse.formats.gemini import answer as answers
from tollhouse.formats.gemini import finish, searches
from tollhouse.formats.gemini import usage as usages
from tollhouse.formats.gemini.contents import objects, parts_of, text_under
from tollhouse.formats.gemini.plain_event import PlainEvent, read_plain
from tollhouse.formats.gemini.spelling import snake, under, unknown

Framing = Literal["events", "array"]
CHOICES_MAX = 128
"""Candidates that a provider may send; more of them are nonsense."""
_HEAD = ("modelVersion", "responseId", "createTime")
_USAGE = ("usageMetadata", snake("usageMetadata"))


class ContentStream:
    """See `core.stream_relay.RelayedEvents`. framing: how the events go on: as events, or as the items of an array."""

    # fmt: off
    __slots__ = (
        "_before", "_blocked", "_choices", "_cut", "_framing", "_head", "_held", "_known", "_last", "_queries",
        "_reasons", "_seen", "_written", "_written_before", "current", "reported",
    )
    # fmt: on

    heads = None
    failed = takes_late = False
    repeated = 0
    whole_text = ""

    def __init__(self, choices: int = 1, *, framing: Framing = "events", known: Known = NOTHING_KNOWN) -> None:
        self._choices = choices
        self._framing: Framing = framing
        self._known = known
        self._held: list[Object] = []  # events that may be the end
        self._last: Object | bytes = {}  # the event that was taken last, and what of earlier ones went on with it
        self._before = b""
        self._head: Object = {}
        self._seen: set[int] = set()
        self._queries: set[str] = set()
        self._reasons: dict[int, str] = {}  # of the candidates that have ended
        self._blocked = self._cut = False
        self._written = self._written_before = 0  # events that went on, by now and before the last one
        self.reported: Report | None = None
        self.current = False

    @property
    def complete(self) -> bool:
        return self._blocked or (bool(self._reasons) and self._reasons.keys() >= self._seen)

    @property
    def incomplete(self) -> bool:
        return self._cut or finish.CUT in self._reasons.values()

    @property
    def sequence_number(self) -> int:
        """Of the items of an array, how many have gone on."""
        return self._written if self._framing == "array" else 0

    @property
    def usage(self) -> Usage | None:
        return usages.with_searches(usages.read(self.reported), self.searches)

    @property
    def searches(self) -> int:
        """That were run for the answer, as far as it has told."""
        return len(self._queries)

    @property
    def raw_usage(self) -> bytes | None:
        return None if self.reported is None else encode(self.reported)

    def take(self, event: Event) -> StreamStep:
        data = event.data.strip()
        if not data:
            return StreamStep()
        if data == b"[DONE]":
            if not self.complete:
                raise UpstreamBroke("The provider ended the stream before the answer was finished.")
            return StreamStep(is_end=True)
        if self._head and not self._reasons and not event.name and (plain := read_plain(data)) is not None:
            step = self._plainly(plain, data)
            if step is not None:
                return step
        answer, data = read_event(data, event.name, self._known)
        return StreamStep(is_read=False) if answer is None else self._answer(answer, data)

    def take_late(self, event: Event) -> None: ...

    def unfolded(self, data: bytes) -> bytes | None:
        """A whole answer is read as an event is."""
        return None

    def cut(self, event: Event, maximum: int, count: Callable[[str], int]) -> tuple[bytes, str]:
        """Of the event that was taken last, `most` tokens of its text pass: what goes on, and its text."""
        self._cut = True
        self._written = self._written_before  # the whole event does not go on
        chunk = decode(self._last) if isinstance(self._last, bytes) else self._last
        self._held = [held for held in self._held if held is not chunk]
        candidates = answers.candidates_of(chunk)
        parts = [part for candidate in candidates for part in answers.parts_in(candidate)]
        for part in parts:
            part.pop("inlineData", None)
            part.pop(snake("inlineData"), None)
        left = answers.cut_parts(parts, maximum, count)
        for place, candidate in enumerate(candidates):
            self._reasons.pop(answers.index_of(candidate, place), None)
            _without_reason(candidate)
            content = candidate.get("content")
            if isinstance(content, dict):
                content["parts"] = [part for part in parts_of(content) if part and answers.is_whole(part)]
        if not left:
            return self._before, ""
        for name in _USAGE:
            chunk.pop(name, None)
        text = answers.text_of(part for candidate in candidates for part in answers.parts_in(candidate))
        return self._before + self._framed(encode(chunk)), text

    def closing(self) -> bytes:
        return self.seal(None, None)

    def seal(self, tollhouse: Object | None, counted: Usage | None) -> bytes:
        """The last part: what was kept back, with a member `tollhouse` in its last event. `counted` is told instead of
        its report. Where the answer was cut, each candidate that is open ends at its length."""
        chunks = [*self._held, self._end()] if self._cut else list(self._held)
        if chunks:
            last = chunks[-1] if counted is None else answers.telling(chunks[-1], counted)
            chunks[-1] = last if tollhouse is None else {**last, "tollhouse": tollhouse}
        written = self._written
        out = b"".join([self._framed(encode(chunk)) for chunk in chunks])
        if self._framing == "array":
            out += b"]" if self._written else b"[]"
        self._written = written
        return out

    def _plainly(self, plain: PlainEvent, data: bytes) -> StreamStep | None:
        """None: the candidate is new, or says nothing."""
        text, report = plain.text, plain.usageMetadata
        if not text or plain.index not in self._seen:
            return None
        is_news = report is not None and usages.says_something(report)
        if is_news:
            self.reported = report
        self.current = is_news
        self._last, self._before, self._written_before = data, b"", self._written
        return StreamStep(self._framed(data), text, True)

    def _answer(self, answer: Object, data: bytes) -> StreamStep:
        candidates = answers.candidates_of(answer)
        report = under(answer, "usageMetadata")
        is_news = isinstance(report, dict) and usages.says_something(report)
        if isinstance(report, dict) and (is_news or self.reported is None):
            self.reported = report
        if unknown(answer, answers.PASS):
            answer = answers.fitted(answer)
            data = encode(answer)
        if not self._head:
            self._head = {name: value for name in _HEAD if (value := under(answer, name)) is not None}
        indexes = [answers.index_of(candidate, place) for place, candidate in enumerate(candidates)]
        released = b"".join(self._released(indexes)) if self._reasons and indexes else b""
        self._seen.update(indexes)
        if len(self._seen) > self._choices + CHOICES_MAX:
            raise UpstreamBroke("The provider sent many more answers than were asked for.")
        ends = False
        for index, candidate in zip(indexes, candidates, strict=True):
            searches.note(self._queries, candidate)
            if reason := text_under(candidate, "finishReason"):
                self._reasons[index] = reason
                ends = True
        if not candidates and answers.block_reason(answer):
            self._blocked = True
        parts = [part for candidate in candidates for part in answers.parts_in(candidate)]
        text = answers.text_of(parts)
        sound, pictures = answers.media_in(parts)
        if text or sound or pictures or is_news:
            self.current = is_news
        self._last, self._before, self._written_before = answer, released, self._written
        if ends or (not candidates and self.complete):
            self._held.append(answer)
            return StreamStep(released, text, True, sound=sound, pictures=pictures)
        out = released + self._framed(data)
        return StreamStep(out, text, bool(text or sound or pictures or parts), sound=sound, pictures=pictures)

    def _released(self, indexes: Collection[int]) -> list[bytes]:
        """What was kept back of candidates that go on after all, without their reasons."""
        kept: list[Object] = []
        out: list[bytes] = []
        for chunk in self._held:
            ends = False
            for place, candidate in enumerate(answers.candidates_of(chunk)):
                index = answers.index_of(candidate, place)
                if index in indexes:
                    self._reasons.pop(index, None)
                    _without_reason(candidate)
                else:
                    ends = ends or bool(text_under(candidate, "finishReason"))
            if ends:
                kept.append(chunk)
            else:
                out.append(self._framed(encode(chunk)))
        self._held = kept
        return out

    def _end(self) -> Object:
        asked = range(min(self._choices, CHOICES_MAX))
        still_open = sorted(self._seen.union(asked) - self._reasons.keys())
        content = {"role": "model", "parts": [{"text": ""}]}
        candidates = [{"content": content, "finishReason": finish.CUT, "index": index} for index in still_open]
        return {"candidates": candidates, **self._head}

    def _framed(self, data: bytes) -> bytes:
        if b"\n" in data or b"\r" in data:  # JSON has them between its values alone
            data = data.replace(b"\r", b" ").replace(b"\n", b" ")
        self._written += 1
        if self._framing == "array":
            return (b"[" if self._written == 1 else b",\r\n") + data
        return b"data: %b\r\n\r\n" % data


def read_event(data: bytes, name: bytes, known: Known) -> tuple[Object | None, bytes]:
    """The answer in small that an event is, and its bytes; None: it is none, and no error.

    Raises the failure that an error stands for, UpstreamBroke for what is no JSON object.
    """
    value = decode_any(data)
    if isinstance(value, list) and len(value) == 1:
        (value,) = value
        data = encode(value)
    if not isinstance(value, dict):
        raise UpstreamBroke("The provider sent an event that is no JSON object.")
    inside = value.get("response")
    if isinstance(inside, dict) and "candidates" not in value:  # as Code Assist wraps them
        value, data = inside, encode(inside)
    error = error_in(value)
    if error is None and name == b"error":
        error = value
    if error is not None:
        raise failure_of(error, known)
    if objects(value.get("candidates")) or answers.block_reason(value) or under(value, "usageMetadata") is not None:
        return value, data
    error = error_in_event(value, name)
    if error is not None:
        raise failure_of(error, known)
    return None, data


def _without_reason(candidate: Object) -> None:
    for name in ("finishReason", "finishMessage"):
        candidate.pop(name, None)
        candidate.pop(snake(name), None)


def open_stream(
    framing: Framing,
    *,
    show_usage: bool,
    count: Callable[[str], int],
    choices: int = 1,
    maximum: int | None = None,
    known: Known = NOTHING_KNOWN,
    echoes: bool = False,
) -> StreamRelay:
    """See `core.codec.OpenRelay`. Usage is told always: each event has it."""
    events = ContentStream(choices, framing=framing, known=known)
    return StreamRelay(events, count=count, maximum=maximum, learns=False)


def unfold(body: bytes) -> bytes:
    """A body that was read, as events: what was said, and the end. An answer without a reason never ends."""
    (answer,) = objects(decode_any(body))
    said: list[Object] = []
    ends: list[Object] = []
    for place, candidate in enumerate(answers.candidates_of(answer)):
        index = answers.index_of(candidate, place)
        if content := candidate.get("content"):
            said.append({"content": content, "index": index})
        ends.append({**candidate, "content": {"parts": [{"text": ""}], "role": "model"}, "index": index})
    rest = {name: value for name, value in answer.items() if name not in ("candidates", *_USAGE)}
    events: list[Object] = [{"candidates": said, **rest}] if said else []
    events.append({**answer, "candidates": ends} if ends else answer)
    return b"".join([b"data: %b\r\n\r\n" % encode(event) for event in events])
