"""What each event of a chat or completions stream means, for the caller and for the charge.

The caller who asked for usage gets it once, in a chunk of its own before `[DONE]`; who did not ask gets none, however
the provider sends it: in a chunk without choices, riding on chunks with choices, in every chunk, or only on the last.
"""

import re
from collections.abc import Callable
from typing import Final

from tollhouse.core.cleaning import NOTHING_KNOWN, Known
from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.figures import Report
from tollhouse.core.reported_error import failure_of
from tollhouse.core.sse import Event
from tollhouse.core.stream_step import StreamStep
from tollhouse.core.text_start import NOTHING, TextStarts
from tollhouse.core.usage import Usage
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai import finish, text_locations
from tollhouse.formats.openai.beside import PASS, ExtraMembers
from tollhouse.formats.openai.call_numbers import MARK, CallNumbers
from tollhouse.formats.openai.cutting import cut_delta
from tollhouse.formats.openai.echo import begun
from tollhouse.formats.openai.mended import mended, read_mended
from tollhouse.formats.openai.plain import convert_usage
from tollhouse.formats.openai.unfold import is_whole, unfold
from tollhouse.formats.openai.usage import completed, told, write_chat
from tollhouse.formats.openai.usage import read as read_usage
from tollhouse.formats.openai.usage_location import UsageLocation, find, says_something

CHOICES_BESIDE: Final = 128
"""Answers that a provider may send besides those that were asked for; more of them are nonsense."""
_HEAD = ("id", "object", "created", "model", "service_tier", "system_fingerprint")
_OF_USAGE_ALONE: Final = frozenset((*_HEAD, "choices", "usage", "obfuscation", "provider"))
"""What a chunk holds that is sent for the sake of usage, also where it tells none."""
_ENDS: Final = frozenset((b"[DONE]", b"DONE"))
_SIGN_OF_LIFE: Final = re.compile(
    rb"null|\[\]|\"\"|true|:.*|[\"\[(<]?(?:ping|pong|heartbeat|keep[-_ ]?alive|processing)[\"\])>.]*", re.IGNORECASE
)
"""Data that some servers send, where a comment should stand, so that the connection is not taken for dead."""
_ERROR: Final = re.compile(rb"[\[\"(<]*error\b", re.IGNORECASE)
_ERROR_BYTES_MAX: Final = 16_384


