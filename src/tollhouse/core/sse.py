"""Server-sent events: a stream of bytes, cut by the network wherever it likes, split into events.

Follows the event stream format of the HTML standard: LF, CRLF or CR end a line, an empty line ends an event, `data`
lines of one event are joined by LF, comments, `id` and `retry` are passed over, a byte order mark may stand in front.
Some things are read more kindly, because servers write them so: an event that the end of the stream cuts short of its
empty line still counts; objects that follow each other line by line are an event each, though no empty line parts them;
an object without `data:` is an event where nothing beside it says `data:` (JSON lines, and errors that a server meets
while it streams); `error: {...}` is an event called `error`.
"""

import re
from typing import NamedTuple

from tollhouse.core.failure import UpstreamBroke

EVENT_BYTES_MAX = 32 * 1024 * 1024
"""An event longer than this is nonsense and ends the stream."""
FILLER = b": still working\n\n"
"""A comment, which clients skip: a sign of life."""

_EVENT_END = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n))")
_EVENT_END_BYTES_MAX = 4
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")


def is_stream(body: bytes) -> bool:
    """Whether a body is a stream of events, whatever its head calls it."""
    return body[:64].removeprefix(_BYTE_ORDER_MARK).lstrip().startswith(_FIELDS)


class Event(NamedTuple):
    name: bytes  # what `event:` said; empty: nothing was said
    data: bytes


class Splitter:
    """Takes pieces of a stream, gives the events they complete. Its work is linear in the bytes taken."""

    __slots__ = ("_after_cr", "_any_cr", "_buffer", "_first")

    def __init__(self) -> None:
        self._buffer = bytearray()  # an event that is not complete yet
        self._any_cr = False  # lines may end in CR: look for ends the careful way
        self._after_cr = False  # the last event ended in CR, so an LF that comes next belongs to it
        self._first = True

    @property
    def pending(self) -> int:
        """Bytes of an event that is not complete yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Event]:
        """Raises UpstreamBroke when an event is longer than EVENT_BYTES_MAX."""
        if not self._buffer and _is_one_line(data):
            self._first = self._after_cr = False
            return [Event(b"", data[6:-2])]
        if not self._buffer and (name_ends := _named(data)):
            self._first = self._after_cr = False
            return [Event(data[7:name_ends], data[name_ends + 7 : -2])]
        if not self._buffer and _is_one_line_with_cr(data):
            self._first = self._after_cr = False
            return [Event(b"", data[6:-4])]
        if self._after_cr and data:
            self._after_cr = False
            data = data.removeprefix(b"\n")
        buffer = self._buffer
        start = max(0, len(buffer) - _EVENT_END_BYTES_MAX + 1)
        buffer += data
        self._any_cr = self._any_cr or b"\r" in data
        blocks = self._blocks(start) if self._any_cr else self._blocks_without_cr(start)
        if len(self._buffer) > EVENT_BYTES_MAX:
            raise UpstreamBroke(f"The provider sent an event of more than {EVENT_BYTES_MAX} bytes.")
        return self._parsed(blocks) if blocks else []

    def finish(self) -> list[Event]:
        """The stream is over: what is left is the last event, if it is one."""
        return self._parsed([self.take()])

    def take(self) -> bytes:
        """Hand back the bytes of the incomplete event, as if they had not come."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest

    def _blocks_without_cr(self, start: int) -> list[bytes]:
        buffer = self._buffer
        last = buffer.rfind(b"\n\n", start)
        if last < 0:
            return []
        self._buffer = buffer[last + 2 :]
        del buffer[last:]
        return bytes(buffer).split(b"\n\n")

    def _blocks(self, start: int) -> list[bytes]:
        buffer = self._buffer
        blocks: list[bytes] = []
        begin = 0
        for stop, end in [match.span() for match in _EVENT_END.finditer(buffer, start)]:
            blocks.append(bytes(buffer[begin:stop]))
            begin = end
        self._after_cr = 0 < begin == len(buffer) and buffer.endswith(b"\r")
        del buffer[:begin]
        return blocks

    def _parsed(self, blocks: list[bytes]) -> list[Event]:
        if self._first and any(blocks):
            self._first = False
            blocks[0] = blocks[0].removeprefix(_BYTE_ORDER_MARK)
        events: list[Event] = []
        for block in blocks:
            if block.startswith(b"data: ") and b"\n" not in block and b"\r" not in block:
                events.append(Event(b"", block[6:]))
            elif name_ends := _named(block + b"\n\n"):
                events.append(Event(block[7:name_ends], block[name_ends + 7 :]))
            else:
                events += _events_of(block)
        return events


def _is_one_line(data: bytes) -> bool:
    """By far the most frequent piece: one whole event of one line."""
    return data[:6] == b"data: " and data[-2:] == b"\n\n" and data.count(b"\n") == 2 and b"\r" not in data


def _named(data: bytes) -> int:
    """Where the name of one whole event ends that has a name and one line of data; 0: it is another piece."""
    if data[:7] != b"event: " or data[-2:] != b"\n\n" or data.count(b"\n") != 3 or b"\r" in data:
        return 0
    name_ends = data.index(b"\n")
    return name_ends if data.startswith(b"data: ", name_ends + 1) else 0


def _is_one_line_with_cr(data: bytes) -> bool:
    """The same as Google writes it."""
    return data[-4:] == b"\r\n\r\n" and data[:6] == b"data: " and data.count(b"\n") == 2 == data.count(b"\r")


def _events_of(block: bytes) -> list[Event]:
    """Read the lines up to an empty one; nothing where they hold no data."""
    name = b""
    data: list[bytes] = []
    for line in block.splitlines():
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value
        elif field == b"error" and value.startswith(b"{"):
            name = b"error"
            data.append(value)
    if not data and block.lstrip()[:1] == b"{":
        data = block.splitlines()
    if len(data) < 2:
        return [Event(name, data[0])] if data else []
    return [Event(name, one) for one in _parted(data)]


def _parted(lines: list[bytes]) -> list[bytes]:
    """Lines as the events that they are: behind a line that ends an object, no JSON goes on with the beginning of
    another, or with the mark of the end."""
    parted: list[list[bytes]] = [[]]
    before = b""
    for line in lines:
        if before.endswith(b"}") and line.lstrip().startswith((b"{", b"[DONE]")):
            parted.append([])
        parted[-1].append(line)
        before = line.rstrip() or before
    return [b"\n".join(one) for one in parted]
