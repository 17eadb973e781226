"""A stream gathered into the one body that `generateContent` asks for, from a provider that only streams."""

from collections.abc import Callable

from tollhouse.core.cleaning import NOTHING_KNOWN, Known
from tollhouse.core.provider_json import Object, decode, encode
from tollhouse.core.stream_relay import StreamRelay
from tollhouse.core.usage import Usage
from tollhouse.formats.gemini import answer as answers
from tollhouse.formats.gemini.content_stream import ContentStream
from tollhouse.formats.gemini.contents import object_under, text_under

_TEXT_ALONE = frozenset(("text", "thought"))
_GROWING = ("citationMetadata", "logprobsResult")
"""Members of candidates whose lists grow; all others say all so far."""


class GatheredContent:
    """See `core.codec.GatheredStream`."""

    __slots__ = ("_answer", "_candidates", "_relay")

    def __init__(
        self,
        choices: int = 1,
        *,
        count: Callable[[str], int],
        maximum: int | None = None,
        known: Known = NOTHING_KNOWN,
    ) -> None:
        events = ContentStream(choices, known=known)
        self._relay = StreamRelay(events, count=count, maximum=maximum, learns=False)
        self._answer: Object = {}
        self._candidates: dict[int, JoinedCandidate] = {}

    @property
    def is_complete(self) -> bool:
        return self._relay.is_complete

    @property
    def cut(self) -> bool:
        return self._relay.cut

    @property
    def pending(self) -> int:
        return self._relay.pending

    @property
    def usage(self) -> Usage | None:
        return self._relay.usage

    @property
    def raw_usage(self) -> bytes | None:
        return self._relay.raw_usage

    def feed(self, data: bytes) -> None:
        self._take(self._relay.feed(data))
        if self._relay.failure is not None:
            raise self._relay.failure

    def finish(self) -> bytes:
        if not self._relay.is_complete:
            self._relay.finish()
        self._take(self._relay.held)
        body = dict(self._answer)
        if self._candidates:
            body = {"candidates": [self._candidates[at].whole() for at in sorted(self._candidates)], **body}
        if self._relay.cut:
            body.pop("usageMetadata", None)
        return encode(body)

    def _take(self, events: bytes) -> None:
        for event in events.split(b"\r\n\r\n"):
            if event:
                self._add(decode(event.removeprefix(b"data: ")))

    def _add(self, answer: Object) -> None:
        self._answer |= {name: value for name, value in answer.items() if name != "candidates"}
        for place, candidate in enumerate(answers.candidates_of(answer)):
            index = answers.index_of(candidate, place)
            if index not in self._candidates:
                self._candidates[index] = JoinedCandidate()
            self._candidates[index].add(candidate)


class JoinedCandidate:
    """A candidate as it grows."""

    __slots__ = ("_parts", "_pieces", "_rest", "_role")

    def __init__(self) -> None:
        self._parts: list[Object] = []
        self._pieces: list[str] = []  # of the text of the last part, which may go on
        self._rest: Object = {}
        self._role = "model"

    def add(self, candidate: Object) -> None:
        content = object_under(candidate, "content")
        self._role = text_under(content, "role") or self._role
        for part in answers.parts_in(candidate):
            self._add_part(part)
        for name, value in candidate.items():
            if name == "content":
                continue
            before = self._rest.get(name)
            if name in _GROWING and isinstance(before, dict) and isinstance(value, dict):
                _lengthen(before, value)
            else:
                self._rest[name] = value

    def whole(self) -> Object:
        self._close()
        return {"content": {"parts": self._parts, "role": self._role}, **self._rest}

    def _add_part(self, part: Object) -> None:
        text = part.get("text")
        if not isinstance(text, str) or not _TEXT_ALONE.issuperset(part):
            self._close()
            self._parts.append(part)
            return
        if self._pieces and bool(part.get("thought")) == bool(self._parts[-1].get("thought")):
            self._pieces.append(text)
            return
        self._close()
        self._parts.append(part)
        self._pieces = [text]

    def _close(self) -> None:
        """The last text is over."""
        if self._pieces:
            self._parts[-1]["text"] = "".join(self._pieces)
            if self._parts[-1]["text"] == "" and len(self._parts) > 1:
                self._parts.pop()  # as the end of most streams has one
        self._pieces = []


def _lengthen(known: Object, more: Object) -> None:
    for name, value in more.items():
        before = known.get(name)
        if isinstance(before, list) and isinstance(value, list):
            before += value
        else:
            known[name] = value