class ChatStream:
    """Reads event after event. `incomplete`: a choice ended at its length. `odd`: what stood as `usage` and is none.

    `reported` is the last usage object; `current`: it was made when all text had been written. Some servers report the
    prompt at once and all the rest at the end, or totals so far on every chunk: the last such report of a stream that
    breaks off says less than was delivered.
    """

    # fmt: off
    __slots__ = (
        "_beside", "_calls", "_choices", "_cut", "_finished", "_finishing", "_head", "_is_chat", "_known", "_seen",
        "_show_usage", "current", "heads", "incomplete", "odd", "reported",
    )
    # fmt: on
    failed = False
    sequence_number = 0
    whole_text = ""
    searches = 0  # they stand in its report
    takes_late = True

    def __init__(
        self,
        show_usage: bool,
        choices: int = 1,
        *,
        is_chat: bool = True,
        known: Known = NOTHING_KNOWN,
        echoes: bool = False,
    ) -> None:
        """choices: how many answers were asked for. is_chat: else a legacy completion. known: see `failure_of`.
        echoes: `heads` is to say how each answer begins."""
        self._known = known
        self._beside = ExtraMembers(known)
        self._calls = CallNumbers()
        self._is_chat = is_chat
        self._cut = False
        self._finishing: list[int] = []  # choices that the last event ended
        self._show_usage = show_usage
        self._choices = choices
        self._seen: set[int] = set()
        self._finished: set[int] = set()
        self._head: chunks.Object = {}
        self.incomplete = False
        self.reported: Report | None = None
        self.current = False
        self.odd: object = None
        self.heads: TextStarts | None = {} if echoes else None

    @property
    def complete(self) -> bool:
        """Every choice that was asked for has been ended."""
        return len(self._finished) >= self._choices and self._finished >= self._seen

    @property
    def repeated(self) -> int:
        """Bytes that repeat what was said."""
        return 0

    @property
    def usage(self) -> Usage | None:
        return convert_usage(self.reported) or read_usage(self.reported)

    @property
    def raw_usage(self) -> bytes | None:
        return chunks.raw_report(self.reported, self.odd)

    def unfolded(self, data: bytes) -> bytes | None:
        return unfold("chat", data) if self._is_chat and is_whole("chat", data) else None

    def take(self, event: Event) -> StreamStep:
        """Raises the failure that an error event stands for, UpstreamBroke for nonsense and for an early `[DONE]`."""
        data = event.data.strip()
        if data[:1] != b"{" and (step := self._without_object(event, data)) is not None:
            return step
        chunk, data = read_mended(chunks.read_chunk, event, self._known)
        return StreamStep(is_read=False) if chunk is None else self._chunk(data, chunk)

    def _without_object(self, event: Event, data: bytes) -> StreamStep | None:
        """What an event that is no object says: the end, or that the provider is still there. None: neither."""
        ends = ends_or_lives(event, data, self._known)
        if ends and (not self._finished or not self._finished >= self._seen):
            raise UpstreamBroke("The provider ended the stream before the answer was finished.")
        return None if ends is None else StreamStep(is_end=ends)

    def take_late(self, event: Event) -> None:
        """After the end: some servers report only then. All else that comes there is nothing."""
        try:
            chunk = chunks.decode(event.data)
        except UpstreamBroke:
            return
        location = find(chunk, chunks.choices(chunk))
        if location is not None and says_something(location.report):
            self.reported, self.current = location.report, True

    def closing(self) -> bytes:
        """The last part of the stream: the usage chunk, if it was asked for and reported, and `[DONE]`."""
        return self.seal(None, None)

    def seal(self, tollhouse: chunks.Object | None, counted: Usage | None) -> bytes:
        """The last part with a member `tollhouse` in the usage chunk; `counted` is told instead of a report. Where the
        answer was cut, each choice that is open ends before it, at its length."""
        ends = b"".join(self._end_of(index) for index in self.open()) if self._cut else b""
        reported = self.reported if self.current else None
        usage = reported and told(reported) if counted is None else write_chat(counted)
        if not self._show_usage or usage is None:
            return ends + chunks.DONE
        last = {**self._head, "choices": [], "usage": usage}
        if tollhouse is not None:
            last["tollhouse"] = tollhouse
        return ends + b"data: %b\n\n" % chunks.encode(last) + chunks.DONE

    def cut(self, event: Event, maximum: int, count: Callable[[str], int]) -> tuple[bytes, str]:
        """Of the event that was taken last, `most` tokens of its text pass: what goes on, and its text."""
        self._cut = self.incomplete = True
        self._finished.difference_update(self._finishing)
        chunk = chunks.decode(_readable(event.data))
        choices = chunks.choices(chunk)
        if not cut_delta(choices, maximum, count):
            return b"", ""
        if (location := find(chunk, choices)) is not None:
            location.clear()
        self._beside.fit(chunk, b"")
        text = ""
        for choice in choices:
            choice["finish_reason"] = None
            text += text_locations.text_of(chunks.delta_of(choice))
        return b"data: %b\n\n" % chunks.encode(chunk), text

    def open(self) -> list[int]:
        """Choices without a finish reason: those that were asked for, and whatever else came."""
        asked = range(min(self._choices, CHOICES_BESIDE))
        return sorted(self._seen.union(asked) - self._finished)

    def _end_of(self, index: int) -> bytes:
        said: chunks.Object = {"delta": {}} if self._is_chat else {"text": ""}
        choice = {"index": index, **said, "logprobs": None, "finish_reason": "length"}
        return b"data: %b\n\n" % chunks.encode({**self._head, "choices": [choice]})

    def _without(self, location: UsageLocation, data: bytes, chunk: chunks.Object) -> chunks.Object:
        """A chunk whose report is told at the end, and only to who asked."""
        if location.holder is chunk and location.name == "usage":
            members = chunks.members_of(data, chunk)
            members.pop("usage", None)
        else:
            location.clear()
            members = {name: value for name, value in chunk.items() if name != "usage"}
        return members | {"usage": None} if self._show_usage and chunks.choices(chunk) else members

    def _end(self, index: int, reason: str) -> None:
        if index not in self._finished:
            self._finishing.append(index)
        self._finished.add(index)
        self.incomplete = self.incomplete or finish.is_cut(reason)

    def _chunk(self, data: bytes, chunk: chunks.Object) -> StreamStep:
        choices = chunks.choices(chunk)
        rewritten = finish.rewrite(choices) | (MARK in data and self._calls.mend(chunk, choices))
        if rewritten:
            data = chunks.encode(chunk)
        location = find(chunk, choices)
        left_out: tuple[bytes, ...] = ()
        if not PASS.issuperset(chunk):
            if location is not None and location.holder is not chunk:
                location.clear()
            data = self._beside.fit(chunk, data)
            left_out = self._beside.left_out
        if not self._head or self._head.get("id") == "":  # Azure begins with a chunk that has no head yet
            self._head = {name: chunk[name] for name in _HEAD if name in chunk}
        is_news = location is not None and (self.reported is None or says_something(location.report))
        if location is not None and is_news:
            self.reported = completed(location.report, self.reported)
            self.current = True
        if location is None and chunk.get("usage") is not None:
            self.odd = chunk["usage"]
            location = UsageLocation({}, chunk, "usage")
        if location is not None:
            members = self._without(location, data, chunk)
            if not choices:
                if "choices" in chunk and chunk.get("id") != "":  # else what stands beside the usage is not told
                    self._head = members
                return StreamStep()
            data = chunks.encode(members)
        elif not choices and "usage" in chunk and _OF_USAGE_ALONE.issuperset(chunk):
            return StreamStep()
        text = ""
        sound = pictures = 0
        bears = finishes = False
        self._finishing = []
        for place, choice in enumerate(choices):
            index = chunks.index_of(choice, place)
            self._seen.add(index)
            reason = finish.finish_of(choice)
            if reason is not None:
                self._end(index, reason)
                finishes = True
            delta = chunks.delta_of(choice)
            said = text_locations.text_of(delta)
            text += said
            if self.heads is not None:
                self.heads[index] = begun(self.heads.get(index, NOTHING), choice).and_then(said)
            if "audio" in delta or "images" in delta:
                sound += text_locations.sound_in(delta)
                pictures += text_locations.pictures_in(delta)
            bears = bears or text != "" or chunks.bears_content(delta)
        if len(self._seen) > self._choices + CHOICES_BESIDE:
            raise UpstreamBroke("The provider sent many more answers than were asked for.")
        if (text or sound or pictures) and not is_news:
            self.current = False
        out = b"data: " + (data.replace(b"\n", b" ") if b"\n" in data else data) + b"\n\n"
        is_plain = text != "" and not (sound or pictures) and location is None and not finishes and len(choices) == 1
        is_plain = is_plain and not rewritten
        return StreamStep(out, text, bears or finishes, False, is_plain, sound, pictures, left_out)


def ends_or_lives(event: Event, data: bytes, known: Known) -> bool | None:
    """What an event that is no object says, whose data is without spaces around it: True: the end, False: the provider
    is still there, None: neither. Raises the failure that an error without an object stands for."""
    if not data:
        return False
    if data == b"[DONE]" or data.strip(b"\"'").upper() in _ENDS:
        return True
    if _SIGN_OF_LIFE.fullmatch(data):
        return False
    if event.name == b"error" or _ERROR.match(data):
        raise failure_of(data[:_ERROR_BYTES_MAX].decode(errors="replace"), known)
    return None


def _readable(data: bytes) -> bytes:
    """An event that was taken, as JSON that can be decoded."""
    try:
        chunks.decode(data)
    except UpstreamBroke:
        return mended(data) or data
    return data
